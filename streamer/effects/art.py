"""Flat art with alpha, drawn by code at high resolution, and kept in every size it is needed in."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

Bgra = NDArray[np.uint8]
Points = NDArray[np.floating[Any]]

_SIZES: Final = 2  # sizes per halving: sampled pixels are at most a fifth smaller or larger than wanted


class Art:
    """A flat piece: premultiplied BGRA pixels, and where they are in the piece's own units.

    Attributes:
        span: x1, y1, x2, y2 of the pixels in the units that matrices given to ``Layer.paste`` start from.
    """

    def __init__(self, pixels: Bgra, span: tuple[float, float, float, float]) -> None:
        self.span = span
        self._pixels = pixels
        self._sized = lru_cache(maxsize=24)(self._resize)

    def at_scale(self, across: float, along: float) -> tuple[Bgra, Points]:
        """The pixels in a size that need not shrink much any more.

        Args:
            across: wanted pixels per unit in x.
            along: the same in y.

        Returns:
            The pixels, and the matrix ``(2, 3)`` from them (centres at whole numbers) to the piece's units.
        """
        x1, y1, x2, y2 = self.span
        height, width = self._pixels.shape[:2]
        pixels = self._sized(_steps(width / (x2 - x1) / across), _steps(height / (y2 - y1) / along))
        rows, columns = pixels.shape[:2]
        dx, dy = (x2 - x1) / columns, (y2 - y1) / rows
        return pixels, np.array(((dx, 0, x1 + dx / 2), (0, dy, y1 + dy / 2)))

    def corners(self) -> Points:
        """``(4, 2)`` corners of the pixels in the piece's units."""
        x1, y1, x2, y2 = self.span
        return np.array(((x1, y1), (x2, y1), (x2, y2), (x1, y2)))

    def _resize(self, across: int, along: int) -> Bgra:
        height, width = self._pixels.shape[:2]
        size = max(1, round(width / 2 ** (across / _SIZES))), max(1, round(height / 2 ** (along / _SIZES)))
        return np.asarray(cv2.resize(self._pixels, size, interpolation=cv2.INTER_AREA), np.uint8)


def _steps(shrinking: float) -> int:
    """How many sizes down, for pixels that would shrink so many times."""
    return round(_SIZES * math.log2(max(shrinking, 1.0)))


def premultiplied(bgra: Bgra) -> Bgra:
    """BGRA ``(h, w, 4)`` with its colours multiplied by alpha."""
    alpha = cv2.extractChannel(bgra, 3)
    full = np.full_like(alpha, 255)
    return np.asarray(cv2.multiply(bgra, cv2.merge((alpha, alpha, alpha, full)), scale=1 / 255), np.uint8)


class Brush:
    """Paints art: shapes and single hairs, at twice the resolution it keeps.

    Attributes:
        span: see :class:`Art`.
    """

    def __init__(self, span: tuple[float, float, float, float], fine: int) -> None:
        """Take an empty sheet of ``fine`` pixels per unit."""
        x1, y1, x2, y2 = self.span = span
        self._scale = 2 * fine
        size = 2 * math.ceil((y2 - y1) * fine), 2 * math.ceil((x2 - x1) * fine)
        self._pixels: Bgra = np.zeros((*size, 4), np.uint8)

    def fill(self, outline: Points, colour: Points, opacity: float = 1.0, soft: float = 0.0) -> None:
        """Fill a polygon ``(n, 2)`` in one BGR colour, with an edge ``soft`` units wide."""
        mask = np.zeros(self._pixels.shape[:2], np.uint8)
        cv2.fillPoly(mask, [self._fixed(outline)], 255, cv2.LINE_AA, 4)
        if soft:
            side = 2 * round(1.2 * soft * self._scale) + 1
            mask = np.asarray(cv2.blur(cv2.blur(mask, (side, side)), (side, side)), np.uint8)
        bgr, alpha = self._pixels[..., :3], self._pixels[..., 3]
        part = mask[..., None] * np.float32(opacity / 255)
        shown = np.where(alpha[..., None] > 0, bgr, np.asarray(colour, np.float32))
        bgr[:] = np.round(shown * (1 - part) + np.asarray(colour, np.float32) * part)
        np.maximum(alpha, mask, out=alpha)

    def hairs(self, roots: Points, tips: Points, bends: Points, width: float, colours: Points) -> None:
        """Paint hairs in the order given: each bends on its way and thins out.

        Args:
            roots: ``(n, 2)`` units.
            tips: ``(n, 2)``.
            bends: ``(n, 2)``: how far its middle is off the straight line.
            width: of a root.
            colours: ``(n, 3)`` BGR.
        """
        t = np.linspace(0, 1, 6)[:, None]
        middle = roots[:, None] + t * (tips - roots)[:, None] + 4 * t * (1 - t) * bends[:, None]
        across = np.gradient(middle, axis=1)[..., ::-1] * (1.0, -1.0)
        across *= width / 2 * (1 - t) ** 0.6 / np.maximum(np.linalg.norm(across, axis=2, keepdims=True), 1e-9)
        leaves = self._fixed(np.concatenate([middle + across, (middle - across)[:, ::-1]], axis=1))
        opaque = np.column_stack([colours, np.full(len(colours), 255.0)]).tolist()
        for leaf, colour in zip(leaves, opaque, strict=True):
            cv2.fillPoly(self._pixels, [leaf], colour, cv2.LINE_8, 4)

    def fade(self, start: float, end: float) -> None:
        """Let it vanish from the height ``start`` to the height ``end``, in units."""
        y = self.span[1] + (np.arange(len(self._pixels)) + 0.5) / self._scale
        kept = np.clip((end - y) / (end - start), 0, 1)[:, None]
        self._pixels[..., 3] = np.round(self._pixels[..., 3] * kept)

    def done(self) -> Art:
        """What has been painted."""
        pixels = premultiplied(self._pixels)
        size = pixels.shape[1] // 2, pixels.shape[0] // 2
        return Art(np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8), self.span)

    def _fixed(self, points: Points) -> NDArray[np.int32]:
        return np.asarray(np.round(((points - self.span[:2]) * self._scale - 0.5) * 16), np.int32)


def smooth_line(knots: Points, at: Points) -> Points:
    """Points ``(n, k)`` of a line through knots ``(m, k)``, rounded at each, at places from 0 to 1."""
    t = np.linspace(0, 1, len(knots))
    fine = np.linspace(-0.12, 1.12, 200)
    rough = [np.interp(fine, t, column) for column in knots.T]
    kernel = np.hanning(27) / np.hanning(27).sum()
    rounded = [np.convolve(column, kernel, "same") for column in rough]
    return np.stack([np.interp(at, fine, column) for column in rounded], axis=1)
