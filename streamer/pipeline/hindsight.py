"""Hides what is found a moment late: frames wait until what the next ones show has been traced back into them.

A face is not found in the first frame that shows it: the search takes its time, and a face may come from behind
another, turned away, or blurred. While faces are to be covered, frames are therefore shown :data:`DELAY` frames late.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from streamer.pipeline.lookout import ROUND
from streamer.pipeline.tracing import joined, share_inside, trace, widened
from streamer.types import FloatArray, FrameResult, freeze

DELAY: Final = ROUND - 1
"""Frames by which covered pictures are late: until every part of the picture has been searched once more."""

_ROOM: Final = 0.5  # sizes by which a traced place is larger than the face, on all sides together
_LOST_ROOM: Final = 0.5  # likewise for every frame in which the patch was not found again
_INSIDE: Final = 0.85  # part of a traced face that must lie in a place that is covered anyway


@dataclass(slots=True)
class _Waiting:
    """A frame that is not shown yet, and places found in it since."""

    result: FrameResult
    further: list[FloatArray] = field(default_factory=list)

    def covers(self, box: FloatArray) -> bool:
        """Whether a box is covered in this frame."""
        places = [*(face.box for face in self.result.faces), *self.result.hidden, *self.further]
        return bool(places) and bool((share_inside(box, np.array(places)) >= _INSIDE).any())

    def finished(self) -> FrameResult:
        """The result with all its places."""
        if not self.further:
            return self.result
        return replace(self.result, hidden=freeze(np.concatenate([self.result.hidden, self.further])))


class Hindsight:
    """The frames of one stream that wait."""

    def __init__(self) -> None:
        self._frames: deque[_Waiting] = deque()

    def __len__(self) -> int:
        return len(self._frames)

    def add(self, result: FrameResult, appeared: FloatArray) -> None:
        """Let a frame wait, and trace back what has appeared in it.

        Args:
            result: the frame; of the same film as those that wait.
            appeared: ``(n, 4)`` xyxy of what may be a face in it and was not followed there.
        """
        self._frames.append(_Waiting(result))
        for box in appeared:
            self._trace(box)

    def found(self, boxes: FloatArray) -> None:
        """Cover in the newest frame what was found in it only now, ``(n, 4)`` xyxy, and trace it back."""
        for box in boxes:
            self._frames[-1].further.append(widened(box, _ROOM))
            self._trace(box)

    def take(self, delay: int) -> list[FrameResult]:
        """The frames that no longer need to wait, oldest first, when ``delay`` of them stay."""
        return [self._frames.popleft().finished() for _ in range(len(self._frames) - delay)]

    def _trace(self, box: FloatArray) -> None:
        """Follow a face back from the newest frame until it was covered anyway in two frames in a row."""
        frames = list(self._frames)
        known, room = 0, _ROOM
        for later, earlier in zip(frames[:0:-1], frames[-2::-1], strict=True):
            there = trace(later.result.frame.image, box, earlier.result.frame.image)
            room += _LOST_ROOM if there is None else 0.0
            way = box if there is None else joined(box, there)
            box = box if there is None else there
            known = known + 1 if earlier.covers(box) else 0
            if known == 2:
                return
            if not known:
                earlier.further.append(widened(way, room, box))
