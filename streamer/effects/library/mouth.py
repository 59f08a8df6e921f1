"""A smaller or bigger mouth."""

from __future__ import annotations

from typing import ClassVar, Final, Literal

import numpy as np

from streamer.effects.base import ShapeEffect, strength
from streamer.effects.mouth_seen import mouth_seen
from streamer.effects.region import FaceRegion
from streamer.effects.warp import Warp, facing
from streamer.schema import key

_GROWTHS: Final = {"smaller": -0.22, "bigger": 0.18}
_MARGIN: Final = 0.17  # of face around the lips that gives way, in units


class Mouth(ShapeEffect):
    """Makes the mouth smaller or bigger, lips and teeth alike."""

    title: ClassVar[str] = "Mouth size"

    strength: float = strength(0.4)
    direction: Literal["smaller", "bigger"] = key("smaller", "which way", title="Direction")

    def displace(self, face: FaceRegion, warp: Warp) -> None:
        """Scale around the middle of the lips; not on a profile, where they are a silhouette."""
        growth = _GROWTHS[self.direction] * self.strength * facing(face, 30, 60) * min(mouth_seen(face))
        lips = face.part("lip_outer")
        middle = lips.mean(axis=0)
        offsets = (lips - middle) / face.unit
        across, along = (float(np.abs(offsets @ axis).max()) for axis in (face.right, face.down))
        warp.scale(middle, (across + _MARGIN, along + _MARGIN), (growth, growth))
