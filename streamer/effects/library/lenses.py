"""Coloured contact lenses."""

from __future__ import annotations

import math
from functools import cache
from typing import ClassVar, Final

import cv2
import numpy as np

from streamer.effects.base import FaceEffect, Phase, colour, strength
from streamer.effects.makeup import (
    Eye,
    Patch,
    eyes,
    grey_of,
    paint,
    pigment,
    ramp,
    redness,
    redness_of,
    skin_bounds,
    skin_redness,
    times,
)
from streamer.effects.region import FaceRegion, Mask
from streamer.types import FloatArray, Image


class Lenses(FaceEffect):
    """Colours the irises; pupils, lights in the eyes and whatever the lids cover stay."""

    title: ClassVar[str] = "Contact lenses"
    phase: ClassVar[Phase] = Phase.MAKEUP

    strength: float = strength(0.5)
    colour: str = colour("#4f86b8", "colour of the lenses")

    def paint(self, face: FaceRegion) -> None:
        """Lay a lens on each iris that is found between its lids."""
        across = face.right * (face.unit * _RADIUS * max(0.5, math.cos(math.radians(face.face.pose.yaw))))
        along = face.down * (face.unit * _RADIUS)
        skin = skin_redness(face)
        for eye in eyes(face):
            centre, level, seen = _iris(face, eye, skin)
            patch = Patch(face, centre[None], _RADIUS + _ROOM)
            if patch and seen > 0:
                art = _lens(min(_ART, 8 + 4 * round(face.unit * _RADIUS / 2)))
                lens = patch.steady(times(patch.stamp(art, centre, across, along), patch.fill(eye.opening)), _SOFT)
                paint(patch.picture, lens, pigment(self.colour, level, cover=0.45), self.strength * seen * eye.seen)


def _iris(face: FaceRegion, eye: Eye, skin_red: float) -> tuple[FloatArray, float, float]:
    """Where the iris is, how bright it is, and how surely it is one.

    The landmarks' pupils hardly follow the gaze. So near them, between the lids, the place is sought where a disc is
    darker than the ring around it: the mean of all places, weighted by how much so.
    """
    scale = face.unit * _RADIUS / _SMALL_RADIUS
    axes = np.stack([face.right, face.down], axis=1) * scale
    matrix = np.column_stack([axes, eye.pupil - axes @ _MIDDLE]).astype(np.float32)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    sampled = cv2.warpAffine(face.picture, matrix, _GRID, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    small: Image = np.asarray(sampled, np.uint8)
    grey = grey_of(small)
    opening: Mask = np.zeros(_GRID[::-1], np.uint8)
    outline = (eye.opening - matrix[:, 2]) @ axes / scale**2
    cv2.fillPoly(opening, [np.round(outline * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)

    inside = opening.astype(np.float32) / 255
    values = grey.astype(np.float32)
    lids = np.asarray(cv2.bitwise_not(opening), np.uint8)
    skin = cv2.mean(grey, lids)[0]
    darker = np.maximum(skin, 8.0) - np.minimum(values, 1.2 * skin)
    darker -= (darker * inside).sum() / max(float(inside.sum()), 1.0)
    score = cv2.filter2D(darker * inside / max(skin, 8.0), -1, _disc() - _ring(), borderType=cv2.BORDER_CONSTANT)
    weight = np.exp(_SHARP * score) * _NEAR
    weight /= weight.sum()
    place = np.array(((weight.sum(axis=0) * _X).sum(), (weight.sum(axis=1) * _Y).sum()), np.float32)

    disc = inside * _round(place, 0.9 * _SMALL_RADIUS)
    ring = inside * (1 - _round(place, 1.15 * _SMALL_RADIUS)) * _round(place, 2.2 * _SMALL_RADIUS)
    level, white = (float((values * part).sum() / (part.sum() + 1e-3)) for part in (disc, ring))
    red, _ = redness_of(redness(small), lids)
    seen = ramp((white - level) / max(skin, 8.0), *_CONTRAST) * ramp(red, *skin_bounds(skin_red))
    return eye.pupil + axes @ (place - _MIDDLE), level, seen * ramp(eye.open, *_OPEN)


def _round(centre: FloatArray, radius: float) -> FloatArray:
    """A disc on the grid with an edge one pixel wide."""
    distance = np.hypot(_X[None] - centre[0], _Y[:, None] - centre[1])
    return np.asarray(np.clip(radius - distance + 0.5, 0, 1), np.float32)


@cache
def _disc() -> FloatArray:
    return _kernel(-1, 1)


@cache
def _ring() -> FloatArray:
    return _kernel(1.1, 1.6)


def _kernel(inner: float, outer: float) -> FloatArray:
    side = np.arange(-7, 8, dtype=np.float32) / _SMALL_RADIUS
    distance = np.hypot(side[:, None], side[None])
    kernel = _edge(outer - distance) * _edge(distance - inner)
    return np.asarray(kernel / kernel.sum(), np.float32)


def _edge(inside: FloatArray) -> FloatArray:
    """1 inside, 0 outside, and a pixel of the grid in between."""
    return np.asarray(np.clip(inside * _SMALL_RADIUS + 0.5, 0, 1), np.float32)


@cache
def _lens(size: int) -> Mask:
    """Artwork: a ring around the pupil, printed in fine rays as on real lenses, with soft edges; ``size`` pixels."""
    side = (np.arange(_ART) + 0.5) / _ART * 2 - 1
    distance, angle = np.hypot(side[:, None], side[None]), np.arctan2(side[None], side[:, None])
    rays = sum(np.cos(count * angle) * np.cos(shift + 4 * distance) for count, shift in _RAYS) / len(_RAYS)
    cover = np.clip((distance - 0.32) / 0.2, 0, 1) * np.clip((1 - distance) / 0.16, 0, 1)
    fine = np.round(255 * cover * np.clip(0.85 + 0.2 * rays, 0, 1)).astype(np.uint8)
    art = np.asarray(cv2.resize(fine, (size, size), interpolation=cv2.INTER_AREA), np.uint8)
    art.setflags(write=False)
    return art


_RADIUS: Final = 0.066  # of an iris, in units: 5.9 of 88 mm
_ART: Final = 96
_SMALL_RADIUS: Final = 4.0  # pixels of an iris where it is sought
_GRID: Final = (25, 19)
_X: Final = np.arange(_GRID[0], dtype=np.float32)
_Y: Final = np.arange(_GRID[1], dtype=np.float32)
_MIDDLE: Final = np.array((12, 9), np.float32)
_NEAR: Final = np.exp(-(((_X[None] - 12) / 5.3) ** 2) - ((_Y[:, None] - 9) / 3.3) ** 2).astype(np.float32)
_SHARP: Final = 60.0
_CONTRAST: Final = (0.05, 0.35)  # between the white of the eye and the iris, in the skin's brightness
_OPEN: Final = (0.35, 0.55)
_ROOM: Final = 0.03
_SOFT: Final = 0.004
_RAYS: Final = ((17, 0.3), (29, 1.9), (41, 4.1), (11, 2.7))
