"""Every detector by its name. A new one is a function here that builds it, and a line in ``DETECTORS``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from streamer.detectors.base import Detector
from streamer.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Options:
    """What a detector is built from; see :func:`load_detector`."""

    max_side: int
    score: float
    nms: float
    min_face: int
    weights: Path | None
    device: str
    threads: int


def _retinaface(options: Options) -> Detector:
    from streamer.detectors.retinaface import RetinaFace, mobilenet_network

    return RetinaFace(
        mobilenet_network(options.threads),
        name="retinaface",
        max_side=options.max_side,
        score=options.score,
        nms=options.nms,
        min_face=options.min_face,
    )


DETECTORS: dict[str, Callable[[Options], Detector]] = {
    "retinaface": _retinaface,
}


def load_detector(
    name: str = "retinaface",
    *,
    max_side: int = 640,
    score: float = 0.6,
    nms: float = 0.4,
    min_face: int = 16,
    weights: Path | None = None,
    device: str = "auto",
    threads: int = 1,
) -> Detector:
    """Build a face detector.

    Args:
        name: which one; a key of :data:`DETECTORS`.
        max_side: longest side an image is shrunk to before detection, in pixels.
        score: lowest score that counts as a face.
        nms: IoU above which two boxes are one face.
        min_face: smallest face side kept, in pixels of the image.
        weights: the user's own weights file, for detectors that take one.
        device: ``auto``, ``cpu`` or ``cuda``.
        threads: CPU threads of the network.

    Raises:
        ConfigError: there is no such detector.
        WeightsError: the weights are missing, damaged or of another network.
        DeviceError: CUDA was asked for and is not there.
    """
    build = DETECTORS.get(name)
    if build is None:
        raise ConfigError(f"Unknown detector {name!r}: choose one of {', '.join(DETECTORS)}.")
    return build(Options(max_side, score, nms, min_face, weights, device, threads))
