"""The frames of a clip that is measured: all of them, one after the other, as fast as they are asked for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from streamer.config import Config
from streamer.sources import open_source
from streamer.types import Frame


@contextmanager
def frames_of(clip: str, config: Config, max_frames: int | None = None) -> Iterator[Iterator[Frame]]:
    """Open a clip for as long as its frames are looked at.

    Args:
        clip: a file or another source that ends.
        config: how to open it.
        max_frames: give no more than this many frames.

    Raises:
        SourceError: it cannot be opened or read.
    """
    source = open_source(clip, config.source, realtime=False)

    def frames() -> Iterator[Frame]:
        while (max_frames is None or source.stats.decoded < max_frames) and (frame := source.read()):
            yield frame

    try:
        source.open()
        yield frames()
    finally:
        source.close()
