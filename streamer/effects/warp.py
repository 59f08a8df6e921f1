"""One warp per face for all shape effects: they add up small movements, and the pixels are sampled once.

A place of the new picture shows what was ``shift`` away from it in the old one. The shift is kept on a coarse grid; it
is 0 far from what moves, and short enough of folding that the map stays one to one.
"""

from __future__ import annotations

from itertools import pairwise
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
_STRIP: Final = 24_000  # pixels sampled at once: what they need stays in the processor's second cache
_JAW: Final = slice(0, 33, 2)  # every other point of the jaw line will do: they speak for more than their neighbours

_Plane = tuple[FloatArray, FloatArray]
"""x and y, ``(h, w)`` each."""
_Place = Sequence[float] | NDArray[np.floating[Any]]
_Span = tuple[slice, slice]


class Warp:
    """The movement of one face's pixels: written by the shape effects, carried out by :meth:`apply`.

    Places are in pixels of the region; sizes and movements are in units (see :class:`FaceRegion`), as ``(across,
    along)``: along the eye line to image-right on an upright face, and from the eyes to the chin.
    """

    def __init__(self, face: FaceRegion) -> None:
        self._face = face
        self._axes: FloatArray = np.stack([face.right, face.down])
        self._step = max(1, round(face.unit * _STEP))
        self._jaw: FloatArray | None = None
        self._scaled: list[tuple[float, ...]] = []  # ellipses: centre, 1 / semi-axes, growth, movement of their middle
        self._pushed: list[tuple[float, ...]] = []
        self._magnified: list[tuple[slice, slice]] = []  # rows and columns in pixels

    def scale(self, centre: FloatArray, radii: tuple[float, float], growth: tuple[float, float]) -> None:
        """Make what lies around a place bigger or smaller.

        Args:
            centre: the place that stays.
            radii: semi-axes of the ellipse outside which nothing moves, in units.
            growth: how much bigger, across and along: 0.2 makes 1 into 1.25 = 1 / (1 - 0.2), below 0 smaller; less
                and less towards the ellipse's edge.
        """
        self._scaled.append((*self._in_units(centre), 1 / radii[0], 1 / radii[1], *growth, 0.0, 0.0))
        if max(growth) > 0:
            (x, y), half = centre, self._half(_SHARP * radii[0], _SHARP * radii[1])
            self._magnified.append(
                tuple(slice(max(0, round(v - d)), max(0, round(v + d) + 1)) for v, d in ((y, half[1]), (x, half[0])))
            )

    def push(self, place: FloatArray, radii: tuple[float, float], movement: tuple[float, float]) -> None:
        """Move a place, and less and less of what lies around it.

        Args:
            place: what moves.
            radii: semi-axes of the ellipse around its new place outside which nothing moves, in units.
            movement: how far it moves, in units.
        """
        target = place + np.array(movement, np.float32) * np.float32(self._face.unit) @ self._axes
        inside, _, _, distance = self._ellipse(target, radii)
        weight = _fall(distance)
        self._shift[0][inside] -= movement[0] * weight
        self._shift[1][inside] -= movement[1] * weight

    def move_jaw(self, movements: FloatArray) -> None:
        """Move the jaw line; the face inside follows as far as the nose and lips, the background hardly at all.

        Args:
            movements: ``(33, 2)`` how far each point moves, in units.
        """
        self._jaw += movements

    def apply(self) -> None:
        """Bend ``face.picture`` in place and move ``face.points`` along."""
        if self._jaw.any():
            self._bend_jaw()
        moving = np.abs(self._shift).max(axis=0) > _SEEN / self._face.unit
        rows, columns = np.flatnonzero(moving.any(axis=1)), np.flatnonzero(moving.any(axis=0))
        if not len(rows):
            return
        # The nodes around what moves, with one more on every side, at which nothing moves.
        first = max(0, int(columns[0]) - 2), max(0, int(rows[0]) - 2)
        inside = slice(first[1], int(rows[-1]) + 3), slice(first[0], int(columns[-1]) + 3)
        shift = self._in_pixels(inside)
        self._prevent_folds(shift)
        origins, corner = self._origins(shift, first)
        self._sample(origins, corner, self._kernels(moving[inside], first))
        self._face.moved(self._settle(origins, corner))

    def _window(self, centre: NDArray[np.floating[Any]], across: float, along: float) -> tuple[slice, slice]:
        """Rows and columns of the nodes within so many units of a place, measured along the face's axes."""
        half = np.abs(self._axes.T) @ (across, along) * self._face.unit
        return self._span(centre - half, centre + half)

    def _span(self, low: NDArray[np.floating[Any]], high: NDArray[np.floating[Any]]) -> tuple[slice, slice]:
        """Rows and columns of the nodes between two corners, in pixels."""
        first, last = ((corner + 0.5) / self._step + 0.5 for corner in (low, high))
        rows, columns = (slice(max(0, int(first[i])), max(0, int(last[i]) + 2)) for i in (1, 0))
        return rows, columns

    def _ellipse(
        self, centre: NDArray[np.floating[Any]], radii: tuple[float, float]
    ) -> tuple[tuple[slice, slice], FloatArray, FloatArray, FloatArray]:
        """The nodes around an ellipse: which, how far from its centre in units, and their distance, 1 at its edge.

        The distance is squared.
        """
        inside = self._window(centre, *radii)
        middle = self._axes @ centre.astype(np.float32) / np.float32(self._face.unit)
        across, along = self._across[inside] - middle[0], self._along[inside] - middle[1]
        distance = (across * np.float32(1 / radii[0])) ** 2 + (along * np.float32(1 / radii[1])) ** 2
        return inside, across, along, distance

    def _bend_jaw(self) -> None:
        """Shift the surroundings of the jaw line: an average of its points' movements, less with distance from it."""
        moved = self._jaw[::2]  # every other point will do: they speak for more than their neighbours
        line = self._face.part("jaw")[::2] @ self._axes.T / np.float32(self._face.unit) + moved
        tangents = np.concatenate([line[1:2] - line[:1], line[2:] - line[:-2], line[-1:] - line[-2:-1]])
        outward = tangents[:, ::-1] * np.array((-1, 1), np.float32)
        outward /= np.maximum(np.sqrt((outward * outward).sum(axis=1, keepdims=True)), 1e-6)
        moving = line[np.abs(moved).max(axis=1) > 0] @ self._axes * np.float32(self._face.unit)
        margin = np.float32(_MARGIN * self._face.unit)
        inside = self._span(moving.min(axis=0) - margin, moving.max(axis=0) + margin)
        across, along = self._across[inside].ravel(), self._along[inside].ravel()
        ones = np.ones_like(across)
        # 1 - (distance / reach)^2 of every point from every node, in one product.
        x, y = line.T / np.float32(_REACH**2)
        terms = np.stack([2 * x, 2 * y, np.full_like(x, -1 / _REACH**2), 1 - (line[:, 0] * x + line[:, 1] * y)], axis=1)
        weights = np.maximum(terms @ np.stack([across, along, across * across + along * along, ones]), 0)
        nearest = _REACH**2 * (1 - weights.max(axis=0))
        weights *= weights * weights
        weights *= weights
        # The weighted mean of the distances from the points' tangents is a smooth signed distance from the line.
        levels = (line * outward).sum(axis=1)
        right, down, level, move_across, move_along, total = (
            np.stack([*outward.T, levels, *moved.T, np.ones_like(levels)]) @ weights
        )
        share = 1 / np.maximum(total, 1e-9)
        distance = (across * right + along * down - level) * share
        distance *= np.where(distance < 0, np.float32(1 / _INWARD), np.float32(1 / _OUTWARD))
        share *= _fall(distance * distance)
        # Where the line is bent, that distance is short of the true one: the region's edge could be reached.
        share *= np.where(distance < 0, np.float32(1), _fall((nearest / _MARGIN**2) ** 2))
        shape = self._across[inside].shape
        self._shift[0][inside] -= (share * move_across).reshape(shape)
        self._shift[1][inside] -= (share * move_along).reshape(shape)

    def _in_pixels(self, inside: tuple[slice, slice]) -> FloatArray:
        """``(2, rows, columns)``: the shift along the picture's axes, but nothing across the region's edge.

        Where it is the picture's edge, too, there is nothing to draw in from outside.
        """
        rows, columns = inside
        across, along = self._shift[:, rows, columns] * np.float32(self._face.unit)
        shift: FloatArray = np.stack([across * axis[0] + along * axis[1] for axis in self._axes.T])
        ramp = _EDGE * self._face.unit
        for axis, nodes, side in ((0, self._x[columns], self._face.size[0]), (1, self._y[rows], self._face.size[1])):
            # The last node before the edge holds still like the next one behind it, and so does all between them.
            gap = np.minimum(nodes, side - 1 - nodes) - self._step
            hold = np.minimum(np.maximum(gap / np.float32(ramp), 0), 1)
            hold *= hold * (3 - 2 * hold)
            shift[axis] *= hold if axis == 0 else hold[:, None]
        return shift

    def _prevent_folds(self, shift: FloatArray) -> None:
        """Shorten all shifts together if the map would come near folding anywhere.

        Between nodes the map is bilinear; it is one to one if the shift changes by less than its way (a contraction),
        which the Frobenius norm of its derivative bounds.
        """
        right, down = np.diff(shift, axis=2), np.diff(shift, axis=1)
        right, down = (right * right).sum(axis=0), (down * down).sum(axis=0)
        worst = np.maximum(right[:-1], right[1:]) + np.maximum(down[:, :-1], down[:, 1:])
        steepest = float(np.sqrt(worst.max())) / self._step
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
        x, y = ((np.arange(count, dtype=np.float32) - 0.5) * step - 0.5 for count in (columns, rows))
        across, down = (
            np.asarray(cv2.resize(coarse, (columns * step, rows * step), interpolation=cv2.INTER_LINEAR), np.float32)
            for coarse in (shift[0] + x, shift[1] + y[:, None])
        )
        return (across[step:bottom, step:right], down[step:bottom, step:right]), (left, top)

    def _sample(self, origins: _Plane, corner: tuple[int, int], kernels: NDArray[np.uint8]) -> None:
        (left, top), (height, width), step = corner, origins[0].shape, self._step
        picture = self._face.picture[top : top + height, left : left + width]
        before = picture.copy()
        for row in range(0, len(kernels), _BAND):
            band = kernels[row : row + _BAND].max(axis=0)
            rows = slice(row * step, (row + _BAND) * step)
            starts = [0, *(np.flatnonzero(band[1:] != band[:-1]) + 1).tolist(), len(band)]
            for start, stop in pairwise(starts):
                place = rows, slice(start * step, stop * step)
                if band[start] and picture[place].size:
                    source = origins[0][place], origins[1][place]
                    cv2.remap(before, *source, _KERNELS[band[start]], picture[place], cv2.BORDER_REFLECT_101)

    def _kernels(self, moving: NDArray[np.bool_], first: tuple[int, int]) -> NDArray[np.uint8]:
        """Which of the kernels each cell between some nodes needs; see :meth:`_origins` for ``first``."""
        cells = np.asarray(cv2.dilate(moving.astype(np.uint8), np.ones((3, 3), np.uint8)), np.uint8)[1:-1, 1:-1]
        for nodes in self._magnified:
            rows, columns = (
                slice(max(0, span.start - low - 1), max(0, span.stop - low - 1))
                for span, low in zip(nodes, first[::-1], strict=True)
            )
            cells[rows, columns] *= 2
        return np.minimum(cells, 2)

    def _settle(self, origins: _Plane, corner: tuple[int, int]) -> FloatArray:
        """The landmarks' new places: the fixed points of ``new = old - shift(new)``, which a contraction has."""
        height, width = origins[0].shape
        first = np.array(corner, np.float32)
        old = np.ascontiguousarray((self._face.points - first).T)[..., None]
        last = np.array((width - 1, height - 1), np.float32)[:, None, None]
        new = old
        for _ in range(_SETTLING):
            inside = np.minimum(np.maximum(new, 0), last)
            source = [cv2.remap(plane, inside[0], inside[1], cv2.INTER_LINEAR) for plane in origins]
            previous, new = new, old + inside - np.stack(source)
            if np.abs(new - previous).max() < _SETTLED:
                break
        return np.asarray(new[..., 0].T + first, np.float32)


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
    way = min(1.0, max(0.0, (none - turned) / (none - full)))
    return way * way * (3 - 2 * way)


def _fall(squared: FloatArray) -> FloatArray:
    """From 1 at 0 down to 0 at 1 and beyond, flat at both ends; takes the distance's square."""
    near = np.maximum(1 - squared, 0)
    return np.asarray(near * near, np.float32)
