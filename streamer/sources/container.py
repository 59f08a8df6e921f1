"""What files, network streams and webcams share: a PyAV container that is opened, decoded, searched and closed."""

from __future__ import annotations

import itertools
import threading
import time
from abc import abstractmethod
from collections import deque
from collections.abc import Iterator
from functools import partial
from typing import Any

import av.error

from streamer.config import SourceConfig
from streamer.errors import SourceError, UndecodableError
from streamer.sources.base import Picture, Source
from streamer.sources.decoding import VideoStream
from streamer.sources.failures import connect_timed_out, opening_failed, read_timed_out, reading_failed
from streamer.sources.interrupt import Interrupt
from streamer.sources.seeking import REMEMBERED, TOLERANCE, Place, TimedFrame, places_to_begin, search
from streamer.sources.timeline import Timeline
from streamer.types import Frame


class ContainerSource(Source):
    """A source behind FFmpeg. Opening includes decoding the first picture, so that its size is certain."""

    connect_timeout: float
    read_timeout: float

    def __init__(self, name: str, config: SourceConfig, *, loop: bool = False, frame_threads: bool = False) -> None:
        """Prepare the source.

        Args:
            name: display name without credentials.
            config: time limits and options.
            loop: start again at the end of a recording.
            frame_threads: see :class:`~streamer.sources.decoding.VideoStream`.
        """
        super().__init__(name, loop=loop)
        self.connect_timeout = config.connect_timeout
        self.read_timeout = config.read_timeout
        self._config = config
        self._frame_threads = frame_threads
        self._interrupt = Interrupt(self._closed)
        self._container: Any = None
        self._stream: VideoStream | None = None
        self._frames: Iterator[TimedFrame] = iter(())
        self._timeline = Timeline(0.04, live=self.live)
        self._place = Place(0.04)
        self._skip_to = 0.0
        self._trail: deque[tuple[TimedFrame, float]] = deque(maxlen=REMEMBERED)
        self._first: Picture | None = None
        self._overtaken = False  # whether the latest search was ended before it had found anything

    @abstractmethod
    def _connect(self) -> Any:
        """Return an open PyAV container; FFmpeg errors pass through."""

    def _begin(self, stream: VideoStream) -> None:
        """Set the timeline's start, and go to the start offset where there is one."""

    def _open(self) -> None:
        with self._interrupt.guard(self.connect_timeout):
            try:
                stream = self._start()
                self._begin(stream)
                self._first = self._decode()
            except av.error.FFmpegError as error:
                if self._interrupt.timed_out:
                    raise connect_timed_out(self.name, self.connect_timeout) from None
                raise self._opening_failed(error) from None
        if self._first is None:
            raise UndecodableError(
                f"{self.name} holds no picture that can be decoded. Check that it plays elsewhere, or convert it."
            )
        height, width = self._first.image.shape[:2]
        self.size, self.fps, self.duration = (width, height), stream.fps, stream.duration

    def _start(self) -> VideoStream:
        """Connect and make ready to decode from the first picture on."""
        self._container = self._connect()
        self._stream = VideoStream(
            self._container, self.name, self.stats, self._interrupt, frame_threads=self._frame_threads
        )
        self._frames = self._stream.frames()
        self._timeline.period = self._stream.period
        self._place = Place(self._stream.period, origin=self._stream.start or 0.0)
        return self._stream

    def _next(self) -> Picture | None:
        if self._first is not None:
            first, self._first = self._first, None
            return first
        with self._interrupt.guard(self.read_timeout):
            try:
                return self._decode() or self._ended()
            except av.error.FFmpegError as error:
                if self._interrupt.timed_out:
                    raise read_timed_out(self.name, self.read_timeout) from None
                return self._broken(error)

    def _decode(self) -> Picture | None:
        """Return the next picture of the stream that is to be handed out, ``None`` at the stream's end."""
        assert self._stream is not None
        for frame, raw in self._frames:
            position = self._place.of(raw)
            if self.seekable:
                self._trail.append(((frame, raw), position))
            if self.live or position > self._skip_to - TOLERANCE:
                return Picture(
                    self._stream.convert(frame), self._timeline.place(raw), None if self.live else max(position, 0.0)
                )
        return None

    def _ended(self) -> Picture | None:
        """Decide what the end of the stream means."""
        return None

    def _again(self) -> Picture | None:
        """Start the next lap. The medium is reopened: that works for formats that cannot seek, too."""
        self._release()
        self._begin(self._start())
        self._timeline.cut()
        self._segment += 1
        return self._decode()

    def _opening_failed(self, error: av.error.FFmpegError) -> SourceError:
        return opening_failed(error, self.name, self.connect_timeout)

    def _broken(self, error: av.error.FFmpegError) -> Picture | None:
        """Decide what a read error means."""
        raise reading_failed(error, self.name, self.read_timeout) from None

    # ---- seeking ---------------------------------------------------------------------------------------------

    def _seek(self, seconds: float, back: int) -> None:
        """Search from the key frame before, from earlier ones where the index was wrong, at last from the start."""
        self._first, self._skip_to, self._overtaken = None, 0.0, False
        if self._turn_back(seconds, back):
            return
        corrupt = self.stats.corrupt
        # The promised length is where to begin, not where to end: there may be pictures behind it.
        near = seconds if self.duration is None else min(seconds, max(self.duration, self._place.latest))
        try:
            for begin in places_to_begin(near - back * self._place.period):
                if self._go_to(begin):
                    found = search(self._glimpsed(self._guarded(self._frames)), self._place, seconds, back)
                    if self._overtaken:
                        self._trail.clear()
                        self._timeline.cut()
                        break
                    if found.complete or begin <= 0.0 or self._closed.is_set():
                        self._trail = deque(found.earlier, maxlen=REMEMBERED)
                        self._go_on(found.frames, found.before)
                        break
        except av.error.FFmpegError as error:
            if self._interrupt.timed_out:
                raise read_timed_out(self.name, self.read_timeout) from None
            raise reading_failed(error, self.name, self.read_timeout) from None
        finally:
            self.stats.corrupt = corrupt  # what a jump into the middle leaves undecodable is no damage

    def _turn_back(self, seconds: float, back: int) -> bool:
        """Take the picture from those remembered, if it is among them."""
        trail = list(self._trail)
        if not trail or trail[-1][1] < seconds - TOLERANCE:
            return False
        at = sum(position <= seconds + TOLERANCE for _, position in trail) - 1 - back
        if at < 0:
            return False
        self._trail = deque(trail[:at], maxlen=REMEMBERED)
        self._go_on([frame for frame, _ in trail[at:]], trail[at][1] - self._place.period)
        return True

    def _go_on(self, frames: list[TimedFrame], before: float) -> None:
        """Hand out these pictures next, the first of which lies one step behind ``before``, and then what follows."""
        self._place.latest = before
        self._frames = itertools.chain(frames, self._frames)
        self._timeline.cut()

    def _go_to(self, begin: float) -> bool:
        """Let the container continue near ``begin`` seconds; ``False`` if only its start can be reached."""
        with self._interrupt.guard(self.connect_timeout):
            if begin <= 0.0:
                self._release()
                self._start()
            elif self._stream is None or not self._place.timed or not self._stream.seek(self._place.origin + begin):
                return False
            else:
                self._frames = self._stream.frames()
        return True

    def _guarded(self, frames: Iterator[TimedFrame]) -> Iterator[TimedFrame]:
        """The same frames, each within the time limit; damage that reaches to the end is the end."""
        while not self._closed.is_set():
            with self._interrupt.guard(self.read_timeout):
                try:
                    frame = next(frames, None)
                except av.error.InvalidDataError:
                    return
            if frame is None:
                return
            yield frame

    def _glimpsed(self, frames: Iterator[TimedFrame]) -> Iterator[TimedFrame]:
        """The same frames, until whoever waits for the one searched for wants another."""
        for frame in frames:
            yield frame
            if self._glimpse is not None and not self._glimpse(partial(self._on_the_way, frame[0])):
                self._overtaken = True
                return

    def _on_the_way(self, frame: Any) -> Frame:
        """The latest frame of a search as a picture that belongs to where the search leads."""
        assert self._stream is not None
        image, position = self._stream.convert(frame), max(self._place.latest, 0.0)
        image.setflags(write=False)
        pts = self._timeline.pass_by()
        return Frame(image, self.stats.decoded, pts, time.monotonic(), self.name, position, self._segment + 1)

    def _release(self) -> None:
        self._frames = iter(())
        self._trail.clear()
        self._stream = None
        self._first = None
        if self._container is not None:
            # Closing an RTSP session sends a farewell, which must not hang either: give it a moment.
            with Interrupt(threading.Event()).guard(0.3):
                self._container.close()
            self._container = None
