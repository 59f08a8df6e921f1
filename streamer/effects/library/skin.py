"""Smoother skin."""

from __future__ import annotations

from functools import lru_cache
from typing import ClassVar, Final

import cv2
import numpy as np

from streamer.effects.base import FaceEffect, Phase, strength
from streamer.effects.blending import blend
from streamer.effects.masks import Closeup, bare_skin, closeup
from streamer.effects.region import FaceRegion, Mask
from streamer.effects.rims import bright_lines, glasses_worn
from streamer.types import Image

_WINDOW: Final = 5  # pixels of the smaller picture, twice: spots are smaller, the shape of a cheek is larger
_EDGE: Final = 130.0  # variance, in levels squared, of an edge that is half kept
_COLOUR: Final = 50.0  # what a change of blueness counts beside one of lightness: rims of glasses, hardly any wrinkle
_RIM: Final = 6.0  # levels that the rim of glasses stands out by that is half kept
_SPOT: Final = (12.0, 40.0)  # levels off the average: evened out up to the first, left as it is from the second
_LIGHT: Final = 120.0  # level of the skin that these are for; on darker skin they are less in proportion
_DARKEST: Final = 0.35  # of it, down to here: the camera's noise does not grow less
# Levels of detail, the mean over the skin, that sharp pictures show. Where motion or compression leaves less, down to
# a share of it, so much less makes an edge around the eyes and at the hair line, too.
_SHARP: Final = 2.0
_BLURRED: Final = 0.35
_FADING: Final = (5, 5)  # pixels of the smaller picture over which that fades out
_FRINGE: Final = 0.25  # units below the outline of the forehead that hair reaches
_STEPS: Final = 128  # in which all this is told
_ONE: Final = 48.0  # how the strength of an edge that is half kept is stored in 8 bits


class Skin(FaceEffect):
    """Evens out spots and wrinkles; pores stay at low strength, folds and all edges always."""

    title: ClassVar[str] = "Skin smoothing"
    phase: ClassVar[Phase] = Phase.SKIN

    strength: float = strength(0.5)

    def paint(self, face: FaceRegion) -> None:
        """Move the skin towards the average around each place, by as much as it is flat there and near to it.

        Made from small copies, so the finest detail is what is missing in them: it goes in proportion to the
        strength, what is larger goes sooner.
        """
        seen = closeup(face)
        smooth, weight = _evened(face, seen, bare_skin(face, seen))
        # The blend below leaves 1 - strength of everything; of what is larger than pores its square is to stay.
        overshoot = 1 - self.strength
        target = cv2.addWeighted(seen.picture, -overshoot, smooth, 1 + overshoot, 0.0, dtype=cv2.CV_8U)
        picture = face.picture[seen.part]
        size = picture.shape[1], picture.shape[0]
        target, weight = (np.asarray(cv2.resize(each, size), np.uint8) for each in (target, weight))
        blend(picture, target, weight, self.strength)


def _evened(face: FaceRegion, seen: Closeup, skin: Mask) -> tuple[Image, Mask]:
    """The average around each pixel and how much of it to take.

    As a guided filter averages (He, Sun and Tang 2010), every place counts by how flat it is. Only skin counts, so
    that nothing leaks in from hair, lips and background.
    """
    fine, small = seen.picture, seen.small
    size, few = (fine.shape[1], fine.shape[0]), (small.shape[1], small.shape[0])
    flat, spots = _flatness(face, seen, np.asarray(cv2.resize(skin, size), np.uint8))
    counts = cv2.resize(flat, few).astype(np.float32) + np.float32(0.25)
    total = _blurred(cv2.multiply(small.astype(np.float32), cv2.merge((counts, counts, counts))))
    around = _blurred(counts)
    average = cv2.divide(total, cv2.merge((around, around, around)), dtype=cv2.CV_8U)
    smooth = np.asarray(cv2.resize(average, size), np.uint8)
    near = cv2.LUT(cv2.cvtColor(cv2.absdiff(smooth, fine), cv2.COLOR_BGR2GRAY), spots)
    return smooth, np.asarray(cv2.multiply(flat, near, scale=1 / 255), np.uint8)


def _flatness(face: FaceRegion, seen: Closeup, skin: Mask) -> tuple[Mask, Mask]:
    """255 on even skin, towards 0 on edges; and the table that tells spots."""
    grey, _, blue = cv2.split(cv2.cvtColor(seen.picture, cv2.COLOR_BGR2YCrCb))
    detail = _detail(grey)
    light = min(1.0, max(_DARKEST, cv2.mean(grey, mask=skin)[0] / _LIGHT))
    contrasts, spots = _tables(round(_STEPS * light))
    contrast = cv2.add(cv2.LUT(detail, contrasts[0]), cv2.LUT(_detail(blue), contrasts[1]))
    worn = glasses_worn(face)
    if worn > 0:
        contrast = cv2.scaleAdd(cv2.LUT(bright_lines(face, seen, grey), contrasts[2]), worn, contrast)
    contrast = cv2.blur(contrast, (3, 3))
    sharp = max(_BLURRED, cv2.mean(detail, mask=skin)[0] / (light * _SHARP))
    if sharp < 1:
        contrast = cv2.max(contrast, cv2.multiply(contrast, _rims(face, seen), scale=1 / (255 * sharp * sharp)))
    return np.asarray(cv2.multiply(cv2.LUT(contrast, _FLAT), skin, scale=1 / 255), np.uint8), spots


def _blurred(values: cv2.typing.MatLike) -> cv2.typing.MatLike:
    return cv2.blur(cv2.blur(values, (_WINDOW, _WINDOW)), (_WINDOW, _WINDOW))


def _detail(channel: cv2.typing.MatLike) -> cv2.typing.MatLike:
    return cv2.absdiff(channel, cv2.blur(channel, (3, 3)))


def _rims(face: FaceRegion, seen: Closeup) -> Mask:
    """Where brows, the rims of glasses and fringes may be, softly, ``(h, w)`` as ``seen.picture``."""
    moves = _MOVES @ np.array((face.right, face.down)) * np.float32(face.unit)
    fringe = face.forehead + face.down * np.float32(_FRINGE * face.unit)
    line = seen.place(np.concatenate([face.points[_AROUND_EYES] + moves, face.forehead, fringe[::-1]]))
    fixed = (line * 16 + np.float32(0.5)).astype(np.int32)
    mask: Mask = np.zeros(seen.small.shape[:2], np.uint8)
    for part in (fixed[: len(moves)], fixed[len(moves) :]):
        cv2.fillPoly(mask, [part], 255, cv2.LINE_AA, 4)
    return np.asarray(cv2.resize(cv2.blur(mask, _FADING), seen.picture.shape[1::-1]), np.uint8)


@lru_cache(maxsize=_STEPS)
def _tables(light: int) -> tuple[Image, Mask]:
    """How much of an edge a difference is, and how much a spot ``(256,)``.

    The three rows of the first are for differences in lightness and in blueness, and for rims of glasses.

    Args:
        light: how light the skin is, in steps.
    """
    levels = _LEVELS * (_STEPS / light)
    edges = _ONE * np.stack([levels**2 / _EDGE, levels**2 * (_COLOUR / _EDGE), (levels / _RIM) ** 4])
    spots = 255 * (_SPOT[1] - levels) / (_SPOT[1] - _SPOT[0])
    return np.clip(np.round(edges), 0, 255).astype(np.uint8), np.clip(np.round(spots), 0, 255).astype(np.uint8)


_AROUND_EYES: Final = [33, 35, 37, 42, 44, 46, 79, 81, 72, 66]
"""Landmarks on the brows, at the outer corners of the eyes and on the lower lids."""
_MOVES: Final = np.array(
    [(0, -0.12)] * 6 + [(0.2, 0), (0, 0.42), (0, 0.42), (-0.2, 0)], np.float32
)  # from there, across and down, in units
_LEVELS = np.arange(256)
_KEPT = 1 / (1 + (_LEVELS / _ONE) ** 2)
_FLAT = np.round(255 * (_KEPT - _KEPT[-1]) / (1 - _KEPT[-1])).astype(np.uint8)
