"""``python -m lifeboat`` is the command ``lifeboat``."""

from __future__ import annotations

import atexit
import gc
import os
import sys


def main() -> None:
    """Run the command as the environment should have been set: errors are sentences from the first import on."""
    if "--debug" in sys.argv[1:]:
        sys.argv.remove("--debug")
        os.environ["LIFEBOAT_DEBUG"] = "1"
    atexit.register(gc.freeze)  # else Python walks through all that was imported before it ends: a second
    try:
        _set_straight()
        from lifeboat.cli.app import app

        app()
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:  # an import that goes wrong: what PYTHONPATH leads to is another than what we need
        if os.environ.get("LIFEBOAT_DEBUG", "") not in ("", "0"):
            raise
        from lifeboat.cli.shadows import shadow_message

        message = shadow_message() or "A package is missing or broken: make the environment anew by `make clean run`."
        sys.exit(f"lifeboat: {message} LIFEBOAT_DEBUG=1 shows where it happened: {type(error).__name__}: {error}")


def _set_straight() -> None:
    """UTF-8 whatever the locale says, a letter that a terminal has not as its number, and warnings as warnings."""
    import locale

    utf8 = sys.flags.utf8_mode or locale.getpreferredencoding(False).lower().replace("-", "") == "utf8"
    if os.name == "posix" and not utf8 and os.environ.get("PYTHONUTF8") != "1":
        os.environ["PYTHONUTF8"] = "1"  # read when Python starts, so it starts once more
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    if "error" in os.environ.get("PYTHONWARNINGS", ""):
        del os.environ["PYTHONWARNINGS"]
        import warnings

        warnings.resetwarnings()
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.simplefilter("ignore", ResourceWarning)


if __name__ == "__main__":
    main()
