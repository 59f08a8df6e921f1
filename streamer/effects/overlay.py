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
        self._corner, self._finer = low, finer
        self._below = picture[low[1] : high[1], low[0] : high[0]]
        self.empty = self._below.size == 0
        rows, columns = self._below.shape[:2]
        self._drawn: Bgra = np.zeros((rows * finer, columns * finer, 4), np.uint8)

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
        _over(self._drawn[top:bottom, left:right], np.asarray(piece, np.uint8))

    def polygons(self, quads: NDArray[np.int32], colours: list[list[int]]) -> None:
        """Draw many: corners ``(n, 4, 2)`` from :meth:`fixed`, in that order, each in its premultiplied colour."""
        for corners, colour in zip(quads, colours, strict=True):
            cv2.fillConvexPoly(self._drawn, corners, colour, cv2.LINE_8, _SHIFT)

    def erase(self, outline: Points, soft: float = 0.0) -> None:
        """Clear the inside of a polygon ``(n, 2)`` in pixels of the picture: something in front hides what was drawn.

        Args:
            outline: the polygon.
            soft: width of its edge in pixels of the picture.
        """
        corners = self.fixed(outline)
        side = 2 * round(soft * self._finer / 2) + 1
        rows, columns = self._drawn.shape[:2]
        left, top = np.clip((corners.min(0) >> _SHIFT) - side, 0, (columns, rows)).tolist()
        right, bottom = np.clip((corners.max(0) >> _SHIFT) + side + 2, 0, (columns, rows)).tolist()
        part = self._drawn[top:bottom, left:right]
        if not part.size or not part.any():
            return
        mask = np.zeros(part.shape[:2], np.uint8)
        cv2.fillPoly(mask, [corners - np.array((left, top), np.int32) * (1 << _SHIFT)], 255, cv2.LINE_AA, _SHIFT)
        if side > 1:
            cv2.blur(mask, (side, side), dst=mask)
        kept = cv2.bitwise_not(mask)
        cv2.multiply(part, cv2.merge((kept, kept, kept, kept)), dst=part, scale=1 / 255)

    def fixed(self, points: Points) -> NDArray[np.int32]:
        """Points ``(..., 2)`` of the picture as the layer's fixed-point coordinates."""
        local = (points - self._corner + 0.5) * self._finer - 0.5
        return np.asarray(np.round(local * (1 << _SHIFT)), np.int32)

    def lay(self, opacity: float, light: FloatArray | None = None) -> None:
        """Lay it over the picture, which changes in place.

        Args:
            opacity: 0..1.
            light: ``(3,)`` BGR gains: how the scene lights it.
        """
        if self.empty:
            return
        drawn = self._drawn
        if self._finer > 1:
            drawn = np.asarray(cv2.resize(drawn, self._below.shape[1::-1], interpolation=cv2.INTER_AREA), np.uint8)
        gains = np.append(np.ones(3) if light is None else light, 1.0) * opacity
        if (gains != 1).any():
            drawn = np.asarray(cv2.multiply(drawn, gains), np.uint8)
        blue, green, red, alpha = cv2.split(drawn)
        kept = cv2.bitwise_not(alpha)
        below = cv2.multiply(self._below, cv2.merge((kept, kept, kept)), scale=1 / 255)
        cv2.add(below, cv2.merge((blue, green, red)), dst=self._below)

    def shade(self, shift: Points, soft: float, depth: float, within: Points) -> None:
        """Let what is drawn so far throw a soft shadow on the picture.

        Args:
            shift: ``(2,)`` pixels of the picture: where the shadow falls.
            soft: width of its edge in pixels.
            depth: 0..1: how dark it is.
            within: ``(n, 2)`` polygon in pixels of the picture: what it falls on.
        """
        if self.empty:
            return
        rows, columns = self._below.shape[:2]
        coarse = max(1.0, soft / 4)  # a soft shadow needs no more pixels
        size = max(1, round(columns / coarse)), max(1, round(rows / coarse))
        scale = np.array((size[0] / columns, size[1] / rows))
        alpha = cv2.resize(cv2.extractChannel(self._drawn, 3), size, interpolation=cv2.INTER_AREA)
        matrix = np.array(((1, 0, shift[0] * scale[0]), (0, 1, shift[1] * scale[1])), np.float64)
        shadow = cv2.warpAffine(alpha, matrix, size, flags=cv2.INTER_LINEAR)
        ground = np.zeros(size[::-1], np.uint8)
        local = (within - self._corner + 0.5) * scale - 0.5
        cv2.fillPoly(ground, [np.asarray(np.round(local * (1 << _SHIFT)), np.int32)], 255, cv2.LINE_AA, _SHIFT)
        side = 2 * round(soft / coarse / 2) + 1
        for mask in (shadow, ground):
            cv2.blur(mask, (side, side), dst=mask)
        kept = cv2.bitwise_not(cv2.multiply(shadow, ground, scale=depth / 255))
        kept = cv2.resize(kept, (columns, rows), interpolation=cv2.INTER_LINEAR)
        cv2.multiply(self._below, cv2.merge((kept, kept, kept)), dst=self._below, scale=1 / 255)

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
