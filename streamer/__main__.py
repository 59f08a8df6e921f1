"""The ``facestream`` command, also as ``python -m streamer``: signals first, then the work, then a prompt end."""

from __future__ import annotations

import signal

# Users change their minds while Python still imports: until main() takes over, Ctrl-C just ends the program.
signal.signal(signal.SIGINT, signal.SIG_DFL)

import io  # noqa: E402
import logging  # noqa: E402
import os  # noqa: E402
import sys  # noqa: E402
import threading  # noqa: E402
from types import FrameType  # noqa: E402
from typing import TYPE_CHECKING, NoReturn  # noqa: E402

if TYPE_CHECKING:
    from streamer.errors import FacestreamError

_interrupted = threading.Event()
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
    except Exception:
        if not _interrupted.is_set():
            raise
        status = _INTERRUPTED  # a package of compiled code that is interrupted while it loads says it is broken
    _leave(status)


def _run() -> int:
    _mend_streams()
    from streamer.cli import app
    from streamer.errors import FacestreamError

    try:
        app()
        sys.stdout.flush()
    except FacestreamError as error:
        return _tell(error)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except OSError as error:  # what is printed cannot be: a full disk behind ">"
        from streamer.sinks.base import output_error

        logging.getLogger(__name__).info("%s", error, exc_info=error)
        # Python tries once more at its end, and would leave with a status and words of its own.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return _tell(output_error(error.filename or "to the standard output", error))
    return 0


def _tell(error: FacestreamError) -> int:
    from streamer.session import tell

    tell(error)
    return error.exit_status


def _mend_streams() -> None:
    """Have all three standard streams, also when started without: another file would get their numbers and texts."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: SIM115
    sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: SIM115
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # names and degree signs where the terminal knows only ASCII


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
    _interrupted.set()
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()
