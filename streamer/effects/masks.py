"""The parts of a face as masks, each made once per face and picture, when an effect first asks for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from streamer.effects.blending import shrunk
from streamer.effects.region import FOREHEAD, FaceRegion, Mask
from streamer.effects.skin_colour import Kinds, skin_likelihood
from streamer.landmarks.topology import GROUPS, NOSE_TIP, POINTS
from streamer.types import FloatArray, Image

_SKIN_UNIT: Final = 30  # pixels of a face's unit where its skin is looked for
_ROOM: Final = 3  # small pixels around its outline, of which one may be lost: softening needs two
_ROUNDING: Final = 2  # pixels, of which half a one and another may be lost
_ENLARGED: Final = 2  # how much larger than those pixels its outline is drawn
_EDGE: Final = (3, 3)  # of them that an edge is blurred over: that of a hole once, that of the face twice


def skin_mask(face: FaceRegion) -> Mask:
    """Bare skin: the face without eyes, brows, lips, nostrils, and without hair, glasses or whatever else covers it.

    Its edges are soft and lie within the face, so that nothing painted by it shows as a rim on the background. Found
    on a picture in which the face is 30 pixels between the eyes' outer corners: it does not resolve single hairs.
    """
    return face.once("skin", lambda: _skin(face))


@dataclass(frozen=True, slots=True)
class Closeup:
    """The part of a region that its face fills, shrunk so far that the face's unit is ``2 * _SKIN_UNIT`` pixels.

    Attributes:
        left: first column in the region; like the others a whole number of pixels.
        top: first row.
        right: the column after the last.
        bottom: the row after the last.
        picture: BGR, as it was; not enlarged where the face is smaller.
        small: at half that scale: what the skin is looked for in; enlarged where the face is smaller.
    """

    left: int
    top: int
    right: int
    bottom: int
    picture: Image
    small: Image

    @property
    def part(self) -> tuple[slice, slice]:
        """Rows and columns of the region."""
        return slice(self.top, self.bottom), slice(self.left, self.right)

    def place(self, points: FloatArray) -> FloatArray:
        """Points of the region in pixels of ``small``."""
        height, width = self.small.shape[:2]
        ratio = width / (self.right - self.left), height / (self.bottom - self.top)
        corner = np.array((self.left - 0.5, self.top - 0.5), np.float32)
        return np.asarray((points - corner) * np.array(ratio, np.float32) - np.float32(0.5))


def closeup(face: FaceRegion) -> Closeup:
    """A look at a face as it is now.

    It has so many small pixels to each side of the face's middle that they hold all of it: they keep their places on it
    when it moves. A grid that shifts makes edges tremble.
    """
    pixel = face.unit / _SKIN_UNIT
    x, y, width, height = cv2.boundingRect(face.outline)
    room, middle = _ROOM * pixel + _ROUNDING, cv2.mean(face.points[:, None])
    left, right, columns = _span(middle[0], x - room, x + width + room, face.size[0], pixel)
    top, bottom, rows = _span(middle[1], y - room, y + height + room, face.size[1], pixel)
    view = face.picture[top:bottom, left:right]
    picture = shrunk(view, min(2 * columns, view.shape[1]), min(2 * rows, view.shape[0]))
    return Closeup(left, top, right, bottom, picture, shrunk(picture, columns, rows))


def bare_skin(face: FaceRegion, seen: Closeup) -> Mask:
    """What :func:`skin_mask` enlarges.

    Args:
        face: the region.
        seen: a look at it; one at an earlier state will have counted if the skin has been looked for before.

    Returns:
        ``(h, w)`` uint8 as ``seen.small``.
    """
    return _found(face, seen)[0]


def _found(face: FaceRegion, seen: Closeup | None = None) -> tuple[Mask, Closeup]:
    """The bare skin and the look at the face that it was found by."""

    def find() -> tuple[Mask, Closeup]:
        look = seen or closeup(face)
        return _bare_skin(face, look), look

    return face.once("bare skin", find)


def _span(mean: float, first: float, last: float, length: int, pixel: float) -> tuple[int, int, int]:
    """First and last of ``length`` pixels, and how many small ones they become; even, for they are halved first."""
    middle = min(max(0, round(mean + 0.5)), length)
    before, after = int((middle - max(0.0, first)) / pixel), int((min(length, last) - middle) / pixel)
    low, high = middle - 2 * round(before * pixel / 2), middle + 2 * round(after * pixel / 2)
    if before + after > 0 and 0 <= low < high <= length:
        return low, high, before + after
    return 0, length, max(1, round(length / pixel))


def _skin(face: FaceRegion) -> Mask:
    (width, height), (small, seen) = face.size, _found(face)
    mask = cv2.resize(small, (seen.right - seen.left, seen.bottom - seen.top))
    margins = seen.top, height - seen.bottom, seen.left, width - seen.right
    return np.asarray(cv2.copyMakeBorder(mask, *margins, cv2.BORDER_REPLICATE))


def _bare_skin(face: FaceRegion, seen: Closeup) -> Mask:
    small, points = seen.small, seen.place(np.concatenate([face.points, face.forehead]))
    size = small.shape[1], small.shape[0]
    inside = _bare(points, size)
    grey = cv2.blur(cv2.cvtColor(seen.picture, cv2.COLOR_BGR2GRAY), (3, 3))  # without what shrinking makes unsteady
    detail = shrunk(np.asarray(cv2.absdiff(grey, cv2.blur(grey, (3, 3))), np.uint8), *size)
    likely = skin_likelihood(
        small, detail, inside, _SAMPLES @ points, _KINDS, points[NOSE_TIP], face.right.tolist(), _SKIN_UNIT
    )
    return np.asarray(cv2.min(cv2.blur(likely, (3, 3)), inside), np.uint8)


def _bare(points: FloatArray, size: tuple[int, int]) -> Mask:
    """The face's outline without its parts; edges are soft on the skin's side of each line only."""
    nostrils = points[_NOSTRILS] * np.float32(0.65) + points[NOSE_TIP] * np.float32(0.35)
    # In sixteenths of enlarged pixels, rounded.
    fixed = (np.concatenate([points, nostrils]) * (16 * _ENLARGED) + (8 * _ENLARGED - 7.5)).astype(np.int32)
    whole = cv2.blur(_drawn([fixed[_OUTLINE]], size), _EDGE)
    holes = _drawn([fixed[part] for part in _PARTS], size)
    return np.asarray(cv2.addWeighted(cv2.blur(whole, _EDGE), 2, cv2.blur(holes, _EDGE), -4, -255), np.uint8)


def _drawn(polygons: Sequence[NDArray[np.int32]], size: tuple[int, int]) -> Mask:
    """Polygons, drawn enlarged: the edges OpenCV draws jump by parts of a pixel, and these pixels are large ones."""
    large: Mask = np.zeros((size[1] * _ENLARGED, size[0] * _ENLARGED), np.uint8)
    cv2.fillPoly(large, polygons, 255, cv2.LINE_AA, 4)
    return np.asarray(cv2.resize(large, size, interpolation=cv2.INTER_AREA), np.uint8)


def between(places: Sequence[tuple[int, int, float]], count: int = POINTS) -> FloatArray:
    """Weights for points that lie between landmarks.

    Args:
        places: two landmarks each, and which part of the way from the first to the second.
        count: how many landmarks there are.

    Returns:
        ``(n, count)``: times the landmarks it gives the points, ``(n, 2)``.
    """
    weights = np.zeros((len(places), count), np.float32)
    for row, (first, second, part) in enumerate(places):
        weights[row, [first, second]] = 1 - part, part
    return weights


# Where skin is bare most of the time: under the eyes, on the ridge of the nose and between the brows. High up, because
# masks and beards reach higher than hair reaches down.
_BETWEEN_BROWS: Final = 6  # samples, the last ones of these
_BARE: Final = (
    [(lid, 84, part) for lid in (73, 72) for part in (0.25, 0.35, 0.45)]
    + [(lid, 90, part) for lid in (80, 81) for part in (0.25, 0.35, 0.45)]
    + [(lid, wing, part) for lid, wing in ((71, 57), (82, 63)) for part in (0.3, 0.45, 0.6)]
    + [(ridge, side, 0.3) for ridge in (51, 52, 53) for side in (55, 56, 64, 65)]
    + [(left, right, part) for left, right in ((37, 42), (38, 50)) for part in (0.3, 0.5, 0.7)]
)
_ARC: Final = POINTS + FOREHEAD // 2  # the point of the forehead's arc in its middle
_ABOVE: Final = [(brow, _ARC, part) for brow in (37, 42) for part in (0.3, 0.45, 0.6)] + [
    (brow, _ARC + side, part) for brow, side in ((35, 2), (44, -2)) for part in (0.3, 0.45)
]
_LOWER: Final = [(jaw, mouth, part) for jaw, mouth in ((4, 84), (28, 90), (7, 84), (25, 90)) for part in (0.4, 0.7)] + [
    (jaw, lip, part) for jaw, lip in ((16, 93), (12, 94), (20, 92)) for part in (0.35, 0.65)
]
_SAMPLES: Final = between(_BARE + _ABOVE + _LOWER, POINTS + FOREHEAD)
_KINDS: Final = Kinds(
    bare=slice(len(_BARE)),
    brows=slice(len(_BARE) - _BETWEEN_BROWS, len(_BARE)),
    forehead=slice(len(_BARE), len(_BARE) + len(_ABOVE)),
    lower=slice(len(_BARE) + len(_ABOVE), None),
)
_OUTLINE: Final = np.r_[GROUPS["jaw"], POINTS : POINTS + FOREHEAD]
_NOSTRILS: Final = np.r_[58:63]  # the lower edge of the nose
_PARTS: Final = [np.r_[GROUPS[name]] for name in ("brow_left", "brow_right", "lip_outer")] + [
    np.r_[66:74],
    np.r_[75:83],
    np.r_[_NOSTRILS, POINTS + FOREHEAD + 4 : POINTS + FOREHEAD - 1 : -1],
]
