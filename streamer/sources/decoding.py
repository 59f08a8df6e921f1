"""From packets to BGR pictures with PyAV: conversion, rotation, damaged stretches."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import av
import av.error
import cv2
import numpy as np
from av.video.reformatter import VideoReformatter

from streamer.errors import NoVideoError, UndecodableError
from streamer.sources.base import SourceStats
from streamer.sources.interrupt import Interrupt
from streamer.types import Image

log = logging.getLogger(__name__)

DAMAGE_LIMIT = 20
"""Unreadable packets in a row after which nothing more can be hoped for."""

UNTIMED_FORMATS = frozenset({"mpjpeg"})
"""Formats whose times are FFmpeg's guess of 25 frames a second: MJPEG over HTTP."""

ORDERLESS_FORMATS = frozenset({"avi"})
"""Formats that number packets and say nothing of the order in which pictures show: FFmpeg's guess of it, ``pts``, goes
back and forth where there are B-frames. Pictures are decoded in the right order, so that ``dts`` tells their times."""

DEVICE_POLL = 0.004
"""Seconds between looks at a device that has no picture yet."""

_ROTATIONS = {1: cv2.ROTATE_90_COUNTERCLOCKWISE, 2: cv2.ROTATE_180, 3: cv2.ROTATE_90_CLOCKWISE}


class BgrConverter:
    """Converts decoded frames to upright BGR arrays without a copy beyond the conversion itself.

    One thread: for a 720p frame FFmpeg's own slice threads cost more processor time than they save.
    """

    def __init__(self) -> None:
        self._reformatter = VideoReformatter()

    def convert(self, frame: Any) -> Image:
        """Return the frame as contiguous BGR uint8 ``(H, W, 3)``, turned as its metadata asks."""
        converted = self._reformatter.reformat(frame, format="bgr24", threads=1)
        plane: Any = converted.planes[0]
        shape = (converted.height, converted.width, 3)
        image: Image = np.ndarray(shape, np.uint8, buffer=plane, strides=(plane.line_size, 3, 1))
        quarter_turns = round(frame.rotation / 90) % 4
        if quarter_turns:
            return np.asarray(cv2.rotate(image, _ROTATIONS[quarter_turns]), np.uint8)
        if converted is frame:  # nothing to convert: the decoder may still own these bytes
            return image.copy()
        return np.ascontiguousarray(image)


class VideoStream:
    """The best video stream of an open container, decoded picture by picture.

    Attributes:
        period: nominal seconds per frame.
        fps: nominal frames per second, ``None`` when the container does not say.
        untimed: the format carries no times, and FFmpeg makes them up; they are withheld.
    """

    def __init__(
        self, container: Any, name: str, stats: SourceStats, interrupt: Interrupt, *, frame_threads: bool
    ) -> None:
        """Choose the stream and set the decoder up.

        Args:
            container: open PyAV input container; closed by its owner.
            name: display name for error messages.
            stats: where skipped frames are counted.
            interrupt: ends a wait for a device that has no picture.
            frame_threads: decode several frames at once: shorter wall time, but more processor time and a
                delay of some frames, so only for files played as fast as possible.

        Raises:
            NoVideoError: there is no video stream.
            UndecodableError: the codec is unknown.
        """
        self._container = container
        self._stats = stats
        self._interrupt = interrupt
        self._stream = self._choose(container, name)
        self._stream.thread_type = "AUTO" if frame_threads else "SLICE"
        self._converter = BgrConverter()
        self.untimed = container.format.name in UNTIMED_FORMATS
        self._orderless = container.format.name in ORDERLESS_FORMATS
        self.fps = self._nominal_fps()
        self.period = 1.0 / self.fps if self.fps else 0.04
        log.info("%s: %s in %s", name, self._stream.codec_context.name, container.format.name)

    @staticmethod
    def _choose(container: Any, name: str) -> Any:
        videos = [s for s in container.streams.video if not _is_cover(s)]
        if not videos:
            raise NoVideoError(
                f"{name} holds no video, only {_kinds(container)}. Choose a file or stream with pictures."
            )
        stream = container.streams.best("video") or videos[0]
        stream = stream if stream in videos else videos[0]
        if stream.codec_context is None:
            raise UndecodableError(
                f"{name} uses a video codec this FFmpeg cannot decode. Convert it, for example to H.264."
            )
        return stream

    def _nominal_fps(self) -> float | None:
        rate = self._stream.average_rate or self._stream.guessed_rate
        return float(rate) if rate and 0 < rate < 1000 and not self.untimed else None

    @property
    def start(self) -> float | None:
        """Timestamp of the first picture in seconds, ``None`` when the container does not say."""
        first = self._stream.start_time
        return None if first is None else float(first * self._stream.time_base)

    @property
    def duration(self) -> float | None:
        """Length in seconds, ``None`` when unknown."""
        return self.promised or (self._container.duration / av.time_base if self._container.duration else None)

    @property
    def promised(self) -> float | None:
        """Length in seconds by the index of the pictures themselves, ``None`` in formats that have none."""
        return float(self._stream.duration * self._stream.time_base) if self._stream.duration else None

    def seek(self, seconds: float) -> bool:
        """Go to the last key frame at or before the raw time ``seconds``; ``False`` if that is impossible."""
        try:
            self._container.seek(int(seconds / self._stream.time_base), stream=self._stream)
        except av.error.FFmpegError:
            return False
        return True

    def frames(self) -> Iterator[tuple[Any, float | None]]:
        """Yield undamaged decoded frames with their raw times in seconds.

        Damaged packets and frames the decoder had to patch up are counted and skipped.

        Raises:
            av.error.FFmpegError: reading (not decoding) failed.
        """
        for packet in self._packets():
            try:
                decoded = packet.decode()
            except (av.error.InvalidDataError, av.error.PatchWelcomeError, av.error.UndefinedError):
                self._stats.corrupt += 1
                continue
            for frame in decoded:
                if frame.is_corrupt:
                    self._stats.corrupt += 1
                else:
                    yield frame, self._time(frame)

    def _time(self, frame: Any) -> float | None:
        """The raw time of a decoded frame in seconds, ``None`` where it has none."""
        if self.untimed:
            return None
        if not self._orderless:
            return frame.time  # type: ignore[no-any-return]
        return None if frame.dts is None else float(frame.dts * self._stream.time_base)

    def _packets(self) -> Iterator[Any]:
        """Yield packets; step over damage in the container, wait where a device has nothing yet."""
        damaged = 0
        while True:
            try:
                for packet in self._container.demux(self._stream):
                    damaged = 0
                    yield packet
                return
            except av.error.BlockingIOError:
                if not self._interrupt.pause(DEVICE_POLL):
                    raise
            except av.error.InvalidDataError:
                self._stats.corrupt += 1
                damaged += 1
                if damaged >= DAMAGE_LIMIT:
                    raise

    def convert(self, frame: Any) -> Image:
        """Return a decoded frame as an upright BGR picture."""
        return self._converter.convert(frame)


def _is_cover(stream: Any) -> bool:
    """Whether a stream is the cover picture of a song."""
    return bool(stream.disposition & av.stream.Disposition.attached_pic)


def _kinds(container: Any) -> str:
    kinds = sorted({s.type for s in container.streams if s.type and s.type != "video"})
    return " and ".join(kinds) or "no known data"
