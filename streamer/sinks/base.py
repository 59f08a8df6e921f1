"""What every consumer of results has in common, and how a failed write is told to the user."""

from __future__ import annotations

import errno
import logging
import os
import shutil
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Protocol

from streamer.errors import OutputError

if TYPE_CHECKING:  # the command line comes here before anything heavy may be loaded
    from streamer.types import FrameResult

log = logging.getLogger(__name__)

_REASONS = {
    errno.ENOSPC: ("the disk is full", "free some space or choose another place"),
    errno.EDQUOT: ("your disk quota is used up", "free some space or choose another place"),
    errno.EFBIG: ("the file has reached the largest size allowed here", "choose another place"),
    errno.EACCES: ("permission is denied", "choose a place you may write to"),
    errno.EPERM: ("permission is denied", "choose a place you may write to"),
    errno.EROFS: ("the file system is read-only", "choose a place you may write to"),
    errno.EISDIR: ("it is a folder", "name a file in it"),
    errno.ENOTDIR: ("a part of the path is a file, not a folder", "correct the path"),
    errno.EEXIST: ("a part of the path is a file, not a folder", "correct the path"),
    errno.ENAMETOOLONG: ("the name is too long", "choose a shorter one"),
    errno.EINVAL: ("it is no place for such a file", "name an ordinary file"),
    errno.ESPIPE: ("it is no place for such a file", "name an ordinary file"),
    errno.ENOENT: ("there is no such place", "correct the path"),
    errno.EPIPE: ("the program reading it has ended", "start it again"),
}


class Sink(Protocol):
    """A consumer of results, driven by one thread of its own.

    It opens what it writes to when it is made, so that a wrong path is told before anything else starts.
    The first failure raises and ends it: what can be finished has been finished then, later calls do nothing.

    Attributes:
        path: the file it writes, if it writes one.
    """

    @property
    def path(self) -> Path | None:
        """See above."""

    def write(self, result: FrameResult) -> None:
        """Take the next result; results come in order, with gaps when the sink is slower than a live source.

        Raises:
            OutputError: the result could not be written; the sink takes no more.
        """

    def close(self) -> None:
        """Finish and release everything; safe to call twice.

        Raises:
            OutputError: the end of the file could not be written.
        """


def output_error(path: Path | str, error: OSError) -> OutputError:
    """The sentence for a file that cannot be written, from the system's own error."""
    reason, remedy = _REASONS.get(error.errno or 0, (error.strerror or type(error).__name__, "choose another place"))
    return OutputError(f"cannot write {path}: {reason}; {remedy}")


def refuse_source(path: Path, source: str) -> None:
    """Refuse to write over the video that is being read: the user would lose it.

    Raises:
        OutputError: ``path`` is the file that ``source`` names.
    """
    taken = os.path.realpath(os.path.expanduser(source.removeprefix("file://")))
    if os.path.isfile(taken) and os.path.realpath(path) == taken:
        raise OutputError(f"{path} is the source itself; choose another file to write to")


def claim(file: IO[Any], path: Path) -> None:
    """Keep a file that is being written to one writer, for as long as ``file`` is open.

    Raises:
        OutputError: another run, or another output of this one, is writing it; ``file`` is closed then.
    """
    if sys.platform == "win32":  # there the system itself refuses a second writer
        return
    import fcntl

    try:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise OutputError(f"cannot write {path}: another run is writing it; choose another name") from None
    except OSError as error:  # some network drives have no locks: then nobody is kept out
        log.info("%s cannot be locked: %s", path, error)


def prepare_folder(path: Path) -> None:
    """Create the folder that ``path`` will lie in.

    Raises:
        OutputError: it cannot be created.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise output_error(path, error) from error


def refuse_unwritable(path: Path) -> None:
    """Refuse a file that cannot be written, before the work whose result it is to hold; missing folders are created.

    Raises:
        OutputError: it is a folder, or may not be written.
    """
    prepare_folder(path)
    if os.path.isdir(path):
        raise output_error(path, IsADirectoryError(errno.EISDIR, ""))
    if not os.access(path if os.path.exists(path) else path.parent, os.W_OK):
        raise output_error(path, PermissionError(errno.EACCES, ""))


def refuse_suffix(path: Path, suffixes: Sequence[str], allowed: str) -> None:
    """Refuse a picture whose name asks for a format that is not written.

    Args:
        path: of the picture.
        suffixes: endings it may have, the one to recommend first.
        allowed: says so in words, such as "snapshots are PNG or JPEG files".

    Raises:
        OutputError: it ends in something else.
    """
    if path.suffix.lower() not in suffixes:
        raise OutputError(f"cannot write {path}: {allowed}; name it {path.stem}{suffixes[0]}")


def prepare_output_folder(folder: Path) -> None:
    """Create the folder that files are to be written into, and refuse one that may not be written.

    Raises:
        OutputError: it cannot be had.
    """
    if os.path.exists(folder) and not os.path.isdir(folder):
        raise OutputError(f"cannot write into {folder}: it is a file; name a folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK):
            raise PermissionError(errno.EACCES, "")
    except OSError as error:
        raise output_error(folder, error) from error


def replace_text(path: Path, text: str) -> None:
    """As :func:`replace_bytes`, as UTF-8."""
    replace_bytes(path, text.encode("utf-8"))


def replace_bytes(path: Path, data: bytes) -> None:
    """Write a file whole or not at all, in place of the one before; missing folders are created.

    A pipe or a device is written to as it is.

    Raises:
        OutputError: it cannot be written; the one before is still there.
    """
    prepare_folder(path)
    target = Path(os.path.realpath(path))  # what a link leads to is replaced, not the link
    try:
        if path.parent == Path("/dev") or (os.path.exists(path) and not os.path.isfile(path)):
            path.write_bytes(data)
            return
        temporary = target.with_name(f".facestream-{os.getpid()}-{threading.get_ident()}.part")
        try:
            with temporary.open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())  # a power cut must not leave an empty file under the final name
            if target.exists():
                shutil.copymode(target, temporary)
            temporary.replace(target)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise output_error(path, error) from error
