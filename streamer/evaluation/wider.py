"""The official WIDER FACE evaluation (Yang et al., CVPR 2016): easy, medium and hard average precision.

What the authors' ``eval_tools`` compute, and the Python port that papers use: every picture has all its annotated
faces and, per level, the numbers of those that count. Scores are stretched to 0..1 over the whole data set. In
order of score a detection belongs to the face it overlaps most; at IoU 0.5 or more (sides counted in whole
pixels, so one is added) with a face that does not count it is left out, with a face found before it is false.
Precision and recall are read at 1,000 thresholds, AP is the area under their curve (all-point interpolation).
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from streamer.evaluation.detection_scores import average_precision
from streamer.training.datasets import DatasetError
from streamer.types import Detections

LEVELS: Final = ("easy", "medium", "hard")
THRESHOLDS: Final = 1000
IOU: Final = 0.5

_Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class WiderPicture:
    """One picture of the validation set with its annotation.

    Attributes:
        event: folder the picture lies in, such as ``0--Parade``.
        file: its name without ``.jpg``.
        boxes: ``(n, 4)`` float64 x, y, width, height of all annotated faces.
        counted: ``(n,)`` mask of the faces that count, by level.
    """

    event: str
    file: str
    boxes: _Floats
    counted: dict[str, NDArray[np.bool_]]


@dataclass(frozen=True, slots=True)
class WiderScores:
    """The official result on one level.

    Attributes:
        faces: faces that count.
        ap: average precision, 0..1.
        precisions: ``(1000,)`` from the highest threshold to the lowest.
        recalls: ``(1000,)`` beside them.
    """

    faces: int
    ap: float
    precisions: _Floats
    recalls: _Floats

    def as_table(self) -> dict[str, Any]:
        """The scores without the curve, for JSON."""
        return {"faces": self.faces, "ap": self.ap}


def load_ground_truth(folder: Path) -> list[WiderPicture]:
    """Read the official ground truth.

    Args:
        folder: holds ``wider_face_val.mat`` and ``wider_{easy,medium,hard}_val.mat``.

    Raises:
        DatasetError: the folder or one of the files is missing, damaged, or is another file.
    """
    if not folder.is_dir():
        raise DatasetError(f"{folder} is no folder: --gt wants the one with the official wider_face_val.mat.")
    events, files, boxes = _read_mat(folder / "wider_face_val.mat", ("event_list", "file_list", "face_bbx_list"))
    lists = {level: _read_mat(folder / f"wider_{level}_val.mat", ("gt_list",))[0] for level in LEVELS}
    try:
        pictures = [
            _picture(str(events[e, 0][0]), files[e, 0], boxes[e, 0], {k: v[e, 0] for k, v in lists.items()}, i)
            for e in range(len(events))
            for i in range(len(files[e, 0]))
        ]
    except (IndexError, TypeError, ValueError, AttributeError) as error:
        raise DatasetError(
            f"The .mat files in {folder} do not belong together or are not the official ones ({error}); "
            "take all four from the same eval_tools.zip."
        ) from error
    if not pictures:
        raise DatasetError(
            f"{folder / 'wider_face_val.mat'} lists no picture; take it from the official eval_tools.zip."
        )
    return pictures


def _read_mat(path: Path, keys: Sequence[str]) -> list[Any]:
    """The named cell arrays of a MATLAB file."""
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    if not path.is_file():
        raise DatasetError(f"There is no {path}: --gt wants the official wider_face_val.mat and the three levels'.")
    try:
        table = loadmat(str(path))
    except (
        OSError,
        ValueError,
        TypeError,
        IndexError,
        NotImplementedError,
        EOFError,
        MatReadError,
        zlib.error,
    ) as error:
        raise DatasetError(f"{path} is no readable MATLAB file ({error}); copy it again.") from error
    missing = [key for key in keys if key not in table or table[key].dtype != object or table[key].ndim != 2]
    if missing:
        raise DatasetError(f"{path} is another file: it holds no list named {', '.join(missing)}.")
    return [table[key] for key in keys]


def _picture(event: str, files: Any, boxes: Any, lists: dict[str, Any], row: int) -> WiderPicture:
    """One picture; the files number the counted faces from 1.

    Raises:
        ValueError: a number names no face.
    """
    faces = np.asarray(boxes[row, 0], np.float64).reshape(-1, 4)
    counted = {}
    for level, rows in lists.items():
        numbers = np.asarray(rows[row, 0], np.int64).ravel()
        if len(numbers) and not (numbers.min() >= 1 and numbers.max() <= len(faces)):
            raise ValueError(f"the {level} list names a face that wider_face_val.mat does not have")
        counted[level] = np.isin(np.arange(1, len(faces) + 1), numbers)
    return WiderPicture(event, str(files[row, 0][0]), faces, counted)


def find_pictures(folder: Path, truth: Sequence[WiderPicture]) -> Path:
    """The folder in which the events' folders lie.

    Args:
        folder: ``WIDER_val``, its parent, its ``images``, or a folder with an ``images``.
        truth: the ground truth; names the events.

    Raises:
        DatasetError: no event is there.
    """
    events = {picture.event for picture in truth}
    for root in (folder / "images", folder / "WIDER_val" / "images", folder):
        if any((root / event).is_dir() for event in events):
            return root
    raise DatasetError(
        f"{folder} holds no WIDER FACE validation pictures: --wider wants WIDER_val, with "
        f"images/{min(events)}/{truth[0].file}.jpg and so on in it."
    )


def wider_scores(truth: Sequence[WiderPicture], found: Sequence[Detections]) -> dict[str, WiderScores]:
    """The official evaluation.

    Args:
        truth: every picture of the ground truth.
        found: the detections in each of them, in pixels of the picture; none for a picture that was not seen,
            whose faces then count as missed.

    Returns:
        The scores by level.
    """
    lowest = min((float(d.scores.min()) for d in found if len(d)), default=0.0)
    highest = max((float(d.scores.max()) for d in found if len(d)), default=1.0)
    counts = {level: np.zeros((THRESHOLDS, 2)) for level in LEVELS}
    for picture, detections in zip(truth, found, strict=True):
        if not len(detections) or not len(picture.boxes):
            continue
        order = np.argsort(-detections.scores, kind="stable")
        # Where all scores are equal the official tool divides by zero; every threshold then takes them all.
        scores = (detections.scores[order].astype(np.float64) - lowest) / ((highest - lowest) or 1.0)
        scores = scores if highest > lowest else np.ones_like(scores)
        face, overlaps = _nearest(detections.boxes[order].astype(np.float64), picture.boxes)
        for level in LEVELS:
            counts[level] += _at_thresholds(scores, face, overlaps >= IOU, picture.counted[level])
    return {level: _curve(counts[level], sum(int(p.counted[level].sum()) for p in truth)) for level in LEVELS}


def _nearest(boxes: _Floats, faces: _Floats) -> tuple[NDArray[np.intp], _Floats]:
    """For each ``xyxy`` box ``(k, 4)`` the face of ``(n, 4)`` x, y, width, height it overlaps most, and how much."""
    low, high = faces[:, :2], faces[:, :2] + faces[:, 2:]
    sides = np.minimum(boxes[:, None, 2:], high) - np.maximum(boxes[:, None, :2], low) + 1
    common = np.maximum(sides, 0).prod(axis=2)
    areas = (boxes[:, 2:] - boxes[:, :2] + 1).prod(axis=1)
    overlaps = common / (areas[:, None] + (high - low + 1).prod(axis=1) - common)
    nearest = overlaps.argmax(axis=1)
    return nearest, overlaps[np.arange(len(boxes)), nearest]


def _at_thresholds(
    scores: _Floats, face: NDArray[np.intp], hit: NDArray[np.bool_], counted: NDArray[np.bool_]
) -> _Floats:
    """Detections that count and faces found in one picture, ``(1000, 2)``, at falling thresholds.

    Args:
        scores: ``(k,)`` falling, 0..1.
        face: ``(k,)`` the face each overlaps most.
        hit: ``(k,)`` whether it overlaps it enough.
        counted: ``(n,)`` whether each face counts.
    """
    right = hit & counted[face]
    first = np.zeros(len(scores), np.bool_)
    rows = np.flatnonzero(right)
    first[rows[np.unique(face[rows], return_index=True)[1]]] = True
    sums = np.stack([np.cumsum(~(hit & ~counted[face])), np.cumsum(first)], axis=1)
    thresholds = 1 - np.arange(1, THRESHOLDS + 1) / THRESHOLDS
    passing = np.searchsorted(-scores, -thresholds, side="right")
    return np.vstack([np.zeros(2), sums])[passing]


def _curve(counts: _Floats, faces: int) -> WiderScores:
    """Precision, recall and AP from the sums over all pictures."""
    precisions = counts[:, 1] / np.maximum(counts[:, 0], 1)
    recalls = counts[:, 1] / max(faces, 1)
    return WiderScores(faces, average_precision(recalls, precisions), precisions, recalls)
