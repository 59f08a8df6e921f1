"""Movements of the jaw line that the effects on the lower face share."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from streamer.effects.region import FaceRegion
from streamer.effects.warp import facing
from streamer.types import FloatArray

_HALF = 17  # points from an ear to the chin, both counted


def profile(points: Sequence[int], movements: Sequence[float]) -> FloatArray:
    """How far each point from the ear (0) to the chin (16) moves, in units, given at some of them."""
    return np.interp(np.arange(_HALF), points, movements).astype(np.float32)


def both_sides(inward: FloatArray, up: FloatArray | None = None) -> FloatArray:
    """Movements of the jaw line's two sides that are alike.

    Args:
        inward: ``(17,)`` towards the middle of the face, from the ear to the chin, in units.
        up: the same towards the eyes; nothing unless given.

    Returns:
        ``(2, 33, 2)``: what the image-left and the image-right side move, across and along; they share the chin.
    """
    left = np.zeros((2 * _HALF - 1, 2), np.float32)
    left[:_HALF, 0] = inward
    left[:_HALF, 1] = 0 if up is None else -up
    left[_HALF - 1] /= 2
    return np.stack([left, left[::-1] * np.array((-1, 1), np.float32)])


def move_sides(face: FaceRegion, sides: FloatArray, amount: float) -> FloatArray:
    """The movement of a face's jaw line.

    The far side of a turned face is its silhouette and stays; the near one becomes a line inside the head and moves
    less.

    Args:
        face: whose jaw line it is.
        sides: from :func:`both_sides`.
        amount: how much of it.

    Returns:
        ``(33, 2)`` across and along, in units, as :meth:`~streamer.effects.warp.Warp.move_jaw` takes it.
    """
    amount *= facing(face, 30, 90)
    left, right = sides
    movements: FloatArray = left * (amount * facing(face, 15, 50, -1)) + right * (amount * facing(face, 15, 50, 1))
    return movements
