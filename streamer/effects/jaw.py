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


def move_sides(face: FaceRegion, inward: FloatArray, up: FloatArray | float = 0.0) -> FloatArray:
    """The movement of the jaw line when both of its sides move alike.

    The far side of a turned face is its silhouette and stays; the near one becomes a line inside the head and moves
    less.

    Args:
        face: whose jaw line it is.
        inward: ``(17,)`` towards the middle of the face, from the ear to the chin, in units.
        up: the same towards the eyes.

    Returns:
        ``(33, 2)`` across and along, in units, as :meth:`~streamer.effects.warp.Warp.move_jaw` takes it.
    """
    half = np.stack([inward, np.broadcast_to(-np.asarray(up, np.float32), inward.shape)], axis=1)
    half *= np.float32(facing(face, 30, 90))
    left = half * np.float32(facing(face, 15, 50, -1))
    right = half * np.float32(facing(face, 15, 50, 1)) * np.array((-1, 1), np.float32)
    middle = (left[-1:] + right[-1:]) / 2
    return np.concatenate([left[:-1], middle, right[-2::-1]])
