"""Mixing two pictures by a mask, so that a pixel of weight 0 stays bit-identical; and what goes with it."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from streamer.effects.region import Mask
from streamer.types import Image

_STRIP: Final = 12_000  # pixels worked on at once: what they need stays in the processor's second cache


def blend(picture: Image, other: Image, mask: Mask, amount: float = 1.0) -> None:
    """Move ``picture`` towards ``other``, in place.

    Exact: ``picture + (other - picture) * weight``, rounded to the nearest level, with the weight in steps of 1/256.

    Args:
        picture: BGR uint8 ``(h, w, 3)``.
        other: the same shape.
        mask: ``(h, w)`` uint8: how far, per pixel.
        amount: how far altogether, 0..1.
    """
    rows, columns = bounds(mask)
    weights = np.round(np.arange(256) * (amount * 256 / 255)).astype(np.uint16)
    strip = max(1, _STRIP // max(1, columns.stop - columns.start))
    for top in range(rows.start, rows.stop, strip):
        part = np.s_[top : min(top + strip, rows.stop), columns]
        weight = cv2.cvtColor(cv2.LUT(mask[part], weights), cv2.COLOR_GRAY2BGR).astype(np.uint16, copy=False)
        # Unsigned arithmetic wraps around, but picture * 256 + (other - picture) * weight ends within 16 bits.
        here, there = picture[part].astype(np.uint16), other[part].astype(np.uint16)
        there -= here
        there *= weight
        here <<= 8
        there += here
        there += 128
        there >>= 8
        picture[part] = there


def bounds(mask: Mask) -> tuple[slice, slice]:
    """Rows and columns that hold all of a mask; empty ones where it is 0 everywhere."""
    x, y, width, height = cv2.boundingRect(mask)
    return slice(y, y + height), slice(x, x + width)


def shrunk(picture: Image, width: float, height: float) -> Image:
    """A picture, or a mask, made smaller: by halves, which is quick and loses nothing, then the rest.

    Args:
        picture: uint8 ``(h, w, 3)`` or ``(h, w)``.
        width: in pixels; rounded, at least 1.
        height: likewise.
    """
    size = max(1, round(width)), max(1, round(height))
    while picture.shape[1] >= 2 * size[0] and picture.shape[0] >= 2 * size[1]:
        picture = _resized(picture, (picture.shape[1] + 1) // 2, (picture.shape[0] + 1) // 2)
    return _resized(picture, *size)


def _resized(picture: Image, width: int, height: int) -> Image:
    return np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)
