"""``python -m lifeboat.deploy.server FOLDER``: the server by itself, as a container starts it.

It needs Flask, Granian, msgspec, prometheus-client and what ``lifeboat.scoring`` needs; ``lifeboat serve`` finds runs
and registered models too.
"""

from __future__ import annotations

import sys
from pathlib import Path

from lifeboat.deploy.server.options import parser, settings_of
from lifeboat.deploy.server.process import serve
from lifeboat.errors import LifeboatError


def main() -> None:
    """Serve the portable model in a folder until the process is told to end."""
    args = parser("python -m lifeboat.deploy.server", main.__doc__ or "", "the portable model's folder").parse_args()
    try:
        serve(Path(args.model), settings_of(args))
    except LifeboatError as error:
        sys.exit(f"lifeboat: {error}")


if __name__ == "__main__":
    main()
