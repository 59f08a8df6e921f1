"""Blush on the cheeks."""

from __future__ import annotations

from typing import ClassVar, Final

import numpy as np

from streamer.effects.base import FaceEffect, Phase, colour, strength
from streamer.effects.makeup import Patch, sides_seen, spot, times
from streamer.effects.masks import skin_mask
from streamer.effects.pigments import tint
from streamer.effects.region import FaceRegion
from streamer.types import FloatArray


class Blush(FaceEffect):
    """Lays sheer colour on the cheeks, from their apples up towards the ears."""

    title: ClassVar[str] = "Blush"
    phase: ClassVar[Phase] = Phase.MAKEUP

    strength: float = strength(0.6)
    colour: str = colour("#e0566e", "colour of the blush")

    def paint(self, face: FaceRegion) -> None:
        """Tint a soft oval on each cheek the camera sees, where there is bare skin."""
        for points, seen in zip(_CHEEKS, sides_seen(face), strict=True):
            centre, across, along = _oval(face.points[list(points)])
            reach = np.hypot(across, along)
            patch = Patch(face, np.stack([centre - reach, centre + reach]))
            if patch and seen > 0:
                mask = times(patch.stamp(spot(), centre, across, along), patch.cut(skin_mask(face)))
                tint(patch.picture, mask, self.colour, _MOST * self.strength * seen)


def _oval(cheek: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Centre and half axes of a cheek's oval, which turns and narrows with the cheek."""
    ear, jaw, nose, mouth, eye = cheek
    centre = 0.44 * jaw + 0.4 * nose + 0.16 * eye
    return centre, 0.57 * (ear - nose), 0.52 * (mouth - eye)


_MOST: Final = 0.51
_CHEEKS: Final = ((2, 4, 57, 84, 66), (30, 28, 63, 90, 79))
"""Landmarks of each cheek: beside the ear, at the jaw, the nostril's wing, the mouth's and the eye's outer corner."""
