"""The parts of a face as masks, each made once per face and picture, when an effect first asks for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import cv2
import numpy as np

from streamer.effects.blending import shrunk
from streamer.effects.region import FaceRegion, Mask
from streamer.effects.skin_colour import skin_likelihood
from streamer.landmarks.topology import NOSE_TIP, POINTS
from streamer.types import FloatArray

_SKIN_UNIT: Final = 26  # pixels a face's unit has at least where its skin is looked for; larger faces are shrunk
_ROOM: Final = 4  # small pixels around its outline, of which one may be lost: softening needs three
_ENLARGED: Final = 4  # how much larger than those pixels its outline is drawn
_EDGE: Final = 0.12  # width of the soft edge within the outline of the skin, in units
_HOLE: Final = 0.08  # width of the soft edge around what the skin leaves out


def lip_mask(face: FaceRegion) -> Mask:
    """The red of both lips; an open mouth between them is left out."""
    return face.once("lips", lambda: _lips(face))


def mouth_mask(face: FaceRegion) -> Mask:
    """What shows between the lips: teeth, tongue, dark."""
    return face.once("mouth", lambda: face.fill(face.part("lip_inner")))


def eye_mask(face: FaceRegion) -> Mask:
    """Both open eyes between their lids."""
    return face.once("eyes", lambda: face.fill(*_eyes(face)))


def brow_mask(face: FaceRegion) -> Mask:
    """Both brows, softly."""
    return face.once("brows", lambda: face.fill(face.part("brow_left"), face.part("brow_right"), feather=0.04))


def nostril_mask(face: FaceRegion) -> Mask:
    """The undersides of the nose where the nostrils show, softly."""
    return face.once("nostrils", lambda: face.fill(*_nostrils(face), feather=0.03))


def skin_mask(face: FaceRegion) -> Mask:
    """Bare skin: the face without eyes, brows, lips, nostrils, and without hair, glasses or whatever else covers it.

    Its edges are soft and lie within the face, so that nothing painted by it shows as a rim on the background. Found
    on a picture in which the face is 26 pixels between the eyes' outer corners: it does not resolve single hairs.
    """
    return face.once("skin", lambda: _skin(face))


def _lips(face: FaceRegion) -> Mask:
    return cv2.subtract(face.fill(face.part("lip_outer"), feather=0.02), mouth_mask(face)).astype(np.uint8, copy=False)


def _eyes(face: FaceRegion) -> tuple[FloatArray, FloatArray]:
    return face.part("eye_left")[:8], face.part("eye_right")[:8]


def _nostrils(face: FaceRegion) -> tuple[FloatArray, FloatArray]:
    """A strip above either half of the nose's lower edge."""
    left, right, tip = face.points[[58, 59]], face.points[[62, 61]], face.points[NOSE_TIP]
    return _strip(left, tip), _strip(right, tip)


def _strip(edge: FloatArray, tip: FloatArray) -> FloatArray:
    return np.concatenate([edge, edge[::-1] * 0.65 + tip * 0.35])


def _skin(face: FaceRegion) -> Mask:
    (left, right), (top, bottom) = spans = _spans(face)
    small, outline, detail = _reduced(face, spans)
    across, nose = small.right * np.float32(small.unit), small.points[NOSE_TIP]
    inside = _bare(small, outline)
    likely = skin_likelihood(small.source, detail, inside, _SAMPLES @ small.points, across, nose)
    mask = cv2.resize(cv2.min(cv2.blur(likely, (3, 3)), inside), (right - left, bottom - top))
    width, height = face.size
    margins = top, height - bottom, left, width - right
    return np.asarray(cv2.copyMakeBorder(mask, *margins, cv2.BORDER_REPLICATE), np.uint8)


def _spans(face: FaceRegion) -> list[tuple[int, int]]:
    """Columns and rows around the face to be shrunk: so many small pixels to each side of its middle.

    The small pixels then keep their places on the face when it moves; a grid that shifts makes edges tremble.
    """
    pixel = max(1.0, face.unit / _SKIN_UNIT)
    lowest, highest = face.outline.min(axis=0) - _ROOM * pixel, face.outline.max(axis=0) + _ROOM * pixel
    middles, spans = face.points.mean(axis=0).round().astype(int).tolist(), []
    for middle, first, last, length in zip(middles, lowest.tolist(), highest.tolist(), face.size, strict=True):
        before, after = (middle - max(0, first)) // pixel, (min(length, last) - middle) // pixel
        low, high = middle - round(before * pixel), middle + round(after * pixel)
        spans.append((low, high) if 0 <= low < high <= length else (0, length))
    return spans


def _reduced(face: FaceRegion, spans: list[tuple[int, int]]) -> tuple[FaceRegion, FloatArray, Mask]:
    """The region with the picture as it is now, shrunk to a unit of ``_SKIN_UNIT`` pixels; its outline; its detail.

    The detail is what a picture of twice that size shows beyond it: much in hair, little on skin.
    """
    (left, right), (top, bottom) = spans
    view = face.picture[top:bottom, left:right]
    size = np.array((right - left, bottom - top), np.float32)
    width, height = np.maximum(np.round(size * min(1.0, _SKIN_UNIT / face.unit)), 1).astype(int).tolist()
    large = shrunk(view, *np.minimum((2 * width, 2 * height), size).tolist())
    grey = cv2.cvtColor(large, cv2.COLOR_BGR2GRAY)
    fine = np.asarray(cv2.absdiff(grey, cv2.blur(grey, (3, 3))), np.uint8)
    picture, detail = shrunk(large, width, height), shrunk(fine, width, height)
    ratio, corner = np.array((width, height), np.float32) / size, np.array((left, top), np.float32) - 0.5
    points, outline = (np.asarray((line - corner) * ratio - 0.5, np.float32) for line in (face.points, face.outline))
    region = FaceRegion(picture, picture, replace(face.face, landmarks=points), (0, 0, width, height))
    return region, outline, detail


def _bare(face: FaceRegion, outline: FloatArray) -> Mask:
    """The face's outline without its parts; edges are soft on the skin's side of each line only."""
    whole = face.soften(_drawn(face.size, [outline]), _EDGE)
    parts = [face.part(name) for name in ("brow_left", "brow_right", "lip_outer")]
    holes = face.soften(_drawn(face.size, [*parts, *_eyes(face), *_nostrils(face)]), _HOLE)
    return np.asarray(cv2.subtract(cv2.LUT(whole, _UPPER_HALF), cv2.LUT(holes, _LOWER_QUARTER)), np.uint8)


def _drawn(size: tuple[int, int], polygons: Sequence[FloatArray]) -> Mask:
    """Polygons, drawn enlarged: the edges OpenCV draws jump by parts of a pixel, and these pixels are large ones."""
    large: Mask = np.zeros((size[1] * _ENLARGED, size[0] * _ENLARGED), np.uint8)
    for polygon in polygons:
        fixed = np.round(((polygon + 0.5) * _ENLARGED - 0.5) * 16).astype(np.int32)
        cv2.fillPoly(large, [fixed], 255, cv2.LINE_AA, 4)
    return np.asarray(cv2.resize(large, size, interpolation=cv2.INTER_AREA), np.uint8)


def between(places: Sequence[tuple[int, int, float]]) -> FloatArray:
    """Weights for points that lie between landmarks.

    Args:
        places: two landmarks each, and which part of the way from the first to the second.

    Returns:
        ``(n, 106)``: times the landmarks it gives the points, ``(n, 2)``.
    """
    weights = np.zeros((len(places), POINTS), np.float32)
    for row, (first, second, part) in enumerate(places):
        weights[row, [first, second]] = 1 - part, part
    return weights


# Where skin is bare most of the time: under the eyes, on the ridge of the nose and between the brows. High up, because
# masks and beards reach higher than hair reaches down.
_SAMPLES: Final = between(
    [(lid, 84, part) for lid in (73, 72) for part in (0.24, 0.31, 0.38, 0.45)]
    + [(lid, 90, part) for lid in (80, 81) for part in (0.24, 0.31, 0.38, 0.45)]
    + [(lid, wing, part) for lid, wing in ((71, 57), (82, 63)) for part in (0.3, 0.4, 0.5, 0.6)]
    + [(ridge, side, 0.3) for ridge in (51, 52, 53) for side in (55, 56, 64, 65)]
    + [(left, right, part) for left, right in ((37, 42), (38, 50)) for part in (0.3, 0.5, 0.7)]
)
_STEPS = np.arange(256)
_UPPER_HALF = np.clip(2 * _STEPS - 255, 0, 255).astype(np.uint8)
_LOWER_QUARTER = np.clip(4 * _STEPS, 0, 255).astype(np.uint8)
