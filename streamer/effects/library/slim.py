"""A slimmer face."""

from __future__ import annotations

from typing import ClassVar, Final

from streamer.effects.base import ShapeEffect, strength
from streamer.effects.jaw import both_sides, move_sides, profile
from streamer.effects.region import FaceRegion
from streamer.effects.warp import Warp
from streamer.types import FloatArray

# Nothing where hair begins, most at the cheeks.
_SIDES: Final[FloatArray] = both_sides(profile([2, 4, 6, 8, 11, 14, 16], [0, 0.03, 0.065, 0.075, 0.06, 0.025, 0]))


class Slim(ShapeEffect):
    """Makes the face slimmer: cheeks and jaw move in; eyes, nose and background stay."""

    title: ClassVar[str] = "Slimmer face"

    strength: float = strength(0.4)

    def displace(self, face: FaceRegion, warp: Warp) -> None:
        """Move both sides of the jaw line towards the middle."""
        warp.move_jaw(move_sides(face, _SIDES, self.strength))
