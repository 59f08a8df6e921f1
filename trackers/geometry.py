"""From 106 landmarks to the box a detector would draw around the same face.

The landmarks reach from the brows to the chin, a detector's box includes the forehead. What lies between
both differs from face to face and from detector to detector, so each track learns its own :class:`Margins`
whenever the detector sees it; between detections the landmarks then move the box without a step when the
next detection comes. Margins are kept in the face's own axes and hold at any roll.

The arithmetic per face is plain Python: for a handful of numbers it is ten times faster than numpy.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.floating[Any]]

LEFT_EYE_OUTER, RIGHT_EYE_OUTER = 66, 79
"""Outer eye corners in the 106-point order, image-left and image-right on an upright face."""

_SAME_FACE_IOU = 0.5  # two landmark boxes overlapping more than this are on one face
_SAME_FACE_DISTANCE = 0.25  # and so are eyes closer than this, in face sizes
_RESHAPED = 1.4  # factor between the widths or heights of one face
_LYING = math.sqrt(0.5)  # sine of 45 degrees


class FaceFrame(NamedTuple):
    """Where a face's landmarks lie, in pixels.

    Attributes:
        x: centre of the landmarks' bounding box.
        y: likewise.
        width: of the bounding box.
        height: of the bounding box.
        cos: cosine of the roll: the eye line's direction in x.
        sin: sine of the roll.
        eye_x: middle between the outer eye corners.
        eye_y: likewise.
    """

    x: float
    y: float
    width: float
    height: float
    cos: float
    sin: float
    eye_x: float
    eye_y: float

    @property
    def size(self) -> float:
        """Geometric mean of width and height, at least 1 pixel."""
        return math.sqrt(max(self.width * self.height, 1.0))

    @property
    def lying(self) -> bool:
        """Whether the face lies on a side, so that its height runs along the image's x."""
        return abs(self.sin) > _LYING

    def reshaped(self, before: FaceFrame | None) -> bool:
        """Whether width or height changed more than a face plausibly does between two detections."""
        if before is None:
            return False
        width, height = (before.height, before.width) if self.lying != before.lying else (before.width, before.height)
        return not (
            width < self.width * _RESHAPED < width * _RESHAPED**2
            and height < self.height * _RESHAPED < height * _RESHAPED**2
        )


class Margins(NamedTuple):
    """What turns a landmark box into the detector's box of the same face, in the face's axes.

    Attributes:
        right: shift of the centre along the eye line, in landmark-box sizes.
        down: shift of the centre towards the chin, likewise.
        across: detector's width by landmarks' width.
        along: detector's height by landmarks' height.
    """

    right: float
    down: float
    across: float
    along: float

    @classmethod
    def learn(cls, frame: FaceFrame, box: Sequence[float]) -> Margins:
        """Margins of one face from its landmarks and its detection ``xyxy``."""
        left, top, right, bottom = box
        dx = ((left + right) * 0.5 - frame.x) / frame.size
        dy = ((top + bottom) * 0.5 - frame.y) / frame.size
        growth = (right - left) / max(frame.width, 1.0), (bottom - top) / max(frame.height, 1.0)
        across, along = reversed(growth) if frame.lying else growth
        return cls(dx * frame.cos + dy * frame.sin, dy * frame.cos - dx * frame.sin, across, along)

    def apply(self, frame: FaceFrame) -> tuple[float, float, float, float]:
        """Centre x, centre y, width and height of the box the detector would draw."""
        size, cos, sin = frame.size, frame.cos, frame.sin
        x = frame.x + size * (self.right * cos - self.down * sin)
        y = frame.y + size * (self.right * sin + self.down * cos)
        if frame.lying:
            return x, y, frame.width * self.along, frame.height * self.across
        return x, y, frame.width * self.across, frame.height * self.along

    def towards(self, other: Margins, weight: float) -> Margins:
        """Between this (weight 0) and another one (weight 1)."""
        return Margins(*(a + (b - a) * weight for a, b in zip(self, other, strict=True)))

    @property
    def sane(self) -> bool:
        """Whether landmarks and detection can be of the same face: centres near, sizes alike."""
        near = math.hypot(self.right, self.down) < 0.7
        return near and 0.5 < self.across < 2.5 and 0.5 < self.along < 2.5


TYPICAL_MARGINS = Margins(0.0, -0.1, 1.1, 1.3)
"""Margins of a detector that includes the forehead, until a track has learned its own."""


def face_frames(landmarks: FloatArray) -> list[FaceFrame]:
    """Frames of ``n`` faces from landmarks ``(n, 106, 2)``."""
    # Reducing over a contiguous last axis is three times faster than over the middle one.
    points = np.ascontiguousarray(landmarks.transpose(0, 2, 1))
    low, high = np.minimum.reduce(points, axis=2).tolist(), np.maximum.reduce(points, axis=2).tolist()
    eyes = points[:, :, LEFT_EYE_OUTER :: RIGHT_EYE_OUTER - LEFT_EYE_OUTER][:, :, :2].tolist()
    frames = []
    for (x0, y0), (x1, y1), ((ax, bx), (ay, by)) in zip(low, high, eyes, strict=True):
        line = math.hypot(bx - ax, by - ay)
        cos, sin = ((bx - ax) / line, (by - ay) / line) if line else (1.0, 0.0)
        frames.append(
            FaceFrame((x0 + x1) * 0.5, (y0 + y1) * 0.5, x1 - x0, y1 - y0, cos, sin, (ax + bx) * 0.5, (ay + by) * 0.5)
        )
    return frames


def same_face(a: FaceFrame, b: FaceFrame) -> bool:
    """Whether two sets of landmarks lie on one face."""
    dx, dy = abs(a.x - b.x), abs(a.y - b.y)
    overlap_x = (a.width + b.width) * 0.5 - dx
    overlap_y = (a.height + b.height) * 0.5 - dy
    if overlap_x <= 0.0 or overlap_y <= 0.0:
        return False
    intersection = min(overlap_x, a.width, b.width) * min(overlap_y, a.height, b.height)
    union = a.width * a.height + b.width * b.height - intersection
    if intersection > _SAME_FACE_IOU * union:
        return True
    return math.hypot(a.eye_x - b.eye_x, a.eye_y - b.eye_y) < _SAME_FACE_DISTANCE * min(a.size, b.size)
