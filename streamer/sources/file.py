"""Video files: accurate start, loop, damage that is stepped over."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import av.error

from streamer.config import SourceConfig
from streamer.errors import SourceError, UndecodableError
from streamer.sources.container import ContainerSource
from streamer.sources.decoding import VideoStream
from streamer.types import Image

# FFmpeg draws text and character art as pictures; a user who passes a text file has made a mistake.
TEXT_FORMATS = frozenset({"tty", "bin", "xbin", "adf", "idf"})

MISSING = 1.0
"""Seconds by which the pictures may fall short of what the file's index promises."""

TOLERANCE = 1e-3
"""Seconds by which a frame may lie before the start offset: timestamps are rounded."""


class FileSource(ContainerSource):
    """One video file."""

    def __init__(self, path: Path, config: SourceConfig, *, realtime: bool) -> None:
        """Prepare to read ``path``.

        Args:
            path: an existing file.
            config: ``loop`` and ``start`` apply.
            realtime: play at the pace of the file; otherwise as fast as it decodes, with frame threads.
        """
        super().__init__(path.name, config, realtime=realtime, frame_threads=not realtime)
        self.path = path
        self._first_lap = True
        self._origin = 0.0
        self._position = 0.0
        # Local data comes at once or not at all; what takes long is decoding up to the start offset.
        self.connect_timeout = self.read_timeout = float("inf")

    def _connect(self) -> Any:
        if self.path.is_file() and self.path.stat().st_size == 0:
            raise UndecodableError(f"{self.name} is empty (0 bytes). Copy or record it again.")
        timeout = self._config.connect_timeout, self._config.read_timeout
        container = av.open(str(self.path), timeout=timeout, metadata_errors="replace")
        if container.format.name in TEXT_FORMATS:
            container.close()
            raise UndecodableError(f"{self.name} is a text file, not a video. Choose a video file.")
        return container

    def _begin(self, stream: VideoStream) -> None:
        """Let the timeline start with the file and seek near the start offset; the rest is decoded up to it."""
        offset = self._config.start
        if stream.duration is not None and offset >= stream.duration > 0:
            raise SourceError(
                f"{self.name} is {stream.duration:.1f} s long, so it cannot start at {offset:g} s. Lower source.start."
            )
        self._origin = stream.start or 0.0
        self._position = -self._timeline.period
        if self._first_lap:  # later laps jump back, which the timeline takes as one ordinary step
            self._timeline.start(self._origin)
        if offset > 0:
            stream.seek(self._origin + offset)

    def _wanted(self, raw: float | None) -> bool:
        self._position = self._position + self._timeline.period if raw is None else raw - self._origin
        return self._position > self._config.start - TOLERANCE

    def _ended(self) -> tuple[Image, float] | None:
        """Start again when looping. The file is reopened: that works for formats that cannot seek, too."""
        self._check_whole()
        if not self._config.loop:
            return None
        self._first_lap = False
        self._release()
        self._start()
        return self._decode()

    def _check_whole(self) -> None:
        """Note when the index promised more than there was: a download or copy that broke off."""
        length = self._stream.promised if self._stream is not None else None
        end = self._position + self._timeline.period
        if length is not None and length - end > MISSING:
            self.stats.incomplete = UndecodableError(
                f"{self.name} ends after {end:.1f} of {length:.1f} s: the rest is missing or damaged. "
                "What was there has been used; copy or record the file again for the rest."
            )

    def _broken(self, error: av.error.FFmpegError) -> tuple[Image, float] | None:
        """Take damage that reaches to the end of the file as its end; what was readable has been read."""
        if isinstance(error, av.error.InvalidDataError):
            return self._ended()
        return super()._broken(error)
