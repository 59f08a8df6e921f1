"""Tinted brows."""

from __future__ import annotations

from typing import ClassVar, Final

import cv2
import numpy as np

from streamer.effects.base import FaceEffect, Phase, colour, strength
from streamer.effects.makeup import Patch, grey_of, sides_seen, times
from streamer.effects.pigments import paint, pigment
from streamer.effects.region import FaceRegion, Mask


class BrowTint(FaceEffect):
    """Colours the brows' hair and fills thin places a little; the skin between the hairs shows through."""

    title: ClassVar[str] = "Brow tint"
    phase: ClassVar[Phase] = Phase.MAKEUP

    strength: float = strength(0.4)
    colour: str = colour("#4a2f22", "colour of the brows")

    def paint(self, face: FaceRegion) -> None:
        """Give each brow the camera sees the colour's hue, most where it is dark."""
        for part, seen in zip(("brow_left", "brow_right"), sides_seen(face), strict=True):
            patch = Patch(face, face.part(part), _ROOM)
            if patch and seen > 0:
                brow = patch.soften(patch.fill(face.part(part)), _SOFT)
                grey = grey_of(patch.picture)
                hair, skin = (cv2.mean(grey, where)[0] for where in (brow, cv2.bitwise_not(brow)))
                colours = pigment(self.colour, hair, cover=0.7)
                paint(patch.picture, times(brow, _hairs(grey, skin)), colours, self.strength * seen)


def _hairs(grey: Mask, skin: float) -> Mask:
    """All of what is much darker than the skin beside the brow, a little of what is not."""
    table = np.clip((1.0 - _LEVELS / max(skin, 8.0)) / _DARKER, _FILL, 1) * 255
    return np.asarray(cv2.LUT(grey, table.astype(np.uint8)), np.uint8)


_LEVELS: Final = np.arange(256, dtype=np.float32)
_DARKER: Final = 0.4
_FILL: Final = 0.45
_SOFT: Final = 0.05
_ROOM: Final = 0.1
