"""A narrower jaw."""

from __future__ import annotations

from typing import ClassVar, Final

from streamer.effects.base import ShapeEffect, strength
from streamer.effects.jaw import both_sides, move_sides, profile
from streamer.effects.region import FaceRegion
from streamer.effects.warp import Warp
from streamer.types import FloatArray

_SIDES: Final[FloatArray] = both_sides(
    inward=profile([5, 8, 11, 13, 15, 16], [0, 0.025, 0.06, 0.055, 0.02, 0]),
    up=profile([7, 10, 13, 15, 16], [0, 0.02, 0.03, 0.01, 0]),
)


class VLine(ShapeEffect):
    """Narrows the jaw towards the chin, so that the face's outline becomes a V; the cheeks stay."""

    title: ClassVar[str] = "V-line"

    strength: float = strength(0.4)

    def displace(self, face: FaceRegion, warp: Warp) -> None:
        """Move the corners of the jaw inwards and up."""
        warp.move_jaw(move_sides(face, _SIDES, self.strength))
