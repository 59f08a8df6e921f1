"""Lighter shadows under the eyes."""

from __future__ import annotations

from typing import ClassVar, Final

import cv2
import numpy as np

from streamer.effects.base import FaceEffect, Phase, strength
from streamer.effects.blending import blend, shrunk
from streamer.effects.makeup import Eye, Patch, eyes, times
from streamer.effects.masks import skin_mask
from streamer.effects.region import FaceRegion, Mask
from streamer.types import FloatArray, Image

_UNIT: Final = 40.0  # pixels of a face's unit in the picture that shadows are measured in
_NEAR: Final = 0.04  # units below the lid's edge where shadows begin: lashes are nearer
_DEPTH: Final = 0.2  # units they reach down under the middle of the eye
_CHEEK: Final = (0.27, 0.38)  # units below the lid's edge: the skin they are compared with
_FEATHER: Final = 0.06  # units over which the lightening fades out
_FULL: Final = 1.6  # the fading makes a narrow band weak: times this it is whole again in its middle
_MOST: Final = 48  # levels
_SMOOTH: Final = 5  # pixels of the small picture: shadows are larger, the skin's texture is smaller


class UnderEyes(FaceEffect):
    """Lightens dark circles and bags under the eyes towards the cheek's colour; texture and lashes stay."""

    title: ClassVar[str] = "Under-eye lightening"
    phase: ClassVar[Phase] = Phase.SKIN

    strength: float = strength(0.5)

    def paint(self, face: FaceRegion) -> None:
        """Add what is missing to the cheek's colour, blurred, so that pores keep their contrast."""
        for eye in eyes(face):
            hollow, cheek = _band(face, eye, _NEAR, _NEAR + _DEPTH), _band(face, eye, *_CHEEK)
            patch = Patch(face, np.concatenate([hollow, cheek]), 2 * _FEATHER)
            if patch:
                skin = patch.cut(skin_mask(face))
                missing = _missing(patch.picture, skin, patch.fill(cheek), min(1.0, _UNIT / face.unit))
                band = cv2.convertScaleAbs(patch.soften(patch.fill(hollow), _FEATHER), alpha=_FULL)
                mask = times(np.asarray(band, np.uint8), skin)
                lighter = np.asarray(cv2.add(patch.picture, missing), np.uint8)
                blend(patch.picture, lighter, mask, self.strength * eye.seen)


def _band(face: FaceRegion, eye: Eye, above: float, below: float) -> FloatArray:
    """A crescent under an eye between two distances from its lower lid, narrow at the corners."""
    down = face.down * np.float32(face.unit)
    swell = np.sqrt(np.sin(np.linspace(0.1, np.pi - 0.1, len(eye.lower))))
    depth = above + (below - above) * swell.astype(np.float32)
    return np.concatenate([eye.lower + down * above, (eye.lower + depth[:, None] * down)[::-1]])


def _missing(picture: Image, skin: Mask, cheek: Mask, scale: float) -> Image:
    """What to add, ``(h, w, 3)``; nothing where it is as light as the cheek, or no cheek shows."""
    height, width = skin.shape
    small = shrunk(picture, width * scale, height * scale).astype(np.float32)
    size = small.shape[1::-1]
    weight = cv2.resize(skin, size).astype(np.float32) + np.float32(0.5)
    sums, counts = cv2.blur(small * weight[..., None], (_SMOOTH, _SMOOTH)), cv2.blur(weight, (_SMOOTH, _SMOOTH))
    colour = sums / counts[..., None]
    bare = weight * cv2.resize(cheek, size)
    shown = float(bare.sum())
    if shown < 1:
        return np.zeros_like(picture)
    wanted = (colour * bare[..., None]).sum(axis=(0, 1)) / shown
    trust = min(1.0, 2 * shown / (255 * max(1.0, float(cv2.resize(cheek, size).sum()))))
    lacking = np.clip((wanted - colour) * trust, 0, _MOST)
    return np.asarray(cv2.resize(np.round(lacking).astype(np.uint8), (width, height)), np.uint8)
