"""Brighter skin."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from streamer.effects.base import FaceEffect, Phase, strength
from streamer.effects.blending import bounds, soft_light
from streamer.effects.masks import skin_mask
from streamer.effects.region import FaceRegion


class Tone(FaceEffect):
    """Brightens the skin and leaves its highlights and shadows; hair, eyes and background stay."""

    title: ClassVar[str] = "Skin tone"
    phase: ClassVar[Phase] = Phase.SKIN

    strength: float = strength(0.4)

    def paint(self, face: FaceRegion) -> None:
        """Lift the middle tones by a curve that leaves black and white alone, and blue a little more than red."""
        mask = skin_mask(face)
        part = bounds(mask)
        picture = face.picture[part]
        if picture.size:
            soft_light(picture, mask[part], _LIFTS * self.strength, finer=2)


# Of blue, green and red: skin that is only lightened looks more yellow than it is.
_LIFTS = np.array((0.42, 0.38, 0.33))
