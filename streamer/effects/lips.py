"""Where the lips of an open mouth are: the landmarks' mouth does not open as wide as people do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from streamer.effects.makeup import skin_redness
from streamer.effects.ramps import ramp, ramps
from streamer.effects.region import FaceRegion
from streamer.types import FloatArray


@dataclass(frozen=True, slots=True)
class Lips:
    """Lines around a mouth, in pixels of the region.

    Attributes:
        outer: ``(12, 2)`` closed line around both lips, from the image-left corner over the upper lip.
        inner: ``(8, 2)`` closed line around what shows between them, likewise.
        opened: 0 shut, 1 open.
        wide: 0..1, as wide as in a laugh or a shout.
        traced: 0..1, how surely the edges of both lips of an open mouth show; 0 while it is shut.
    """

    outer: FloatArray
    inner: FloatArray
    opened: float
    wide: float = 0.0
    traced: float = 0.0


def lips(face: FaceRegion) -> Lips:
    """The landmarks' lips while the mouth is shut; as it opens, their edges as the picture shows them."""
    return face.once("lips in the picture", lambda: _found(face))


def _found(face: FaceRegion) -> Lips:
    outer, inner = face.part("lip_outer"), face.part("lip_inner")
    gap = float(np.linalg.norm(inner[1:4] - inner[7:4:-1], axis=1).sum()) / (3 * face.unit)
    opened = ramp(gap, *_OPEN)
    sure = opened * (1 - ramp(abs(face.face.pose.yaw), *_TURNED))
    if sure == 0:
        return Lips(outer, inner, opened)
    wide = ramp(gap, *_WIDE)
    outer, inner, traced = _moved(face, outer, inner, sure, wide)
    opened *= 1 - sure * (1 - ramp(_parted(inner, face.down) / face.unit, *_PARTED))
    return Lips(outer, inner, opened, wide, sure * traced)


def _parted(inner: FloatArray, down: FloatArray) -> float:
    """How far the inner edges are apart, in pixels; lips that would lie one over the other meet halfway, in place."""
    upper, lower = _INNER
    gaps = (inner[lower] - inner[upper]) @ down
    over = (np.minimum(gaps, 0) / 2)[:, None] * down
    inner[upper] += over
    inner[lower] -= over
    return float(np.maximum(gaps, 0).mean())


def _moved(
    face: FaceRegion, outer: FloatArray, inner: FloatArray, sure: float, wide: float
) -> tuple[FloatArray, FloatArray, float]:
    """Both lips' edges where, going towards the mouth, skin turns red, and where red turns to something else.

    Seen along lines through all of a lip at once, so that single teeth, stubble and the camera's noise do not count.
    Of each pair of numbers the first is the upper lip's.
    """
    outer, inner = outer.copy(), inner.copy()
    out = np.float32(face.unit) * _SIDES[:, None] * face.down
    red, light = _profiles(face, _BETWEEN @ outer[_OUTER], out)
    shift, found = _edges(np.maximum(red, skin_redness(face) - _PALER) if wide else red, wide)
    outer[_OUTER] += _ROUND * (np.float32(sure) * shift[:, None] * out)[:, None]
    thick = _thickness(red, light, shift)
    thick -= np.float32(wide) * np.maximum(thick - _THICKEST, 0)  # a tongue is as red as lips
    reached = outer[_OUTER[:, 1:4]] - (thick[:, None] * out)[:, None]
    inner[_INNER] += (np.float32(sure) * found)[:, None, None] * (reached - inner[_INNER])
    return outer, inner, float(found.min())


def _profiles(face: FaceRegion, start: FloatArray, out: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Redness (a logarithm) and luminance on the way across each lip, ``(2, n)`` each.

    Args:
        face: whose they are.
        start: ``(2, 15, 2)`` points on their outer edges.
        out: ``(2, 2)`` away from the mouth, a unit long.
    """
    at = (start[:, None] + _OFF[:, None, None] * out[:, None, None]).reshape(-1, start.shape[1], 2)
    seen = cv2.remap(face.picture, at[..., 0], at[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    mean = np.asarray(cv2.reduce(seen, 1, cv2.REDUCE_AVG, dtype=cv2.CV_32F), np.float32)
    colours = mean.reshape(-1, 3) @ _PINK_GREEN_GREY
    pink, green, grey = colours.T.reshape(3, 2, -1)
    return np.log((pink + 4) / (green + 4)), grey


def _edges(red: FloatArray, wide: float) -> tuple[FloatArray, FloatArray]:
    """How far the lips' outer edges are off the landmarks', in units, and how surely there are any, ``(2,)`` each."""
    # The redness a step or two nearer to the mouth, less that further from it.
    likely = _LIKELY + np.float32(wide) * (_LIKELY_WIDE - _LIKELY)
    falls = np.asarray((red[:, 1:-3] + red[:, :-4] - red[:, 3:-1] - red[:, 4:]) * likely, np.float32)
    largest = np.minimum(falls.max(axis=1, keepdims=True), np.float32(_OF_TEETH / max(wide, _OF_TEETH)))
    low, high = (np.maximum(least, part * largest) for least, part in _FALL)
    there = ramps(falls, low, high)[:, ::-1]
    further = np.cumprod(1 - there, axis=1)  # the outermost counts
    there[:, 1:] *= further[:, :-1]
    return there @ (_OFF[-3:1:-1] - _EARLY), 1 - further[:, -1]


def _thickness(red: FloatArray, light: FloatArray, edge: FloatArray) -> FloatArray:
    """How far lips go from their outer edges to teeth, which are paler, or to darkness: ``(2,)`` units."""
    both = np.stack([red, light])
    (skin, pale), (own, bright) = _read(both, edge + _BESIDE), _read(both, edge - _INSIDE)
    bright = np.maximum(bright, _DARKER * pale)
    redder = (red - skin) / np.maximum(own - skin, np.float32(0.01))
    lip = ramps(redder, *_LIP) * ramps(light / np.maximum(bright, np.float32(8)), *_LIT)
    within = np.minimum(np.maximum((edge[:, None] - _INSIDE - _OFF) / _STEP + np.float32(0.5), 0), 1)[:, ::-1]
    still = np.cumprod(1 - within * (1 - lip[:, ::-1]), axis=1)
    return np.asarray(_INSIDE + _STEP * (within * still).sum(axis=1), np.float32)


def _read(values: FloatArray, off: FloatArray) -> FloatArray:
    """Of values ``(k, 2, n)`` those between the steps, one for each lip: ``(k, 2, 1)``."""
    place = (off - _OFF[0]) / _STEP
    first = np.minimum(np.maximum(place.astype(int), 0), len(_OFF) - 2)
    low, high = values[:, _BOTH, first], values[:, _BOTH, first + 1]
    return np.asarray(low + (high - low) * (place - first), np.float32)[..., None]


_BOTH: Final = np.arange(2)
_OUTER: Final = np.array(((1, 2, 3, 4, 5), (11, 10, 9, 8, 7)))  # points of each lip's edges, from image-left
_INNER: Final = np.array(((1, 2, 3), (7, 6, 5)))
_SIDES: Final = np.array((-1, 1), np.float32)
_PINK_GREEN_GREY: Final = np.array(((0.3, 0, 0.114), (0, 1, 0.587), (0.7, 0, 0.299)), np.float32)
_STEP: Final = np.float32(0.02)
_OFF: Final = np.arange(-0.22, 0.44, 0.02, dtype=np.float32)  # units from the landmarks' edge, away from the mouth
_BETWEEN: Final = np.stack(  # fifteen lines through five points, not near the corners
    [np.interp(np.linspace(0.4, 3.6, 15), np.arange(5), row) for row in np.eye(5)], axis=1
).astype(np.float32)
_ROUND: Final = np.array((0.8, 1, 1, 1, 0.8), np.float32)[:, None]  # less towards the corners
_OPEN: Final = (0.04, 0.08)  # units between the lips' inner edges: shut for sure, open for sure
_PARTED: Final = (0.005, 0.03)  # likewise, where the picture shows them
_TURNED: Final = (25.0, 45.0)  # degrees of yaw: all of a mouth shows, its far side is the cheek's edge
_WITHIN: Final = (-0.08, -0.04)  # units: lips are hardly ever thinner than the landmarks have them
_REACH: Final = np.array(((0.06, 0.1), (0.2, 0.26)), np.float32)  # an edge may be so far out, is not further out
_REACH_WIDE: Final = np.array(((0.12, 0.16), (0.3, 0.38)), np.float32)  # likewise, of a mouth that shouts
_WIDE: Final = (0.09, 0.115)  # units between the landmarks' lips, which part little more however wide a mouth opens
_LIKELY, _LIKELY_WIDE = (
    ramps(_OFF[2:-2], *_WITHIN) * (1 - ramps(_OFF[2:-2], reach[:, :1], reach[:, 1:])) / 2
    for reach in (_REACH, _REACH_WIDE)
)
_FALL: Final = ((0.03, 0.3), (0.07, 0.6))  # of redness, or parts of the largest fall: no lip's edge, surely one
_OF_TEETH: Final = 0.12  # falls above it may be those from tongue to teeth where a mouth is wide open
_PALER: Final = np.float32(0.02)  # than skin is what begins behind the chin, and no lip's edge
_EARLY: Final = np.float32(0.01)  # an edge is met so much before its middle
_BESIDE: Final = np.float32(0.07)  # units from the edge, where skin's redness is read
_INSIDE: Final = np.float32(0.035)  # and the lip's
_THICKEST: Final = np.array((0.14, 0.17), np.float32)  # units of lips that are drawn apart
_LIP: Final = (0.2, 0.6)  # of the way from the skin's redness to the lip's
_DARKER: Final = np.float32(0.7)  # than the skin beside them lips hardly are
_LIT: Final = (0.6, 0.8)  # of the lip's light
