"""A longer or shorter chin."""

from __future__ import annotations

from typing import ClassVar, Final, Literal

import numpy as np

from streamer.effects.base import ShapeEffect, strength
from streamer.effects.jaw import profile
from streamer.effects.region import FaceRegion
from streamer.effects.warp import Warp, facing
from streamer.schema import key
from streamer.types import FloatArray

_MOVEMENTS: Final = {"shorter": -0.15, "longer": 0.088}  # of its tip, in units; the warp's reach bounds the second
_HALF: Final[FloatArray] = profile([9, 11, 13, 15, 16], [0, 0.15, 0.6, 0.97, 1])
_PROFILE: Final[FloatArray] = np.concatenate([_HALF, _HALF[-2::-1]])


class Chin(ShapeEffect):
    """Makes the chin longer or shorter; the mouth stays."""

    title: ClassVar[str] = "Chin length"

    strength: float = strength(0.4)
    direction: Literal["shorter", "longer"] = key("shorter", "which way", title="Direction")

    def displace(self, face: FaceRegion, warp: Warp) -> None:
        """Move the chin along the line from the eyes to it."""
        movements = np.zeros((len(_PROFILE), 2), np.float32)
        movements[:, 1] = _PROFILE * (_MOVEMENTS[self.direction] * self.strength * facing(face, 40, 80))
        warp.move_jaw(movements)
