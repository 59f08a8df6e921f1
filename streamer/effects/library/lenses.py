"""Coloured contact lenses."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from functools import cache
from typing import ClassVar, Final

import cv2
import numpy as np

from streamer.effects.base import FaceEffect, Phase, colour, strength
from streamer.effects.makeup import Eye, Patch, eyes, grey_of, log_redness, skin_bounds, skin_redness, times
from streamer.effects.pigments import paint, pigment
from streamer.effects.ramps import ramp
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
        for eye, (centre, level, seen) in zip(eyes(face), _irises(face, eyes(face)), strict=True):
            patch = Patch(face, centre[None], _RADIUS + _ROOM)
            amount = self.strength * seen * eye.seen * eye.sure * ramp(eye.open, *_OPEN)
            if patch and amount > 0:
                art = _lens(min(_ART, 8 + 4 * round(face.unit * _RADIUS / 2)))
                lens = patch.steady(times(patch.stamp(art, centre, across, along), patch.fill(eye.opening)), _SOFT)
                paint(patch.picture, lens, pigment(self.colour, level, cover=0.45), amount)


def _irises(face: FaceRegion, found: Sequence[Eye]) -> Iterable[tuple[FloatArray, float, float]]:
    """Where each iris is, how bright it is, and how surely it is one.

    The landmarks' pupils hardly follow the gaze. So near them, between the lids, the place is sought where a disc is
    darker than the ring around it: the mean of all places, weighted by how much so.
    """
    if not found:
        return ()
    scale = face.unit * _RADIUS / _SMALL_RADIUS
    axes = np.stack([face.right, face.down]) * np.float32(scale)
    pupils = np.stack([eye.pupil for eye in found])
    small, opening = _sampled(face, found, pupils, axes)
    grey = grey_of(small).reshape(opening.shape).astype(np.float32)
    inside = opening * np.float32(1 / 255)
    tiles = small.reshape(*opening.shape, 3)
    lids = [cv2.mean(tile, cv2.bitwise_not(mask))[:3] for tile, mask in zip(tiles, opening, strict=True)]
    skin = np.array([max(0.114 * b + 0.587 * g + 0.299 * r, 8.0) for b, g, r in lids], np.float32)[:, None, None]
    darker = skin - np.minimum(grey, 1.2 * skin)
    darker -= (darker * inside).sum(axis=_PIXELS, keepdims=True) / (inside.sum(axis=_PIXELS, keepdims=True) + 1e-3)
    apart = np.zeros((len(found), _GRID[1] + _REACH, _GRID[0]), np.float32)  # no eye reaches into the other's filter
    apart[:, _REACH:] = darker * inside / skin
    score = cv2.filter2D(apart.reshape(-1, _GRID[0]), -1, _disc() - _ring(), borderType=cv2.BORDER_CONSTANT)
    score = _together(np.asarray(score.reshape(apart.shape)[:, _REACH:], np.float32), found)
    weight = np.exp(_SHARP * score) * _NEAR
    weight /= weight.sum(axis=_PIXELS, keepdims=True)
    places = np.stack([weight.sum(axis=1) @ _X, weight.sum(axis=2) @ _Y], axis=1)

    distance = np.hypot(_X - places[:, 0, None, None], _Y[:, None] - places[:, 1, None, None])
    disc, ring = (
        inside * _within(_DISC - distance),
        inside * _within(np.minimum(distance - _RING[0], _RING[1] - distance)),
    )
    level, white = ((grey * part).sum(axis=_PIXELS) / (part.sum(axis=_PIXELS) + 1e-3) for part in (disc, ring))
    contrast = ((white - level) / skin[:, 0, 0]).tolist()
    bare = skin_bounds(skin_redness(face))
    sure = [ramp(c, *_CONTRAST) * ramp(log_redness(*lid), *bare) for c, lid in zip(contrast, lids, strict=True)]
    centres = pupils + (places - _MIDDLE).astype(np.float32) @ axes
    return zip(centres, level.tolist(), sure, strict=True)


def _together(score: FloatArray, found: Sequence[Eye]) -> FloatArray:
    """What each eye shows, and half of it what both do: they look the same way."""
    says = np.array([eye.seen * eye.sure * ramp(eye.open, *_OPEN) + 1e-3 for eye in found], np.float32)
    both = np.tensordot(says / says.sum(), score, axes=1)
    return np.asarray(score + _ALIKE * (both - score), np.float32)


def _sampled(face: FaceRegion, found: Sequence[Eye], pupils: FloatArray, axes: FloatArray) -> tuple[Image, Mask]:
    """A small picture of each eye, one below the other, and ``(n, h, w)`` what lies between its lids.

    Args:
        face: whose they are.
        found: the eyes.
        pupils: ``(n, 2)``.
        axes: ``(2, 2)``: one step to the right and one down the small picture, in pixels of the region.
    """
    at = (_PLACES @ axes + pupils[:, None, None]).reshape(-1, _GRID[0], 2)
    small = cv2.remap(face.picture, at[..., 0], at[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    opening: Mask = np.zeros((len(found), _GRID[1], _GRID[0]), np.uint8)
    back = axes.T / np.float32(axes[0] @ axes[0])
    lines = (np.stack([eye.opening for eye in found]) - pupils[:, None]) @ back + _MIDDLE
    for mask, line in zip(opening, np.round(lines * 16).astype(np.int32), strict=True):
        cv2.fillPoly(mask, [line], 255, cv2.LINE_AA, 4)
    return np.asarray(small, np.uint8), opening


def _within(depth: FloatArray) -> FloatArray:
    """1 inside of a line, 0 outside, and a pixel in between."""
    return np.asarray(np.minimum(np.maximum(depth + np.float32(0.5), 0), 1), np.float32)


@cache
def _disc() -> FloatArray:
    return _kernel(-1, 1)


@cache
def _ring() -> FloatArray:
    return _kernel(1.1, 1.6)


def _kernel(inner: float, outer: float) -> FloatArray:
    side = np.arange(-_REACH, _REACH + 1, dtype=np.float32) / _SMALL_RADIUS
    distance = np.hypot(side[:, None], side[None])
    kernel = _within((outer - distance) * _SMALL_RADIUS) * _within((distance - inner) * _SMALL_RADIUS)
    return np.asarray(kernel / kernel.sum(), np.float32)


@cache
def _lens(size: int) -> Mask:
    """Artwork: a ring around the pupil, printed in fine rays as on real lenses, with soft edges; ``size`` pixels."""
    side = (np.arange(_ART) + 0.5) / _ART * 2 - 1
    distance, angle = np.hypot(side[:, None], side[None]), np.arctan2(side[None], side[:, None])
    rays = sum(np.cos(count * angle) * np.cos(shift + 4 * distance) for count, shift in _RAYS) / len(_RAYS)
    cover = np.clip((distance - 0.26) / 0.26, 0, 1) * np.clip((0.98 - distance) / 0.3, 0, 1)
    fine = np.round(255 * cover * np.clip(0.85 + 0.2 * rays, 0, 1)).astype(np.uint8)
    art = np.asarray(cv2.resize(fine, (size, size), interpolation=cv2.INTER_AREA), np.uint8)
    art.setflags(write=False)
    return art


_RADIUS: Final = 0.066  # of an iris, in units: 5.9 of 88 mm
_ART: Final = 96
_SMALL_RADIUS: Final = 4.0  # pixels of an iris where it is sought
_DISC: Final = np.float32(0.9 * _SMALL_RADIUS)  # what is compared with
_RING: Final = np.array((1.15, 2.2), np.float32) * np.float32(_SMALL_RADIUS)  # the white around it
_GRID: Final = (25, 19)
_X: Final = np.arange(_GRID[0], dtype=np.float32)
_Y: Final = np.arange(_GRID[1], dtype=np.float32)
_PIXELS: Final = (1, 2)
_REACH: Final = 7  # of the filter, in pixels
_MIDDLE: Final = np.array((12, 9), np.float32)
_PLACES: Final = np.stack(np.meshgrid(_X, _Y), axis=-1) - _MIDDLE
_NEAR: Final = np.exp(-(((_X[None] - 12) / 5.3) ** 2) - ((_Y[:, None] - 9) / 3.3) ** 2).astype(np.float32)
_SHARP: Final = 60.0
_CONTRAST: Final = (0.05, 0.35)  # between the white of the eye and the iris, in the skin's brightness
_ALIKE: Final = np.float32(0.5)
_OPEN: Final = (0.35, 0.55)
_ROOM: Final = 0.03
_SOFT: Final = 0.004
_RAYS: Final = ((17, 0.3), (29, 1.9), (41, 4.1), (11, 2.7))
