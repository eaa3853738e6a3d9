"""``python -m lifeboat`` is the command ``lifeboat``."""

from lifeboat.cli import app

app()
