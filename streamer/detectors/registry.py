"""Every detector by its name. A new one is a function here that builds it, and a line in ``DETECTORS``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from streamer.config import DetectorConfig, check_section
from streamer.detectors.base import Detector, Settings
from streamer.errors import ConfigError
from streamer.runtime.devices import resolve_device
from streamer.runtime.torch_loading import load_torch_libraries
from streamer.runtime.weights import own_weights


@dataclass(frozen=True, slots=True)
class Backend:
    """Where a detector's network comes from and runs; see :func:`load_detector`."""

    weights: Path | None
    device: str
    threads: int
    structure: str


def _retinaface(settings: Settings, backend: Backend) -> Detector:
    from streamer.detectors.retinaface import RetinaFace, mobilenet_network

    _refuse_weights(settings, backend)
    if backend.device == "cuda":  # it is fast enough on the CPU, but a GPU that is not there is told
        resolve_device(backend.device)
    return RetinaFace(mobilenet_network(backend.threads), **settings)


def _retinaface_resnet50(settings: Settings, backend: Backend) -> Detector:
    load_torch_libraries()
    from streamer.detectors.retinaface import RetinaFace
    from streamer.detectors.retinaface_resnet50 import resnet50_network

    device = resolve_device(backend.device)
    return RetinaFace(resnet50_network(backend.weights, device, backend.threads), **settings)


def _mtcnn(settings: Settings, backend: Backend) -> Detector:
    load_torch_libraries()
    from streamer.detectors.mtcnn import MTCNN

    _refuse_weights(settings, backend)
    return MTCNN(resolve_device(backend.device), backend.threads, **settings)


def _tinymog(settings: Settings, backend: Backend) -> Detector:
    """An exported file runs on the CPU, without torch; our own does too unless there is a GPU."""
    device = resolve_device(backend.device)
    weights = backend.weights or own_weights("tinymog.onnx" if device == "cpu" else "tinymog.safetensors")
    if weights.suffix == ".onnx":
        from streamer.detectors.tinymog_onnx import OnnxTinyMog, open_tinymog

        return OnnxTinyMog(open_tinymog(weights, backend.threads), **settings)
    load_torch_libraries()
    from streamer.detectors.tinymog import TinyMog
    from streamer.detectors.tinymog_network import torch_network

    structure = backend.structure if backend.weights else _DEFAULTS.structure
    return TinyMog(torch_network(weights, structure, device, backend.threads), **settings)


def _refuse_weights(settings: Settings, backend: Backend) -> None:
    """A weights file that nothing reads is a user's misunderstanding: say so."""
    if backend.weights is not None:
        raise ConfigError(
            f"detector.weights is given, but {settings['name']} brings its own: "
            "remove it, or choose detector.name retinaface_resnet50 or tinymog."
        )


@dataclass(frozen=True, slots=True)
class Entry:
    """A detector, and its thresholds where the configuration leaves them to it.

    Attributes:
        build: makes it.
        score: lowest score that counts as a face. By benchmarks/detector_size.py, 0.7 balances precision (0.93)
            and recall (0.86) of RetinaFace best on the photographs.
        nms: IoU above which two boxes are one face.
    """

    build: Callable[[Settings, Backend], Detector]
    score: float = 0.7
    nms: float = 0.4


DETECTORS: dict[str, Entry] = {
    "retinaface": Entry(_retinaface),
    "retinaface_resnet50": Entry(_retinaface_resnet50),
    "mtcnn": Entry(_mtcnn),
    # NMS as published. Its scores tell the box's quality too: ours balance precision (0.89) and recall (0.81) at 0.5,
    # where published SCRFD checkpoints want 0.3.
    "tinymog": Entry(_tinymog, score=0.5, nms=0.45),
}


_DEFAULTS = DetectorConfig()


def load_detector(
    name: str = "retinaface",
    *,
    max_side: int = _DEFAULTS.max_side,
    score: float | None = None,
    nms: float | None = None,
    min_face: int = _DEFAULTS.min_face,
    weights: Path | None = None,
    device: str = "auto",
    threads: int = 1,
    structure: str = _DEFAULTS.structure,
) -> Detector:
    """Build a face detector.

    Args:
        name: which one; a key of :data:`DETECTORS`.
        max_side: longest side an image is shrunk to before detection, in pixels.
        score: lowest score that counts as a face; none: the detector's own.
        nms: IoU above which two boxes are one face; none: the detector's own.
        min_face: smallest face side kept, in pixels of the image.
        weights: the user's own weights file, for detectors that take one.
        device: ``auto``, ``cpu`` or ``cuda``.
        threads: CPU threads of the network.
        structure: backbone of the user's weights of ``tinymog``, see :mod:`streamer.detectors.structure`; an
            exported file (``.onnx``) brings its own, and runs on the CPU.

    Raises:
        ConfigError: there is no such detector, it takes no weights file, or a value is outside what is allowed.
        WeightsError: the weights are missing, damaged or of another network.
        DeviceError: CUDA was asked for and is not there.
    """
    entry = DETECTORS.get(name)
    if entry is None:
        raise ConfigError(f"Unknown detector {name!r}: choose one of {', '.join(DETECTORS)}.")
    settings = Settings(
        name=name,
        max_side=max_side,
        score=entry.score if score is None else score,
        nms=entry.nms if nms is None else nms,
        min_face=min_face,
    )
    check_section("detector", DetectorConfig, dict(settings))
    return entry.build(settings, Backend(weights, device, threads, structure))
