"""Brighter skin."""

from __future__ import annotations

from typing import ClassVar

import cv2
import numpy as np

from streamer.effects.base import FaceEffect, Phase, strength
from streamer.effects.blending import blend, bounds
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
            blend(picture, np.asarray(cv2.LUT(picture, _CURVES), np.uint8), mask[part], self.strength)


_LEVELS = np.linspace(0.0, 1.0, 256)[:, None]
_LIFTS = np.array(
    (0.42, 0.38, 0.33)
)  # of blue, green and red: skin that is only lightened looks more yellow than it is
_CURVES = np.round(255 * (_LEVELS + _LIFTS * _LEVELS * (1 - _LEVELS))).astype(np.uint8)[:, None]
