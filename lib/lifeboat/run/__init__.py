"""The folder of one run, what a path means, and how a file is written whole or not at all."""

from lifeboat import moved_from
from lifeboat.run.folder import STAGES, Run, last_run
from lifeboat.run.inputs import digest
from lifeboat.run.paths import project_root, resolve, resolve_input
from lifeboat.run.writing import replacing, write_json

__all__ = ["STAGES", "Run", "digest", "last_run", "project_root", "replacing", "resolve", "resolve_input", "write_json"]

__getattr__ = moved_from(__name__)
