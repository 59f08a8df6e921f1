"""Detection for covers: every part of the picture is searched closely and in all turns, a share in each frame.

A frame need not be searched whole: what the next frames find is traced back into it (see ``hindsight``). So the cost of
one close search is spread over :data:`ROUND` frames.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from copy import copy
from dataclasses import dataclass, field
from typing import Final

import cv2
import numpy as np

from streamer.detectors import Detector
from streamer.detectors.base import enlarge, shrink
from streamer.detectors.postprocess import overlap
from streamer.detectors.registry import DETECTORS
from streamer.detectors.rotation import TURNS, View, roll_of, settle, turned_pass
from streamer.pipeline.hidden import besides
from streamer.pipeline.looks import Look, looks_over
from streamer.pipeline.searched import Searched
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
_LEAST_SHARE: Final = 1e5  # pixels searched in a frame at the least: more would be left for a later one in vain
_SCENE: Final = 32  # pixels: sides of the small picture by which a cut is told
_SAMPLES: Final = 128  # pixels of the longest side that it is made from
_CUT: Final = 20.0  # grey levels by which its median pixel moves at a cut; without one by up to 14 in our clips
_THREADS: Final = 2  # that search a whole picture; a frame's share takes one, beside the frame's own analysis


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


class Lookout:
    """Looks for everything that may be a face; belongs to one stream, whose frames come one at a time.

    Its threads live for one search each, so that nobody need close it.

    Args:
        detector: whose network is used; score, sizes and turns that are configured do not count here.
    """

    def __init__(self, detector: Detector) -> None:
        self._detector = copy(detector)
        self._own = DETECTORS[detector.name].score
        self._detector.score = self._own * _FAINT
        self._detector.min_face, self._detector.max_side = _SMALLEST, _MOST_STILL
        self._searched = Searched()
        self._verdicts: deque[_Verdict] = deque()
        self._turns: dict[int, int] = {}
        self._frame = self._began = 0
        self._size = 0, 0
        self._scene = np.zeros((0, 0), np.float32)
        self._plan: list[list[Look]] = []
        self._planned: set[int] = set()

    def forget(self) -> None:
        """The next frame shows something else."""
        self._searched.forget()
        self._verdicts.clear()
        self._size = 0, 0  # of no picture: with the next one a scene begins

    def begin(self, bgr: Image, known: Known) -> Future[FloatArray]:
        """Search this frame's share of the picture on another thread; wait for it before anything else is asked.

        Args:
            bgr: the picture.
            known: what need not be found.

        Returns:
            Brings ``(n, 4)`` xyxy boxes of what may be another face; one may be among them more than once.
        """
        thread = ThreadPoolExecutor(1, "lookout")
        finds = thread.submit(self._share, bgr, known)
        thread.shutdown(wait=False)
        return finds

    def _share(self, bgr: Image, known: Known) -> FloatArray:
        self._frame += 1
        self._watch(bgr)
        turns = {0} | self._turns_now(known)
        if turns != self._planned:
            self._replan(turns)
        if self._frame == self._began:  # tracing later finds back into it does not always succeed
            return self._look_together(bgr, [look for share in self._plan for look in share], known)
        return self._look(bgr, self._plan[(self._frame - self._began) % len(self._plan)], known, _MOST_CHECKS)

    def _watch(self, bgr: Image) -> None:
        """Notice that another scene has begun: its first frame is searched whole, and the round in all turns."""
        step = max(1, max(bgr.shape) // _SAMPLES)  # averaging all pixels takes a millisecond
        small = cv2.resize(bgr[::step, ::step], (_SCENE, _SCENE), interpolation=cv2.INTER_AREA)
        before, self._scene = self._scene, np.asarray(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY), np.float32)
        if bgr.shape[:2] != self._size or np.median(np.abs(self._scene - before)) > _CUT:
            self._searched.forget()
            self._size, self._plan, self._planned = bgr.shape[:2], [], set()
            self._turns, self._began = dict.fromkeys(TURNS, self._frame + ROUND - 1), self._frame

    def _replan(self, turns: set[int]) -> None:
        """Share the passes out among the frames of a round, so that each comes again as many frames later."""
        wanted = looks_over(self._size, turns, _CLOSE)
        if not self._plan:
            least = math.ceil(sum(look.cost for look in wanted) / _LEAST_SHARE)
            self._plan = [[] for _ in range(min(ROUND, least))]
        self._plan = [[look for look in share if look in wanted] for share in self._plan]
        planned = {look for share in self._plan for look in share}
        fresh = [look for look in wanted if look not in planned]
        # The passes in further turns apart: when they end, the others are still spread evenly.
        self._spread([look for look in fresh if look.turn == 0 or look.room is None])
        self._spread([look for look in fresh if look.turn and look.room is not None])
        self._planned = turns

    def _spread(self, looks: list[Look]) -> None:
        """Add passes to the round's frames, those over the whole picture first, at equal distances by their cost."""
        loads = [sum(look.cost for look in share) for share in self._plan]
        total, before, first = sum(look.cost for look in looks), 0.0, loads.index(min(loads))
        for look in sorted(looks, key=lambda each: each.room is not None):
            frame = first + int(len(self._plan) * before / total)
            self._plan[frame % len(self._plan)].append(look)
            before += look.cost

    def search_all(self, bgr: Image, known: Known | None = None, *, still: bool = False) -> FloatArray:
        """Search all of a picture at once, because no further frame follows; on all threads.

        Args:
            bgr: the picture.
            known: as for :meth:`begin`.
            still: the picture will be looked at at leisure: the search may take longer, and is close in every turn.

        Returns:
            What :meth:`begin` brings.
        """
        self._frame += 1
        known = known or Known()
        turns = {0, *TURNS} if still else {0} | self._turns_now(known)
        looks = looks_over(bgr.shape[:2], turns, _MOST_STILL if still else _CLOSE)
        if still:
            self._searched.forget()
        return self._look_together(bgr, looks, known)

    def _turns_now(self, known: Known) -> set[int]:
        return {turn for turn, last in self._turns.items() if last >= self._frame}.union(known.turns)

    def _look_together(self, bgr: Image, looks: Sequence[Look], known: Known) -> FloatArray:
        """The same as :meth:`_look` for all that is to be searched of a picture."""
        with ThreadPoolExecutor(_THREADS, "lookout") as threads:
            return self._look(bgr, looks, known, _MOST_CHECKS * ROUND, threads.map)

    def _look(
        self,
        bgr: Image,
        looks: Sequence[Look],
        known: Known,
        checks: int,
        run: Callable[..., Iterable[Detections]] = map,
    ) -> FloatArray:
        """What may be a face in some parts of the picture.

        Args:
            bgr: the picture.
            looks: the passes.
            known: see :meth:`begin`.
            checks: finds that are looked at alone at the most.
            run: carries the passes out, as ``map`` does.
        """
        due = [(look, part) for look in looks if (part := self._searched.due(bgr, look, known.faces)) is not None]
        found, faint = [], []
        for (look, part), seen in zip(due, run(lambda each: self._detect(bgr, each[1]), due), strict=True):
            self._searched.note(look, part, known.faces, besides(seen.boxes, known.faces, parts=True))
            for box, score in zip(seen.boxes, seen.scores.tolist(), strict=True):
                if score >= self._own * _CLEAR and not look.turn:
                    found.append(box)
                else:  # turned passes find upright faces, too, and parts of them
                    faint.append((score, look.turn, box))
        clear = besides(np.array(found, np.float32).reshape(-1, 4), known.faces, parts=True)
        return self._judge(bgr, [*known.faces, *clear], faint, checks)[len(known.faces) :]

    def _judge(
        self, bgr: Image, others: list[FloatArray], faint: list[tuple[float, int, FloatArray]], checks: int
    ) -> FloatArray:
        """Add to the certain places those of the faint finds, with score, turn and box, that may be faces."""
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
        return np.array(others, np.float32).reshape(-1, 4)

    def _note_turn(self, bgr: Image, box: FloatArray) -> None:
        """Have the picture searched closely for a while in the turn that a face has; others may lie like it."""
        face = settle(self._detector, bgr, box)
        sure = face.scores >= self._own  # of an upright crowd the turned passes see much that is none
        for turn in _turns_of(roll_of(face.keypoints[sure]).tolist()):
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

    def _check(self, bgr: Image, box: FloatArray, turn: int) -> bool:
        """Whether a faint find still looks like a face when it is looked at alone, and larger or smaller."""
        view = View.of_face(box, turn, round(_CHECK * _AROUND), _AROUND)
        seen = view.detect(self._detector, bgr, 1)
        middles = (seen.boxes[:, :2] + seen.boxes[:, 2:] - box[:2] - box[2:]) / 2
        near = np.linalg.norm(middles, axis=1) < 0.4 * (box[2:] - box[:2]).max()
        return bool((seen.scores[near] >= self._own * _DOUBT).any())

    def _detect(self, bgr: Image, look: Look) -> Detections:
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
