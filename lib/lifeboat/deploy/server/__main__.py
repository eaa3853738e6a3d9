"""``python -m lifeboat.deploy.server FOLDER``: the server by itself, as a container starts it.

It needs Flask, waitress and what ``lifeboat.scoring`` needs; ``lifeboat serve`` finds runs and registered models too.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from lifeboat.deploy.server.app import serve
from lifeboat.errors import LifeboatError


def main() -> None:
    """Serve the portable model in a folder until the process is stopped."""
    parser = argparse.ArgumentParser(prog="python -m lifeboat.deploy.server", description=main.__doc__)
    parser.add_argument("folder", type=Path, help="the portable model")
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on; 0.0.0.0 for all")
    parser.add_argument("--port", type=int, default=5001, help="the port; 0 for a free one")
    parser.add_argument("--unseen", default="", help="warn or refuse, where a row has a value that training never met")
    args = parser.parse_args()
    try:
        serve(args.folder, args.host, args.port, args.unseen)
    except LifeboatError as error:
        sys.exit(f"lifeboat: {error}")


if __name__ == "__main__":
    main()
