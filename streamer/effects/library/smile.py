"""A smile."""

from __future__ import annotations

from typing import ClassVar, Final

from streamer.effects.base import ShapeEffect, strength
from streamer.effects.mouth_seen import mouth_seen
from streamer.effects.region import FaceRegion
from streamer.effects.warp import Warp, facing
from streamer.landmarks.topology import MOUTH_CORNERS

_OUT: Final = 0.035  # of a corner of the mouth, in units
_UP: Final = 0.05
_RADII: Final = (0.3, 0.26)


class Smile(ShapeEffect):
    """Lifts the corners of the mouth."""

    title: ClassVar[str] = "Smile"

    strength: float = strength(0.4)

    def displace(self, face: FaceRegion, warp: Warp) -> None:
        """Move both corners up and out, the far one of a turned face less."""
        most = self.strength * facing(face, 40, 80)
        for corner, side, seen in zip(MOUTH_CORNERS, (-1, 1), mouth_seen(face), strict=True):
            amount = most * seen * facing(face, 20, 50, side)
            warp.push(face.points[corner], _RADII, (side * _OUT * amount, -_UP * amount))
