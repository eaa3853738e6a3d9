"""Starts the command ``lifeboat``, and no other package of that name that ``PYTHONPATH`` may lead to."""

import os
import sys


def main() -> None:
    """Import the package that lies beside this file, and run its command."""
    import lifeboat

    imported, own = str(lifeboat.__file__), os.path.join(os.path.dirname(os.path.abspath(__file__)), "lifeboat")
    if not os.path.samefile(os.path.dirname(imported), own):
        path = os.environ.get("PYTHONPATH")
        sys.exit(f"lifeboat: {imported} hides {own}, and PYTHONPATH={path!r} leads there: take that folder out of it")
    from lifeboat.__main__ import main as run

    run()
