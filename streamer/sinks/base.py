"""What every consumer of results has in common, and how a failed write is told to the user."""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from streamer.errors import OutputError

if TYPE_CHECKING:  # the command line comes here before anything heavy may be loaded
    from streamer.types import FrameResult

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
    taken = Path(source.removeprefix("file://")).expanduser().resolve()
    if taken.is_file() and path.resolve() == taken:
        raise OutputError(f"{path} is the source itself; choose another file to write to")


def prepare_folder(path: Path) -> None:
    """Create the folder that ``path`` will lie in.

    Raises:
        OutputError: it cannot be created.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise output_error(path, error) from error


def replace_text(path: Path, text: str) -> None:
    """Write a small file whole or not at all, in place of the one before; missing folders are created.

    Raises:
        OutputError: it cannot be written; the one before is still there.
    """
    prepare_folder(path)
    try:
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}-", suffix=path.suffix)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())  # a power cut must not leave an empty file under the final name
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise output_error(path, error) from error
