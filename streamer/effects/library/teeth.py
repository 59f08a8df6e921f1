"""Whiter teeth."""

from __future__ import annotations

from typing import ClassVar, Final

import cv2
import numpy as np

from streamer.effects.base import FaceEffect, Phase, strength
from streamer.effects.blending import blend
from streamer.effects.makeup import Patch, redness, skin_redness, soft_step, times
from streamer.effects.masks import between
from streamer.effects.mouth_seen import mouth_seen
from streamer.effects.ramps import ramp
from streamer.effects.region import FaceRegion, Mask
from streamer.types import FloatArray, Image

_GAP: Final = (0.008, 0.022)  # units between the lips' inner edges: shut up to the first, open from the second
_GROW: Final = 0.05  # units around them: the landmarks do not follow a mouth that opens wide
_RED: Final = (0.4, 0.8)  # of the skin's redness: teeth up to the first, something else from the second
_GREY: Final = (0.05, 0.15)  # the skin's redness, a logarithm: nothing is told by it up to the first
_BRIGHT: Final = ((1.1, 1.35), (0.65, 0.95))  # of the lips' lightness, without and with colour: as with redness
_FEATHER: Final = 0.012  # units
_WARMTH: Final = 0.35  # share of their yellow that teeth keep at full strength: none at all looks painted
_LIFT: Final = 0.35  # how much lighter the middle tones become


class Teeth(FaceEffect):
    """Whitens teeth where they show; lips, gums and tongue stay."""

    title: ClassVar[str] = "Teeth whitening"
    phase: ClassVar[Phase] = Phase.SKIN

    strength: float = strength(0.5)

    def paint(self, face: FaceRegion) -> None:
        """Take the teeth's yellow away and lift their middle tones."""
        inner = face.part("lip_inner")
        gap = float(np.linalg.norm(inner[1:4] - inner[7:4:-1], axis=1).mean()) / face.unit
        patch = Patch(face, face.part("lip_outer"))
        shown = ramp(gap, *_GAP)
        if patch and shown > 0 and (shown := shown * min(mouth_seen(face))) > 0:
            blend(patch.picture, _whitened(patch.picture), _teeth(face, patch), self.strength * shown)


def _teeth(face: FaceRegion, patch: Patch) -> Mask:
    """What lies between the lips, is less red than the skin and brighter than the lips."""
    side = 2 * round(_GROW * face.unit) + 1
    around = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    opening = np.asarray(cv2.dilate(patch.fill(face.part("lip_inner")), around), np.uint8)
    within = patch.soften(cv2.min(opening, patch.fill(face.part("lip_outer"))).astype(np.uint8), 2 * _FEATHER)
    red = skin_redness(face)
    told = ramp(red, *_GREY)
    pale = soft_step(redness(patch.picture), *(part * max(red, _GREY[0]) for part in _RED))
    grey = np.asarray(cv2.cvtColor(patch.picture, cv2.COLOR_BGR2GRAY), np.uint8)
    low, high = (plain + (coloured - plain) * told for plain, coloured in zip(*_BRIGHT, strict=True))
    lips = _lightness(grey, patch.place(_ON_LIPS @ face.points))
    steps = np.clip((_LEVELS / lips - low) / (high - low), 0, 1) * 255
    bright = cv2.LUT(grey, steps.astype(np.uint8))
    teeth = times(cv2.bitwise_not(pale).astype(np.uint8), np.asarray(bright, np.uint8))
    return times(patch.soften(teeth, _FEATHER), within)


def _lightness(grey: Mask, places: FloatArray) -> float:
    """The median at some places."""
    found = cv2.remap(grey, places[None, :, 0], places[None, :, 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return max(16.0, float(np.median(found)))


def _whitened(picture: Image) -> Image:
    ycc = cv2.LUT(cv2.cvtColor(picture, cv2.COLOR_BGR2YCrCb), _CURVES)
    return np.asarray(cv2.cvtColor(ycc, cv2.COLOR_YCrCb2BGR), np.uint8)


_ON_LIPS = between([(i, o, 0.75) for i, o in ((97, 86), (98, 87), (99, 88), (103, 94), (102, 93), (101, 92))])
_LEVELS = np.arange(256)
_CHROMA = 128 + (_LEVELS - 128) * _WARMTH
_LIGHT = _LEVELS * (1 + _LIFT * (1 - _LEVELS / 255))
_CURVES = np.round(np.stack([_LIGHT, _CHROMA, _CHROMA], axis=-1)).astype(np.uint8)[:, None]
