"""Two people in view trade faces."""

from __future__ import annotations

import math
from typing import Any, ClassVar, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from streamer.effects.base import Canvas, Phase, PictureEffect, strength
from streamer.effects.blending import blend
from streamer.effects.head3d import Head, trust
from streamer.effects.makeup import skin_colour
from streamer.effects.region import FaceRegion, Mask
from streamer.landmarks.topology import GROUPS, MOUTH_CORNERS
from streamer.types import FloatArray, Image

Points = NDArray[np.floating[Any]]


class FaceSwap(PictureEffect):
    """The two largest faces in view trade places, with their looks and their movements."""

    title: ClassVar[str] = "Face swap"
    phase: ClassVar[Phase] = Phase.SWAP

    strength: float = strength(1.0)

    def draw(self, canvas: Canvas) -> None:
        """Put each face on the other head; where they look different ways, both fade back to their own."""
        if len(canvas.regions) < 2:
            return
        pair = sorted(canvas.regions, key=lambda region: region.unit)[-2:]
        amount = self.strength * _plausible(*pair)
        if not amount:
            return
        taken = [(face, _Taken(face)) for face in pair]
        for (face, own), (_, other) in zip(taken, taken[::-1], strict=True):
            _put(other, face, own, amount)


_SAME: Final = 32.0  # degrees between two heads up to which a swap looks right
_DIFFERENT: Final = 48.0  # and from which it cannot
_TURNED: Final = 48.0  # yaw up to which enough of a face can be seen to be put elsewhere
_PROFILE: Final = 66.0
_HELD: Final = np.array([*range(0, 33, 2), *range(33, 51, 2), *range(51, 66), 66, 70, 75, 79])
_GRID: Final = 22  # points of the warp per side of a face
_SMOOTH: Final = 0.004  # how far the warp may miss a point, against bending: keeps trembling out
_ALIKE: Final = 10.0  # levels of hue and saturation by which skin differs within a face
_MOST_GAIN: Final = np.array((1.3, 1.1, 1.1))  # of L, a and b: more colour would tint hair and eyes
_EDGE: Final = 0.12  # width of the seam in eye distances


def _plausible(first: FaceRegion, second: FaceRegion) -> float:
    """0..1: how well two faces fit each other's heads."""
    one, other = Head.of(first), Head.of(second)
    apart = max(abs(one.yaw - other.yaw), abs(one.pitch - other.pitch))
    turned = max(abs(one.yaw), abs(other.yaw))
    return trust(apart, _SAME, _DIFFERENT) * trust(turned, _TURNED, _PROFILE)


class _Taken:
    """One face, taken out of the picture before the other is put there.

    Attributes:
        picture: BGR around it.
        mask: which of its pixels are face.
        points: ``(106, 2)`` its landmarks there.
        unit: its size in pixels.
        mean: ``(3,)`` mean of its skin in L*a*b*.
        spread: ``(3,)`` standard deviation of that.
    """

    def __init__(self, face: FaceRegion) -> None:
        self.picture: Image = face.picture.copy()
        self.mask = _inner(face)
        self.points, self.unit = face.points, face.unit
        self.mean, self.spread = _tone(face, self.picture, self.mask)

    def shrunk_for(self, unit: float) -> tuple[Image, Mask, float]:
        """Its pixels and mask, no more than needed for a face of that size, and how much smaller they are."""
        factor = min(1.0, 1.3 * unit / self.unit)
        if factor > 0.8:
            return self.picture, self.mask, 1.0
        picture = cv2.resize(self.picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
        mask = cv2.resize(self.mask, picture.shape[1::-1], interpolation=cv2.INTER_AREA)
        return np.asarray(picture, np.uint8), np.asarray(mask, np.uint8), factor


def _put(taken: _Taken, face: FaceRegion, hidden: _Taken, amount: float) -> None:
    """Warp a face over another one, in the light that was on that one."""
    mask = _inner(face)
    left, top, width, height = cv2.boundingRect(mask)
    if not width:
        return
    own = face.picture[top : top + height, left : left + width]
    pixels, known, factor = taken.shrunk_for(face.unit)
    map_x, map_y = _map(face, taken, (left, top, width, height))
    map_x, map_y = ((m + 0.5) * factor - 0.5 for m in (map_x, map_y))
    warped = cv2.remap(pixels, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    # where the other picture ends, or its face does, there is nothing to show
    there = cv2.remap(known, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=0)
    inside = np.asarray(cv2.multiply(mask[top : top + height, left : left + width], there, scale=1 / 255), np.uint8)
    blend(own, _toned(np.asarray(warped, np.uint8), taken, hidden.mean, hidden.spread), inside, amount)


def _inner(face: FaceRegion) -> Mask:
    """The face from the brows to the chin, with a wide soft edge inside its outline."""
    return face.once("inner", lambda: _drawn_inner(face))


def _drawn_inner(face: FaceRegion) -> Mask:
    brows = np.concatenate([face.part("brow_left")[:5], face.part("brow_right")[:5]]) - 0.20 * face.unit * face.down
    outline = cv2.convexHull(np.concatenate([face.part("jaw")[3:30], brows]).astype(np.float32))[:, 0]
    middle = face.points[GROUPS["nose"]].mean(0)
    return face.fill(middle + (outline - middle) * 0.86, feather=_EDGE)


def _map(face: FaceRegion, taken: _Taken, part: tuple[int, int, int, int]) -> tuple[FloatArray, FloatArray]:
    """For every pixel of a part of a face, where the other one's pixels for it are.

    A smoothing thin-plate spline (Bookstein, Principal Warps, PAMI 1989) through what holds a face in place, computed
    on a coarse grid: it has no folds or kinks where triangles would meet.
    """
    left, top, width, height = part
    held, unit = _held(face.points), face.unit
    origin = held.mean(0)
    knots = (held - origin) / unit
    weights = _spline(knots, _held(taken.points))
    across, along = _GRID, max(4, round(_GRID * height / width))
    # the corners of the grid are the outer corner pixels, as cv2.resize would not have them
    x = (np.linspace(left, left + width - 1, across) - origin[0]) / unit
    y = (np.linspace(top, top + height - 1, along) - origin[1]) / unit
    grid = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    coarse = (_basis(grid, knots) @ weights).astype(np.float32).reshape(along, across, 2)
    matrix = np.array((((across - 1) / max(width - 1, 1), 0, 0), (0, (along - 1) / max(height - 1, 1), 0)), np.float64)
    fine = cv2.warpAffine(
        coarse, matrix, (width, height), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE
    )
    map_x, map_y = cv2.split(fine)
    return np.asarray(map_x, np.float32), np.asarray(map_y, np.float32)


def _held(points: FloatArray) -> Points:
    """What holds a face in place: bone, outline, and where its mouth is.

    Lids and lips are left out, so that they move as their owner's do and smiles keep their width.
    """
    return np.vstack([points[_HELD], points[list(MOUTH_CORNERS)].mean(0)]).astype(np.float64)


def _basis(at: Points, knots: Points) -> Points:
    """``(n, m + 3)``: the spline's kernels and its plane, at points ``(n, 2)``."""
    across, along = (at[:, None, axis] - knots[None, :, axis] for axis in (0, 1))
    squared = across * across + along * along
    return np.column_stack([squared * np.log(squared + 1e-9), np.ones(len(at)), at])


def _spline(knots: Points, values: Points) -> Points:
    """Weights ``(m + 3, 2)`` of the spline through values ``(m, 2)`` at knots ``(m, 2)``."""
    count = len(knots)
    system = np.zeros((count + 3, count + 3))
    system[:count] = _basis(knots, knots)
    system[:count, :count] += _SMOOTH * count * np.eye(count)
    system[count:, :count] = system[:count, count:].T
    return np.asarray(np.linalg.solve(system, np.vstack([values, np.zeros((3, 2))])))


def _tone(face: FaceRegion, picture: Image, mask: Mask) -> tuple[Points, Points]:
    """Mean and standard deviation ``(3,)`` of a face's skin in L*a*b*, from about 64 x 64 of its pixels.

    What has another hue, such as a mask or glasses, hardly counts.
    """
    step = max(1, math.isqrt(mask.size) // 64)
    lab = _lab(np.ascontiguousarray(picture[::step, ::step])).reshape(-1, 3)
    skin = _lab(np.round([[skin_colour(face)]]).astype(np.uint8))[0, 0]
    apart = ((lab[:, 1:] - skin[1:]) ** 2).sum(axis=1)
    weight = mask[::step, ::step].reshape(-1) * np.exp(-apart / (2 * _ALIKE**2))
    weight = weight / max(weight.sum(), 1e-6)
    mean = weight @ lab
    return mean, np.sqrt(np.maximum(weight @ (lab - mean) ** 2, 1.0))


def _lab(picture: Image) -> Points:
    return cv2.cvtColor(picture, cv2.COLOR_BGR2LAB).astype(np.float64)


def _toned(picture: Image, taken: _Taken, mean: Points, spread: Points) -> Image:
    """A face with another one's mean colour and contrast (Reinhard et al., Color Transfer between Images, 2001)."""
    gain = np.clip(spread / taken.spread, 0.75, _MOST_GAIN)
    levels = np.arange(256)[:, None]
    table = np.clip(np.round((levels - taken.mean) * gain + mean), 0, 255).astype(np.uint8)
    lab = cv2.LUT(cv2.cvtColor(picture, cv2.COLOR_BGR2LAB), table[None])
    return np.asarray(cv2.cvtColor(np.asarray(lab, np.uint8), cv2.COLOR_LAB2BGR), np.uint8)
