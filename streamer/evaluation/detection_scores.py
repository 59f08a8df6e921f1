"""How good detections are: matching them to annotated faces, precision and recall, average precision.

AP is the area under the precision-recall curve with all-point interpolation (Pascal VOC from 2010 on, Everingham
et al., IJCV 2015). Slices follow COCO: a detection of a face that is annotated but not in the slice counts
neither way.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from streamer.detectors.postprocess import box_area
from streamer.evaluation.detection_data import Photograph
from streamer.types import Detections, FloatArray

IOU: Final = 0.5
"""Least overlap of a detection with the face it found."""
PRECISION: Final = 0.9
"""Recall is reported at the score that gives this precision over all faces."""

FALSE, IGNORED = -1, -2
"""What stands for a face where a detection found none, or lies on a place to ignore."""

SIZES: Final = {
    "under 16 px": (0.0, 16.0),
    "16-32 px": (16.0, 32.0),
    "32-64 px": (32.0, 64.0),
    "64-128 px": (64.0, 128.0),
    "from 128 px": (128.0, np.inf),
}
"""Bins of a face box's shorter side in pixels of the photograph."""
ROLLS: Final = {"0-45°": (0, 45), "45-90°": (45, 90), "90-135°": (90, 135), "135-180°": (135, 181)}
"""Bins of the angle from upright, either way round."""
MASKS: Final = ("masked", "bare", "worn wrongly")


@dataclass(frozen=True, slots=True)
class Scores:
    """Precision and recall of one detector on one slice of the faces.

    Attributes:
        faces: annotated faces of the slice.
        ap: average precision at IoU 0.5, 0..1.
        recall_at_90: share of faces found at the score from which 90 % of *all* detections are right. One score
            for all slices, as in use: an unannotated passer-by would else be charged to the few masked faces.
        recall: share of faces found at the lowest score measured.
        thresholds: ``(k,)`` scores from the highest to the lowest.
        precisions: ``(k,)`` of the detections from each threshold on.
        recalls: ``(k,)`` the same.
    """

    faces: int
    ap: float
    recall_at_90: float
    recall: float
    thresholds: FloatArray
    precisions: NDArray[np.float64]
    recalls: NDArray[np.float64]

    def as_table(self) -> dict[str, Any]:
        """The scores without the curve, for JSON."""
        return {"faces": self.faces, "ap": self.ap, "recall_at_90": self.recall_at_90, "recall": self.recall}


def match(found: Detections, photograph: Photograph) -> NDArray[np.intp]:
    """Which face each detection found.

    In order of score, a detection takes the face it overlaps most among those nobody has taken, if the overlap
    is at least :data:`IOU`; a second detection of one face is therefore false. One that takes no face and lies
    with half of its area on a place to ignore is left out.

    Args:
        found: detections, best score first, in pixels of the photograph.
        photograph: the annotation.

    Returns:
        ``(k,)`` row of ``photograph.boxes``, or :data:`FALSE`, or :data:`IGNORED`.
    """
    areas = box_area(found.boxes)[:, None]
    common = _common(found.boxes, photograph.boxes)
    overlaps = common / np.maximum(areas + box_area(photograph.boxes) - common, 1e-9)
    on_ignored = _common(found.boxes, photograph.ignore).max(axis=1, initial=0) >= 0.5 * areas[:, 0]
    faces = np.where(on_ignored, IGNORED, FALSE)
    for row in range(len(found) if len(photograph.boxes) else 0):
        best = overlaps[row].argmax()
        if overlaps[row, best] >= IOU:
            faces[row] = best
            overlaps[:, best] = 0
    return faces


def _common(boxes: FloatArray, others: FloatArray) -> FloatArray:
    """Areas ``(n, m)`` that the boxes ``(n, 4)`` and ``(m, 4)`` have in common."""
    sides = np.minimum(boxes[:, None, 2:], others[:, 2:]) - np.maximum(boxes[:, None, :2], others[:, :2])
    return np.asarray(np.maximum(sides, 0).prod(axis=2), np.float32)


def score(scores: FloatArray, right: NDArray[np.bool_], faces: int, sure: float | None = None) -> Scores:
    """Precision and recall over all thresholds.

    Args:
        scores: ``(k,)`` of detections in any order; equal scores pass a threshold together.
        right: ``(k,)`` whether each found a face.
        faces: how many faces there were to find.
        sure: the score for ``recall_at_90``; by default the one that gives these detections that precision.
    """
    order = np.argsort(-scores, kind="stable")
    hits = np.cumsum(right[order], dtype=np.float64)
    last = np.flatnonzero(np.diff(scores[order], append=-np.inf))  # of equal scores
    thresholds, recalls, precisions = scores[order][last], hits[last] / max(faces, 1), hits[last] / (last + 1)
    sure = _sure(thresholds, precisions) if sure is None else sure
    return Scores(
        faces=faces,
        ap=average_precision(recalls, precisions),
        recall_at_90=float(recalls[thresholds >= sure].max(initial=0)),
        recall=float(recalls.max(initial=0)),
        thresholds=thresholds,
        precisions=precisions,
        recalls=recalls,
    )


def _sure(thresholds: FloatArray, precisions: NDArray[np.float64]) -> float:
    """Lowest score from which precision is at least :data:`PRECISION`; infinite if none gives it."""
    return float(thresholds[precisions >= PRECISION].min(initial=np.inf))


def average_precision(recalls: NDArray[np.float64], precisions: NDArray[np.float64]) -> float:
    """Area under the precision-recall curve, precision taken as the best at that recall or a higher one.

    Args:
        recalls: ``(k,)``, never falling.
        precisions: ``(k,)`` beside them.
    """
    best = np.maximum.accumulate(precisions[::-1])[::-1]
    return float((np.diff(recalls, prepend=0) * best).sum())


@dataclass(frozen=True, slots=True)
class Shown:
    """What was shown to every detector: one photograph at one roll.

    Attributes:
        photograph: its annotation.
        roll: degrees it was turned by, 0..360.
    """

    photograph: Photograph
    roll: float = 0.0


class Record:
    """All detections of one detector in the shown photographs, and their scores by slice."""

    def __init__(self) -> None:
        self._shown: list[Shown] = []
        self._scores: list[FloatArray] = []
        self._faces: list[NDArray[np.intp]] = []
        self._sides: list[FloatArray] = []

    def add(self, shown: Shown, found: Detections) -> None:
        """Match and keep the detections of one photograph."""
        self._shown.append(shown)
        self._scores.append(found.scores)
        self._faces.append(match(found, shown.photograph))
        self._sides.append(_sides(found.boxes))

    def slices(self) -> dict[str, Scores]:
        """Scores of all faces, by source, by size, by mask where somebody looked for masks, and by roll if turned."""
        whole = self._slice()
        sure = _sure(whole.thresholds, whole.precisions)
        everything = {"all": whole}
        for source in sorted({shown.photograph.source for shown in self._shown}):
            everything[source] = self._slice(sure, source=source)
        for name, limits in SIZES.items():
            everything[name] = self._slice(sure, sides=limits)
        for mask in MASKS:
            everything[mask] = self._slice(sure, mask=mask)
        if any(shown.roll for shown in self._shown):
            everything |= {name: self._slice(sure, rolls=limits) for name, limits in ROLLS.items()}
        return {name: scores for name, scores in everything.items() if scores.faces}

    def _slice(
        self,
        sure: float | None = None,
        *,
        source: str | None = None,
        mask: str | None = None,
        sides: tuple[float, float] = (0.0, np.inf),
        rolls: tuple[float, float] = (0.0, 181.0),
    ) -> Scores:
        scores, right, total = [np.zeros(0, np.float32)], [np.zeros(0, np.bool_)], 0
        for shown, values, faces, found in zip(self._shown, self._scores, self._faces, self._sides, strict=True):
            photograph, away = shown.photograph, min(shown.roll, 360 - shown.roll)
            looked = mask is None or bool(np.isin(photograph.masks, MASKS).any())
            if not looked or source not in (None, photograph.source) or not rolls[0] <= away < rolls[1]:
                continue
            truth = _sides(photograph.boxes)
            wanted = (truth >= sides[0]) & (truth < sides[1])
            if mask is not None:
                wanted &= photograph.masks == mask
            total += int(wanted.sum())
            hit = np.append(wanted, [False, False])[faces]  # the last two stand for IGNORED and FALSE
            false = (faces == FALSE) & (found >= sides[0]) & (found < sides[1])
            scores.append(values[hit | false])
            right.append(hit[hit | false])
        return score(np.concatenate(scores), np.concatenate(right), total, sure)


def _sides(boxes: FloatArray) -> FloatArray:
    """Shorter sides ``(n,)`` of boxes ``(n, 4)``."""
    return np.asarray((boxes[:, 2:] - boxes[:, :2]).min(axis=1, initial=np.inf), np.float32)
