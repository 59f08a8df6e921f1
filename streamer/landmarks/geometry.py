"""From boxes or points to the crops the network was trained on, and back; vectorised over the faces.

The crop (starter model card): rotate the face upright, take the bounding box of the 106 points in that turned
frame, widen it by 7.5 % on every side, stretch both axes to 96 pixels. One affine matrix per face says it
all: it maps image pixels to crop pixels.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from streamer.landmarks.topology import LEFT_OUTER_CORNER, RIGHT_OUTER_CORNER
from streamer.types import FloatArray, Image

CROP: Final = 96
"""Side of the network's square crop in pixels."""

_MARGIN: Final = 0.075
"""Widening of the points' bounding box on every side, as a part of its side."""

_BOX_MARGIN: Final = 0.03
_BOX_TOP: Final = 0.22
"""A detector's box reaches up to the hair line; the points begin at the brows, 22 % of the box below."""

_FACE_ASPECT: Final = 1.3
"""Usual height of a detector's box on an upright face, in widths."""

_ASPECT_WEIGHT: Final = 0.1
"""How much the usual height counts against the measured one; decides alone on faces turned by 45 degrees."""

_SMALLEST: Final = 4.0
_LARGEST: Final = 3.0
"""Sides of a crop: at least so many pixels, at most so many times the longer side of the image."""

_INSIDE: Final = 0.2
"""How far outside the image a crop's centre may lie, in sides of the crop: about 30 % of it is still inside."""


def crops_from_landmarks(landmarks: FloatArray) -> FloatArray:
    """Crop matrices for faces whose points are known.

    Args:
        landmarks: ``(n, 106, 2)`` in image pixels.

    Returns:
        ``(n, 2, 3)`` float32, image to crop pixels. Not finite where the points have no extent.
    """
    eyes = landmarks[:, RIGHT_OUTER_CORNER] - landmarks[:, LEFT_OUTER_CORNER]
    turn = _upright(np.arctan2(eyes[:, 1], eyes[:, 0]))
    turned = landmarks @ turn.transpose(0, 2, 1)
    low, high = turned.min(axis=1), turned.max(axis=1)
    margin = (high - low) * np.float32(_MARGIN)
    return _matrices(turn, low - margin, high + margin)


def crops_from_boxes(boxes: FloatArray, keypoints: FloatArray | None) -> FloatArray:
    """Crop matrices for faces a detector has found.

    Args:
        boxes: ``(n, 4)`` xyxy in image pixels, as RetinaFace draws them: hair line to chin.
        keypoints: ``(n, 5, 2)``; they say which way is up. ``None``: the faces are upright.

    Returns:
        ``(n, 2, 3)`` float32, image to crop pixels.
    """
    angles = np.zeros(len(boxes), np.float32) if keypoints is None else roll_from_keypoints(keypoints)
    turn = _upright(angles)
    centre = np.einsum("nij,nj->ni", turn, (boxes[:, :2] + boxes[:, 2:]) / 2)
    size = _upright_size(boxes[:, 2:] - boxes[:, :2], angles)
    low, high = centre - size / 2, centre + size / 2
    low[:, 1] += size[:, 1] * np.float32(_BOX_TOP)
    margin = (high - low) * np.float32(_BOX_MARGIN)
    return _matrices(turn, low - margin, high + margin)


def roll_from_keypoints(keypoints: FloatArray) -> FloatArray:
    """Angle of the head in the image.

    The eye line alone is short on a profile, so the line from the eyes to the mouth, turned by 90 degrees,
    counts with it.

    Args:
        keypoints: ``(n, 5, 2)``.

    Returns:
        ``(n,)`` radians, positive clockwise.
    """
    eyes = keypoints[:, 1] - keypoints[:, 0]
    down = (keypoints[:, 3] + keypoints[:, 4] - keypoints[:, 0] - keypoints[:, 1]) / 2
    return np.asarray(np.arctan2(eyes[:, 1] - down[:, 0], eyes[:, 0] + down[:, 1]), np.float32)


def roll_of_crops(matrices: FloatArray) -> FloatArray:
    """Degrees by which each crop's face was turned in the image, positive clockwise: ``(n,)``."""
    return np.rad2deg(np.arctan2(matrices[:, 0, 1], matrices[:, 0, 0]))


def to_image(points: FloatArray, matrices: FloatArray) -> FloatArray:
    """Map points of crops back into the image.

    Args:
        points: ``(n, k, 2)`` in crop pixels.
        matrices: ``(n, 2, 3)`` image to crop.

    Returns:
        ``(n, k, 2)`` float32 in image pixels.
    """
    back = np.linalg.inv(matrices[:, :, :2])
    return np.asarray((points - matrices[:, None, :, 2]) @ back.transpose(0, 2, 1), np.float32)


def cut(image: Image, matrices: FloatArray) -> Image:
    """Cut all crops straight out of the frame; beyond its edge they are black.

    Args:
        image: BGR ``(H, W, 3)``.
        matrices: ``(n, 2, 3)`` image to crop, finite.

    Returns:
        ``(n, 96, 96, 3)`` uint8.
    """
    crops = np.empty((len(matrices), CROP, CROP, 3), np.uint8)
    for crop, matrix in zip(crops, matrices, strict=True):
        cv2.warpAffine(image, matrix, (CROP, CROP), dst=crop, flags=cv2.INTER_LINEAR)
    return crops


def usable(matrices: FloatArray, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Which crops can hold a face at all: finite, of a sensible size, and mostly inside the image.

    Args:
        matrices: ``(n, 2, 3)`` image to crop.
        shape: of the image.

    Returns:
        ``(n,)``.
    """
    linear, offset = matrices[:, :, :2], matrices[:, :, 2]
    a, b, c, d = (linear[:, row, column] for row in (0, 1) for column in (0, 1))
    with np.errstate(all="ignore"):
        determinant = a * d - b * c
        width, height = CROP / np.hypot(a, b), CROP / np.hypot(c, d)
        u, v = CROP / 2 - offset[:, 0], CROP / 2 - offset[:, 1]
        x, y = (d * u - b * v) / determinant, (a * v - c * u) / determinant
        reach = np.float32(_INSIDE) * np.minimum(width, height)
        smallest, largest = np.minimum(width, height), np.maximum(width, height)
        # Comparisons with NaN are false, so what is not finite is not usable either.
        sized = (smallest > _SMALLEST) & (largest < _LARGEST * max(shape[:2]))
        inside = (x > -reach) & (y > -reach) & (x < shape[1] + reach) & (y < shape[0] + reach)
    return np.asarray(sized & inside)


def _upright(angles: FloatArray) -> FloatArray:
    """``(n, 2, 2)`` rotations that bring faces turned by ``angles`` radians upright."""
    c, s = np.cos(angles), np.sin(angles)
    return np.stack([c, s, -s, c], axis=1).reshape(-1, 2, 2).astype(np.float32, copy=False)


def _matrices(turn: FloatArray, low: FloatArray, high: FloatArray) -> FloatArray:
    """Turn, move ``low`` to the origin, and stretch ``high - low`` to the crop's side."""
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = np.float32(CROP) / (high - low)
        linear = turn * scale[:, :, None]
        return np.concatenate([linear, (-low * scale)[:, :, None]], axis=2)


def _upright_size(spans: FloatArray, angles: FloatArray) -> FloatArray:
    """Width and height of the upright face inside an axis-aligned box drawn around the turned one.

    The box of a ``w x h`` rectangle turned by an angle spans ``w c + h s`` by ``w s + h c`` (c, s: absolute
    cosine and sine). Sum and difference give w + h and h - w; the latter is lost near 45 degrees, where the
    usual shape of a face stands in.
    """
    c, s = np.abs(np.cos(angles)), np.abs(np.sin(angles))
    total = spans.sum(axis=1) / (c + s)
    usual = total * np.float32((_FACE_ASPECT - 1) / (_FACE_ASPECT + 1))
    lever = c - s
    excess = (lever * (spans[:, 1] - spans[:, 0]) + _ASPECT_WEIGHT * usual) / (lever**2 + _ASPECT_WEIGHT)
    return np.stack([total - excess, total + excess], axis=1).astype(np.float32) / np.float32(2)
