"""How labelled faces really change shape when they turn, beyond what turning a rigid head explains.

Labels are not a rigid head: the depth of the ears is underestimated, and the far jaw is drawn where its edge can be
seen. On heads turned by 65 degrees this moves the jaw by 0.2 eye distances. Faces turned in 3-D
(``streamer.training.turning``) must have the shape that real ones of that pose have, or training would teach two
answers to one question; so the difference is learned from the labels, per point, as a smooth function of the pose.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from streamer.landmarks.topology import GROUPS, MEAN_SHAPE_3D, MIRROR, POINTS
from streamer.training.datasets import SIDE, FaceSet
from streamer.training.geometry import Array, eye_angle, in_plane, rotation
from streamer.types import FloatArray

_ANCHORS: Final = np.concatenate(
    [np.arange(POINTS)[GROUPS[name]] for name in ("eye_left", "eye_right", "nose", "lip_outer")]
)
"""Points by which real and rigid shapes are laid over each other."""

_FEATURES: Final = 9
_RIDGE: Final = 3.0
_FEWEST: Final = 300
_MOST: Final = 6000


@dataclass(frozen=True, slots=True)
class ShapeTrend:
    """Mean difference between labelled and rigid shapes as a function of the pose.

    Attributes:
        weights: ``(features, 106, 2)`` in eye distances.
    """

    weights: Array

    @classmethod
    def none(cls) -> ShapeTrend:
        """Rigid heads."""
        return cls(np.zeros((_FEATURES, POINTS, 2)))

    def change(self, before: Array, after: Array) -> Array:
        """What a turn adds to the rigid motion.

        Args:
            before: ``(3,)`` pose in degrees.
            after: ``(3,)`` pose after the turn.

        Returns:
            ``(106, 2)`` in eye distances of the upright picture.
        """
        return np.tensordot(_features(after[None])[0] - _features(before[None])[0], self.weights, axes=1)


def learn_trend(faces: FaceSet) -> ShapeTrend:
    """Learn the trend from labelled faces and their mirror images, by ridge regression.

    Args:
        faces: training faces; those without depth or pose are left out.

    Returns:
        The trend; none when fewer than 300 faces are complete.
    """
    complete = np.isfinite(faces.landmarks).all(axis=(1, 2)) & np.isfinite(faces.pose).all(axis=1)
    if complete.sum() < _FEWEST:
        return ShapeTrend.none()
    rows = _spread(np.flatnonzero(complete), faces.pose[:, 2])
    landmarks, pose = faces.landmarks[rows], faces.pose[rows].astype(np.float64)
    flipped = landmarks[:, MIRROR].copy()
    flipped[:, :, 0] = SIDE - 1 - flipped[:, :, 0]
    shapes, poses = np.concatenate([landmarks, flipped]), np.concatenate([pose, pose * [1, -1, -1]])
    design, residuals = _features(poses), _residuals(shapes, poses)
    # Few heads are turned far; weighted by rarity, they count as much as the many frontal ones.
    rarity = _rarity(poses[:, 2])[:, None]
    system = design.T @ (rarity * design) + _RIDGE * np.eye(_FEATURES)
    solved = np.linalg.solve(system, design.T @ (rarity * residuals.reshape(len(residuals), -1)))
    return ShapeTrend(np.asarray(solved.reshape(_FEATURES, POINTS, 2), np.float64))


def _spread(rows: NDArray[np.intp], yaw: FloatArray) -> NDArray[np.intp]:
    """The faces turned furthest and an even choice of the rest, 6,000 at most."""
    order = rows[np.argsort(-np.abs(yaw[rows]), kind="stable")]
    half = _MOST // 2
    rest = order[half:]
    return np.concatenate([order[:half], rest[:: max(1, -(-len(rest) // half))]])


def _features(pose: Array) -> Array:
    """Smooth functions of the pose: ``(n, 3)`` degrees to ``(n, features)``."""
    pitch, _, yaw = np.radians(pose).T
    side, turn, lift, nod = np.sin(yaw), 1 - np.cos(yaw), np.sin(pitch), 1 - np.cos(pitch)
    columns = [np.ones_like(yaw), side, turn, side * turn, turn**2, lift, nod, side * lift, turn * lift]
    return np.stack(columns, axis=1)


def _rarity(yaw: Array) -> Array:
    """One over the number of faces with about this yaw, 1 on average."""
    bins = np.clip((np.abs(yaw) // 10).astype(int), 0, 8)
    weights = 1.0 / np.bincount(bins, minlength=9)[bins]
    return np.asarray(weights / weights.mean(), np.float64)


def _residuals(shapes: FloatArray, poses: Array) -> Array:
    """``(n, 106, 2)``: labelled minus rigid mean shape of the same pose, both upright, in eye distances."""
    axes = np.stack([rotation(pose) for pose in poses])
    rigid = np.einsum("nij,kj->nki", axes @ _frame_offset(shapes, axes), MEAN_SHAPE_3D.astype(np.float64))
    result = np.empty((len(shapes), POINTS, 2))
    for row, (shape, model) in enumerate(zip(shapes, rigid, strict=True)):
        level = shape[:, :2].astype(np.float64) @ in_plane(-eye_angle(shape))[:2, :2].T
        upright = model[:, :2] @ in_plane(-eye_angle(model.astype(np.float32)))[:2, :2].T
        anchors, goals = upright[_ANCHORS], level[_ANCHORS]
        source, target = anchors - anchors.mean(axis=0), goals - goals.mean(axis=0)
        scale = (source * target).sum() / (source**2).sum()
        result[row] = (level - goals.mean(axis=0)) / scale - (upright - anchors.mean(axis=0))
    return result


def _frame_offset(shapes: FloatArray, axes: Array) -> Array:
    """The constant turn between the mean shape's own axes and those in which poses are labelled."""
    mean = MEAN_SHAPE_3D - MEAN_SHAPE_3D.mean(axis=0)
    centred = shapes.astype(np.float64) - shapes.mean(axis=1, keepdims=True)
    left, _, right = np.linalg.svd(
        np.einsum("nij,nki,kl->jl", axes, centred / centred.std(axis=(1, 2))[:, None, None], mean)
    )
    sign = np.diag([1.0, 1.0, np.sign(np.linalg.det(left @ right))])
    return np.asarray(left @ sign @ right)
