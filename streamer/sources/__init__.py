"""Where pictures come from: webcams, files, network streams, folders of images and the demo.

``open_source`` picks the right :class:`Source` for what the user typed; nothing is opened yet.
"""

from __future__ import annotations

from pathlib import Path

from streamer.config import SourceConfig
from streamer.errors import SourceNotFoundError
from streamer.sources.base import Source, SourceClosedError, SourceStats
from streamer.sources.urls import redact

__all__ = ["Source", "SourceClosedError", "SourceStats", "open_source", "redact"]


def open_source(spec: str, config: SourceConfig, *, realtime: bool) -> Source:
    from streamer.sources.demo import DemoSource
    from streamer.sources.file import FileSource

    if spec == "demo":
        return DemoSource(config, realtime=realtime)
    return FileSource(Path(spec), config, realtime=realtime)
