"""Steadies the landmarks and the pose of all faces of a stream in one numpy pass."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from trackers.geometry import LEFT_EYE_OUTER, RIGHT_EYE_OUTER
from trackers.one_euro import MAX_GAP, smoothing_factor

FloatArray = NDArray[np.floating[Any]]
Kind = Literal["one_euro", "kalman", "none"]


class FaceSmoother:
    """Smooths landmarks and pose over time, with separate state per face id.

    Args:
        kind: which filter.
        strength: 0 follows at once and trembles, 1 is steadiest and lags most.
    """

    def __init__(self, kind: Kind = "one_euro", strength: float = 0.5) -> None:
        self.kind = kind
        self.strength = strength
        self._state: dict[int, tuple[float, NDArray[np.float64], NDArray[np.float64]]] = {}

    def smooth(
        self, ids: Sequence[int], landmarks: FloatArray, pose: FloatArray, pts: float
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Filter one frame.

        Args:
            ids: ``n`` face ids; faces not among them are forgotten.
            landmarks: ``(n, 106, 2)`` raw landmarks in pixels.
            pose: ``(n, 3)`` pitch, roll, yaw in degrees.
            pts: time of the frame in seconds.

        Returns:
            Smoothed landmarks and pose, float32, of the same shapes.
        """
        points = np.array(landmarks, np.float64)
        angles = np.array(pose, np.float64)
        if self.kind == "none" or self.strength == 0.0:
            return points.astype(np.float32), angles.astype(np.float32)
        state = {}
        cutoff = 6.0 * (1.0 - self.strength) + 0.8
        for i, face in enumerate(ids):
            before = self._state.get(face)
            if before is not None and 0.0 < pts - before[0] <= MAX_GAP:
                dt = pts - before[0]
                size = np.linalg.norm(points[i, RIGHT_EYE_OUTER] - points[i, LEFT_EYE_OUTER])
                speed = np.linalg.norm((points[i] - before[1]).mean(axis=0)) / (size * dt)
                weight = smoothing_factor(cutoff + 8.0 * speed, dt)
                points[i] = before[1] + weight * (points[i] - before[1])
                turn = (angles[i] - before[2] + 180.0) % 360.0 - 180.0
                angles[i] = (before[2] + weight * turn + 180.0) % 360.0 - 180.0
            state[face] = (pts, points[i], angles[i])
        self._state = state
        return points.astype(np.float32), angles.astype(np.float32)
