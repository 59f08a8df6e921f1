"""Brighter skin."""

from __future__ import annotations

from typing import ClassVar

import cv2
import numpy as np

from streamer.effects.base import FaceEffect, Phase, strength
from streamer.effects.blending import bounds
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
            # A level p is lifted by p * (1 - p), times how much.
            reach = cv2.multiply(picture, cv2.bitwise_not(picture), scale=4 / 255)
            weights = cv2.applyColorMap(mask[part], np.round(_LIFTS * (self.strength * _FINER)).astype(np.uint8))
            cv2.add(picture, cv2.multiply(reach, weights, scale=1 / (4 * 255 * _FINER)), dst=picture)


_FINER = 2  # halves of a level are told apart
# Of blue, green and red: skin that is only lightened looks more yellow than it is.
_LIFTS = np.arange(256)[:, None, None] * np.array((0.42, 0.38, 0.33))
