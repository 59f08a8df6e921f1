"""From 106 landmarks to the box a detector would draw around the same face.

The landmarks reach from the brows to the chin, a detector's box includes the forehead. What lies between
both differs from face to face and from detector to detector, so each track learns its own
:class:`margins <BoxMargins>` whenever the detector sees it; between detections the landmarks then move the box
without a step when the next detection comes. Margins are kept in the face's own axes and hold at any roll.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from trackers.kalman import to_cxcywh

FloatArray = NDArray[np.floating[Any]]

LEFT_EYE_OUTER, RIGHT_EYE_OUTER = 66, 79
"""Outer eye corners in the 106-point order, image-left and image-right on an upright face."""


def landmark_boxes(landmarks: FloatArray) -> FloatArray:
    """Bounding boxes ``(n, 4)`` ``xyxy`` of landmarks ``(n, 106, 2)``."""
    return np.concatenate([landmarks.min(axis=1), landmarks.max(axis=1)], axis=1)


def roll_vectors(landmarks: FloatArray) -> FloatArray:
    """Unit vectors ``(n, 2)`` along the eye line of landmarks ``(n, 106, 2)``: (1, 0) on an upright face."""
    line = landmarks[:, RIGHT_EYE_OUTER] - landmarks[:, LEFT_EYE_OUTER]
    return np.asarray(line / np.maximum(np.hypot(line[:, :1], line[:, 1:]), 1e-6))


def learn_margins(landmark_box: FloatArray, roll: FloatArray, box: FloatArray) -> FloatArray:
    """What turns landmark boxes into the detector's boxes.

    Args:
        landmark_box: ``(n, 4)`` from :func:`landmark_boxes`.
        roll: ``(n, 2)`` from :func:`roll_vectors`.
        box: ``(n, 4)`` detector boxes ``xyxy`` of the same faces.

    Returns:
        ``(n, 4)``: shift of the centre along the eye line and down the face, in landmark-box sizes; growth across
        and down the face.
    """
    inner, outer = to_cxcywh(landmark_box), to_cxcywh(box)
    size = np.maximum(np.sqrt(inner[:, 2:3] * inner[:, 3:]), 1.0)
    shift = (outer[:, :2] - inner[:, :2]) / size
    growth = outer[:, 2:] / np.maximum(inner[:, 2:], 1.0)
    return np.concatenate([_turn(shift, roll * (1.0, -1.0)), _swap(growth, roll)], axis=1)


def apply_margins(landmark_box: FloatArray, roll: FloatArray, margins: FloatArray) -> FloatArray:
    """Boxes ``(n, 4)`` ``xyxy`` from landmark boxes, roll vectors and learned margins ``(n, 4)``."""
    inner = to_cxcywh(landmark_box)
    size = np.sqrt(inner[:, 2:3] * inner[:, 3:])
    centre = inner[:, :2] + size * _turn(margins[:, :2], roll)
    half = 0.5 * inner[:, 2:] * _swap(margins[:, 2:], roll)
    return np.concatenate([centre - half, centre + half], axis=1)


def _turn(vectors: FloatArray, roll: FloatArray) -> FloatArray:
    """Rotate vectors ``(n, 2)`` by roll vectors ``(n, 2)``."""
    cos, sin, x, y = roll[:, :1], roll[:, 1:], vectors[:, :1], vectors[:, 1:]
    return np.concatenate([cos * x - sin * y, sin * x + cos * y], axis=1)


def _swap(growth: FloatArray, roll: FloatArray) -> FloatArray:
    """Growth across/down the face as growth in image x/y, or back: faces that lie on a side swap the two."""
    lying = np.abs(roll[:, 1:]) > np.abs(roll[:, :1])
    return np.where(lying, growth[:, ::-1], growth)
