"""Detection for covers: every part of the picture is searched closely and in all turns, a share in each frame.

A frame need not be searched whole: what the next frames find is traced back into it (see ``hindsight``). So the cost of
one close search is spread over :data:`ROUND` frames.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Collection, Sequence
from copy import copy
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

import cv2
import numpy as np

from streamer.detectors import Detector
from streamer.detectors.base import enlarge, shrink
from streamer.detectors.postprocess import overlap
from streamer.detectors.registry import DETECTORS
from streamer.detectors.rotation import TURNS, View, roll_of, settle, turned_pass
from streamer.pipeline.hidden import besides
from streamer.types import NO_BOXES, Detections, FloatArray, Image, boxes_of
from trackers import Track

ROUND: Final = 6
"""Frames within which every part of the picture has been searched."""

_FAINT: Final = 0.14  # share of the network's own score from which a find is looked at once more, alone
_DOUBT: Final = 0.5  # likewise that it must have then to count, and upright without that when there are too many
_CLEAR: Final = 0.7  # likewise from which an upright find counts in any case
_CHECK: Final = 96  # pixels of a face that is looked at alone; at 48 and 64 more real ones were taken for none
_AROUND: Final = 7 / 3  # sides of a face that are seen then
_VERDICT: Final = 2 * ROUND  # frames for which what was found then is believed
_SAME: Final = 0.5  # overlap (IoU) from which two finds are of one place
_LIKELIER: Final = 0.1  # score by which a find must surpass one that was none, to be looked at again
_MOST_CHECKS: Final = 6  # finds that are looked at alone in one frame
_TURN_ROUNDS: Final = 3  # rounds in which a turn that a face had is searched closely
_SMALLEST: Final = 12  # pixels of the picture: smaller faces are not looked for
_CLOSE: Final = 1920  # pixels: longest side that is searched closely. Shrunk to 0.75 of that, the same pass saw a face
# of 22 pixels with a score between 0 and 0.4, depending on where it lay; in full always with 0.2 to 0.7
_MOST_STILL: Final = 2560  # likewise of a picture that stands still: it may take longer
_TILE: Final = 640  # pixels: greatest side of the parts that are searched in one go, overlaps apart
_WIDE: Final = 480  # pixels: longest side for the pass over the whole picture
_TURNED: Final = 320  # likewise for the turned ones
_OVERLAP: Final = 24 / _WIDE  # of the longest side: larger faces are found by the pass over the whole
_LEAST_SHARE: Final = 1e5  # pixels searched in a frame at the least: more would be left for a later one in vain
_CELL: Final = 8  # pixels: side of the cells in which changes are looked for
_CHANGED: Final = 6.0  # grey levels by which the mean of a cell must move; noise averages out far below
_MOST_SKIPPED: Final = 4  # rounds in a row in which a part that has not changed need not be searched


@dataclass(frozen=True, slots=True)
class _Look:
    """One pass of the detector.

    Attributes:
        left: of its part of the picture; this and the next three in pixels.
        top: likewise.
        right: likewise.
        bottom: likewise.
        turn: roll in degrees that it shows upright.
        side: longest side in pixels that the part is shrunk to.
    """

    left: int
    top: int
    right: int
    bottom: int
    turn: int
    side: int

    @property
    def cost(self) -> float:
        """Pixels the network sees."""
        width, height = self.right - self.left, self.bottom - self.top
        return float(width * height * min(1.0, self.side / max(width, height)) ** 2)

    def part(self, bgr: Image) -> Image:
        """Its part of a picture."""
        return bgr[self.top : self.bottom, self.left : self.right]


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a frame before it is searched.

    Attributes:
        turns: rolls in degrees, of :data:`TURNS`, that followed faces have: these are searched closely, too.
        faces: ``(n, 4)`` xyxy of the followed faces.
    """

    turns: Collection[int] = ()
    faces: FloatArray = field(default_factory=lambda: NO_BOXES)

    @classmethod
    def of(cls, tracks: Sequence[Track]) -> Known:
        """What the followed tracks tell."""
        rolls = [float(track.pose[1]) for track in tracks if track.pose is not None]
        return cls(_turns_of(rolls), boxes_of(tracks))


@dataclass(frozen=True, slots=True)
class _Verdict:
    """What was found when a place was looked at alone.

    Attributes:
        frame: number of the frame.
        box: ``(4,)`` xyxy of the place.
        score: of the find there.
        face: whether it may be one.
    """

    frame: int
    box: FloatArray
    score: float
    face: bool


@dataclass(slots=True)
class _Empty:
    """What a part of the picture looked like when nothing was found in it, and how often it was skipped since."""

    cells: FloatArray
    skipped: int = 0


class Lookout:
    """Looks for everything that may be a face; belongs to one stream.

    Args:
        detector: whose network is used; score, sizes and turns that are configured do not count here.
    """

    def __init__(self, detector: Detector) -> None:
        self._detector = copy(detector)
        self._own = DETECTORS[detector.name].score
        self._detector.score = self._own * _FAINT
        self._detector.min_face, self._detector.max_side = _SMALLEST, _MOST_STILL
        self._left: deque[_Look] = deque()
        self._empty: dict[_Look, _Empty] = {}
        self._size = 0, 0
        self._planned: set[int] = set()
        self._share = self._credit = 0.0
        self._began = 0
        self._verdicts: deque[_Verdict] = deque()
        self._turns: dict[int, int] = {}
        self._frame = 0

    def search(self, bgr: Image, known: Known) -> FloatArray:
        """Search this frame's share of the picture.

        Args:
            bgr: the picture.
            known: what need not be found.

        Returns:
            ``(n, 4)`` xyxy boxes of what may be another face; one may be among them more than once.
        """
        self._frame += 1
        self._plan(bgr.shape[:2], self._turns_now(known))
        self._credit += self._share
        looks = []
        while self._left and self._credit > 0:
            look = self._left.popleft()
            if not self._skip(bgr, look):
                looks.append(look)
                self._credit -= look.cost
        return self._look(bgr, looks, known, _MOST_CHECKS)

    def _plan(self, size: tuple[int, int], turns: set[int]) -> None:
        """Begin another round when one is over, and take up a turn in which a face has been seen meanwhile."""
        if not self._left or size != self._size:
            if size != self._size:
                self._empty.clear()
            self._left, self._planned, self._size = deque(_round(size, turns, _CLOSE)), turns, size
            self._began, self._credit = self._frame, 0.0
        elif turns - self._planned:
            self._left += _close_looks(size, turns - self._planned, _CLOSE)
            self._planned = self._planned | turns
        else:
            return
        due = max(ROUND - (self._frame - self._began), ROUND // 2)
        self._share = max((sum(look.cost for look in self._left) - self._credit) / due, _LEAST_SHARE)

    def search_all(self, bgr: Image, known: Known | None = None, *, still: bool = False) -> FloatArray:
        """Search all of a picture at once, because no further frame follows.

        Args:
            bgr: the picture.
            known: as for :meth:`search`.
            still: the picture will be looked at at leisure, so that the search may take longer.

        Returns:
            As from :meth:`search`.
        """
        self._left.clear()
        known = known or Known()
        looks = _round(bgr.shape[:2], self._turns_now(known), _MOST_STILL if still else _CLOSE)
        return self._look(bgr, looks, known, _MOST_CHECKS * ROUND)

    def _turns_now(self, known: Known) -> set[int]:
        return {turn for turn, last in self._turns.items() if last >= self._frame}.union(known.turns)

    def _skip(self, bgr: Image, look: _Look) -> bool:
        """Whether a part need not be searched because it was empty and has not changed: nobody can have come."""
        empty = self._empty.get(look)
        if empty is not None:
            empty.skipped += 1
            if empty.skipped <= _MOST_SKIPPED and np.abs(_cells(bgr, look) - empty.cells).max() < _CHANGED:
                return True
            del self._empty[look]
        return False

    def _look(self, bgr: Image, looks: Sequence[_Look], known: Known, checks: int) -> FloatArray:
        """What may be a face in some parts of the picture; ``checks`` finds at the most are looked at alone."""
        found, faint = [], []
        for look in looks:
            seen = self._detect(bgr, look)
            if not len(seen):
                self._empty[look] = _Empty(_cells(bgr, look))
            for box, score in zip(seen.boxes, seen.scores.tolist(), strict=True):
                if score >= self._own * _CLEAR and not look.turn:
                    found.append(box)
                else:  # turned passes find upright faces, too, and parts of them
                    faint.append((score, look.turn, box))
        others = [*known.faces, *besides(np.array(found, np.float32).reshape(-1, 4), known.faces, parts=True)]
        for score, turn, box in sorted(faint, key=lambda each: -each[0]):
            if others and not len(besides(box[None], np.array(others), parts=True)):
                continue
            verdict = self._verdict(box, score)
            if verdict is None and checks > 0:
                checks -= 1
                verdict = self._check(bgr, box, turn)
                if verdict and turn:
                    self._note_turn(bgr, box)
                self._verdicts.append(_Verdict(self._frame, box, score, verdict))
            if score >= self._own * _DOUBT if verdict is None else verdict:
                others.append(box)
        return np.array(others[len(known.faces) :], np.float32).reshape(-1, 4)

    def _note_turn(self, bgr: Image, box: FloatArray) -> None:
        """Have the picture searched closely for a while in the turn that a face has; others may lie like it."""
        rolls = roll_of(settle(self._detector, bgr, box).keypoints).tolist()
        for turn in _turns_of(rolls):
            self._turns[turn] = self._frame + _TURN_ROUNDS * ROUND

    def _verdict(self, box: FloatArray, score: float) -> bool | None:
        """What was found lately when a place was looked at alone; ``None`` where none was, or it looked less likely."""
        while self._verdicts and self._frame - self._verdicts[0].frame > _VERDICT:
            self._verdicts.popleft()
        if not self._verdicts:
            return None
        shared = overlap(box, np.array([verdict.box for verdict in self._verdicts]))
        verdict = self._verdicts[int(shared.argmax())]
        if shared.max() <= _SAME or (not verdict.face and score > verdict.score + _LIKELIER):
            return None
        return verdict.face

    def forget(self) -> None:
        """The next frame shows something else."""
        self._left.clear()
        self._empty.clear()
        self._verdicts.clear()
        self._turns.clear()

    def _check(self, bgr: Image, box: FloatArray, turn: int) -> bool:
        """Whether a faint find still looks like a face when it is looked at alone, and larger or smaller."""
        view = View.of_face(box, turn, round(_CHECK * _AROUND), _AROUND)
        seen = view.detect(self._detector, bgr, 1)
        middles = (seen.boxes[:, :2] + seen.boxes[:, 2:] - box[:2] - box[2:]) / 2
        near = np.linalg.norm(middles, axis=1) < 0.4 * (box[2:] - box[:2]).max()
        return bool((seen.scores[near] >= self._own * _DOUBT).any())

    def _detect(self, bgr: Image, look: _Look) -> Detections:
        if look.turn:
            seen = turned_pass(self._detector, look.part(bgr), look.turn, look.side)
        else:
            small, back = shrink(look.part(bgr), look.side)
            seen = enlarge(self._detector.detect(small, min_face=_SMALLEST / max(back)), back)
        corner = np.array([look.left, look.top] * 2, np.float32)
        return Detections(seen.boxes + corner, seen.scores, seen.keypoints)


def _turns_of(rolls: Sequence[float]) -> set[int]:
    """The turns of :data:`TURNS` that faces with these rolls, in degrees, are nearest to; none for upright ones."""
    return {round(roll / 90) * 90 % 360 for roll in rolls} - {0}


def _round(size: tuple[int, int], turns: Collection[int], close: int) -> list[_Look]:
    """The passes that search all of a picture.

    Args:
        size: height and width.
        turns: see :class:`Known`.
        close: longest side in pixels that the picture is shrunk to for the close search.
    """
    height, width = size
    looks = [_Look(0, 0, width, height, turn, _TURNED if turn else _WIDE) for turn in (0, *TURNS)]
    return looks if max(size) <= _WIDE else looks + _close_looks(size, {0}.union(turns), close)


def _close_looks(size: tuple[int, int], turns: Collection[int], close: int) -> list[_Look]:
    """The passes that search all of a picture closely, part by part; arguments as for :func:`_round`."""
    longest, looks = max(size), []
    scale, room = min(1.0, close / longest), math.ceil(longest * _OVERLAP / 2)
    for turn in sorted(turns):
        for top, bottom in _parts(size[0], scale, room):
            for left, right in _parts(size[1], scale, room):
                side = math.ceil(max(right - left, bottom - top) * scale)
                looks.append(_Look(left, top, right, bottom, turn, side))
    return looks


def _parts(length: int, scale: float, room: int) -> list[tuple[int, int]]:
    """Begin and end of equal parts of a side of the picture, each reaching ``room`` pixels into its neighbours."""
    count = math.ceil(length * scale / _TILE)
    ends = np.linspace(0, length, count + 1).round().astype(int).tolist()
    return [(max(begin - room, 0), min(end + room, length)) for begin, end in pairwise(ends)]


def _cells(bgr: Image, look: _Look) -> FloatArray:
    """The mean grey levels of small cells of a part of the picture."""
    grey = cv2.cvtColor(look.part(bgr), cv2.COLOR_BGR2GRAY)
    size = max(1, grey.shape[1] // _CELL), max(1, grey.shape[0] // _CELL)
    return np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), np.float32)
