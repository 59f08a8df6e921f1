"""Video files: accurate start, loop, damage that is stepped over."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import av.error

from streamer.config import SourceConfig
from streamer.errors import SourceError, UndecodableError
from streamer.sources.base import Picture
from streamer.sources.container import ContainerSource
from streamer.sources.decoding import VideoStream

# FFmpeg draws text and character art as pictures; a user who passes a text file has made a mistake.
TEXT_FORMATS = frozenset({"tty", "bin", "xbin", "adf", "idf"})

MISSING = 1.0
"""Seconds by which the pictures may fall short of what the file's index promises."""


class FileSource(ContainerSource):
    """One video file."""

    seekable = True

    def __init__(self, path: Path, config: SourceConfig, *, realtime: bool) -> None:
        """Prepare to read ``path``.

        Args:
            path: an existing file.
            config: ``loop`` and ``start`` apply.
            realtime: decode with little delay; otherwise with frame threads, for throughput.
        """
        super().__init__(path.name, config, loop=config.loop, frame_threads=not realtime)
        self.path = path
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
        self._skip_to = offset
        self._timeline.start(self._place.origin)
        if offset > 0:
            stream.seek(self._place.origin + offset)

    def _ended(self) -> Picture | None:
        self._check_whole()
        return self._again() if self.loop else None

    def _check_whole(self) -> None:
        """Note when the index promised more than there was: a download or copy that broke off."""
        length = self._stream.promised if self._stream is not None else None
        end = self._place.latest + self._place.period
        if length is not None and length - end > MISSING:
            self.stats.incomplete = UndecodableError(
                f"{self.name} ends after {end:.1f} of {length:.1f} s: the rest is missing or damaged. "
                "What was there has been used; copy or record the file again for the rest."
            )

    def _broken(self, error: av.error.FFmpegError) -> Picture | None:
        """Take damage that reaches to the end of the file as its end; what was readable has been read."""
        if isinstance(error, av.error.InvalidDataError):
            return self._ended()
        return super()._broken(error)
