"""Sharper eyes."""

from __future__ import annotations

from typing import ClassVar, Final

import cv2
import numpy as np

from streamer.effects.base import FaceEffect, Phase, strength
from streamer.effects.blending import blend, shrunk
from streamer.effects.makeup import Patch, sides_seen
from streamer.effects.region import FaceRegion
from streamer.types import Image

_ROUND: Final = 0.05  # units around the eye: lashes and the lines of the lids
_FEATHER: Final = 0.07  # units over which it fades out
_RADIUS: Final = 0.03  # units: what is finer is made stronger
_UNIT: Final = 50.0  # pixels of a face's unit in the picture that is blurred
_GAIN: Final = 0.8  # by how much at full strength
_LIMIT: Final = 20  # levels: more would draw rims around the iris, and flicker with every movement


class EyesSharp(FaceEffect):
    """Brings out iris, lashes and lids; noise and the skin around them stay."""

    title: ClassVar[str] = "Eye sharpening"
    phase: ClassVar[Phase] = Phase.SKIN

    strength: float = strength(0.5)

    def paint(self, face: FaceRegion) -> None:
        """Unsharp masking, limited, that fades out softly around each eye."""
        for part, seen in zip(("eye_left", "eye_right"), sides_seen(face), strict=True):
            opening = face.part(part)[:8]
            patch = Patch(face, opening, _ROUND + 2 * _FEATHER)
            if patch and seen > 0:
                side = 2 * round(_ROUND * face.unit) + 1
                around = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
                mask = np.asarray(cv2.dilate(patch.fill(opening), around), np.uint8)
                sharpened = _sharpened(patch.picture, face.unit)
                blend(patch.picture, sharpened, patch.soften(mask, _FEATHER), self.strength * seen)


def _sharpened(picture: Image, unit: float) -> Image:
    height, width = picture.shape[:2]
    scale = min(1.0, _UNIT / unit)
    small = shrunk(picture, width * scale, height * scale)
    blurred = cv2.resize(cv2.GaussianBlur(small, (0, 0), max(0.6, _RADIUS * unit * scale)), (width, height))
    up, down = (cv2.LUT(cv2.subtract(*pair), _GAINS) for pair in ((picture, blurred), (blurred, picture)))
    return np.asarray(cv2.subtract(cv2.add(picture, up), down), np.uint8)


_DETAIL = np.arange(256)
# The faintest detail is noise and stays; strong detail is sharp already.
_GAINS = np.round(_LIMIT * np.tanh(_GAIN * np.maximum(_DETAIL - 1, 0) / _LIMIT)).astype(np.uint8)
