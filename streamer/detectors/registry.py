"""Every detector by its name. A new one is a function here that builds it, and a line in ``DETECTORS``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from streamer.config import DetectorConfig, check_section
from streamer.detectors.base import Detector, Settings
from streamer.errors import ConfigError
from streamer.runtime.devices import resolve_device


@dataclass(frozen=True, slots=True)
class Backend:
    """Where a detector's network comes from and runs; see :func:`load_detector`."""

    weights: Path | None
    device: str
    threads: int


def _retinaface(settings: Settings, backend: Backend) -> Detector:
    from streamer.detectors.retinaface import RetinaFace, mobilenet_network

    _refuse_weights(settings, backend)
    if backend.device == "cuda":  # it is fast enough on the CPU, but a GPU that is not there is told
        resolve_device(backend.device)
    return RetinaFace(mobilenet_network(backend.threads), **settings)


def _retinaface_resnet50(settings: Settings, backend: Backend) -> Detector:
    from streamer.detectors.retinaface import RetinaFace
    from streamer.detectors.retinaface_resnet50 import resnet50_network

    device = resolve_device(backend.device)
    return RetinaFace(resnet50_network(backend.weights, device, backend.threads), **settings)


def _mtcnn(settings: Settings, backend: Backend) -> Detector:
    from streamer.detectors.mtcnn import MTCNN

    _refuse_weights(settings, backend)
    return MTCNN(resolve_device(backend.device), backend.threads, **settings)


def _refuse_weights(settings: Settings, backend: Backend) -> None:
    """A weights file that nothing reads is a user's misunderstanding: say so."""
    if backend.weights is not None:
        raise ConfigError(
            f"detector.weights is given, but {settings['name']} brings its own: "
            "remove it, or choose detector.name retinaface_resnet50."
        )


DETECTORS: dict[str, Callable[[Settings, Backend], Detector]] = {
    "retinaface": _retinaface,
    "retinaface_resnet50": _retinaface_resnet50,
    "mtcnn": _mtcnn,
}


_DEFAULTS = DetectorConfig()


def load_detector(
    name: str = "retinaface",
    *,
    max_side: int = _DEFAULTS.max_side,
    score: float = _DEFAULTS.score,
    nms: float = _DEFAULTS.nms,
    min_face: int = _DEFAULTS.min_face,
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
        ConfigError: there is no such detector, it takes no weights file, or a value is outside what is allowed.
        WeightsError: the weights are missing, damaged or of another network.
        DeviceError: CUDA was asked for and is not there.
    """
    build = DETECTORS.get(name)
    if build is None:
        raise ConfigError(f"Unknown detector {name!r}: choose one of {', '.join(DETECTORS)}.")
    settings = Settings(name=name, max_side=max_side, score=score, nms=nms, min_face=min_face)
    check_section("detector", DetectorConfig, dict(settings))
    return build(settings, Backend(weights, device, threads))
