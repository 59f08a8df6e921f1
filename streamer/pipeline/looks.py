"""The passes of a detector that together search all of a picture: over the whole of it, and closely over its parts."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass, replace
from itertools import pairwise, product
from typing import Final

import numpy as np

from streamer.detectors.rotation import TURNS
from streamer.types import FloatArray, Image

_TILE: Final = 640  # pixels: greatest side of the parts that are searched in one go, overlaps apart
_WIDE: Final = 480  # pixels: longest side for the pass over the whole picture
_TURNED: Final = 320  # likewise for the turned ones
_OVERLAP: Final = 24 / _WIDE  # of the longest side: larger faces are found by the pass over the whole


@dataclass(frozen=True, slots=True)
class Look:
    """One pass of the detector.

    Attributes:
        left: of its part of the picture; this and the next three in pixels.
        top: likewise.
        right: likewise.
        bottom: likewise.
        turn: roll in degrees that it shows upright.
        side: longest side in pixels that the part is shrunk to.
        room: pixels within which a face lies that it is to find, when only a part of the face has been seen to change;
            ``None`` for a pass over the whole picture, which is to find faces of any size.
    """

    left: int
    top: int
    right: int
    bottom: int
    turn: int
    side: int
    room: int | None = None

    @property
    def scale(self) -> float:
        """Pixels the network sees for one of the picture, along a side."""
        return min(1.0, self.side / max(self.right - self.left, self.bottom - self.top))

    @property
    def cost(self) -> float:
        """Pixels the network sees."""
        return float((self.right - self.left) * (self.bottom - self.top) * self.scale**2)

    def part(self, bgr: Image) -> Image:
        """Its part of a picture."""
        return bgr[self.top : self.bottom, self.left : self.right]

    def narrowed(self, box: FloatArray) -> Look:
        """The same for what lies around a box, ``(4,)`` xyxy in its own part of the picture."""
        if self.room is None:
            return self
        corner, reach = np.array([self.left, self.top] * 2), np.array([-self.room] * 2 + [self.room] * 2)
        wide = (box + corner + reach).round().astype(int).tolist()
        left, top = max(wide[0], self.left), max(wide[1], self.top)
        right, bottom = min(wide[2], self.right), min(wide[3], self.bottom)
        side = math.ceil(max(right - left, bottom - top) * self.scale)
        return replace(self, left=left, top=top, right=right, bottom=bottom, side=side)


def looks_over(size: tuple[int, int], turns: Collection[int], close: int) -> list[Look]:
    """The passes that search all of a picture in every turn, and closely in some.

    Args:
        size: height and width.
        turns: rolls in degrees in which it is searched closely, too, part by part.
        close: longest side in pixels that the picture is shrunk to then.
    """
    height, width = size
    scale, room, looks = min(1.0, close / max(size)), math.ceil(max(size) * _OVERLAP), []
    for turn in (0, *TURNS):
        side = _TURNED if turn else _WIDE
        parts = list(product(_parts(height, scale, room // 2), _parts(width, scale, room // 2)))
        if turn not in turns or max(size) <= side:
            parts = []
        if len(parts) == 1:  # the whole picture fits into a close pass
            side, parts = math.ceil(max(size) * scale), []
        looks.append(Look(0, 0, width, height, turn, side))
        for (top, bottom), (left, right) in parts:
            longest = math.ceil(max(right - left, bottom - top) * scale)
            looks.append(Look(left, top, right, bottom, turn, longest, room))
    return looks


def _parts(length: int, scale: float, room: int) -> list[tuple[int, int]]:
    """Begin and end of equal parts of a side of the picture, each reaching ``room`` pixels into its neighbours."""
    count = math.ceil(length * scale / _TILE)
    ends = np.linspace(0, length, count + 1).round().astype(int).tolist()
    return [(max(begin - room, 0), min(end + room, length)) for begin, end in pairwise(ends)]
