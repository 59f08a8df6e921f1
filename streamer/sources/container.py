"""What files, network streams and webcams share: a PyAV container that is opened, decoded and closed."""

from __future__ import annotations

import threading
from abc import abstractmethod
from collections.abc import Iterator
from typing import Any

import av.error

from streamer.config import SourceConfig
from streamer.errors import SourceError, UndecodableError
from streamer.sources.base import Source
from streamer.sources.decoding import VideoStream
from streamer.sources.failures import connect_timed_out, opening_failed, read_timed_out, reading_failed
from streamer.sources.interrupt import Interrupt
from streamer.sources.timeline import Timeline
from streamer.types import Image


class ContainerSource(Source):
    """A source behind FFmpeg. Opening includes decoding the first picture, so that its size is certain."""

    connect_timeout: float
    read_timeout: float

    def __init__(self, name: str, config: SourceConfig, *, realtime: bool, frame_threads: bool = False) -> None:
        """Prepare the source.

        Args:
            name: display name without credentials.
            config: time limits and options.
            realtime: hand pictures out at the pace of their times.
            frame_threads: see :class:`~streamer.sources.decoding.VideoStream`.
        """
        super().__init__(name, realtime=realtime)
        self.connect_timeout = config.connect_timeout
        self.read_timeout = config.read_timeout
        self._config = config
        self._frame_threads = frame_threads
        self._interrupt = Interrupt(self._closed)
        self._container: Any = None
        self._stream: VideoStream | None = None
        self._frames: Iterator[tuple[Any, float | None]] = iter(())
        self._timeline = Timeline(0.04, live=self.live)
        self._first: tuple[Image, float] | None = None

    @abstractmethod
    def _connect(self) -> Any:
        """Return an open PyAV container; FFmpeg errors pass through."""

    def _begin(self, stream: VideoStream) -> None:
        """Set the timeline's start, and go to the start offset where there is one."""

    def _open(self) -> None:
        with self._interrupt.guard(self.connect_timeout):
            try:
                stream = self._start()
                self._first = self._decode()
            except av.error.FFmpegError as error:
                if self._interrupt.timed_out:
                    raise connect_timed_out(self.name, self.connect_timeout) from None
                raise self._opening_failed(error) from None
        if self._first is None:
            raise UndecodableError(
                f"{self.name} holds no picture that can be decoded. Check that it plays elsewhere, or convert it."
            )
        height, width = self._first[0].shape[:2]
        self.size, self.fps, self.duration = (width, height), stream.fps, stream.duration

    def _start(self) -> VideoStream:
        """Connect and make ready to decode."""
        self._container = self._connect()
        self._stream = VideoStream(
            self._container, self.name, self.stats, self._interrupt, frame_threads=self._frame_threads
        )
        self._frames = self._stream.frames()
        self._timeline.period = self._stream.period
        self._begin(self._stream)
        return self._stream

    def _next(self) -> tuple[Image, float] | None:
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

    def _decode(self) -> tuple[Image, float] | None:
        """Return the next picture of the stream with its time, ``None`` at the stream's end."""
        assert self._stream is not None
        for frame, raw in self._frames:
            if self._wanted(raw):
                return self._stream.convert(frame), self._timeline.place(raw)
        return None

    def _wanted(self, raw: float | None) -> bool:
        """Whether the frame with the raw time ``raw`` seconds is to be handed out."""
        return True

    def _ended(self) -> tuple[Image, float] | None:
        """Decide what the end of the stream means."""
        return None

    def _opening_failed(self, error: av.error.FFmpegError) -> SourceError:
        return opening_failed(error, self.name, self.connect_timeout)

    def _broken(self, error: av.error.FFmpegError) -> tuple[Image, float] | None:
        """Decide what a read error means."""
        raise reading_failed(error, self.name, self.read_timeout) from None

    def _release(self) -> None:
        self._frames = iter(())
        self._stream = None
        self._first = None
        if self._container is not None:
            # Closing an RTSP session sends a farewell, which must not hang either: give it a moment.
            with Interrupt(threading.Event()).guard(0.3):
                self._container.close()
            self._container = None
