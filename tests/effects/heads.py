"""Made-up faces: the mean face, turned as one likes, where a test must know exactly which way a head looks."""

from __future__ import annotations

import numpy as np

from streamer.effects.head3d import MODEL, rotation_of
from streamer.landmarks.topology import keypoints_from_landmarks
from streamer.types import Face, Pose

SIZE = 60.0
"""Usual distance of the outer eye corners in pixels."""


def head_at(
    yaw: float = 0.0,
    pitch: float = 0.0,
    roll: float = 0.0,
    size: float = SIZE,
    at: tuple[float, float] = (200.0, 200.0),
) -> Face:
    """The mean face, turned.

    Args:
        yaw: degrees, as in a pose.
        pitch: the same.
        roll: the same.
        size: distance of the outer eye corners in pixels, were it frontal.
        at: where the head's origin, between the eyes and the mouth, is.
    """
    pose = Pose(pitch, roll, yaw)
    points = (size * (MODEL @ rotation_of(pose).T)[:, :2] + at).astype(np.float32)
    box = np.concatenate([points.min(0), points.max(0)])
    return Face(box, 0.9, keypoints_from_landmarks(points[None])[0], points, pose, 0.9, points)
