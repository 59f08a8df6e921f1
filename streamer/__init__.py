"""facestream's engine: from any video source to smoothed 106-point faces.

    >>> from streamer import FaceAnalyzer, load_config
    >>> analyzer = FaceAnalyzer(load_config())

Names load on first use, so that ``import streamer`` costs nothing and never imports torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from streamer.version import __version__

if TYPE_CHECKING:
    from streamer.config import Config, load_config
    from streamer.modelscope import to_modelscope
    from streamer.pipeline.analyzer import FaceAnalyzer
    from streamer.types import Detections, Face, Frame, FrameResult, Pose

__all__ = [
    "Config",
    "Detections",
    "Face",
    "FaceAnalyzer",
    "Frame",
    "FrameResult",
    "Pose",
    "__version__",
    "load_config",
    "to_modelscope",
]

_HOMES = {
    "Config": "streamer.config",
    "load_config": "streamer.config",
    "FaceAnalyzer": "streamer.pipeline.analyzer",
    "to_modelscope": "streamer.modelscope",
    "Detections": "streamer.types",
    "Face": "streamer.types",
    "Frame": "streamer.types",
    "FrameResult": "streamer.types",
    "Pose": "streamer.types",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'streamer' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
