"""A transparent layer over a part of the picture: pieces are put on it, then it is laid over the picture at once."""

from __future__ import annotations

from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from streamer.effects.art import Art
from streamer.types import FloatArray, Image

Points = NDArray[np.floating[Any]]
Bgra = NDArray[np.uint8]
"""``(h, w, 4)`` uint8, colours already multiplied by alpha: no fringe where it is scaled or blurred."""

_SHIFT: Final = 4  # polygons are drawn at 1/16 pixel


class Layer:
    """A premultiplied BGRA layer over the part of a picture that some points span, clipped at its edge.

    Attributes:
        empty: nothing of it is inside the picture; drawing on it does nothing.
    """

    def __init__(self, picture: Image, spanned: Points, *, margin: float = 2.0, finer: int = 1) -> None:
        """Make room.

        Args:
            picture: BGR, what the layer will be laid over.
            spanned: ``(n, 2 or more)`` x, y in pixels of the picture: what will be drawn lies between them.
            margin: pixels around that.
            finer: how many pixels of the layer go into one of the picture, per side: polygons get smooth edges so.
        """
        height, width = picture.shape[:2]
        low = np.clip(np.floor(spanned[:, :2].min(0) - margin), 0, (width, height)).astype(int)
        high = np.clip(np.ceil(spanned[:, :2].max(0) + margin), 0, (width, height)).astype(int)
        self._picture, self._corner, self._finer = picture, low, finer
        self._below = picture[low[1] : high[1], low[0] : high[0]]
        self.empty = self._below.size == 0
        rows, columns = self._below.shape[:2]
        self._drawn: Bgra = np.zeros((rows * finer, columns * finer, 4), np.uint8)
        self._used = columns, rows, 0, 0  # x1, y1, x2, y2 in the picture's pixels of what has been drawn on

    def paste(self, art: Art, matrix: Points, opacity: float = 1.0) -> None:
        """Put flat art on top.

        Args:
            art: what to draw.
            matrix: ``(2, 3)`` from the art's units to the picture's pixels.
            opacity: 0..1.
        """
        if self.empty:
            return
        within = self._local_matrix(matrix)
        pixels, from_pixels = art.at_scale(float(np.hypot(*within[:, 0])), float(np.hypot(*within[:, 1])))
        whole = within @ np.vstack([from_pixels, (0, 0, 1)])
        corners = _corners(pixels.shape) @ whole[:, :2].T + whole[:, 2]
        rows, columns = self._drawn.shape[:2]
        left, top = np.clip(np.floor(corners.min(0)) - 1, 0, (columns, rows)).astype(int)
        right, bottom = np.clip(np.ceil(corners.max(0)) + 2, 0, (columns, rows)).astype(int)
        if right <= left or bottom <= top or abs(np.linalg.det(whole[:, :2])) < 1e-6:
            return
        whole[:, 2] -= left, top
        piece = cv2.warpAffine(pixels, whole, (int(right - left), int(bottom - top)), flags=cv2.INTER_LINEAR)
        if opacity < 1:
            piece = cv2.convertScaleAbs(piece, alpha=opacity)
        self._use(left, top, right, bottom)
        _over(self._drawn[top:bottom, left:right], np.asarray(piece, np.uint8))

    def polygons(self, quads: NDArray[np.int32], colours: list[list[int]]) -> None:
        """Draw many: corners ``(n, 4, 2)`` from :meth:`fixed`, in that order, each in its premultiplied colour."""
        if not len(quads):
            return
        self._use(*(quads.min(axis=(0, 1)) >> _SHIFT).tolist(), *((quads.max(axis=(0, 1)) >> _SHIFT) + 2).tolist())
        for corners, colour in zip(quads, colours, strict=True):
            cv2.fillConvexPoly(self._drawn, corners, colour, cv2.LINE_8, _SHIFT)

    def erase(self, outline: Points, soft: float = 0.0) -> None:
        """Clear the inside of a polygon ``(n, 2)`` in pixels of the picture: something in front hides what was drawn.

        Args:
            outline: the polygon.
            soft: width of its edge in pixels of the picture.
        """
        local, side = self._local(outline), soft * self._finer
        used = [v * self._finer for v in self._used]
        left, top = np.maximum(np.floor(local.min(0) - side).astype(int), used[:2]).tolist()
        right, bottom = np.minimum(np.ceil(local.max(0) + side).astype(int) + 2, used[2:]).tolist()
        if right <= left or bottom <= top:
            return
        part = self._drawn[top:bottom, left:right]
        size = right - left, bottom - top
        small, scale = _coarsely(size, max(side, 1e-6))
        mask = _soft_polygon((local - (left, top) + 0.5) * scale - 0.5, side * scale[0], small)
        kept = cv2.bitwise_not(mask if small == size else cv2.resize(mask, size))
        cv2.multiply(part, cv2.merge((kept, kept, kept, kept)), dst=part, scale=1 / 255)

    def fixed(self, points: Points) -> NDArray[np.int32]:
        """Points ``(..., 2)`` of the picture as the layer's fixed-point coordinates."""
        return np.asarray(np.round(self._local(points) * (1 << _SHIFT)), np.int32)

    def lay(self, opacity: float, light: FloatArray | None = None) -> None:
        """Lay it over the picture, which changes in place.

        Args:
            opacity: 0..1.
            light: ``(3,)`` BGR gains: how the scene lights it.
        """
        x1, y1, x2, y2 = self._used
        if x2 <= x1 or y2 <= y1:
            return
        below, drawn = self._below[y1:y2, x1:x2], self._finely(x1, y1, x2, y2)
        if self._finer > 1:
            drawn = np.asarray(cv2.resize(drawn, (x2 - x1, y2 - y1), interpolation=cv2.INTER_AREA), np.uint8)
        gains = [opacity * gain for gain in (*(np.ones(3) if light is None else light).tolist(), 1.0)]
        # One channel at a time is four times as quick as all with gains of their own.
        planes = [
            plane if gain == 1 else cv2.convertScaleAbs(plane, alpha=gain)
            for plane, gain in zip(cv2.split(drawn), gains, strict=True)
        ]
        kept = cv2.cvtColor(cv2.bitwise_not(planes[3]), cv2.COLOR_GRAY2BGR)
        cv2.add(cv2.multiply(below, kept, scale=1 / 255), cv2.merge(planes[:3]), dst=below)

    def shade(self, shift: Points, soft: float, depth: float, within: Points) -> None:
        """Let what is drawn so far throw a soft shadow on the picture.

        Args:
            shift: ``(2,)`` pixels of the picture: where the shadow falls.
            soft: width of its edge in pixels.
            depth: 0..1: how dark it is.
            within: ``(n, 2)`` polygon in pixels of the picture: what it falls on.
        """
        used = np.array(self._used).reshape(2, 2)
        low, high = used + self._corner + shift
        low = np.maximum(np.floor(np.maximum(low, within.min(0)) - soft), 0).astype(int)
        high = np.minimum(np.ceil(np.minimum(high, within.max(0)) + soft), self._picture.shape[1::-1]).astype(int)
        first = np.maximum(low - self._corner - shift - soft, used[0]).astype(int)
        last = np.minimum(high - self._corner - shift + soft, used[1]).astype(int)
        if (high <= low).any() or (last <= first).any():
            return
        (columns, rows), shown = (high - low).tolist(), (last - first).tolist()
        size, scale = _coarsely((columns, rows), soft)
        small, shrunk = _coarsely((shown[0], shown[1]), soft)
        alpha = cv2.extractChannel(self._finely(*first.tolist(), *last.tolist()), 3)
        across, along = scale / shrunk
        right, down = (0.5 / shrunk + first + self._corner + shift - low) * scale - 0.5
        matrix = np.array(((across, 0, right), (0, along, down)), np.float64)
        shadow = cv2.warpAffine(cv2.resize(alpha, small, interpolation=cv2.INTER_AREA), matrix, size)
        side = 2 * round(soft * scale[0] / 2) + 1
        cv2.blur(shadow, (side, side), dst=shadow)
        ground = _soft_polygon((within - low + 0.5) * scale - 0.5, soft * scale[0], size)
        kept = cv2.bitwise_not(cv2.multiply(shadow, ground, scale=depth / 255))
        kept = cv2.cvtColor(cv2.resize(kept, (columns, rows)), cv2.COLOR_GRAY2BGR)
        below = self._picture[low[1] : high[1], low[0] : high[0]]
        cv2.multiply(below, kept, dst=below, scale=1 / 255)

    def _use(self, left: int, top: int, right: int, bottom: int) -> None:
        """Note that something is drawn within a rectangle, in pixels of the layer."""
        columns, rows = self._below.shape[1::-1]
        low_x, low_y, high_x, high_y = self._used
        self._used = (
            max(0, min(low_x, left // self._finer)),
            max(0, min(low_y, top // self._finer)),
            min(columns, max(high_x, -(-right // self._finer))),
            min(rows, max(high_y, -(-bottom // self._finer))),
        )

    def _finely(self, left: int, top: int, right: int, bottom: int) -> Bgra:
        """The layer's pixels of a rectangle given in pixels of the picture."""
        finer = self._finer
        return self._drawn[top * finer : bottom * finer, left * finer : right * finer]

    def _local(self, points: Points) -> Points:
        """Points ``(..., 2)`` of the picture in pixels of the layer."""
        return np.asarray((points - self._corner + 0.5) * self._finer - 0.5)

    def _local_matrix(self, matrix: Points) -> Points:
        local = matrix.astype(np.float64) * self._finer
        local[:, 2] += (0.5 - self._corner) * self._finer - 0.5
        return local


def _corners(shape: tuple[int, ...]) -> Points:
    height, width = shape[:2]
    return np.array(((-1, -1), (width, -1), (width, height), (-1, height)), np.float64)


def _over(below: Bgra, above: Bgra) -> None:
    """Porter & Duff's "over" of premultiplied pixels, in place."""
    kept = cv2.bitwise_not(cv2.extractChannel(above, 3))
    cv2.multiply(below, cv2.merge((kept, kept, kept, kept)), dst=below, scale=1 / 255)
    cv2.add(below, above, dst=below)


def _soft_polygon(outline: Points, soft: float, size: tuple[int, int]) -> NDArray[np.uint8]:
    """A mask of a polygon ``(n, 2)`` with an edge ``soft`` pixels wide, of this width and height."""
    mask = np.zeros(size[::-1], np.uint8)
    cv2.fillPoly(mask, [np.asarray(np.round(outline * (1 << _SHIFT)), np.int32)], 255, cv2.LINE_AA, _SHIFT)
    side = 2 * round(soft / 2) + 1
    if side > 1:
        cv2.blur(mask, (side, side), dst=mask)
    return mask


def _coarsely(size: tuple[int, int], soft: float) -> tuple[tuple[int, int], Points]:
    """Width and height that are enough for edges ``soft`` pixels wide, and how many times the given ones they are."""
    small = max(1, round(size[0] * min(1.0, 4 / soft))), max(1, round(size[1] * min(1.0, 4 / soft)))
    return small, np.array((small[0] / size[0], small[1] / size[1]))
