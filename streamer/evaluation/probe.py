"""Shows labelled faces to the landmark network, as they are or made difficult, always the same way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from streamer.landmarks import geometry
from streamer.landmarks.backends import Backend, OnnxBackend
from streamer.landmarks.topology import eye_distance
from streamer.runtime.sessions import onnx_session
from streamer.runtime.weights import own_weights
from streamer.training import photometry
from streamer.training.augment import CropError
from streamer.training.datasets import FaceSet
from streamer.training.geometry import crop_matrix
from streamer.types import FloatArray, Image

_BATCH: Final = 64
_SEED: Final = 106
_EXACT: Final = CropError(0.0, np.zeros(4))

Rng = np.random.Generator


@dataclass(frozen=True, slots=True)
class Findings:
    """What the network found.

    Attributes:
        landmarks: ``(n, 106, 2)`` in pixels of the faces' pictures.
        pose: ``(n, 3)`` degrees in the pictures.
    """

    landmarks: FloatArray
    pose: FloatArray


@dataclass(frozen=True, slots=True)
class Difficulty:
    """One way to make faces difficult.

    Attributes:
        about: what is done, for the report.
        error: draws the crop's error.
        spoil: changes a crop; ``other`` is the crop of another face.
    """

    about: str
    error: Callable[[Rng], CropError] = lambda rng: _EXACT
    spoil: Callable[[Rng, Image, Image], Image] = lambda rng, crop, other: crop


def _cover(rng: Rng, crop: Image, other: Image) -> Image:
    """Put a piece of another face over a random 42 % x 42 % of the crop."""
    side = round(0.42 * len(crop))
    row, column = rng.integers(0, len(crop) - side, 2)
    covered = crop.copy()
    covered[row : row + side, column : column + side] = other[::-1][row : row + side, column : column + side]
    return covered


def _misplaced(rng: Rng) -> CropError:
    """Shifted by up to 12 % and 10 % too small to 20 % too large."""
    shift, size = rng.uniform(-0.12, 0.12, 2), rng.uniform(-0.05, 0.10)
    return CropError(0.0, np.array([-size, -size, size, size]) + np.tile(shift, 2))


def _trembling(rng: Rng) -> CropError:
    """What a tracker leaves from one frame to the next."""
    shift, size = rng.normal(0, 0.015, 2), rng.normal(0, 0.01)
    return CropError(float(rng.normal(0, 1.5)), np.array([-size, -size, size, size]) + np.tile(shift, 2))


def _rolled(low: float, high: float) -> Callable[[Rng], CropError]:
    return lambda rng: CropError(float(rng.uniform(low, high) * rng.choice([-1, 1])), np.zeros(4))


DIFFICULTIES: Final = {
    "clean": Difficulty("the right crop"),
    "blur": Difficulty("Gaussian, σ 2 of 96 px", spoil=lambda rng, crop, other: photometry.blur(crop, 2.0)),
    "motion": Difficulty(
        "smeared over 9 of 96 px",
        spoil=lambda rng, crop, other: photometry.motion_blur(crop, 9, rng.uniform(-np.pi, np.pi)),
    ),
    "small": Difficulty("face 24 px wide", spoil=lambda rng, crop, other: photometry.low_resolution(crop, 24)),
    "noise": Difficulty("σ 20 of 255", spoil=lambda rng, crop, other: photometry.noise(rng, crop, 20.0)),
    "dark": Difficulty("15 % of the light, noisy", spoil=lambda rng, crop, other: photometry.darken(rng, crop, 0.15)),
    "occlusion": Difficulty("42 % x 42 % covered by another face", spoil=_cover),
    "roll 5-20": Difficulty("turned in the plane by 5 to 20 degrees", error=_rolled(5, 20)),
    "roll 20-40": Difficulty("turned in the plane by 20 to 40 degrees", error=_rolled(20, 40)),
    "crop error": Difficulty("shifted by up to 12 %, 10 % too small to 20 % too large", error=_misplaced),
}


def load_backend(weights: Path | None) -> Backend:
    """The network of a file on ONNX Runtime; presence is not judged here.

    Args:
        weights: ``.onnx`` of the export, weights in published names, or ``None`` for ours.

    Raises:
        WeightsError: the file is missing, damaged or of another network.
    """
    if weights is None:
        return OnnxBackend(onnx_session(own_weights("landmarks106.onnx")))
    if weights.suffix == ".onnx":
        return OnnxBackend(onnx_session(weights))
    from streamer.landmarks.network import load_network
    from streamer.landmarks.presence import PresenceHead
    from streamer.training.onnx_graph import landmark_graph

    graph = landmark_graph(load_network(weights), PresenceHead().eval())
    return OnnxBackend(onnx_session(graph.SerializeToString()))


def look(backend: Backend, faces: FaceSet, difficulty: Difficulty, seed: int = _SEED) -> Findings:
    """Run the network over all faces of a set.

    Args:
        backend: the network.
        faces: the set.
        difficulty: how crops are spoiled.
        seed: of everything drawn; equal seeds spoil equally, so networks can be compared.
    """
    rng = np.random.default_rng(seed)
    errors = [difficulty.error(rng) for _ in range(len(faces))]
    matrices = np.stack(
        [crop_matrix(points, *error) for points, error in zip(faces.landmarks, errors, strict=True)]
    ).astype(np.float32)
    landmarks, poses = [], []
    for start in range(0, len(faces), _BATCH):
        rows = slice(start, start + _BATCH)
        pairs = zip(faces.images[rows], matrices[rows], strict=True)
        crops = np.concatenate([geometry.cut(image, matrix[None]) for image, matrix in pairs])
        others = np.roll(crops, 1, axis=0)
        spoiled = [difficulty.spoil(rng, crop, other) for crop, other in zip(crops, others, strict=True)]
        answer = backend(np.stack(spoiled))
        landmarks.append(geometry.to_image(answer.landmarks, matrices[rows]))
        turn = np.zeros_like(answer.pose)
        turn[:, 1] = geometry.roll_of_crops(matrices[rows])
        poses.append(answer.pose + turn)
    return Findings(np.concatenate(landmarks), np.concatenate(poses))


def flicker(backend: Backend, faces: FaceSet, repeats: int = 6) -> FloatArray:
    """How far points move when only the crop trembles (σ 1.5 % shift, 1 % size, 1.5 degrees).

    Args:
        backend: the network.
        faces: the set; every picture is cropped ``repeats`` times.
        repeats: crops a face.

    Returns:
        ``(n,)`` mean over points of the distance from their mean place, in outer-eye distances.
    """
    trembling = Difficulty("", error=_trembling)
    runs = np.stack([look(backend, faces, trembling, _SEED + run).landmarks for run in range(repeats)])
    spread = np.linalg.norm(runs - runs.mean(axis=0), axis=3).mean(axis=(0, 2))
    return np.asarray(spread / eye_distance(faces.landmarks[:, :, :2]), np.float32)
