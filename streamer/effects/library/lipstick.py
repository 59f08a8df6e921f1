"""Lipstick."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Final, Literal

import cv2
import numpy as np

from streamer.effects.base import FaceEffect, Phase, colour, strength
from streamer.effects.blending import blend
from streamer.effects.lips import Lips, lips
from streamer.effects.makeup import (
    Patch,
    grey_of,
    redness,
    redness_of,
    skin_bounds,
    skin_chroma,
    skin_redness,
    soft_step,
    spot,
    times,
)
from streamer.effects.mouth_seen import mouth_seen
from streamer.effects.pigments import brightness, paint, pigment, relief
from streamer.effects.ramps import ramp, ramps
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
        mouth, (left, right) = lips(face), mouth_seen(face)
        patch = Patch(face, mouth.outer, _ROOM)
        if not patch or not left + right:
            return
        grey = grey_of(patch.picture)
        mask = _painted(face, mouth, patch, grey)
        if left + right < 2:
            mask = times(mask, _fading(patch, mouth, left, right))
        mean = brightness(grey, mask)
        finish = _FINISHES[self.finish]
        vivid = _FADED + (1 - _FADED) * ramp(skin_chroma(face), *_COLOURFUL)
        colours = pigment(
            self.colour, mean, cover=finish.cover, contrast=finish.contrast, shine=finish.shine, vivid=vivid
        )
        paint(patch.picture, mask, colours, _MOST * self.strength)
        if finish.wet:
            _wet(mouth, patch, times(mask, relief(grey, mean)), finish.wet * self.strength)


def _fading(patch: Patch, mouth: Lips, left: float, right: float) -> Mask:
    """From one half of a mouth to the other, as much as each of them shows."""
    corners = patch.place(mouth.outer[[0, 6]])
    along = corners[1] - corners[0]
    height, width = patch.picture.shape[:2]
    place = np.add.outer(np.arange(height, dtype=np.float32) * along[1], np.arange(width, dtype=np.float32) * along[0])
    place = (place - corners.mean(axis=0) @ along) / max(float(along @ along), 1.0)
    return np.asarray(np.round(255 * (left + (right - left) * ramps(place, *_HALFWAY))), np.uint8)


def _wet(mouth: Lips, patch: Patch, mask: Mask, amount: float) -> None:
    """Light on both lips, broken by their lines: what gloss adds even to a mouth in flat light."""
    across = (mouth.outer[6] - mouth.outer[0]) * 0.3
    light: Mask = np.zeros_like(mask)
    for inner, outer, part in _GLINTS:
        low, high = mouth.inner[inner].mean(axis=0), mouth.outer[outer].mean(axis=0)
        glint = patch.stamp(spot(), (low + high) / 2, across * part, (high - low) * 0.42)
        light = np.asarray(cv2.addWeighted(light, 1, glint, part, 0), np.uint8)
    blend(patch.picture, np.full_like(patch.picture, 255), times(light, mask), amount)


def _painted(face: FaceRegion, mouth: Lips, patch: Patch, grey: Mask) -> Mask:
    """The lips as far as they are seen: a finger, teeth or a microphone is less red than they are.

    How red lips are is measured against the skin around them. Where that tells little (pale lips, a grey picture),
    everything as red as skin will do; where it tells much, the landmarks' gap between lips that are shut, too, is
    filled. Where the surroundings differ more within themselves than from the lips, a hand hides the mouth.
    """
    outline, opened = mouth.outer, mouth.opened
    inside = patch.fill_fine(mouth.inner)
    both = np.asarray(cv2.subtract(patch.fill_fine(outline), inside), np.uint8)
    middle = outline.mean(axis=0)
    around = np.asarray(cv2.bitwise_not(patch.fill(middle + _BEYOND * (outline - middle))), np.uint8)
    light = cv2.mean(grey, around)[0]
    # The colour of darkness is noise, between fingers as in the corners of a mouth, and that of its edge is too red.
    lit = np.asarray(cv2.LUT(patch.soften(_step(grey, light, *_BLACK), _PENUMBRA), _UPPER_HALF), np.uint8)
    red = patch.soften(redness(patch.picture), _GRAIN)
    seen = times(both, lit)
    own, own_spread = redness_of(red, seen)
    ring, ring_spread = redness_of(red, times(around, lit))
    reddest = _reddest(red, seen, own)  # a hand over half of the mouth must not count
    skin = skin_redness(face)
    sure = ramp((own + _ABOVE * own_spread - ring) / max(skin, _LEAST), *_SURE)
    low, high = skin_bounds(skin)
    low += sure * (ring + _FROM * (reddest - ring) - low)
    high += sure * (ring + _TO * (reddest - ring) - high)
    apart = (own - ring) / (math.hypot(own_spread, ring_spread) + 0.01)
    bare = 1 - ramp(ring_spread, *_UNEVEN) * (1 - ramp(apart, *_APART))
    shut = sure * (1 - opened)
    likely = times(soft_step(red, low, high), lit)
    if opened > 0:
        likely = _without_depth(likely, grey, cv2.mean(grey, inside)[0], light, opened)
    both = np.asarray(cv2.addWeighted(both, bare, inside, bare * shut, 0), np.uint8)
    return patch.steady(times(both, likely), _SOFT)


def _reddest(red: Mask, mask: Mask, mean: float) -> float:
    """The mean redness, a logarithm, of the half of a part that is redder than its mean."""
    counts = cv2.calcHist([red], [0], mask, [256], [0, 256]).ravel()
    counts *= np.clip(_LEVELS / _BLUNT - _RATIO_ONE / _BLUNT * math.exp(mean) + 0.5, 0, 1)
    return math.log(max(float(counts @ _LEVELS) / max(float(counts.sum()), 1e-3), 1.0) / _RATIO_ONE)


def _step(grey: Mask, light: float, low: float, high: float) -> Mask:
    """0 where it is darker than ``low`` times some light, 255 where it is brighter than ``high`` times it."""
    steps = np.clip((_LEVELS / max(light, 8.0) - low) / (high - low), 0, 1) * 255
    return np.asarray(cv2.LUT(grey, steps.astype(np.uint8)), np.uint8)


def _without_depth(likely: Mask, grey: Mask, mouth: float, skin: float, opened: float) -> Mask:
    """No lip where it is as dark as within a dark mouth: the landmarks' lips do not open as wide as real ones."""
    depth = opened * (1 - ramp(mouth / max(skin, 8.0), *_DEEP))
    lit = np.clip((_LEVELS - mouth - _EDGE[0] * skin) / (_EDGE[1] * max(skin, 8.0)), 0, 1)
    return times(likely, np.asarray(cv2.LUT(grey, np.round(255 * (1 - depth * (1 - lit))).astype(np.uint8)), np.uint8))


@dataclass(frozen=True, slots=True)
class _Finish:
    """How a lipstick takes light: see :func:`~streamer.effects.makeup.pigment`; ``wet``: how bright its glints are."""

    cover: float
    contrast: float
    shine: float
    wet: float


_FINISHES: Final = {"matte": _Finish(0.6, 0.75, 0.1, 0.0), "gloss": _Finish(0.6, 1.25, 1.6, 0.6)}
_GLINTS: Final = (([5, 6, 7], [8, 9, 10], 1.0), ([1, 2, 3], [2, 3, 4], 0.6))
"""Points of the lower and the upper lip's inner and outer edge; how large and bright their light is."""
_ABOVE: Final = 0.5  # of the lips' spread: teeth and hands are among them
_SURE: Final = (0.15, 0.5)  # of the skin's redness: so much redder than what is around them are lips, or surely
_LEAST: Final = 0.1  # that counts for it
_RATIO_ONE: Final = 64  # what :func:`redness` calls a ratio of 1
_HALFWAY: Final = (-0.2, 0.2)  # of a mouth's width, from its middle
_BLUNT: Final = 4.0  # of its steps are between what does not count as redder and what does
_FROM, _TO = 0.1, 0.45  # of the way from the surroundings' redness to the lips': no lip, surely one
_UNEVEN: Final = (0.065, 0.1)  # spread of the redness around a mouth that nothing covers, and beyond
_APART: Final = (0.08, 0.25)  # in spreads
_MOST: Final = 0.92  # opaque lipstick lets this much less than all of itself be seen
_FADED: Final = 0.6  # the lipstick's saturation where the picture shows hardly any colours
_COLOURFUL: Final = (20.0, 60.0)  # the skin's chroma, in levels: hardly any, enough for all of the lipstick's own
_ROOM: Final = 0.09  # units around the lips
_BEYOND: Final = 1.1  # times the lips' size: where the skin around them begins
_DEEP: Final = (0.55, 0.85)  # the mouth's light, in the skin's: dark within, or full of teeth
_EDGE: Final = (0.1, 0.15)  # in the skin's light: lips begin so much above the mouth's, over so much
_BLACK: Final = (0.2, 0.35)  # of the light around the mouth: no lip is as dark, or may be
_PENUMBRA: Final = 0.035
_SOFT: Final = 0.008
_GRAIN: Final = 0.02  # the noise of colour
_LEVELS: Final = np.arange(256, dtype=np.float32)
_UPPER_HALF: Final = np.clip(2 * _LEVELS - 255, 0, 255).astype(np.uint8)
