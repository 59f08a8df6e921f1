"""Remembers what searched parts of a picture looked like, so that only what has changed is searched again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from streamer.pipeline.looks import Look
from streamer.pipeline.tracing import widened
from streamer.types import FloatArray, Image

_CELL: Final = 8  # pixels that the network sees: side of the cells in which changes are looked for
_CHANGED: Final = 6.0  # grey levels by which the mean of a cell must move; noise averages out far below
_MOST: Final = 4  # times in a row that a part is searched only where it has changed
_ROOM: Final = 0.3  # sizes by which what may change around a face is larger than its box; its cover reaches as far


@dataclass(slots=True)
class _Memory:
    """What a part looked like when nothing was found in it.

    Attributes:
        cells: mean grey levels ``(rows, columns)``; infinite where something was found, so that it is looked at again.
        times: how often in a row it was searched only where it has changed.
    """

    cells: FloatArray
    times: int = 0


class Searched:
    """What has been searched of one stream's pictures, all of the same size."""

    def __init__(self) -> None:
        self._memories: dict[Look, _Memory] = {}
        self._now: dict[Look, FloatArray] = {}

    def forget(self) -> None:
        """The next picture shows something else."""
        self._memories.clear()
        self._now.clear()

    def due(self, bgr: Image, look: Look, faces: FloatArray) -> Look | None:
        """What of a pass must be done in this picture.

        Nobody can have come without changing what is seen, and what changes in a followed face is covered with it.

        Args:
            bgr: the picture.
            look: the pass.
            faces: ``(n, 4)`` xyxy of followed faces.

        Returns:
            The pass, narrowed to where something has changed; ``None`` where nothing has.
        """
        memory, cells = self._memories.get(look), _cells(bgr, look)
        self._now[look] = cells
        if memory is None or memory.times >= _MOST:
            return look
        changed = np.abs(cells - memory.cells) >= _CHANGED
        for face in faces:
            changed[_place(look, widened(face, _ROOM))] = False
        memory.times += 1
        rows, columns = np.nonzero(changed.any(axis=1))[0], np.nonzero(changed.any(axis=0))[0]
        if not len(rows):
            return None
        corners = np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1], np.float32)
        return look.narrowed(corners * _side(look))

    def note(self, look: Look, done: Look, faces: FloatArray, found: FloatArray) -> None:
        """Remember a part that has been searched.

        Args:
            look: the pass.
            done: what :meth:`due` gave for it.
            faces: ``(n, 4)`` xyxy of followed faces.
            found: ``(m, 4)`` xyxy of what was found besides them.
        """
        cells, memory = self._now.pop(look), self._memories.get(look)
        if memory is None or done is look:
            memory = self._memories[look] = _Memory(cells)
        else:
            inside = np.array([done.left, done.top, done.right, done.bottom], np.float32)
            memory.cells[_place(look, inside)] = cells[_place(look, inside)]
        for box in (*faces, *found):
            memory.cells[_place(look, box)] = np.inf


def _cells(bgr: Image, look: Look) -> FloatArray:
    """The mean grey levels of small square cells of a part of the picture, from its upper left corner on."""
    side, part = _side(look), look.part(bgr)
    columns, rows = max(1, part.shape[1] // side), max(1, part.shape[0] // side)
    # Every second row is enough, and whole multiples make averaging three times as fast.
    grey = cv2.cvtColor(part[: rows * side : 2, : columns * side], cv2.COLOR_BGR2GRAY)
    return np.asarray(cv2.resize(grey, (columns, rows), interpolation=cv2.INTER_AREA), np.float32)


def _side(look: Look) -> int:
    """Side of a pass's cells in pixels of the picture; an even number."""
    return 2 * round(_CELL / 2 / look.scale)


def _place(look: Look, box: FloatArray) -> tuple[slice, slice]:
    """The cells of a part that a box ``(4,)`` xyxy lies in, wholly or partly."""
    inside = (box - np.array([look.left, look.top] * 2)) / _side(look)
    left, top, right, bottom = np.maximum([*np.floor(inside[:2]), *np.ceil(inside[2:])], 0).astype(int).tolist()
    return slice(top, bottom), slice(left, right)
