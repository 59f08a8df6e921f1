"""The ``facestream`` command, also as ``python -m streamer``: signals first, then the work, then a prompt end."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from types import FrameType
from typing import NoReturn

_INTERRUPTED = 130  # what shells say of a program that Ctrl-C has ended


def main() -> NoReturn:
    """Run the command and leave with its exit status."""
    # Also where the parent ignores Ctrl-C for its children, as a script does for its background jobs. Set before
    # anything else is imported, which takes a moment in which users change their minds.
    signal.signal(signal.SIGINT, _interrupt)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        status = _run()
    except KeyboardInterrupt:
        status = _INTERRUPTED
    _leave(status)


def _run() -> int:
    from streamer.cli import app
    from streamer.errors import FacestreamError

    try:
        app()
    except FacestreamError as error:
        import typer

        typer.secho(f"facestream: {error}", fg=typer.colors.RED, err=True)
        return error.exit_status
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


def _leave(status: int) -> NoReturn:
    """End the process; what cannot be interrupted, such as an import of torch, is not waited for."""
    left = [t.name for t in threading.enumerate() if not t.daemon and t is not threading.current_thread()]
    if not left:
        sys.exit(status)
    logging.getLogger(__name__).info("leaving while %s still runs", ", ".join(left))
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def _interrupt(signum: int, frame: FrameType | None) -> NoReturn:
    """End on Ctrl-C and SIGTERM: through every ``finally``, so that recordings are finished."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()
