"""Write what `lifeboat catch-up` lays: the folders of a run with the notebooks' own parameters, and the notebooks.

The run is outputs/tutorial, which tools/execute_notebooks.py leaves. The archive is the same for the same files.
"""

from __future__ import annotations

import io
import lzma
import tarfile
from pathlib import Path

import nbformat

from lifeboat.parameters.model import BESIDE
from lifeboat.run import STAGES, Run, replacing
from lifeboat.runner.folders import notebooks_folder
from lifeboat.teaching.catch_up import CHECKPOINTS


def without_outputs(notebook: Path) -> bytes:
    """A notebook before anybody has run it."""
    content = nbformat.read(notebook, as_version=4)
    for cell in content.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return (nbformat.writes(content) + "\n").encode()


def main() -> None:
    """Write the archive."""
    run, files = Run("outputs/tutorial"), {}
    for stage in STAGES[:-1]:
        folder = run.folder(stage)
        kept = (path for path in folder.rglob("*") if path.is_file() and path.suffix not in (".crc", ".png"))
        files |= {f"run/{stage}/{path.relative_to(folder).as_posix()}": path.read_bytes() for path in kept}
    for name in (*STAGES, *BESIDE):
        files[f"notebooks/{name}.ipynb"] = without_outputs(notebooks_folder() / f"{name}.ipynb")
    with (
        replacing(CHECKPOINTS) as beside,
        lzma.open(beside, "wb", preset=9) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for name, content in sorted(files.items()):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    print(f"{CHECKPOINTS.name}: {len(files)} files, {CHECKPOINTS.stat().st_size >> 10} KB")


if __name__ == "__main__":
    main()
