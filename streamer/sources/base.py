"""What every source of pictures is: opened once, read from one thread, closed from any thread.

Thread contract: ``open()``, ``read()`` and ``seek()`` are called by one thread at a time. ``close()`` may be
called from any thread at any moment; it wakes whoever hangs inside, and whichever thread is last inside the
source releases what it holds. A source is used once: to reconnect, make a new one. Pictures come as fast as
they can be had; whoever plays them waits until each is due.
"""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from streamer.errors import SourceError
from streamer.types import Frame, Image

CLOSE_PATIENCE = 1.0
"""Seconds ``close()`` waits for a reader to notice before it leaves the release to that reader."""


@dataclass(slots=True)
class SourceStats:
    """What happened to a running source; written by the reading thread, readable from any.

    Attributes:
        decoded: pictures handed out.
        corrupt: damaged packets, frames or picture files that were skipped.
        incomplete: what is missing at the end of a source that went well up to there, or ``None``.
    """

    decoded: int = 0
    corrupt: int = 0
    incomplete: SourceError | None = None


Glimpse = Callable[[Callable[[], Frame]], bool]
"""Told of each picture that a search passes, which is made when it is asked for; ``False`` ends the search."""


class SourceClosedError(SourceError):
    """The source was closed while it was being opened; nobody needs to be told."""


class Picture(NamedTuple):
    """A decoded picture on its way to becoming a frame.

    Attributes:
        image: BGR ``(H, W, 3)``.
        pts: seconds, always increasing.
        position: seconds into the source, ``None`` on a live one.
    """

    image: Image
    pts: float
    position: float | None


class Source(ABC):
    """A stream of BGR pictures with times.

    Attributes:
        name: display name, never with credentials.
        live: ``True`` for a webcam or network stream, where the newest picture matters; ``False`` where
            every picture matters and the source waits for its reader.
        still: one picture and no more, so that there is nothing to follow; certain after :meth:`open`.
        seekable: whether :meth:`seek` can find a picture by its time; certain after :meth:`open`.
        loop: start again at the end; may be set at any time, from any thread.
        size: ``(width, height)`` in pixels of the first picture, ``None`` before :meth:`open`.
        fps: nominal frames per second, ``None`` when unknown.
        duration: length of one lap in seconds, 0 for a single picture, ``None`` when unknown.
        stats: counters, see :class:`SourceStats`.
    """

    live: bool = False
    still: bool = False
    seekable: bool = False

    def __init__(self, name: str, *, loop: bool = False) -> None:
        """Prepare a source without touching it.

        Args:
            name: display name without credentials.
            loop: start again at the end.
        """
        self.name = name
        self.loop = loop
        self.size: tuple[int, int] | None = None
        self.fps: float | None = None
        self.duration: float | None = None
        self.stats = SourceStats()
        self._segment = 0
        self._closed = threading.Event()
        self._inside = threading.Lock()
        self._glimpse: Glimpse | None = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}>"

    def open(self) -> None:
        """Connect, and find the size of the pictures.

        Raises:
            SourceError: a subclass that says what is wrong and what helps.
            SourceClosedError: :meth:`close` was called meanwhile.
        """
        with self._inside:
            try:
                if not self._closed.is_set():
                    self._open()
            except SourceError:
                self._release()
                if not self._closed.is_set():
                    raise
            except BaseException:
                self._release()
                raise
            if self._closed.is_set():
                self._release()
                raise SourceClosedError(f"{self.name} was closed while it was being opened.") from None

    def read(self) -> Frame | None:
        """Return the next picture, or ``None`` at the end of the source or once it is closed.

        Raises:
            SourceError: the source broke off, stalled or cannot be decoded.
        """
        with self._inside:
            try:
                picture = None if self._closed.is_set() else self._next()
            except SourceError:
                if not self._closed.is_set():
                    raise
            finally:
                if self._closed.is_set():
                    self._release()
            if self._closed.is_set() or picture is None:
                return None
            return self._publish(picture)

    def seek(self, seconds: float, *, back: int = 0, glimpse: Glimpse | None = None) -> None:
        """Let the next read give the picture that is shown at a time; does nothing where that is impossible.

        Args:
            seconds: time from the start; beyond the end means the last picture, before the start the first.
            back: how many pictures before that one to go.
            glimpse: told of pictures on the way, where there are any; may end the search, after which the next read
                gives one of those.

        Raises:
            SourceError: the source cannot be read any more.
        """
        with self._inside:
            self._glimpse = glimpse
            try:
                if self.seekable and not self._closed.is_set():
                    self._seek(max(seconds, 0.0), back)
                    self._segment += 1
            except SourceError:
                if not self._closed.is_set():
                    raise
            finally:
                if self._closed.is_set():
                    self._release()

    def close(self) -> None:
        """End the source; idempotent, callable from any thread, wakes a hanging open or read."""
        self._closed.set()
        if self._inside.acquire(timeout=CLOSE_PATIENCE):
            try:
                self._release()
            finally:
                self._inside.release()

    def _publish(self, picture: Picture) -> Frame:
        """Freeze a picture into a frame."""
        image, pts, position = picture
        image.setflags(write=False)
        frame = Frame(image, self.stats.decoded, pts, time.monotonic(), self.name, position, self._segment)
        self.stats.decoded += 1
        return frame

    @abstractmethod
    def _open(self) -> None:
        """Connect and set ``size``, ``fps`` and ``duration``."""

    @abstractmethod
    def _next(self) -> Picture | None:
        """Return the next picture, or ``None`` at the end; at the end again after a call at the end."""

    def _seek(self, seconds: float, back: int) -> None:
        """See :meth:`seek`; called only when ``seekable``."""
        raise NotImplementedError

    @abstractmethod
    def _release(self) -> None:
        """Free everything; called more than once, never while another thread is inside."""
