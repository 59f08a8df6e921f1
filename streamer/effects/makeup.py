"""What the make-up effects share: tight patches of a face, its eyes, what is skin."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import cv2
import numpy as np

from streamer.effects.lids import lid_heights, on_lashes
from streamer.effects.masks import between
from streamer.effects.ramps import ramp, ramps
from streamer.effects.region import FaceRegion, Mask
from streamer.types import FloatArray, Image

_SEEN_FULLY: Final = 18.0  # degrees of yaw up to which the far side of a face is made up like the near one
_SEEN_NO_MORE: Final = 48.0  # and from which it shows too little, and its points are too unsure, for any
_LEVELS: Final = np.arange(256, dtype=np.float32)
_SAMPLE: Final = 0.1  # units: side of a place where the skin's colour is read
_RED: Final = 0.7
_DARK: Final = 4  # added to all channels: the colour of darkness is noise
_RATIO_ONE: Final = 64  # how :func:`redness` stores a ratio of 1 in 8 bits: up to 4 fits
_LOGS: Final = np.log(np.maximum(_LEVELS, 1) / _RATIO_ONE)
_FINE: Final = 120.0  # pixels of the face's unit: below, an edge is a larger part of what is drawn
_SHARPEST: Final = 1.2  # pixels: deviation of the edge's blur
_NEUTRAL: Final = 0.1  # a red-to-green ratio (log) too small to tell skin from anything: grey pictures, coloured light


class Patch:
    """A small rectangle of a face's region, so that work grows with the part and not with the face.

    Attributes:
        picture: ``(h, w, 3)`` BGR view of the picture being changed; empty where the part is outside the picture.
        unit: the face's size in pixels, as in :class:`FaceRegion`.
    """

    def __init__(self, face: FaceRegion, around: FloatArray, margin: float = 0.0) -> None:
        """Take the rectangle around points.

        Args:
            face: the region.
            around: ``(n, 2)`` pixels of the region.
            margin: room around them, in units.
        """
        room = margin * face.unit
        (left, top), (right, bottom) = around.min(axis=0).tolist(), around.max(axis=0).tolist()
        self._columns, self._rows = (
            slice(low := min(max(0, math.floor(first - room)), side), min(max(low, math.ceil(last + room) + 1), side))
            for first, last, side in zip((left, top), (right, bottom), face.size, strict=True)
        )
        self._corner: FloatArray = np.array((self._columns.start, self._rows.start), np.float32)
        self.unit = face.unit
        self.picture: Image = face.picture[self._rows, self._columns]

    def __bool__(self) -> bool:
        """Whether anything of it is inside the picture."""
        return self.picture.size > 0

    def cut(self, mask: Mask) -> Mask:
        """The patch of a mask of the whole region (a view)."""
        return mask[self._rows, self._columns]

    def place(self, points: FloatArray) -> FloatArray:
        """Points of the region in pixels of the patch."""
        return points - self._corner

    def fill(self, polygon: FloatArray) -> Mask:
        """A mask of a polygon (points of the region)."""
        mask: Mask = np.zeros(self.picture.shape[:2], np.uint8)
        self.draw(mask, polygon[None])
        return mask

    def fill_fine(self, polygon: FloatArray) -> Mask:
        """A mask of a polygon, drawn enlarged and shrunk: steadier than OpenCV's own smooth edges where it moves."""
        scale = 4 if self.unit < _FINE else 2
        height, width = self.picture.shape[:2]
        large: Mask = np.zeros((scale * height, scale * width), np.uint8)
        points = (self.place(polygon) + 0.5) * scale - 0.5
        cv2.fillPoly(large, [np.round(points * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
        return np.asarray(cv2.resize(large, (width, height), interpolation=cv2.INTER_AREA), np.uint8)

    def draw(self, mask: Mask, polygons: FloatArray, values: Sequence[int] = (255,)) -> None:
        """Fill polygons, ``(count, n, 2)`` points of the region, each with its value, in place."""
        fixed = np.round(self.place(polygons) * 16).astype(np.int32)
        for polygon, value in zip(fixed, values, strict=True):
            cv2.fillPoly(mask, [polygon], value, cv2.LINE_AA, 4)

    def soften(self, mask: Mask, feather: float) -> Mask:
        """Blur a mask's edge over ``feather`` units, in place."""
        side = feather * self.unit
        return _blur(mask, math.sqrt((side * side - 1) / 6)) if side > 1 else mask

    def steady(self, mask: Mask, feather: float) -> Mask:
        """Give a mask an edge of ``feather`` units, but wide enough in pixels not to flicker as it moves, in place."""
        return _blur(mask, max(_SHARPEST, feather * self.unit))

    def stamp(self, art: Mask, centre: FloatArray, across: FloatArray, along: FloatArray) -> Mask:
        """A piece of artwork laid into the patch by an affine map, sub-pixel exact.

        Args:
            art: square ``(n, n)`` uint8, black at its edge.
            centre: where its middle comes to lie, in pixels of the region.
            across: from its middle to its right edge.
            along: from its middle to its lower edge.
        """
        height, width = self.picture.shape[:2]
        coarse = 2 if max(height, width) > art.shape[0] else 1  # larger than the art: half the size shows all of it
        half, scale = art.shape[0] / 2, 2 / (art.shape[0] * coarse)
        (x, y), (a, b), (c, d) = self.place(centre).tolist(), (across * scale).tolist(), (along * scale).tolist()
        x, y = (x + 0.5) / coarse - 0.5 - (a + c) * (half - 0.5), (y + 0.5) / coarse - 0.5 - (b + d) * (half - 0.5)
        matrix = np.array(((a, c, x), (b, d, y)), np.float32)
        size = -(-width // coarse), -(-height // coarse)
        mask = cv2.warpAffine(art, matrix, size, flags=cv2.INTER_LINEAR)
        if coarse > 1:
            mask = cv2.resize(mask, (size[0] * coarse, size[1] * coarse), interpolation=cv2.INTER_LINEAR)
        return np.asarray(mask[:height, :width], np.uint8)


def _blur(mask: Mask, deviation: float) -> Mask:
    """Blur with a Gaussian whose width is no number of pixels, in place; cv2's own takes five times as long."""
    kernel = _gaussian(round(64 * deviation))
    return np.asarray(cv2.sepFilter2D(mask, -1, kernel, kernel, dst=mask, borderType=cv2.BORDER_REPLICATE), np.uint8)


@lru_cache(maxsize=512)
def _gaussian(deviation: int) -> FloatArray:
    """Weights that sum up to 1, for a deviation in 64ths of a pixel."""
    reach = math.ceil(2.5 * deviation / 64)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) * 64 / deviation) ** 2)
    return np.asarray(kernel / kernel.sum(), np.float32)


@dataclass(frozen=True, slots=True)
class Eye:
    """One eye, in pixels of the region; lines run from the outer to the inner corner.

    Attributes:
        upper: ``(17, 2)`` smooth line of the upper lid.
        lower: ``(17, 2)`` smooth line of the lower lid.
        brow: ``(5, 2)`` lower edge of the brow.
        pupil: ``(2,)``.
        open: 1 as wide as the landmarks' eye, 0 shut.
        seen: 0..1, how much of this side of the face the camera sees.
        sure: 0..1, how surely an eye shows: lashes and iris are darker than skin, a lid pressed shut is not.
    """

    upper: FloatArray
    lower: FloatArray
    brow: FloatArray
    pupil: FloatArray
    open: float
    seen: float
    sure: float

    @property
    def opening(self) -> FloatArray:
        """``(33, 2)`` closed line around what shows between the lids."""
        return np.concatenate([self.upper, self.lower[-2::-1]])


_SHUT: Final = (0.3, 0.6)  # of the way from the landmarks' upper to their lower lid
_DARKER: Final = (0.13, 0.26)  # than skin, in the skin's light, the mean over an eye: no eye, surely one
_LIDS: Final = np.array(
    (((66, 67, 68, 69, 70), (66, 73, 72, 71, 70)), ((79, 78, 77, 76, 75), (79, 80, 81, 82, 75)))
)  # each eye's upper and lower
_BROWS: Final = np.array(((33, 41, 40, 39, 38), (46, 47, 48, 49, 50)))
_PUPILS: Final = (104, 105)


def eyes(face: FaceRegion) -> tuple[Eye, ...]:
    """The eyes on the sides of the face that can be seen, their upper lids where the picture shows them."""
    return face.once("eyes with lids", lambda: _eyes(face))


def _eyes(face: FaceRegion) -> tuple[Eye, ...]:
    lids = _PARABOLA @ face.points[_LIDS]
    upper, lower = lids[:, 0], lids[:, 1]
    light = max(_skin(face).light, 8.0)
    heights, dark = lid_heights(face.picture, upper, lower, light)
    upper = upper + (lower - upper) * heights[:, None, None]
    upper = on_lashes(face.picture, upper, ramps(heights, *_SHUT), face.unit * face.down, light)
    brows = face.points[_BROWS]
    return tuple(
        Eye(
            upper[side],
            lower[side],
            brows[side],
            face.points[_PUPILS[side]],
            1 - float(heights[side]),
            seen,
            ramp(float(dark[side]), *_DARKER),
        )
        for side, seen in enumerate(sides_seen(face))
        if seen > 0
    )


def sides_seen(face: FaceRegion) -> tuple[float, float]:
    """How much of the image-left and of the image-right side of a face the camera sees, 0..1."""
    yaw = face.face.pose.yaw
    return 1 - ramp(-yaw, _SEEN_FULLY, _SEEN_NO_MORE), 1 - ramp(yaw, _SEEN_FULLY, _SEEN_NO_MORE)


def smooth_line(points: FloatArray) -> FloatArray:
    """The parabola nearest to five points: the trembling of single landmarks does not show in it.

    Args:
        points: ``(5, 2)``, evenly apart.

    Returns:
        ``(17, 2)``.
    """
    return np.asarray(_PARABOLA @ points, np.float32)


def _parabola() -> FloatArray:
    few, many = (np.vander(np.linspace(-1, 1, count), 3) for count in (5, 17))
    weights: FloatArray = (many @ np.linalg.pinv(few)).astype(np.float32)
    return weights


_PARABOLA: Final = _parabola()


def redness(picture: Image) -> Mask:
    """Red and some blue over green, 64 for grey: nearly the same in light and shade, for pale and for dark skin.

    Lips lie above skin, skin above teeth, cloth, metal and microphones; the blue is for lips that are more purple than
    red.
    """
    blue, green, red = (cv2.extractChannel(picture, channel) for channel in range(3))
    pink = cv2.addWeighted(red, _RED, blue, 1 - _RED, _DARK)
    return np.asarray(cv2.divide(pink, cv2.convertScaleAbs(green, alpha=1, beta=_DARK), scale=_RATIO_ONE), np.uint8)


@dataclass(frozen=True, slots=True)
class _Skin:
    redness: float
    light: float
    chroma: float
    colour: tuple[float, float, float]


def skin_redness(face: FaceRegion) -> float:
    """The natural logarithm of :func:`redness` on the face's skin: neither a mask nor glasses cover all the places."""
    return _skin(face).redness


def skin_chroma(face: FaceRegion) -> float:
    """How far the channels of the face's skin are apart, in levels: little in grey light and in faded pictures."""
    return _skin(face).chroma


def skin_colour(face: FaceRegion) -> tuple[float, float, float]:
    """The BGR colour of the face's skin, 0..255."""
    return _skin(face).colour


def skin_light(face: FaceRegion) -> float:
    """The luminance of the face's skin, 0..255."""
    return _skin(face).light


def _skin(face: FaceRegion) -> _Skin:
    return face.once("skin colour", lambda: _read_skin(face))


def _read_skin(face: FaceRegion) -> _Skin:
    """The colour of the face's skin from small squares, without those that are the least and the most red."""
    offsets = np.float32(_SAMPLE * face.unit) * (_SQUARE[0] * face.right + _SQUARE[1] * face.down)
    at = (_PLACES @ face.points)[:, None] + offsets
    seen = cv2.remap(face.picture, at[..., 0], at[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    means = cv2.reduce(np.asarray(seen, np.uint8), 1, cv2.REDUCE_AVG, dtype=cv2.CV_32F).reshape(-1, 3).tolist()
    chosen = sorted((log_redness(*mean), *mean) for mean in means)[3:6]  # what covers skin is less red than it
    ratio, blue, green, red = (sum(values) / len(chosen) for values in zip(*chosen, strict=True))
    light = 0.114 * blue + 0.587 * green + 0.299 * red
    return _Skin(ratio, light, max(blue, green, red) - min(blue, green, red), (blue, green, red))


def log_redness(blue: float, green: float, red: float) -> float:
    """The natural logarithm of :func:`redness` for one colour."""
    return math.log((_RED * red + (1 - _RED) * blue + _DARK) / (green + _DARK))


_PLACES: Final = between(
    [(51, 52, 0), (53, 52, 0), (37, 42, 0.5), (72, 57, 0.3), (81, 63, 0.3), (57, 4, 0.5), (63, 28, 0.5)]
)
_SQUARE: Final = np.indices((5, 5)).reshape(2, 25, 1).astype(np.float32) / 5 - np.float32(0.4)


def skin_bounds(skin: float) -> tuple[float, float]:
    """Below the first redness (a logarithm) nothing is skin or lip, above the second everything may be.

    Args:
        skin: what :func:`skin_redness` says.
    """
    span = max(skin, _NEUTRAL)
    return skin - 0.75 * span, skin - 0.4 * span


def redness_of(ratio: Mask, mask: Mask) -> tuple[float, float]:
    """The mean of :func:`redness` over a mask, as a logarithm, and its relative spread."""
    mean, deviation = cv2.meanStdDev(ratio, mask=mask)
    level = max(float(mean[0, 0]), 1.0)
    return math.log(level / _RATIO_ONE), float(deviation[0, 0]) / level


def soft_step(ratio: Mask, low: float, high: float) -> Mask:
    """0 where :func:`redness` is up to ``low`` (a logarithm), 255 from ``high``, straight in between."""
    table = np.clip((_LOGS - low) * (255 / (high - low)), 0, 255)
    return np.asarray(cv2.LUT(ratio, table.astype(np.uint8)), np.uint8)


def times(mask: Mask, other: Mask) -> Mask:
    """The product of two masks."""
    return np.asarray(cv2.multiply(mask, other, scale=1 / 255), np.uint8)


def grey_of(picture: Image) -> Mask:
    """The luminance of a BGR picture."""
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), np.uint8)


@lru_cache
def spot(size: int = 64) -> Mask:
    """Artwork for :meth:`Patch.stamp`: a round spot that fades out softly."""
    axis = (np.arange(size, dtype=np.float32) + 0.5) / size * 2 - 1
    distance = np.minimum(np.hypot(axis[:, None], axis[None]), 1)
    art: Mask = np.round(255 * (np.cos(distance * np.pi) + 1) / 2).astype(np.uint8)
    art.setflags(write=False)
    return art
