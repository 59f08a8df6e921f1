"""Solid pieces such as a hat or the rims of glasses: surfaces in head units, lit and drawn far to near."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from streamer.effects.head3d import Head
from streamer.effects.overlay import Layer

Points = NDArray[np.floating[Any]]


def _unit(*vector: float) -> Points:
    return np.asarray(np.array(vector) / np.linalg.norm(vector))


_LIGHT: Final = _unit(-0.35, -0.75, -0.6)  # the camera's axes: a lamp above and to the left of it
_HALFWAY: Final = _unit(_LIGHT[0], _LIGHT[1], _LIGHT[2] - 1.0)  # Blinn's halfway vector towards the camera
_AMBIENT: Final = 0.5
_DIFFUSE: Final = 0.62
_SHARPNESS: Final = 24.0  # exponent of highlights


@dataclass(frozen=True)
class Solid:
    """A surface of quadrilaterals.

    Attributes:
        corners: ``(n, 4, 3)`` head units, clockwise for who looks at its outside.
        colours: ``(n, 3)`` BGR 0..255.
        alpha: ``(n,)`` 0..1.
        gloss: ``(n,)`` 0..1: how strong highlights are.
        lining: ``(n,)`` how bright its inside is, as a part of the outside; 0 where the inside is not drawn.
    """

    corners: Points
    colours: Points
    alpha: Points
    gloss: Points
    lining: Points

    @cached_property
    def middles(self) -> Points:
        """``(n, 3)`` middles of the quadrilaterals in head units."""
        return np.asarray(self.corners.mean(axis=1))

    @cached_property
    def spread(self) -> Points:
        """``(n, 3)`` every other corner: what spans as much of a picture, but for a part of one quadrilateral."""
        return np.asarray(self.corners[:, ::2].reshape(-1, 3))

    @cached_property
    def _normals(self) -> Points:
        """``(n, 3)`` unit vectors outwards."""
        corners = self.corners
        normals = np.cross(corners[:, 2] - corners[:, 0], corners[:, 1] - corners[:, 3])
        return np.asarray(normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12))

    def __add__(self, other: Solid) -> Solid:
        names = ("corners", "colours", "alpha", "gloss", "lining")
        return Solid(*(np.concatenate([getattr(self, name), getattr(other, name)]) for name in names))

    def draw(self, layer: Layer, head: Head, only: NDArray[np.bool_] | None = None, opacity: float = 1.0) -> None:
        """Draw it over what is there, far parts first.

        Args:
            layer: where.
            head: whose.
            only: ``(n,)`` which quadrilaterals.
            opacity: 0..1.
        """
        if layer.empty:
            return
        normals = self._normals @ head.rotation.T
        outside = normals[:, 2] < 0
        seen = np.flatnonzero((outside | (self.lining > 0)) if only is None else only & (outside | (self.lining > 0)))
        seen = seen[np.argsort(-(self.middles[seen] @ head.rotation[2]))]
        if not len(seen):
            return
        colours = self._lit(seen, normals[seen], outside[seen], opacity)
        flat = self.corners[seen] @ (head.scale * head.rotation[:2].T) + head.origin
        layer.polygons(layer.fixed(flat), colours.tolist())

    def _lit(
        self, seen: NDArray[np.intp], normals: Points, outside: NDArray[np.bool_], opacity: float
    ) -> NDArray[np.int64]:
        """Premultiplied BGRA ``(n, 4)`` as the lamp shows them (Blinn & Phong)."""
        normals = np.where(outside[:, None], normals, -normals)
        tone = _AMBIENT + _DIFFUSE * np.maximum(normals @ _LIGHT, 0)
        tone *= np.where(outside, 1.0, self.lining[seen])
        shine = 255 * self.gloss[seen] * np.maximum(normals @ _HALFWAY, 0) ** _SHARPNESS * outside
        bgr = np.minimum(self.colours[seen] * tone[:, None] + shine[:, None], 255)
        alpha = opacity * self.alpha[seen][:, None]
        return np.asarray(np.round(np.column_stack([bgr, np.full(len(bgr), 255.0)]) * alpha), np.int64)


def sheet(
    grid: Points,
    colour: Points | Sequence[float],
    *,
    alpha: float | Points = 1.0,
    gloss: float = 0.0,
    lining: float = 0.0,
    closed: bool = False,
) -> Solid:
    """A surface through a grid of points.

    Args:
        grid: ``(rows, columns, 3)`` head units; seen from outside, rows go down and columns to the right.
        colour: BGR of all, or ``(rows - 1, columns, 3)`` (one column less where it is open).
        alpha: of all, or ``(rows - 1, columns)`` likewise.
        gloss: see :class:`Solid`.
        lining: see :class:`Solid`.
        closed: the last column joins the first.
    """
    if closed:
        grid = np.concatenate([grid, grid[:, :1]], axis=1)
    corners = np.stack([grid[:-1, :-1], grid[:-1, 1:], grid[1:, 1:], grid[1:, :-1]], axis=2)
    rows, columns = corners.shape[:2]
    count = rows * columns
    colours = np.broadcast_to(np.asarray(colour, np.float64), (rows, columns, 3)).reshape(count, 3)
    alphas = np.broadcast_to(np.asarray(alpha, np.float64), (rows, columns)).reshape(count)
    return Solid(corners.reshape(count, 4, 3), colours, alphas, np.full(count, gloss), np.full(count, lining))


def tube(
    path: Points,
    radius: float | Points,
    colour: Points | Sequence[float],
    *,
    closed: bool = False,
    sides: int = 6,
    flat: float = 1.0,
    alpha: float | Points = 1.0,
    gloss: float = 0.0,
) -> Solid:
    """A tube along a line.

    Args:
        path: ``(n, 3)`` head units.
        radius: of the whole tube, or ``(n,)``.
        colour: BGR of all, or ``(sides, segments, 3)``.
        closed: the end joins the start.
        sides: corners of its cross-section.
        flat: its thickness towards the camera as a part of its width, for a path in a plane that faces the camera.
        alpha: of all, or ``(segments,)``.
        gloss: see :class:`Solid`.
    """
    ahead, behind = np.roll(path, -1, axis=0), np.roll(path, 1, axis=0)
    if not closed:
        ahead[-1], behind[0] = path[-1], path[0]
    along = ahead - behind
    along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-9)
    reference = np.array((0.0, 0.0, 1.0)) if np.abs(along[:, 2]).mean() < 0.7 else np.array((0.0, 1.0, 0.0))
    first = np.cross(along, reference)
    first /= np.maximum(np.linalg.norm(first, axis=1, keepdims=True), 1e-9)
    second = np.cross(along, first) * flat
    angles = np.linspace(0, 2 * np.pi, sides, endpoint=False)
    radii = np.broadcast_to(np.asarray(radius, np.float64), len(path))[:, None]
    rings = [path + radii * (np.cos(a) * first + np.sin(a) * second) for a in [*angles, angles[0]]]
    return sheet(np.stack(rings), colour, alpha=alpha, gloss=gloss, closed=closed)
