"""Lipstick."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Final, Literal

import cv2
import numpy as np

from streamer.effects.base import FaceEffect, Phase, colour, strength
from streamer.effects.blending import blend
from streamer.effects.makeup import (
    Patch,
    grey_of,
    ramp,
    redness,
    redness_of,
    skin_bounds,
    skin_chroma,
    skin_redness,
    soft_step,
    spot,
    times,
)
from streamer.effects.pigments import brightness, paint, pigment, relief
from streamer.effects.region import FaceRegion, Mask
from streamer.schema import key


class Lipstick(FaceEffect):
    """Colours the lips and keeps their lines and light; teeth, tongue and whatever is before the mouth stay clean."""

    title: ClassVar[str] = "Lipstick"
    phase: ClassVar[Phase] = Phase.MAKEUP

    strength: float = strength(0.5)
    colour: str = colour("#b8324f", "colour of the lipstick")
    finish: Literal["matte", "gloss"] = key("matte", "matte: soft and even; gloss: wet, with highlights")

    def paint(self, face: FaceRegion) -> None:
        """Give every lip pixel the lipstick's hue at its own luminance."""
        patch = Patch(face, face.part("lip_outer"), _ROOM)
        if not patch:
            return
        grey = grey_of(patch.picture)
        mask = _lips(face, patch, grey)
        mean = brightness(grey, mask)
        finish = _FINISHES[self.finish]
        vivid = _FADED + (1 - _FADED) * ramp(skin_chroma(face), *_COLOURFUL)
        colours = pigment(
            self.colour, mean, cover=finish.cover, contrast=finish.contrast, shine=finish.shine, vivid=vivid
        )
        paint(patch.picture, mask, colours, _MOST * self.strength)
        if finish.wet:
            _wet(face, patch, times(mask, relief(grey, mean)), finish.wet * self.strength)


def _wet(face: FaceRegion, patch: Patch, mask: Mask, amount: float) -> None:
    """Light on both lips, broken by their lines: what gloss adds even to a mouth in flat light."""
    across = (face.points[90] - face.points[84]) * 0.3
    light: Mask = np.zeros_like(mask)
    for inner, outer, part in _GLINTS:
        low, high = face.points[inner].mean(axis=0), face.points[outer].mean(axis=0)
        glint = patch.stamp(spot(), (low + high) / 2, across * part, (high - low) * 0.42)
        light = np.asarray(cv2.addWeighted(light, 1, glint, part, 0), np.uint8)
    blend(patch.picture, np.full_like(patch.picture, 255), times(light, mask), amount)


def _lips(face: FaceRegion, patch: Patch, grey: Mask) -> Mask:
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
    gap = float(np.linalg.norm(face.points[97:100] - face.points[103:100:-1], axis=1).sum()) / (3 * face.unit)
    opened = ramp(gap, *_OPEN)
    shut = sure * (1 - opened)
    likely = soft_step(red, low, high)
    if opened > 0:
        likely = _without_depth(likely, grey, cv2.mean(grey, mouth)[0], cv2.mean(grey, around)[0], opened)
        likely = _without_remains(face, patch, lips, likely, opened)
    lips = np.asarray(cv2.addWeighted(lips, bare, mouth, bare * shut, 0), np.uint8)
    return patch.steady(times(lips, likely), _SOFT)


def _without_depth(likely: Mask, grey: Mask, mouth: float, skin: float, opened: float) -> Mask:
    """No lip where it is as dark as within a dark mouth: the landmarks' lips do not open as wide as real ones."""
    depth = opened * (1 - ramp(mouth / max(skin, 8.0), *_DEEP))
    lit = np.clip((_LEVELS - mouth - _EDGE[0] * skin) / (_EDGE[1] * max(skin, 8.0)), 0, 1)
    return times(likely, np.asarray(cv2.LUT(grey, np.round(255 * (1 - depth * (1 - lit))).astype(np.uint8)), np.uint8))


def _without_remains(face: FaceRegion, patch: Patch, lips: Mask, likely: Mask, opened: float) -> Mask:
    """Less of a lower lip that is hardly found: a grin shows teeth where the landmarks have it."""
    lower = patch.fill(face.points[_LOWER])
    found = cv2.mean(likely, times(lips, lower))[0] / 255
    missing = opened * (1 - ramp(found, *_FOUND))
    kept = cv2.addWeighted(lower, -missing * (1 - _UPPER), lower, 0, 255 * (1 - missing * _UPPER))
    return times(likely, np.asarray(kept, np.uint8))


@dataclass(frozen=True, slots=True)
class _Finish:
    """How a lipstick takes light: see :func:`~streamer.effects.makeup.pigment`; ``wet``: how bright its glints are."""

    cover: float
    contrast: float
    shine: float
    wet: float


_FINISHES: Final = {"matte": _Finish(0.6, 0.75, 0.1, 0.0), "gloss": _Finish(0.6, 1.25, 1.6, 0.6)}
_GLINTS: Final = (([101, 102, 103], [92, 93, 94], 1.0), ([97, 98, 99], [86, 87, 88], 0.6))
"""Landmarks of the lower and the upper lip's inner and outer edge; how large and bright their light is."""
_LOWER: Final = [84, 95, 94, 93, 92, 91, 90, 100, 101, 102, 103, 96]
_SURE: Final = (0.03, 0.1)  # how much redder than the skin around them lips are
_REDDEST: Final = 0.5
_UNEVEN: Final = (0.08, 0.12)  # spread of the redness around a mouth that nothing covers, and beyond
_APART: Final = (0.05, 0.25)  # in spreads
_MOST: Final = 0.92  # opaque lipstick lets this much less than all of itself be seen
_FADED: Final = 0.6  # the lipstick's saturation where the picture shows hardly any colours
_COLOURFUL: Final = (20.0, 60.0)  # the skin's chroma, in levels: hardly any, enough for all of the lipstick's own
_ROOM: Final = 0.09  # units around the lips
_BEYOND: Final = 1.1  # times the lips' size: where the skin around them begins
_OPEN: Final = (0.04, 0.08)  # units between the lips' inner edges: shut for sure, open for sure
_DEEP: Final = (0.55, 0.85)  # the mouth's light, in the skin's: dark within, or full of teeth
_EDGE: Final = (0.1, 0.15)  # in the skin's light: lips begin so much above the mouth's, over so much
_FOUND: Final = (0.25, 0.6)  # of the lower lip: hardly any of it, enough
_UPPER: Final = 0.5  # of what the lower lip loses, the upper one loses, too: alone it would look odd
_SOFT: Final = 0.008
_GRAIN: Final = 0.02  # the noise of colour
_LEVELS: Final = np.arange(256, dtype=np.float32)
