"""Numbers that say how good landmarks and poses are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from streamer.landmarks.topology import GROUPS, SUBSET_68, eye_distance
from streamer.types import FloatArray

FAILURE: Final = 0.10
"""NME above which a face counts as failed, and up to which the area under the error curve is taken."""

YAW_BINS: Final = ((0, 15), (15, 25), (25, 40), (40, 60), (60, 90))
PITCH_BINS: Final = ((0, 10), (10, 20), (20, 30), (30, 60))

_PARTS: Final[Mapping[str, tuple[str, ...]]] = {
    "jaw": ("jaw",),
    "brows": ("brow_left", "brow_right"),
    "nose": ("nose_ridge", "nose"),
    "eyes": ("eye_left", "eye_right"),
    "pupils": ("pupils",),
    "lips": ("lip_outer", "lip_inner"),
}


def point_errors(found: FloatArray, truth: FloatArray) -> FloatArray:
    """Distance of every point from its label, in outer-eye distances of the label.

    Args:
        found: ``(n, 106, 2)``.
        truth: ``(n, 106, 2)``, NaN where a point is not labelled.

    Returns:
        ``(n, 106)``, NaN where not labelled.
    """
    distance = np.linalg.norm(found - truth, axis=2)
    return np.asarray(distance / eye_distance(truth)[:, None], np.float32)


def curve_area(nme: FloatArray, limit: float = FAILURE) -> float:
    """Area under the cumulative error curve up to ``limit``, as a share: 1 when every face is without error."""
    return float(np.clip(1 - nme / limit, 0, 1).mean())


@dataclass(frozen=True, slots=True)
class LandmarkScores:
    """How well points were found on a set of faces.

    Attributes:
        faces: how many.
        nme: mean point error in outer-eye distances, mean over faces.
        median: the median over faces.
        failures: share of faces with an NME over 0.10.
        auc: area under the cumulative error curve up to 0.10.
        subset68: NME over the usual 68 points.
        parts: NME by part of the face.
        yaw: NME by |yaw| in degrees (``"25-40"``); bins without faces are absent.
    """

    faces: int
    nme: float
    median: float
    failures: float
    auc: float
    subset68: float
    parts: dict[str, float]
    yaw: dict[str, float]


def landmark_scores(errors: FloatArray, yaw: FloatArray) -> LandmarkScores:
    """Summarise point errors.

    Args:
        errors: ``(n, 106)`` of :func:`point_errors`.
        yaw: ``(n,)`` labelled yaw in degrees, NaN where unknown.
    """
    nme = np.nanmean(errors, axis=1)
    columns = np.arange(errors.shape[1])
    return LandmarkScores(
        faces=len(nme),
        nme=float(nme.mean()),
        median=float(np.median(nme)),
        failures=float((nme > FAILURE).mean()),
        auc=curve_area(nme),
        subset68=float(np.nanmean(errors[:, SUBSET_68])),
        parts={
            name: float(np.nanmean(errors[:, np.concatenate([columns[GROUPS[group]] for group in groups])]))
            for name, groups in _PARTS.items()
        },
        yaw=_binned(nme, np.abs(yaw), YAW_BINS),
    )


@dataclass(frozen=True, slots=True)
class PoseScores:
    """How well poses were found on a set of faces, in degrees.

    Attributes:
        faces: how many.
        pitch: mean absolute error.
        roll: the same.
        yaw: the same.
        mean: mean of the three.
        yaw_by_yaw: yaw error by |yaw|.
        pitch_by_pitch: pitch error by |pitch|.
    """

    faces: int
    pitch: float
    roll: float
    yaw: float
    mean: float
    yaw_by_yaw: dict[str, float]
    pitch_by_pitch: dict[str, float]


def pose_scores(found: FloatArray, truth: FloatArray) -> PoseScores:
    """Summarise pose errors.

    Args:
        found: ``(n, 3)`` pitch, roll, yaw in degrees.
        truth: the same, without NaN.
    """
    error = np.abs((found - truth + 180) % 360 - 180)
    pitch, roll, yaw = error.mean(axis=0).tolist()
    return PoseScores(
        faces=len(error),
        pitch=pitch,
        roll=roll,
        yaw=yaw,
        mean=(pitch + roll + yaw) / 3,
        yaw_by_yaw=_binned(error[:, 2], np.abs(truth[:, 2]), YAW_BINS),
        pitch_by_pitch=_binned(error[:, 0], np.abs(truth[:, 0]), PITCH_BINS),
    )


def _binned(values: FloatArray, by: FloatArray, bins: tuple[tuple[int, int], ...]) -> dict[str, float]:
    """Mean of ``values`` where ``by`` falls into each bin."""
    members = {f"{low}-{high}": (by >= low) & (by < high) for low, high in bins}
    return {name: float(values[member].mean()) for name, member in members.items() if member.any()}
