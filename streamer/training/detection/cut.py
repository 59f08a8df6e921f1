"""Cutting a piece out of a photograph: one affine map for scale, turn and flip, and what it does to the labels."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from streamer.detectors.postprocess import turn_boxes
from streamer.training.detection.assign import NO_HINTS, Hints
from streamer.training.detection.data import Photograph
from streamer.training.geometry import Array, transform
from streamer.types import FloatArray, Image

SMALLEST: Final = 6.0
"""Square root of a face box's area in pixels below which it is ignored: fewer pixels teach noise."""

_RATIOS: Final = (0.3, 0.45, 0.6, 0.8, 1.0, 1.2, 1.4, 1.6, 1.8, 2.0)
"""Sides of the crop in shorter sides of the photograph: SCRFD's large-scale-range crop."""
_FOCUS: Final = 0.9
_FULL_TURN: Final = 0.3
_SLIGHT_TURN: Final = 0.4
_SLIGHT: Final = 15.0
"""Degrees, standard deviation of a slight turn."""
_LEAST_VISIBLE: Final = 0.4
_SWAP: Final = (1, 0, 2, 4, 3)
_FILLS: Final = ((0, 0, 0), (127, 127, 127), (255, 255, 255))


@dataclass(frozen=True, slots=True)
class Sample:
    """A picture to learn from, labels in its pixels.

    Attributes:
        image: ``(h, w, 3)`` BGR.
        boxes: ``(n, 4)`` xyxy inside the picture.
        keypoints: ``(n, 5, 2)``, NaN where unknown; may lie outside.
        ignore: ``(m, 4)``.
        hints: of the teacher; they point to rows of ``boxes``.
    """

    image: Image
    boxes: FloatArray
    keypoints: FloatArray
    ignore: FloatArray
    hints: Hints = NO_HINTS


def draw_matrix(rng: np.random.Generator, photograph: Photograph, size: tuple[int, int], scale: float) -> Array:
    """Where to cut: around a face, mostly turned, half of the time mirrored.

    Args:
        rng: source of chance.
        photograph: to cut from.
        size: width and height of the piece.
        scale: its pixels per pixel of the photograph.

    Returns:
        ``(2, 3)`` from the photograph to the piece, both in coordinates where a pixel's middle is at 0.5.
    """
    kind = rng.random()
    if kind < _FULL_TURN:
        angle = rng.uniform(-math.pi, math.pi)
    else:
        angle = math.radians(rng.normal(0, _SLIGHT)) if kind < _FULL_TURN + _SLIGHT_TURN else 0.0
    return place(size, scale, angle, rng.random() < 0.5, _draw_middle(rng, photograph, np.array(size) / scale))


def _draw_middle(rng: np.random.Generator, photograph: Photograph, extent: Array) -> Array:
    """The photograph's point that comes to the piece's middle; ``extent`` is the piece in photograph pixels."""
    whole = np.array(photograph.size, np.float64)
    if len(photograph) and rng.random() < _FOCUS:
        box = photograph.boxes[int(rng.integers(len(photograph)))]
        middle = (box[:2] + box[2:]) / 2 + rng.uniform(-0.42, 0.42, 2) * extent
    else:
        middle = rng.uniform(0, whole)
    inside = middle.clip(np.minimum(extent / 2, whole / 2), np.maximum(whole - extent / 2, whole / 2))
    return np.where(extent < whole, inside, whole / 2 + rng.uniform(-0.5, 0.5, 2) * (extent - whole))


def draw_scale(rng: np.random.Generator, photograph: Photograph, side: int) -> float:
    """Pixels of a crop of this side per pixel of the photograph."""
    return side / (float(rng.choice(_RATIOS)) * min(photograph.size))


def place(size: tuple[int, int], scale: float, angle: float, mirrored: bool, middle: Array) -> Array:
    """The affine map that mirrors, turns clockwise by ``angle`` radians, scales, and puts ``middle`` in the middle."""
    cos, sin = scale * math.cos(angle), scale * math.sin(angle)
    linear = np.array([[cos, -sin], [sin, cos]])
    if mirrored:
        linear[:, 0] *= -1
    return np.column_stack([linear, np.array(size) / 2 - linear @ middle])


def warp(image: Image, matrix: Array, size: tuple[int, int], fill: tuple[int, int, int]) -> Image:
    """The piece of ``size`` (width, height) that a map of pixel edges shows."""
    pixels = matrix.copy()
    pixels[:, 2] += matrix[:, :2] @ np.full(2, 0.5) - 0.5
    return np.asarray(cv2.warpAffine(image, pixels, size, flags=cv2.INTER_LINEAR, borderValue=fill), np.uint8)


def cut(
    rng: np.random.Generator,
    photograph: Photograph,
    image: Image,
    hints: Hints,
    matrix: Array,
    size: tuple[int, int],
) -> Sample:
    """Cut a piece with its labels.

    A face whose middle is outside, of which little is left or which is tiny becomes ignored.

    Args:
        rng: source of chance, for the colour of what lies outside the photograph.
        photograph: the labels.
        image: its picture.
        hints: the teacher's for about the scale of ``matrix``, in pixels of the photograph.
        matrix: see :func:`draw_matrix`.
        size: width and height of the piece.
    """
    piece = warp(image, matrix, size, _FILLS[int(rng.choice(3, p=(0.5, 0.4, 0.1)))])
    whole = turn_boxes(photograph.boxes, matrix)
    clipped = whole.clip(0, np.tile(np.array(size, np.float32), 2))
    middle = (whole[:, :2] + whole[:, 2:]) / 2
    inside = ((middle >= 0) & (middle < size)).all(axis=1)
    area, left = _areas(whole), _areas(clipped)
    good = inside & (left >= _LEAST_VISIBLE * area) & (left >= SMALLEST**2)
    doubtful = ~good & (left > 1)
    ignore = turn_boxes(photograph.ignore, matrix).clip(0, np.tile(np.array(size, np.float32), 2))
    rows = np.where(good, np.cumsum(good) - 1, -1)
    points = transform(photograph.keypoints, matrix)
    if np.linalg.det(matrix[:, :2]) < 0:
        points = points[:, _SWAP]
    return Sample(
        piece,
        clipped[good],
        points[good],
        np.concatenate([clipped[doubtful], ignore[_areas(ignore) > 1]]),
        _moved(hints, matrix, rows, size),
    )


def _moved(hints: Hints, matrix: Array, rows: NDArray[np.intp], size: tuple[int, int]) -> Hints:
    """The hints that lie in the piece, pointing to the faces that are left in it."""
    centres = transform(hints.centres, matrix)
    faces = np.append(rows, -1)[hints.faces]
    inside = np.asarray(((centres >= 0) & (centres < size)).all(axis=1))
    return Hints(centres, hints.kinds, hints.scores, faces).at(inside)


def _areas(boxes: FloatArray) -> FloatArray:
    return np.asarray((boxes[:, 2:] - boxes[:, :2]).prod(axis=1), np.float32)


def join(parts: list[tuple[Sample, tuple[int, int]]], size: tuple[int, int]) -> Sample:
    """Put pieces into one picture.

    Args:
        parts: each with the x and y of its upper left corner.
        size: width and height of the whole.
    """
    canvas = np.empty((size[1], size[0], 3), np.uint8)
    before, hints = 0, []
    for part, (x, y) in parts:
        canvas[y : y + part.image.shape[0], x : x + part.image.shape[1]] = part.image
        faces = np.where(part.hints.faces < 0, -1, part.hints.faces + before)
        hints.append(part.hints._replace(centres=part.hints.centres + np.array([x, y], np.float32), faces=faces))
        before += len(part.boxes)
    shifts = [np.array(corner, np.float32) for _, corner in parts]
    return Sample(
        canvas,
        np.concatenate([part.boxes + np.tile(shift, 2) for (part, _), shift in zip(parts, shifts, strict=True)]),
        np.concatenate([part.keypoints + shift for (part, _), shift in zip(parts, shifts, strict=True)]),
        np.concatenate([part.ignore + np.tile(shift, 2) for (part, _), shift in zip(parts, shifts, strict=True)]),
        Hints(*(np.concatenate(values) for values in zip(*hints, strict=True))),
    )
