"""Faces out of focus."""

from __future__ import annotations

from typing import ClassVar, Final

import cv2
import numpy as np

from streamer.effects.base import strength
from streamer.effects.blending import blend
from streamer.effects.covering import CoverEffect, Place, bounds, cell_size, cells
from streamer.effects.region import Mask
from streamer.types import Image

_SMOOTHING: Final = 4  # pixels a cell is spread over before it is enlarged: cells must not show as tiles
_COARSER: Final = 1.3  # than tiles of the same strength: smooth spots tell a face where tiles do not
_EDGE: Final = 0.1  # width of the soft edge, outside the face, in face widths


class Blur(CoverEffect):
    """Blurs faces into a few spots of their mean colours, with a soft edge; stronger means fewer."""

    title: ClassVar[str] = "Blur"

    strength: float = strength(0.5, "how strongly: about 5 spots across a face at 0.05, 4 at 0.5, 2 at 1")

    def cover(self, picture: Image, place: Place) -> None:
        """Keep only the mean colours of a few cells, and enlarge them smoothly.

        A mere Gaussian blur could be undone in part; what a cell's mean has lost is lost.
        """
        feather = max(1, round(place.size * _EDGE))
        where = bounds(place.outline(2.0 * feather), picture)
        if where is None:
            return
        part = picture[where]
        blend(part, _smooth(part, _COARSER * cell_size(place, self.strength)), _soft_mask(place, where, feather))


def _smooth(part: Image, side: float) -> Image:
    height, width = part.shape[:2]
    small = cells(part, side)
    rows, columns = small.shape[:2]
    size = min(width, columns * _SMOOTHING), min(height, rows * _SMOOTHING)
    fine = cv2.resize(small, size, interpolation=cv2.INTER_CUBIC)
    fine = cv2.GaussianBlur(fine, (0, 0), _SMOOTHING * 0.6, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(cv2.resize(fine, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


def _soft_mask(place: Place, where: tuple[slice, slice], feather: int) -> Mask:
    """The whole shape, fading out over ``2 * feather`` pixels around it."""
    mask: Mask = np.zeros((where[0].stop - where[0].start, where[1].stop - where[1].start), np.uint8)
    corner = np.array((where[1].start, where[0].start), np.float32)
    line = np.round((place.outline(float(feather)) - corner) * 16).astype(np.int32)
    cv2.fillPoly(mask, [line], 255, cv2.LINE_AA, 4)
    side = 2 * (feather // 2) + 1
    for _ in range(2):
        cv2.blur(mask, (side, side), dst=mask, borderType=cv2.BORDER_REPLICATE)
    return mask
