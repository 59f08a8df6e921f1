"""Crop matrices and head rotations used by augmentation and evaluation.

A picture is turned upright by the line from point 66 to point 79, the box of its points is widened by 7.5 % on
every side and both axes are stretched to the network's square: the crop of the live path. Errors on top of it
are what trackers and detectors make.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from streamer.landmarks.geometry import CROP
from streamer.landmarks.topology import LEFT_OUTER_CORNER, RIGHT_OUTER_CORNER
from streamer.types import FloatArray

MARGIN: Final = 0.075
"""Widening of the points' box on every side, as a share of its width or height."""

Array = NDArray[np.float64]


def eye_angle(points: FloatArray) -> float:
    """Angle of the eye line in radians; positive when the image-right eye is lower."""
    across = points[RIGHT_OUTER_CORNER, :2] - points[LEFT_OUTER_CORNER, :2]
    return float(np.arctan2(across[1], across[0]))


def crop_matrix(points: FloatArray, roll_error: float = 0.0, sides: Array | None = None) -> Array:
    """The affine map from a picture to the network's crop.

    Args:
        points: ``(106, 2)`` or ``(106, 3)`` in picture pixels; NaN where not labelled.
        roll_error: degrees by which the face is left turned clockwise in the crop.
        sides: ``(4,)`` errors of left, top, right, bottom as shares of the box; positive shifts right and down.

    Returns:
        ``(2, 3)``.
    """
    angle = eye_angle(points) - np.radians(roll_error)
    cos, sin = np.cos(angle), np.sin(angle)
    turn = np.array([[cos, sin], [-sin, cos]])
    level = points[:, :2] @ turn.T
    low, high = np.nanmin(level, axis=0), np.nanmax(level, axis=0)
    extent = high - low
    low, high = low - MARGIN * extent, high + MARGIN * extent
    if sides is not None:
        low, high = low + sides[:2] * extent, high + sides[2:] * extent
    scale = CROP / (high - low)
    return np.column_stack([turn * scale[:, None], -low * scale])


def transform(points: FloatArray, matrix: Array) -> FloatArray:
    """Apply an affine map ``(2, 3)`` to ``(..., 2)`` points (further columns are ignored)."""
    return (points[..., :2] @ matrix[:, :2].T + matrix[:, 2]).astype(np.float32)


def crop_roll(matrix: Array) -> float:
    """Clockwise degrees by which a crop matrix turns the picture's x axis, anisotropy left out."""
    unit = matrix[:, :2] / np.linalg.norm(matrix[:, :2], axis=1, keepdims=True)
    return float(np.degrees(np.arctan2(unit[1, 0], unit[0, 0])))


def compose(outer: Array, inner: Array) -> Array:
    """The affine map that applies ``inner`` first, then ``outer``."""
    return np.column_stack([outer[:, :2] @ inner[:, :2], outer[:, :2] @ inner[:, 2] + outer[:, 2]])


def invert(matrix: Array) -> Array:
    """The inverse of an affine map ``(2, 3)``."""
    inverse = np.linalg.inv(matrix[:, :2])
    return np.column_stack([inverse, -inverse @ matrix[:, 2]])


def rotation(pose: Array) -> Array:
    """Rotation matrix of a pose, in image axes (x right, y down, z away).

    Yaw is outermost, then pitch, then roll: the order the pose labels were found to be made in (fitting the mean
    3-D shape to them leaves 1.3 degrees on average, every other order more).

    Args:
        pose: pitch, roll, yaw in degrees.

    Returns:
        ``(3, 3)``.
    """
    pitch, roll, yaw = np.radians(pose)
    cos, sin = np.cos(-yaw), np.sin(-yaw)
    about_y = np.array([[cos, 0, sin], [0, 1, 0], [-sin, 0, cos]])
    cos, sin = np.cos(-pitch), np.sin(-pitch)
    about_x = np.array([[1, 0, 0], [0, cos, -sin], [0, sin, cos]])
    return np.asarray(about_y @ about_x @ in_plane(roll))


def in_plane(angle: float) -> Array:
    """Rotation matrix by radians, clockwise in the image."""
    cos, sin = np.cos(angle), np.sin(angle)
    return np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1.0]])


def pose_of(matrix: Array) -> Array:
    """Pose of a rotation matrix: the inverse of :func:`rotation`, ``(3,)`` degrees."""
    pitch = np.arcsin(np.clip(matrix[1, 2], -1, 1))
    roll = np.arctan2(matrix[1, 0], matrix[1, 1])
    yaw = -np.arctan2(matrix[0, 2], matrix[2, 2])
    return np.degrees([pitch, roll, yaw])


def eye_span(points: FloatArray) -> float:
    """Distance between the outer eye corners, the unit of NME."""
    return float(np.linalg.norm(points[RIGHT_OUTER_CORNER, :2] - points[LEFT_OUTER_CORNER, :2]))
