"""Mixing two pictures by a mask, so that a pixel of weight 0 stays bit-identical; and what goes with it."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from streamer.effects.region import Mask
from streamer.types import Image

_LEVELS: Final = np.arange(256, dtype=np.float32)[:, None, None]
_STRIP: Final = 48_000  # pixels worked on at once: what they need stays in the processor's caches


def blend(picture: Image, other: Image, mask: Mask, amount: float = 1.0) -> None:
    """Move ``picture`` towards ``other``, in place.

    Exact: ``picture + (other - picture) * weight``, rounded to the nearest level, with the weight in steps of 1/255.

    Args:
        picture: BGR uint8 ``(h, w, 3)``.
        other: the same shape.
        mask: ``(h, w)`` uint8: how far, per pixel.
        amount: how far altogether, 0..1.
    """
    rows, columns = bounds(mask)
    strip = max(1, _STRIP // max(1, columns.stop - columns.start))
    for top in range(rows.start, rows.stop, strip):
        part = np.s_[top : min(top + strip, rows.stop), columns]
        here, there, weight = picture[part], other[part], cv2.convertScaleAbs(mask[part], alpha=amount)
        weights = cv2.merge((weight, weight, weight))
        # Eight bits hold no negative numbers: what becomes lighter and what becomes darker are moved in turn.
        lighter = cv2.multiply(cv2.subtract(there, here), weights, scale=1 / 255)
        darker = cv2.multiply(cv2.subtract(here, there), weights, scale=1 / 255)
        cv2.subtract(cv2.add(here, lighter), darker, dst=here)


def soft_light(picture: Image, mask: Mask, push: NDArray[np.floating], *, finer: int = 1) -> None:
    """Move the middle tones and leave black and white alone, in place: a level p moves by ``push * p * (1 - p)``.

    Args:
        picture: BGR uint8 ``(h, w, 3)``; stays bit-identical where the mask is 0.
        mask: ``(h, w)`` uint8: how far, per pixel.
        push: ``(3,)`` how far altogether, for blue, green and red; negative ones darken.
        finer: parts of 1/255 in which that is told.
    """
    reach = cv2.multiply(picture, cv2.bitwise_not(picture), scale=4 / 255)
    for move, factors in ((cv2.add, np.maximum(push, 0)), (cv2.subtract, np.maximum(-push, 0))):
        if factors.any():
            weights = cv2.applyColorMap(mask, np.round(_LEVELS * (factors * finer)).astype(np.uint8))
            move(picture, cv2.multiply(reach, weights, scale=1 / (4 * 255 * finer)), dst=picture)


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
