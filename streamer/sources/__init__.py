"""Where pictures come from: webcams, files, network streams, folders of images and the demo.

:func:`open_source` picks the right :class:`Source` for what the user typed; nothing is opened yet.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import unquote

from streamer.config import SourceConfig
from streamer.errors import SourceNotFoundError
from streamer.sources.base import Source, SourceClosedError, SourceStats
from streamer.sources.devices import Webcam, list_webcams
from streamer.sources.urls import redact

__all__ = [
    "Source",
    "SourceClosedError",
    "SourceStats",
    "Webcam",
    "list_webcams",
    "open_source",
    "redact",
    "resolve",
]


def open_source(spec: str, config: SourceConfig, *, realtime: bool) -> Source:
    """Return the source a specification stands for, not opened yet.

    Args:
        spec: ``auto`` (first webcam, else the demo), ``demo``, a webcam's index or device node, a file, a
            folder or glob of pictures, or a URL.
        config: options of all sources.
        realtime: the pictures are going to be played at their own pace, so that the delay of decoding counts,
            not its throughput.

    Raises:
        SourceNotFoundError: nothing of that name exists.
    """
    # Each kind is imported when it is chosen: the demo needs no FFmpeg, a file no network.
    spec = resolve(spec)
    if spec == "demo":
        from streamer.sources.demo import DemoSource

        return DemoSource(config)
    if spec.lower().startswith("file://"):
        return _open_path(unquote(spec[len("file://") :]), config, realtime)
    if re.match(r"[A-Za-z][\w+.-]*://", spec):
        from streamer.sources.network import NetworkSource

        return NetworkSource(spec, config)
    if match := re.fullmatch(r"(?:/dev/video)?(\d{1,3})", spec):
        from streamer.sources.webcam import WebcamSource

        return WebcamSource(int(match[1]), f"/dev/video{match[1]}", config)
    return _open_path(spec, config, realtime)


def resolve(spec: str) -> str:
    """What ``auto`` stands for on this machine: the first webcam, else the demo; anything else as it is."""
    spec = spec.strip()
    if spec != "auto":
        return spec
    webcams = list_webcams()
    return webcams[0].path if webcams else "demo"


def _open_path(spec: str, config: SourceConfig, realtime: bool) -> Source:
    """Return the source for something on disk."""
    from streamer.sources.images import SUFFIXES, ImagesSource, is_pattern

    path = Path(os.path.expanduser(spec))
    is_file = os.path.isfile(path)  # unlike Path's question it has an answer for every text
    if is_file and path.suffix.lower() not in SUFFIXES:
        from streamer.sources.file import FileSource

        return FileSource(path, config, realtime=realtime)
    if spec and (is_file or os.path.isdir(path) or is_pattern(spec)):
        return ImagesSource(str(path), config)
    raise SourceNotFoundError(
        f"There is no file, folder or camera '{redact(spec)}'. "
        "Check the spelling; a source is demo, a webcam number, a file, a folder of pictures or a URL."
    )
