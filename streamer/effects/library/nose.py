"""A narrower or wider nose."""

from __future__ import annotations

from typing import ClassVar, Final, Literal

from streamer.effects.base import ShapeEffect, strength
from streamer.effects.region import FaceRegion
from streamer.effects.warp import Warp, facing
from streamer.schema import key

_GROWTHS: Final = {"narrower": -0.22, "wider": 0.15}
_RADII: Final = (0.36, 0.36)  # to the cheeks, and from the middle of the bridge to the upper lip, in units


class Nose(ShapeEffect):
    """Makes the nose narrower or wider at its wings; its length stays."""

    title: ClassVar[str] = "Nose width"

    strength: float = strength(0.4)
    direction: Literal["narrower", "wider"] = key("narrower", "which way", title="Direction")

    def displace(self, face: FaceRegion, warp: Warp) -> None:
        """Scale across, around the middle of the wings; not on a profile, where the nose is a silhouette."""
        growth = _GROWTHS[self.direction] * self.strength * facing(face, 20, 50)
        wings = face.part("nose")[1:-1]
        warp.scale(wings.mean(axis=0), _RADII, (growth, 0.0))
