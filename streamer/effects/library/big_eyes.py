"""Bigger eyes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar, Final

from streamer.effects.base import ShapeEffect, strength
from streamer.effects.region import FaceRegion
from streamer.effects.warp import Warp, facing

_GROWTH: Final = 0.27  # how much closer to the centre its pixels are fetched: 1.37 times as big
_RADII: Final = (0.33, 0.27)  # to the bridge of the nose and below the brow, in units
_WIDTH: Final = 0.27  # of an eye that looks ahead, in units
_CLOSED: Final = 0.3  # height of an eye in widths, as the landmarks have it: they hardly follow a blink
_OPEN: Final = 0.4


class BigEyes(ShapeEffect):
    """Makes the eyes bigger and rounder; brows and nose stay in place, closed eyes stay thin."""

    title: ClassVar[str] = "Bigger eyes"

    strength: float = strength(0.4)

    def displace(self, face: FaceRegion, warp: Warp) -> None:
        """Magnify around both eyes, less where an eye is turned away or closed."""
        for part, side in (("eye_left", -1), ("eye_right", 1)):
            lids = face.part(part)[:8].tolist()
            width = math.dist(lids[4], lids[0])
            narrow = min(1.0, max(0.3, width / (_WIDTH * face.unit)))
            growth = _GROWTH * self.strength * facing(face, 35, 65, side)
            middle = [sum(values) / len(lids) for values in zip(*lids, strict=True)]
            warp.scale(middle, (_RADII[0] * narrow, _RADII[1]), (growth, growth * _opening(lids, width, narrow)))


def _opening(lids: Sequence[Sequence[float]], width: float, narrow: float) -> float:
    """From 0.4 for a closed eye to 1 for an open one: its line must not become a stripe."""
    height = sum(math.dist(lids[upper], lids[8 - upper]) for upper in (1, 2, 3)) / 3
    opened = (height * narrow / max(width, 1e-6) - _CLOSED) / (_OPEN - _CLOSED)
    return 0.4 + 0.6 * min(1.0, max(0.0, opened))
