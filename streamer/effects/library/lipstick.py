"""Lipstick."""

from __future__ import annotations

import math
from typing import ClassVar, Final, Literal

import cv2
import numpy as np

from streamer.effects.base import FaceEffect, Phase, colour, setting, strength
from streamer.effects.blending import blend
from streamer.effects.makeup import (
    Patch,
    brightness,
    grey_of,
    paint,
    pigment,
    ramp,
    redness,
    redness_of,
    relief,
    skin_bounds,
    skin_redness,
    soft_step,
    spot,
    times,
)
from streamer.effects.region import FaceRegion, Mask


class Lipstick(FaceEffect):
    """Colours the lips and keeps their lines and light; teeth, tongue and whatever is before the mouth stay clean."""

    title: ClassVar[str] = "Lipstick"
    phase: ClassVar[Phase] = Phase.MAKEUP

    strength: float = strength(0.5)
    colour: str = colour("#b8324f", "colour of the lipstick")
    finish: Literal["matte", "gloss"] = setting("matte", "matte: soft and even; gloss: wet, with highlights")

    def paint(self, face: FaceRegion) -> None:
        """Give every lip pixel the lipstick's hue at its own luminance."""
        patch = Patch(face, face.part("lip_outer"), _ROOM)
        if not patch:
            return
        mask = _lips(face, patch)
        grey = grey_of(patch.picture)
        mean = brightness(grey, mask)
        contrast, shine = _FINISHES[self.finish]
        colours = pigment(self.colour, mean, cover=_COVER, contrast=contrast, shine=shine)
        paint(patch.picture, mask, colours, _MOST * self.strength)
        if self.finish == "gloss":
            _wet(face, patch, grey, mask, mean, self.strength)


def _wet(face: FaceRegion, patch: Patch, grey: Mask, mask: Mask, mean: float, strength: float) -> None:
    """Light on the lower lip, broken by its lines: what gloss adds even to a mouth in flat light."""
    inner, outer = face.points[101:104].mean(axis=0), face.points[92:95].mean(axis=0)
    across, along = (face.points[90] - face.points[84]) * 0.27, (outer - inner) * 0.45
    light = times(patch.stamp(spot(), (inner + outer) / 2, across, along), mask)
    blend(patch.picture, np.full_like(patch.picture, 255), times(light, relief(grey, mean)), 0.45 * strength)


def _lips(face: FaceRegion, patch: Patch) -> Mask:
    """The lips as far as they are seen: a finger, teeth or a microphone is less red than they are.

    How red lips are is measured against the skin around them. Where that tells little (pale lips, a grey picture),
    everything as red as skin will do; where it tells much, the landmarks' gap between lips that are shut, too, is
    filled. Where the surroundings differ more within themselves than from the lips, a hand hides the mouth.
    """
    outline = face.part("lip_outer")
    mouth = patch.fill_fine(face.part("lip_inner"))
    lips = np.asarray(cv2.subtract(patch.fill_fine(outline), mouth), np.uint8)
    middle = outline.mean(axis=0)
    around = np.asarray(cv2.bitwise_not(patch.fill(middle + _BEYOND * (outline - middle))), np.uint8)
    red = patch.soften(redness(patch.picture), _GRAIN)
    own, own_spread = redness_of(red, lips)
    ring, ring_spread = redness_of(red, around)
    reddest = own + _REDDEST * own_spread  # a hand over half of the mouth must not count as lips
    sure = ramp(reddest - ring, *_SURE)
    low, high = skin_bounds(skin_redness(face))
    low += sure * (ring - low)
    high += sure * (0.55 * ring + 0.45 * reddest - high)
    apart = (own - ring) / (math.hypot(own_spread, ring_spread) + 0.01)
    bare = 1 - ramp(ring_spread, *_UNEVEN) * (1 - ramp(apart, *_APART))
    gap = float(np.linalg.norm(face.points[97:100] - face.points[103:100:-1], axis=1).mean()) / face.unit
    shut = sure * (1 - ramp(gap, *_OPEN))
    lips = np.asarray(cv2.addWeighted(lips, bare, mouth, bare * shut, 0), np.uint8)
    return patch.steady(times(lips, soft_step(red, low, high)), _SOFT)


_SURE: Final = (0.03, 0.1)  # how much redder than the skin around them lips are
_REDDEST: Final = 0.5
_UNEVEN: Final = (0.08, 0.12)  # spread of the redness around a mouth that nothing covers, and beyond
_APART: Final = (0.05, 0.25)  # in spreads
_MOST: Final = 0.92  # opaque lipstick lets this much less than all of itself be seen
_COVER: Final = 0.65
_FINISHES: Final = {"matte": (0.9, 0.35), "gloss": (1.15, 1.5)}  # the texture's contrast, how much light stays
_ROOM: Final = 0.09  # units around the lips
_BEYOND: Final = 1.1  # times the lips' size: where the skin around them begins
_OPEN: Final = (0.07, 0.15)  # units between the lips' inner edges: shut for sure, open for sure
_SOFT: Final = 0.008
_GRAIN: Final = 0.02  # the noise of colour
