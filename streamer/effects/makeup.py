"""What the make-up effects share: tight patches of a face, its eyes, pigments that keep the texture, what is skin."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import cv2
import numpy as np

from streamer.effects.base import bgr_of
from streamer.effects.blending import blend
from streamer.effects.region import FaceRegion, Mask
from streamer.types import FloatArray, Image

_SEEN_FULLY: Final = 18.0  # degrees of yaw up to which the far side of a face is made up like the near one
_SEEN_NO_MORE: Final = 48.0  # and from which it shows too little, and its points are too unsure, for any
_LEVELS: Final = np.arange(256, dtype=np.float32)
_SAMPLE: Final = 0.1  # units: side of a place where the skin's colour is read
_LIGHTER: Final = 0.6  # of what it darkens by, a tint lightens by: more would glow on a face in the dark
_RED: Final = 0.7
_DARK: Final = 4  # added to all channels: the colour of darkness is noise
_RATIO_ONE: Final = 64  # how a red-to-green ratio of 1 is stored in 8 bits: up to 4 fits
_FINE: Final = 120.0  # pixels of the face's unit: below, an edge is a larger part of what is drawn
_SHARPEST: Final = 1.2  # pixels: deviation of the edge's blur
_HIGHLIGHT: Final = 1.25  # brighter than this many times the part's mean is a reflection, not the part's colour
_INDOORS: Final = 0.8  # how bright white is on a face, compared with the swatch a colour was picked from
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
        width, height = face.size
        low = np.floor(around.min(axis=0) - margin * face.unit)
        high = np.ceil(around.max(axis=0) + margin * face.unit) + 1
        x1, y1 = (int(v) for v in np.clip(low, 0, (width, height)))
        x2, y2 = (int(v) for v in np.clip(high, 0, (width, height)))
        self._rows, self._columns = slice(y1, max(y1, y2)), slice(x1, max(x1, x2))
        self._face = face
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
        return points - np.array((self._columns.start, self._rows.start), np.float32)

    def fill(self, polygon: FloatArray) -> Mask:
        """A mask of a polygon (points of the region)."""
        mask: Mask = np.zeros(self.picture.shape[:2], np.uint8)
        self.draw(mask, polygon)
        return mask

    def fill_fine(self, polygon: FloatArray) -> Mask:
        """A mask of a polygon, drawn enlarged and shrunk: steadier than OpenCV's own smooth edges where it moves."""
        scale = 4 if self.unit < _FINE else 2
        height, width = self.picture.shape[:2]
        large: Mask = np.zeros((scale * height, scale * width), np.uint8)
        points = (self.place(polygon) + 0.5) * scale - 0.5
        cv2.fillPoly(large, [np.round(points * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
        return np.asarray(cv2.resize(large, (width, height), interpolation=cv2.INTER_AREA), np.uint8)

    def draw(self, mask: Mask, polygon: FloatArray, value: int = 255) -> None:
        """Fill a polygon (points of the region) with one value, in place."""
        cv2.fillPoly(mask, [np.round(self.place(polygon) * 16).astype(np.int32)], value, cv2.LINE_AA, 4)

    def soften(self, mask: Mask, feather: float) -> Mask:
        """Blur a mask's edge over ``feather`` units, in place."""
        return self._face.soften(mask, feather)

    def steady(self, mask: Mask, feather: float) -> Mask:
        """A mask with an edge of ``feather`` units, but wide enough in pixels not to flicker as it moves over them."""
        deviation = max(_SHARPEST, feather * self.unit)
        side = 2 * math.ceil(2 * deviation) + 1
        return np.asarray(cv2.GaussianBlur(mask, (side, side), deviation), np.uint8)

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
        half = art.shape[0] / 2
        axes = np.stack([across, along], axis=1) / (half * coarse)
        offset = (self.place(centre) + 0.5) / coarse - 0.5 - axes @ np.full(2, half - 0.5, np.float32)
        matrix = np.column_stack([axes, offset]).astype(np.float32)
        size = -(-width // coarse), -(-height // coarse)
        mask = cv2.warpAffine(art, matrix, size, flags=cv2.INTER_LINEAR)
        if coarse > 1:
            mask = cv2.resize(mask, (size[0] * coarse, size[1] * coarse), interpolation=cv2.INTER_LINEAR)
        return np.asarray(mask[:height, :width], np.uint8)


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
    """

    upper: FloatArray
    lower: FloatArray
    brow: FloatArray
    pupil: FloatArray
    open: float
    seen: float

    @property
    def opening(self) -> FloatArray:
        """``(33, 2)`` closed line around what shows between the lids."""
        return np.concatenate([self.upper, self.lower[-2::-1]])


_MIDDLE: Final = slice(4, 13)  # of a lid's line
_DOWN: Final = np.linspace(-0.5, 1.3, 28, dtype=np.float32)
_STEPS: Final = _DOWN[1:-1]
_ROUNDS: Final = 2
_NEAR: Final = 0.35  # of an eye's height
_LIKELY: Final = np.exp(-(((_STEPS - 0.4) / 0.6) ** 2)).astype(np.float32)
_LEFT: Final = ((66, 67, 68, 69, 70), (66, 73, 72, 71, 70), (33, 41, 40, 39, 38), 104)
_RIGHT: Final = ((79, 78, 77, 76, 75), (79, 80, 81, 82, 75), (46, 47, 48, 49, 50), 105)


def eyes(face: FaceRegion) -> tuple[Eye, ...]:
    """The eyes on the sides of the face that can be seen, their upper lids where the picture shows them."""
    found = []
    for (upper, lower, brow, pupil), seen in zip((_LEFT, _RIGHT), sides_seen(face), strict=True):
        if seen > 0:
            at = face.points
            high, low = smooth_line(at[list(upper)]), smooth_line(at[list(lower)])
            lid = _lid_height(face, high, low)
            found.append(Eye(high + (low - high) * lid, low, at[list(brow)], at[pupil], 1 - lid, seen))
    return tuple(found)


def _lid_height(face: FaceRegion, upper: FloatArray, lower: FloatArray) -> float:
    """Where the upper lid's edge is between the landmarks' upper (0) and lower lid (1).

    The landmarks hardly follow an eye that shuts. But going down from the brow, skin turns dark at the lashes, whether
    over an iris or over the cheek: the mean place of that step, weighted by its height, follows every blink at once
    and moves smoothly.
    """
    grid = upper[_MIDDLE, None] + (lower - upper)[_MIDDLE, None] * _DOWN[None, :, None]
    grid = grid.astype(np.float32)
    samples = cv2.remap(face.picture, grid[..., 0], grid[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    grey = cv2.GaussianBlur(grey_of(np.asarray(samples, np.uint8)).astype(np.float32), (3, 3), 0)
    drop = np.maximum(grey[:, :-2] - grey[:, 2:], 0) ** 2 * _LIKELY
    still_to_come = 1 - (np.cumsum(drop, axis=1) - drop) / (drop.sum(axis=1, keepdims=True) + 1.0)
    step = (drop * still_to_come**2).sum(axis=0)  # the first counts most: lights in the eye make further ones below
    place = float(step @ _STEPS / (step.sum() + 1.0))
    for _ in range(_ROUNDS):
        near = step * np.exp(-(((_STEPS - place) / _NEAR) ** 2))
        place = float((near @ _STEPS + 0.01 * place) / (near.sum() + 0.01))
    return min(1.0, max(-0.15, place))


def sides_seen(face: FaceRegion) -> tuple[float, float]:
    """How much of the image-left and of the image-right side of a face the camera sees, 0..1."""
    yaw = face.face.pose.yaw
    return 1 - ramp(-yaw, _SEEN_FULLY, _SEEN_NO_MORE), 1 - ramp(yaw, _SEEN_FULLY, _SEEN_NO_MORE)


def ramp(value: float, low: float, high: float) -> float:
    """0 up to ``low``, 1 from ``high``, smooth in between."""
    t = min(1.0, max(0.0, (value - low) / (high - low)))
    return t * t * (3 - 2 * t)


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
    blue, green, red = cv2.split(picture)
    pink = cv2.addWeighted(red, _RED, blue, 1 - _RED, _DARK)
    return np.asarray(cv2.divide(pink, cv2.convertScaleAbs(green, alpha=1, beta=_DARK), scale=_RATIO_ONE), np.uint8)


def skin_redness(face: FaceRegion) -> float:
    """The natural logarithm of :func:`redness` on the face's skin: neither a mask nor glasses cover all the places."""
    at = face.points
    under_eyes = at[[72, 81]] * 0.7 + at[[57, 63]] * 0.3
    cheeks = (at[[57, 63]] + at[[4, 28]]) / 2
    places = np.concatenate([at[[51, 53]], at[[37, 42]].mean(axis=0, keepdims=True), under_eyes, cheeks])
    side = max(1, round(_SAMPLE * face.unit))
    found = sorted(_log_ratio(face.picture, place, side) for place in places)
    return sum(found[3:6]) / 3  # what covers skin is less red than it


def _log_ratio(picture: Image, place: FloatArray, side: int) -> float:
    blue, green, red, _ = cv2.mean(cv2.getRectSubPix(picture, (side, side), place.tolist()))
    return math.log((_RED * red + (1 - _RED) * blue + _DARK) / (green + _DARK))


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
    logs = np.log(np.maximum(_LEVELS, 1) / _RATIO_ONE)
    table = np.clip((logs - low) / (high - low), 0, 1) * 255
    return np.asarray(cv2.LUT(ratio, table.astype(np.uint8)), np.uint8)


def times(mask: Mask, other: Mask) -> Mask:
    """The product of two masks."""
    return np.asarray(cv2.multiply(mask, other, scale=1 / 255), np.uint8)


def grey_of(picture: Image) -> Mask:
    """The luminance of a BGR picture."""
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), np.uint8)


def brightness(grey: Mask, mask: Mask) -> float:
    """The luminance of a part where it is lit: its mean and half a deviation, so that dark lines count less."""
    mean, deviation = cv2.meanStdDev(grey, mask=mask)
    return float(mean[0, 0] + 0.5 * deviation[0, 0])


def relief(grey: Mask, mean: float) -> Mask:
    """Where a surface catches light: 0 in its furrows, 255 where it is brighter than its mean."""
    table = np.clip((_LEVELS / max(mean, 8.0) - 0.6) / 0.5, 0, 1) * 255
    return np.asarray(cv2.LUT(grey, table.astype(np.uint8)), np.uint8)


@lru_cache
def spot(size: int = 64) -> Mask:
    """Artwork for :meth:`Patch.stamp`: a round spot that fades out softly."""
    axis = (np.arange(size, dtype=np.float32) + 0.5) / size * 2 - 1
    distance = np.minimum(np.hypot(axis[:, None], axis[None]), 1)
    art: Mask = np.round(255 * (np.cos(distance * np.pi) + 1) / 2).astype(np.uint8)
    art.setflags(write=False)
    return art


def pigment(colour: str, mean: float, *, cover: float, contrast: float = 1.0, shine: float = 1.0) -> Image:
    """The colour that make-up has at each luminance of what lies under it: its own hue, the skin's texture.

    Args:
        colour: ``#rrggbb``.
        mean: luminance of the bare part, 0..255.
        cover: 0: as light or dark as the part was; 1: as the colour is.
        contrast: exponent of the texture.
        shine: how much of the highlights stays, white; above 1 they grow.

    Returns:
        ``(256, 1, 3)`` BGR uint8, for :func:`paint`.
    """
    bgr = np.array(bgr_of(colour), np.float32) + 4  # 4: black has a hue to scale, too
    own = float(bgr @ (0.114, 0.587, 0.299))
    mean = max(mean, 8.0)
    tone = mean ** (1 - cover) * (_INDOORS * own) ** cover
    bright = _LEVELS / mean
    diffuse = tone * np.minimum(bright, _HIGHLIGHT) ** contrast
    light = shine * np.maximum(_LEVELS - _HIGHLIGHT * mean, 0)
    return np.asarray(np.clip(np.outer(diffuse / own, bgr) + light[:, None], 0, 255), np.uint8)[:, None]


def paint(picture: Image, mask: Mask, pigments: Image, amount: float) -> None:
    """Colour a part, in place.

    Args:
        picture: BGR ``(h, w, 3)``.
        mask: ``(h, w)``.
        pigments: from :func:`pigment`.
        amount: 0..1.
    """
    blend(picture, np.asarray(cv2.applyColorMap(grey_of(picture), pigments), np.uint8), mask, amount)


def tint(picture: Image, mask: Mask, colour: str, amount: float) -> None:
    """Lay sheer colour over skin, in place: soft light, so that pores and shadows show through on any skin."""
    levels = _LEVELS / 255
    tables = []
    for value in bgr_of(colour):
        colour_level = value / 255
        deeper = levels - (1 - 2 * colour_level) * levels * (1 - levels)
        lighter = levels + _LIGHTER * (2 * colour_level - 1) * levels * (1 - levels)
        tables.append(deeper if colour_level < 0.5 else lighter)
    table = np.round(np.stack(tables, axis=1) * 255).astype(np.uint8)[:, None]
    blend(picture, np.asarray(cv2.LUT(picture, table), np.uint8), mask, amount)
