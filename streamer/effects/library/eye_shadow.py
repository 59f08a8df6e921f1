"""Eye shadow."""

from __future__ import annotations

from typing import ClassVar, Final

import cv2
import numpy as np

from streamer.effects.base import FaceEffect, Phase, colour, strength
from streamer.effects.makeup import (
    Eye,
    Patch,
    eyes,
    redness,
    skin_bounds,
    skin_redness,
    smooth_line,
    soft_step,
    times,
    tint,
)
from streamer.effects.region import FaceRegion, Mask
from streamer.types import FloatArray


class EyeShadow(FaceEffect):
    """Colours the upper lids, deepest at the lashes and fading towards the brows."""

    title: ClassVar[str] = "Eye shadow"
    phase: ClassVar[Phase] = Phase.MAKEUP

    strength: float = strength(0.4)
    colour: str = colour("#6b4a6e", "colour of the shadow")

    def paint(self, face: FaceRegion) -> None:
        """Tint the lid of each eye the camera sees, where it is skin."""
        low, high = skin_bounds(skin_redness(face))
        for eye in eyes(face):
            to_brow = smooth_line(eye.brow) - eye.upper
            patch = Patch(face, np.concatenate([eye.upper, eye.upper + _STRIPS[0][1] * to_brow]), _ROOM)
            if patch:
                bare = soft_step(patch.soften(redness(patch.picture), _GRAIN), low, high)
                tint(patch.picture, times(_lid(patch, eye, to_brow), bare), self.colour, self.strength * eye.seen)


def _lid(patch: Patch, eye: Eye, to_brow: FloatArray) -> Mask:
    """Strips over the lid, the lower the deeper, softened; nothing on the eye itself."""
    mask: Mask = np.zeros(patch.picture.shape[:2], np.uint8)
    outward = (eye.upper[0] - eye.upper[-1]) * _OUT
    for depth, height in _STRIPS:
        top = eye.upper + to_brow * (height * _DOME)
        tip = eye.upper[0] + outward * height + to_brow[0] * 0.3
        patch.draw(mask, np.concatenate([eye.upper, top[::-1], tip[None]]), depth)
    patch.soften(mask, _SOFT)
    return np.asarray(cv2.subtract(mask, patch.fill(eye.opening)), np.uint8)


_STRIPS: Final = ((64, 0.7), (128, 0.55), (191, 0.4), (255, 0.25))  # depth, and how far up to the brow
_DOME: Final = np.sin(np.linspace(0.25, 1, 17, dtype=np.float32)[:, None] * np.pi) * 0.4 + 0.6
_OUT: Final = 0.18  # beyond the outer corner, in widths of the eye
_SOFT: Final = 0.05
_ROOM: Final = 0.09
_GRAIN: Final = 0.04
