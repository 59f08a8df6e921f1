"""One warp per face for all shape effects: they add up small movements, and the pixels are sampled once.

A place of the new picture shows what was ``shift`` away from it in the old one. The shift is kept on a coarse grid; it
is 0 far from what moves, and short enough of folding that the map stays one to one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from streamer.effects.region import FaceRegion
from streamer.types import FloatArray

_STEP: Final = 1 / 20  # between grid nodes, in units: bilinear between them errs by a fifth of a pixel
_INWARD: Final = 0.4  # how far a moved jaw line takes the face along, in units
_OUTWARD: Final = 0.22  # and the background: short, so that a door frame beside the face stays straight
_REACH: Final = 0.5  # how far along the jaw line its points speak for each other, in units
_MARGIN: Final = 0.26  # around the moved part of the jaw line, in units: nothing moves further out
_EDGE: Final = 0.2  # from here on, in units, less and less is moved across the picture's edge
_STEEPEST: Final = 0.85  # change of the shift per pixel: below 1 the map cannot fold
_SETTLING: Final = 20  # rounds, at most, until all landmarks' new places are known
_SETTLED: Final = 0.05  # pixels: when they are
_SHARP: Final = 0.45  # of a magnified ellipse: sampled with the better and slower kernel
_SEEN: Final = 1 / 32  # pixels: shorter shifts are not carried out

_JAW: Final = slice(0, 33, 2)  # every other point of the jaw line will do: they speak for more than their neighbours
_AHEAD: Final = np.minimum(np.arange(17) + 1, 16)
_BEHIND: Final = np.maximum(np.arange(17) - 1, 0)
_ASIDE: Final = np.array((-1, 1), np.float32)

_Place = Sequence[float] | NDArray[np.floating[Any]]
"""x and y in pixels of the region."""
_Plane = tuple[FloatArray, FloatArray]
"""x and y, ``(h, w)`` each."""


class Warp:
    """The movement of one face's pixels: written by the shape effects, carried out by :meth:`apply`.

    Places are in pixels of the region; sizes and movements are in units (see :class:`FaceRegion`), as ``(across,
    along)``: along the eye line to image-right on an upright face, and from the eyes to the chin.
    """

    def __init__(self, face: FaceRegion) -> None:
        self._face = face
        self._axes: FloatArray = np.array((face.right, face.down))
        self._step = max(1, round(face.unit * _STEP))
        self._jaw: FloatArray | None = None
        self._scaled: list[tuple[float, ...]] = []  # place, semi-axes, growth
        self._pushed: list[tuple[float, ...]] = []  # place, semi-axes, movement

    def scale(self, centre: _Place, radii: tuple[float, float], growth: tuple[float, float]) -> None:
        """Make what lies around a place bigger or smaller.

        Args:
            centre: the place that stays.
            radii: semi-axes of the ellipse outside which nothing moves, in units.
            growth: how much bigger, across and along: 0.2 makes 1 into 1.25 = 1 / (1 - 0.2), below 0 smaller; less
                and less towards the ellipse's edge.
        """
        self._scaled.append((*centre, *radii, *growth))

    def push(self, place: _Place, radii: tuple[float, float], movement: tuple[float, float]) -> None:
        """Move a place, and less and less of what lies around it.

        Args:
            place: what moves.
            radii: semi-axes of the ellipse around its new place outside which nothing moves, in units.
            movement: how far it moves, in units.
        """
        target = place + np.array(movement, np.float32) * np.float32(self._face.unit) @ self._axes
        self._pushed.append((*target, *radii, *movement))

    def move_jaw(self, movements: FloatArray) -> None:
        """Move the jaw line; the face inside follows as far as the nose and lips, the background hardly at all.

        Args:
            movements: ``(33, 2)`` how far each point moves, in units.
        """
        self._jaw = movements if self._jaw is None else self._jaw + movements

    def apply(self) -> None:
        """Bend ``face.picture`` in place and move ``face.points`` along."""
        movers: list[_Jaw | _Ellipses] = []
        if self._jaw is not None and self._jaw.any():
            movers.append(_Jaw(self._face, self._axes, self._jaw[_JAW]))
        if self._scaled or self._pushed:
            movers.append(_Ellipses(self._face, self._axes, self._scaled, self._pushed))
        if not movers:
            return
        shift, first = self._nodes(movers)
        left, top, width, height = cv2.boundingRect((np.abs(shift).max(axis=0) > _SEEN).view(np.uint8))
        if not width:
            return
        # The nodes around what moves, with one more on every side, at which nothing moves.
        x, y = max(0, left - 2), max(0, top - 2)
        shift, first = shift[:, y : top + height + 2, x : left + width + 2], (first[0] + x, first[1] + y)
        self._hold_edges(shift, first)
        self._prevent_folds(shift)
        origins, corner = self._origins(shift, first)
        self._sample(origins, corner, [window for mover in movers for window in mover.magnified])
        points = self._face.points
        self._face.moved(lambda: self._settle(points, shift, first))

    def _nodes(self, movers: Sequence[_Jaw | _Ellipses]) -> tuple[FloatArray, tuple[int, int]]:
        """The shift ``(2, rows, columns)`` of all nodes near what moves, in pixels; column and row of the first."""
        step, starts, lines = self._step, [], []
        for axis, side in enumerate(self._face.size):
            low, high = min(mover.span[axis] for mover in movers), max(mover.span[axis + 2] for mover in movers)
            # One node more on every side: interpolation needs neighbours at the region's edge, too.
            start = max(0, int((low + 0.5) / step) - 1)
            stop = min(side // step + 3, max(start, int((high + 0.5) / step)) + 4)
            starts.append(start)
            lines.append(_places(start, stop, step) / np.float32(self._face.unit))
        x, y = lines
        nodes: FloatArray = np.empty((5, len(y), len(x)), np.float32)
        for row, (right, down) in enumerate(self._axes.tolist()):
            np.add(x * right, (y * down)[:, None], out=nodes[row])
        np.multiply(nodes[:2], nodes[:2], out=nodes[2:4])
        nodes[4] = 1
        shape, nodes = nodes.shape[1:], nodes.reshape(5, -1)
        near = _positive(np.concatenate([mover.terms for mover in movers]) @ nodes)
        movement: FloatArray = np.zeros((2, nodes.shape[1]), np.float32)
        row = 0
        for mover in movers:
            mover.add(movement, near[row : row + len(mover.terms)], nodes)
            row += len(mover.terms)
        shift: FloatArray = np.matmul(self._axes.T * np.float32(-self._face.unit), movement, dtype=np.float32)
        return shift.reshape(2, *shape), (starts[0], starts[1])

    def _hold_edges(self, shift: FloatArray, first: tuple[int, int]) -> None:
        """Move nothing across the region's edge.

        Where it is the picture's edge, too, there is nothing to draw in from outside.
        """
        step, ramp = np.float32(self._step), np.float32(_EDGE * self._face.unit)
        for axis, (start, side) in enumerate(zip(first, self._face.size, strict=True)):
            nodes = _places(start, start + shift.shape[2 - axis], self._step)
            # The last node before the edge holds still like the next one behind it, and so does all between them.
            gap = np.minimum(nodes, np.float32(side - 1) - nodes) - step
            if min(gap[0], gap[-1]) < ramp:
                hold = np.minimum(_positive(gap / ramp), 1)
                hold *= hold * (3 - 2 * hold)
                shift[axis] *= hold if axis == 0 else hold[:, None]

    def _prevent_folds(self, shift: FloatArray) -> None:
        """Shorten all shifts together if the map would come near folding anywhere.

        Between nodes the map is bilinear; it is one to one if the shift changes by less than its way (a contraction),
        which the Frobenius norm of its derivative bounds.
        """
        right, down = shift[:, :, 1:] - shift[:, :, :-1], shift[:, 1:] - shift[:, :-1]
        right *= right
        down *= down
        right, down = right[0] + right[1], down[0] + down[1]
        worst = np.maximum(right[:-1], right[1:]) + np.maximum(down[:, :-1], down[:, 1:])
        steepest = math.sqrt(worst.max()) / self._step
        if steepest > _STEEPEST:
            shift *= np.float32(_STEEPEST / steepest)

    def _origins(self, shift: FloatArray, first: tuple[int, int]) -> tuple[_Plane, tuple[int, int]]:
        """Where each pixel comes from.

        Args:
            shift: of some nodes.
            first: column and row of the first of them.

        Returns:
            x and y, ``(h, w)`` each, in pixels of the rectangle of all that lies between those nodes; its left and top.
        """
        step, (rows, columns) = self._step, shift.shape[1:]
        left, top = first[0] * step, first[1] * step
        right = step + min((columns - 2) * step, self._face.size[0] - left)
        bottom = step + min((rows - 2) * step, self._face.size[1] - top)
        x, y = _places(0, columns, step), _places(0, rows, step)
        across, down = (
            np.asarray(cv2.resize(coarse, (columns * step, rows * step), interpolation=cv2.INTER_LINEAR), np.float32)
            for coarse in (shift[0] + x, shift[1] + y[:, None])
        )
        return (across[step:bottom, step:right], down[step:bottom, step:right]), (left, top)

    def _sample(self, origins: _Plane, corner: tuple[int, int], magnified: Sequence[tuple[int, int, int, int]]) -> None:
        """Fetch the pixels, with a better kernel where they are magnified."""
        (left, top), (height, width) = corner, origins[0].shape
        picture = self._face.picture[top : top + height, left : left + width]
        # OpenCV samples four channels in half the time it takes for three.
        before = cv2.cvtColor(picture, cv2.COLOR_BGR2BGRA)
        windows = [(0, 0, width, height, cv2.INTER_LINEAR)]
        windows += [
            (max(0, x1 - left), max(0, y1 - top), x2 - left, y2 - top, cv2.INTER_CUBIC) for x1, y1, x2, y2 in magnified
        ]
        for x1, y1, x2, y2, kernel in windows:
            place = np.s_[y1 : max(y1, y2), x1 : max(x1, x2)]
            part = picture[place]
            if part.size:
                x, y = origins[0][place], origins[1][place]
                fetched = cv2.remap(before, x, y, kernel, borderMode=cv2.BORDER_REFLECT_101)
                cv2.cvtColor(fetched, cv2.COLOR_BGRA2BGR, dst=part)

    def _settle(self, points: FloatArray, shift: FloatArray, first: tuple[int, int]) -> FloatArray:
        """The landmarks' new places: the fixed points of ``new = old - shift(new)``, which a contraction has."""
        step, corner = np.float32(self._step), np.array(first, np.float32)[:, None, None] - 0.5
        # In steps from the first node.
        old = (np.ascontiguousarray(points.T)[..., None] + np.float32(0.5)) / step - corner
        planes, new, found = shift / step, old, np.empty_like(old)
        for _ in range(_SETTLING):
            for plane, at in zip(planes, found, strict=True):
                cv2.remap(plane, new[0], new[1], cv2.INTER_LINEAR, at, cv2.BORDER_CONSTANT)
            previous, new = new, old - found
            if cv2.norm(new, previous, cv2.NORM_INF) * self._step < _SETTLED:
                break
        return np.ascontiguousarray(((new + corner) * step - np.float32(0.5))[..., 0].T)


class _Jaw:
    """What surrounds a moved jaw line: it moves by an average of the points' movements, less with distance from it.

    Attributes:
        span: x1, y1, x2, y2 in pixels: nothing moves outside.
        terms: ``(n, 5)``: times a node's x, y, x^2, y^2 and 1, all in units along the face's axes, they are
            1 - (distance / reach)^2 from every point.
        magnified: empty.
    """

    magnified: Final = ()

    def __init__(self, face: FaceRegion, axes: FloatArray, movements: FloatArray) -> None:
        unit = np.float32(face.unit)
        self._movements = movements
        self._line = line = face.part("jaw")[_JAW] @ axes.T / unit + movements
        moving = line[movements.any(axis=1)] @ axes * unit
        (left, top), (right, bottom) = moving.min(axis=0).tolist(), moving.max(axis=0).tolist()
        margin = _MARGIN * face.unit
        self.span = left - margin, top - margin, right + margin, bottom + margin
        self.terms: FloatArray = np.empty((len(line), 5), np.float32)
        self.terms[:, :2] = line * (2 / _REACH**2)
        self.terms[:, 2:4] = -1 / _REACH**2
        self.terms[:, 4] = 1 - (line * line).sum(axis=1) * (1 / _REACH**2)

    def add(self, movement: FloatArray, near: FloatArray, nodes: FloatArray) -> None:
        """Add the movement ``(2, n)`` of nodes, in units; ``near`` is the terms' product, where it is above 0."""
        nearest = _REACH**2 * (1 - near.max(axis=0))
        weights = near * near
        weights *= near
        weights *= weights
        line = self._line
        outward = (line[_AHEAD] - line[_BEHIND])[:, ::-1] * _ASIDE
        outward /= np.maximum(np.sqrt((outward * outward).sum(axis=1, keepdims=True)), 1e-6)
        # The weighted mean of the distances from the points' tangents is a smooth signed distance from the line.
        sums = np.empty((6, len(line)), np.float32)
        sums[:2], sums[2] = self._movements.T, 1
        sums[3:5], sums[5] = outward.T, (line * outward).sum(axis=1)
        sums = sums @ weights
        share = 1 / np.maximum(sums[2], np.float32(1e-9))
        distance = (nodes[0] * sums[3] + nodes[1] * sums[4] - sums[5]) * share
        share *= _fall(np.maximum(distance * (1 / _OUTWARD), distance * (-1 / _INWARD)) ** 2)
        # Where the line is bent, that distance is short of the true one: the region's edge could be reached.
        share *= np.maximum(_fall((nearest * (1 / _MARGIN**2)) ** 2), distance < 0)
        movement += sums[:2] * share


class _Ellipses:
    """What lies in ellipses that are scaled or pushed.

    Attributes:
        span: x1, y1, x2, y2 in pixels: nothing moves outside.
        terms: ``(n, 5)``: times a node's x, y, x^2, y^2 and 1, all in units along the face's axes, they are
            1 - distance^2 from every ellipse's middle, the edge being at 1.
        magnified: x1, y1, x2, y2 in pixels of what becomes bigger most.
    """

    def __init__(
        self, face: FaceRegion, axes: FloatArray, scaled: list[tuple[float, ...]], pushed: list[tuple[float, ...]]
    ) -> None:
        unit = np.float32(face.unit)
        ellipses: FloatArray = np.array(scaled + pushed, np.float32)
        places, radii, self._amounts = ellipses[:, :2], ellipses[:, 2:4], ellipses[:, 4:]
        halves = radii @ np.abs(axes) * unit
        self.span = (*(places - halves).min(axis=0).tolist(), *(places + halves).max(axis=0).tolist())
        self._middles, self._scaled = places @ axes.T / unit, len(scaled)
        narrow = 1 / (radii * radii)
        self.terms: FloatArray = np.empty((len(ellipses), 5), np.float32)
        self.terms[:, :2] = 2 * self._middles * narrow
        self.terms[:, 2:4] = -narrow
        self.terms[:, 4] = 1 - (self._middles * self._middles * narrow).sum(axis=1)
        self.magnified = [
            (round(x - _SHARP * dx), round(y - _SHARP * dy), round(x + _SHARP * dx), round(y + _SHARP * dy))
            for (x, y), (dx, dy), (*_, across, along) in zip(places.tolist(), halves.tolist(), scaled, strict=False)
            if max(across, along) > 0
        ]

    def add(self, movement: FloatArray, near: FloatArray, nodes: FloatArray) -> None:
        """Add the movement ``(2, n)`` of nodes, in units; ``near`` is the terms' product, where it is above 0."""
        scaled = slice(self._scaled)
        # What is scaled keeps its new size well around the middle; what is pushed moves less already close to it.
        near[scaled] *= 2 - near[scaled]
        weights = near * near
        growths = np.zeros_like(self._amounts)
        growths[scaled] = self._amounts[scaled]
        constants = -growths * self._middles
        constants[self._scaled :] = self._amounts[self._scaled :]
        movement += nodes[:2] * (growths.T @ weights) + constants.T @ weights


def facing(face: FaceRegion, full: float, none: float, side: int = 0) -> float:
    """How much of a movement a turned face may have, so that its silhouette is not bent like its front.

    Args:
        face: whose yaw counts.
        full: degrees of yaw up to which it is 1.
        none: degrees of yaw from which it is 0; smooth in between.
        side: -1 or 1 if only turning towards image-left or image-right counts, which hides that side; else 0.
    """
    yaw = face.face.pose.yaw
    turned = max(0.0, yaw * side) if side else abs(yaw)
    return _smooth((none - turned) / (none - full))


def _smooth(way: float) -> float:
    """From 0 at 0 to 1 at 1, flat at both ends and beyond."""
    way = min(1.0, max(0.0, way))
    return way * way * (3 - 2 * way)


def _places(start: int, stop: int, step: int) -> FloatArray:
    """Where some nodes are, in pixels: the first one before the region's edge, the second behind it."""
    return (np.arange(start, stop, dtype=np.float32) - np.float32(0.5)) * np.float32(step) - np.float32(0.5)


def _fall(squared: FloatArray) -> FloatArray:
    """From 1 at 0 down to 0 at 1 and beyond, flat at both ends; takes the distance's square."""
    near = _positive(1 - squared)
    return np.asarray(near * near, np.float32)


def _positive(values: FloatArray) -> FloatArray:
    """Values with 0 in place of those below, in place; four times as quick as numpy's maximum."""
    return np.asarray(cv2.threshold(values, 0, 0, cv2.THRESH_TOZERO, dst=values)[1], np.float32)
