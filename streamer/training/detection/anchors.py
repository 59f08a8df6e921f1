"""The anchors of a picture in one table: what assignment, the teacher's hints and the losses index into."""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from streamer.detectors.retinaface import ANCHORS
from streamer.detectors.tinymog import ANCHORS_PER_CELL, STRIDES, anchors_at
from streamer.types import FloatArray

SIDES: Final[FloatArray] = ANCHORS.ravel()
"""Sides of the six anchors in pixels; SCRFD and RetinaFace have the same ones."""


class Anchors(NamedTuple):
    """All anchors of one input size, level by level, row by row, a cell's two next to each other.

    Attributes:
        centres: ``(a, 2)`` float32 pixels.
        sides: ``(a,)`` float32 pixels.
        strides: ``(a,)`` float32 pixels.
        starts: ``(3,)`` where each level begins.
        columns: ``(3,)`` cells in a row of each level.
        rows: ``(3,)`` cells in a column of each level.
    """

    centres: FloatArray
    sides: FloatArray
    strides: FloatArray
    starts: NDArray[np.intp]
    columns: NDArray[np.intp]
    rows: NDArray[np.intp]

    def nearest(self, centres: FloatArray, kinds: NDArray[np.intp]) -> NDArray[np.intp]:
        """The anchors nearest to places.

        Args:
            centres: ``(k, 2)`` pixels.
            kinds: ``(k,)`` which of the six anchors, smallest first.

        Returns:
            ``(k,)``.
        """
        level = kinds // ANCHORS_PER_CELL
        cell = np.rint(centres / np.array(STRIDES)[level, None]).astype(np.intp)
        column, row = cell[:, 0].clip(0, self.columns[level] - 1), cell[:, 1].clip(0, self.rows[level] - 1)
        within = (row * self.columns[level] + column) * ANCHORS_PER_CELL + kinds % ANCHORS_PER_CELL
        return np.asarray(self.starts[level] + within, np.intp)


@lru_cache(maxsize=8)
def anchor_table(height: int, width: int) -> Anchors:
    """The table of an input size; both sides multiples of 32."""
    every = np.array(STRIDES)
    rows, columns = height // every, width // every
    counts = rows * columns * ANCHORS_PER_CELL
    centres, strides = anchors_at(np.arange(counts.sum()), (height, width))
    sides = np.concatenate(
        [np.tile(pair, count // ANCHORS_PER_CELL) for pair, count in zip(ANCHORS, counts, strict=True)]
    )
    return Anchors(centres, sides, strides[:, 0], np.cumsum(counts) - counts, columns, rows)
