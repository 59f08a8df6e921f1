"""Whether a mouth shows: the landmarks of one that a hand or a scarf hides lie on the hand or the scarf.

Colour cannot tell a fist from lips: knuckles are as red. But a mouth looks much the same all along itself, whatever it
does: skin, lip, teeth or darkness, lip, skin. What is before it hardly ever has its lines where the lips would be.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from streamer.effects.blending import shrunk
from streamer.effects.lips import Lips, lips
from streamer.effects.makeup import Patch
from streamer.effects.ramps import ramp
from streamer.effects.region import FaceRegion
from streamer.types import FloatArray

_SEEN: Final = (0.72, 1.1)
_HALF_SEEN: Final = (1.3, 1.65)  # what is half as long looks alike along itself by chance more often
_UNTRACED: Final = 0.2  # of the likeness
_THERE: Final = (0.7, 0.95)  # of it that the picture's edge must not cut off
_TURNED: Final = (30.0, 50.0)  # degrees of yaw: both halves show, one does
_TELLING: Final = (5e-5, 2e-4)  # variance of the redness: a grey picture does not tell, and its mouths count as seen
_LOWER: Final = 0.17
_WITHIN: Final = 0.2
_UNIT: Final = 40.0  # pixels of a face's unit where it is looked at: what is finer is noise, stubble and single teeth
_ROOM: Final = 0.24  # units around the lips
_NOISE: Final = 2e-5  # variance of a logarithm that says nothing
_COLOURLESS: Final = 1e-4
_LEAST: Final = 0.02  # deviation of one


def mouth_seen(face: FaceRegion) -> tuple[float, float]:
    """How surely the image-left and the image-right half of a mouth show, 0..1.

    What is done to lips and teeth is to be done as much less. In a stream it fades as a hand comes and goes.
    """
    left, right = face.once("mouth seen", lambda: face.faded("mouth seen", _halves_seen(face)))
    return left, right


def _halves_seen(face: FaceRegion) -> tuple[float, float]:
    patch = Patch(face, face.part("lip_outer"), _ROOM)
    if not patch:
        return 0.0, 0.0
    places, mouth = _places(face), lips(face)
    seen = _seen(face, patch, places)
    there = [ramp(_inside(places, half, face.size), *_THERE) for half in _HALVES]
    left, right = _as_seen(face, mouth, seen)
    return left * there[0], right * there[1]


def _as_seen(face: FaceRegion, mouth: Lips, seen: FloatArray) -> tuple[float, float]:
    """How surely the halves show as far as they lie within the picture."""
    # Wide open mouths look alike along themselves in many ways: lips that have been traced tell, others tell less.
    less = _UNTRACED * mouth.wide * (1 - mouth.traced)
    whole = max(ramp(_likeness(seen, _WHOLE) - less, *_SEEN), mouth.wide * mouth.traced)
    if whole == 1:
        return 1.0, 1.0
    left, right = (max(whole, ramp(_likeness(seen, half) - less, *_HALF_SEEN)) for half in _HALVES)
    turned = ramp(abs(face.face.pose.yaw), *_TURNED)  # then half of a mouth is all that shows
    told = ramp(float(seen[0].var()), *_TELLING)
    left, right = left + turned * max(0.0, right - left), right + turned * max(0.0, left - right)
    return 1 - told * (1 - left), 1 - told * (1 - right)


class _Part(NamedTuple):
    """Some columns of a mouth.

    Attributes:
        columns: which.
        told: ``(n, m)`` what to make of their values: slopes; the rows' means without these; by how much the lower lip
            is redder than the chin; and by how much both lips are redder than what is between them.
        ends: where each of the first three ends.
    """

    columns: slice
    told: FloatArray
    ends: tuple[int, int, int]


def _likeness(seen: FloatArray, part: _Part) -> float:
    """How much like a mouth it looks, from 0; nearly all that show are above 1.

    The weights are a logistic regression's, on 4,000 mouths, hands before mouths, and cheeks. What counts: how much of
    all that is seen goes along the lips, in redness and in light; how evenly the lower lip is redder than the chin; and
    how evenly both lips are redder than what shows between them.
    """
    values = seen[..., part.columns].reshape(2, -1)
    slopes, rows, lower, within = np.split(values @ part.told, part.ends, axis=1)
    total = (values * values).mean(axis=1) - (slopes * slopes).sum(axis=1) / values.shape[1]
    (of_red, of_light), (red, light) = (rows * rows).mean(axis=1).tolist(), total.tolist()
    layered = of_light / (light + _NOISE)
    layered += (of_red + _COLOURLESS * layered) / (red + _COLOURLESS)  # a grey picture's light counts twice
    return float(layered + _LOWER * _evenly(lower[0]) + _WITHIN * _evenly(within[0]))


def _places(face: FaceRegion) -> FloatArray:
    """``(240, 2)`` where to look, in pixels of the region: fifteen rows of sixteen."""
    mouth = lips(face)
    at = _PLACES @ np.concatenate([mouth.outer, mouth.inner]) + _OFF * (face.down * np.float32(face.unit))
    return np.asarray(at, np.float32)


def _inside(places: FloatArray, half: _Part, size: tuple[int, int]) -> float:
    """How much of a half lies within the region, and so within the picture."""
    mine = places.reshape(15, 16, 2)[:, half.columns]
    return float(((mine >= 0) & (mine <= np.array(size, np.float32) - 1)).all(axis=2).mean())


def _seen(face: FaceRegion, patch: Patch, places: FloatArray) -> FloatArray:
    """Redness and luminance at the places, as logarithms ``(2, 15, 16)``."""
    height, width = patch.picture.shape[:2]
    scale = min(1.0, _UNIT / face.unit)
    small = cv2.blur(shrunk(patch.picture, width * scale, height * scale), (3, 3))
    at = (patch.place(places) + _HALF) * np.array((small.shape[1] / width, small.shape[0] / height), np.float32) - _HALF
    colours = cv2.remap(small, at[None, :, 0], at[None, :, 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    pink, green, grey = np.log(colours[0] @ _PINK_GREEN_GREY + _DARK).T
    return np.stack([pink - green, grey]).reshape(2, 15, 16)


def _evenly(apart: FloatArray) -> float:
    """By how much differences exceed what they differ by: 0..2."""
    mean, deviation = cv2.meanStdDev(apart)
    return min(2.0, max(0.0, float(mean[0, 0]) / (float(deviation[0, 0]) + _LEAST)))


def _along(points: list[int], places: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weights ``(n, 20)`` of the lips' points for places from 0 to 1 on the line through some of them."""
    where = places * (len(points) - 1)
    return np.stack([np.interp(where, np.arange(len(points)), row) for row in np.eye(20)[points].T], axis=1)


def _rows(count: int, *wanted: int) -> NDArray[np.float64]:
    """``(15 * count, count)``: the mean of some rows in each of so many columns."""
    chosen = np.isin(np.arange(15), wanted) / len(wanted)
    return np.asarray(np.kron(chosen[:, None], np.eye(count)), np.float64)


def _part(first: int, last: int) -> _Part:
    """The columns from one to before another; at a mouth's corners, nothing shows between the lips."""
    count = last - first
    grid = np.stack(np.meshgrid(np.linspace(-1, 1, 15), np.linspace(-1, 1, count), indexing="ij"), axis=-1)
    slopes = np.linalg.qr(np.column_stack([np.ones(15 * count), grid.reshape(-1, 2)]))[0]
    means = np.kron(np.eye(15), np.full((count, 1), 1 / count))
    lower = _rows(count, 8, 9, 10) - _rows(count, 11, 12, 13, 14)
    within = (_rows(count, 4, 5, 9, 10) - _rows(count, 6, 7, 8))[:, max(0, 3 - first) : min(count, 13 - first)]
    told = np.hstack([slopes, means - slopes @ (slopes.T @ means), lower, within])
    return _Part(slice(first, last), told.astype(np.float32), (3, 18, 18 + count))


_HALF: Final = np.float32(0.5)
_DARK: Final = np.array((4, 4, 8), np.float32)  # the colour of darkness is noise
_PINK_GREEN_GREY: Final = np.array(((0.3, 0, 0.114), (0, 1, 0.587), (0.7, 0, 0.299)), np.float32)
_COLUMNS: Final = np.linspace(0.12, 0.88, 16)  # of the way from corner to corner
_INWARD: Final = (_COLUMNS - 0.1) / 0.8
_LINES: Final = (  # the upper lip's outer and inner edge, the lower lip's inner and outer one
    _along([0, 1, 2, 3, 4, 5, 6], _COLUMNS),
    _along([12, 13, 14, 15, 16], _INWARD),
    _along([12, 19, 18, 17, 16], _INWARD),
    _along([0, 11, 10, 9, 8, 7, 6], _COLUMNS),
)
_BESIDE: Final = np.array((0.22, 0.17, 0.12, 0.07))  # units off the lips
_ACROSS: Final = np.array(
    [(1, 0, 0, 0)] * 4
    + [(0.7, 0.3, 0, 0), (0.4, 0.6, 0, 0), (0.1, 0.9, 0, 0), (0, 0.5, 0.5, 0)]
    + [(0, 0, 0.9, 0.1), (0, 0, 0.6, 0.4), (0, 0, 0.3, 0.7)]
    + [(0, 0, 0, 1)] * 4
)
"""Fifteen rows of sixteen places, from the skin above a mouth to the skin below, by what they have of those lines."""

_PLACES: Final = np.einsum("rl,lcp->rcp", _ACROSS, np.stack(_LINES)).reshape(240, 20).astype(np.float32)
_OFF: Final = np.repeat(np.concatenate([-_BESIDE, np.zeros(7), _BESIDE[::-1]]), 16)[:, None].astype(np.float32)
_WHOLE: Final = _part(0, 16)
_HALVES: Final = _part(0, 9), _part(7, 16)
