"""Detectors on clips nobody annotated: each follows the faces as the product does, all on the same frames.

Without annotation one detector is measured by the others: what any of them shows counts as a face, and a track
that no other one shares is suspect, a face that the others missed or a false one. A picture of the suspects
(``--out``) lets a human decide. It takes no side, unlike a detector chosen for judge.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from rich.console import Console
from rich.table import Table

from streamer.config import Config
from streamer.detectors import Detector
from streamer.errors import OutputError
from streamer.evaluation.frames import frames_of
from streamer.evaluation.pictures import sheet
from streamer.landmarks import LandmarkPredictor, load_predictor
from streamer.pipeline.analyzer import FaceAnalyzer, Models, tuned
from streamer.types import NO_BOXES, Face, FloatArray, Frame, Image, boxes_of
from trackers.association import pairwise_iou

_SAME: Final = 0.3
"""IoU from which faces of two runs are one."""
_SHARED: Final = 0.2
"""Share of a track's frames in which another run must show it too, else it is suspect."""
_FIGURES: Final = {
    "frames with face": 7,
    "of all faces": 7,
    "first s": 5,
    "ids": 3,
    "gaps": 4,
    "suspect": 7,
    "ms": 5,
    "CPU ms": 5,
}
"""Figures of the table and the width each needs."""
_TILE: Final = 160
_COLUMNS: Final = 8


@dataclass(frozen=True, slots=True)
class Suspect:
    """A track that no other detector shares.

    Attributes:
        clip: its clip.
        detector: who shows it.
        track_id: its id.
        frames: how many frames show it.
        picture: its surest look, ``(160, 160, 3)``.
    """

    clip: str
    detector: str
    track_id: int
    frames: int
    picture: Image


@dataclass(frozen=True, slots=True)
class ClipScores:
    """What one detector's run showed of one clip, or of several together.

    Attributes:
        frames: frames of the clip.
        with_face: frames in which a face is shown.
        faces: faces shown, over all frames.
        of: faces that any detector shows, over all frames.
        tracks: ids given.
        gaps: how often a face went and came back under its id.
        suspects: tracks that no other detector shares.
        first: seconds until the first face is shown; ``None`` without any.
        ms: mean milliseconds a frame.
        cpu_ms: the same of processor time, of the thread that analyses.
    """

    frames: int
    with_face: int
    faces: int
    of: int
    tracks: int
    gaps: int
    suspects: int
    first: float | None
    ms: float
    cpu_ms: float


@dataclass(frozen=True, slots=True)
class ClipReport:
    """Everything measured of one detector on clips.

    Attributes:
        label: the detector.
        clips: scores by clip.
    """

    label: str
    clips: dict[str, ClipScores]

    def as_table(self) -> dict[str, Any]:
        """The report for JSON."""
        return {name: asdict(scores) for name, scores in self.clips.items()}


@dataclass(slots=True)
class _Seen:
    """One track so far."""

    frames: list[int] = field(default_factory=list)
    shared: int = 0
    score: float = 0.0
    picture: Image = field(default_factory=lambda: np.zeros((_TILE, _TILE, 3), np.uint8))


class _Run:
    """One detector's run over one clip."""

    def __init__(self, label: str, detector: Detector, predictor: LandmarkPredictor, config: Config) -> None:
        self.label = label
        self._analyzer = FaceAnalyzer(config, models=Models(tuned(detector, config.detector), predictor))
        self._tracks: dict[int, _Seen] = {}
        self._frames, self._with_face = 0, 0
        self._first: float | None = None
        self._wall, self._cpu = 0.0, 0.0

    def track(self, frame: Frame) -> tuple[Face, ...]:
        """Follow into the next frame."""
        wall, cpu = time.perf_counter(), time.thread_time()
        faces = self._analyzer.track(frame.image, frame.pts)
        self._wall, self._cpu = self._wall + time.perf_counter() - wall, self._cpu + time.thread_time() - cpu
        self._frames, self._with_face = self._frames + 1, self._with_face + bool(faces)
        if faces and self._first is None:
            self._first = frame.pts
        return faces

    def note(self, frame: Frame, face: Face, *, shared: bool) -> None:
        """Keep what a face of the latest frame says about its track."""
        assert face.track_id is not None  # tracking shows none without
        seen = self._tracks.setdefault(face.track_id, _Seen())
        seen.frames.append(frame.index)
        seen.shared += shared
        if not shared and face.score > seen.score:
            seen.score, seen.picture = face.score, _cut(frame.image, face.box)

    def suspects(self, clip: str) -> list[Suspect]:
        """Its tracks that no other run shares."""
        return [
            Suspect(clip, self.label, track_id, len(seen.frames), seen.picture)
            for track_id, seen in self._tracks.items()
            if seen.shared < _SHARED * len(seen.frames)
        ]

    def scores(self, clip: str, of: int, began: float) -> ClipScores:
        """What the whole clip showed; ``of`` and ``began`` as all runs have them."""
        frames = max(self._frames, 1)
        return ClipScores(
            frames=self._frames,
            with_face=self._with_face,
            faces=sum(len(seen.frames) for seen in self._tracks.values()),
            of=of,
            tracks=len(self._tracks),
            gaps=sum(int((np.diff(seen.frames) > 1).sum()) for seen in self._tracks.values()),
            suspects=len(self.suspects(clip)),
            first=None if self._first is None else self._first - began,
            ms=1e3 * self._wall / frames,
            cpu_ms=1e3 * self._cpu / frames,
        )


def measure_clips(
    clips: Sequence[str], detectors: dict[str, Detector], config: Config, console: Console
) -> tuple[list[ClipReport], list[Suspect]]:
    """Follow the faces of clips with each detector in turn, frame by frame.

    Args:
        clips: files or other sources that end.
        detectors: by the name they go by in the report.
        config: how to detect, track and smooth.
        console: where progress is shown.

    Raises:
        SourceError: a clip cannot be opened or read.
    """
    predictor = load_predictor(config.landmarks.weights, device=config.runtime.device, threads=config.runtime.threads)
    scores: dict[str, dict[str, ClipScores]] = {label: {} for label in detectors}
    suspects: list[Suspect] = []
    for clip in clips:
        name = Path(clip).name
        runs = [_Run(label, detector, predictor, config) for label, detector in detectors.items()]
        with console.status(f"following the faces of {name}"):
            of, began = _follow(clip, runs, config)
        for run in runs:
            scores[run.label][name] = run.scores(name, of, began)
            suspects += run.suspects(name) if len(runs) > 1 else []
    return [ClipReport(label, rows) for label, rows in scores.items()], suspects


def _follow(clip: str, runs: Sequence[_Run], config: Config) -> tuple[int, float]:
    """Show a clip to all runs; returns the faces that any showed, over all frames, and the first frame's time."""
    total, began = 0, None
    with frames_of(clip, config) as frames:
        for frame in frames:
            began = frame.pts if began is None else began
            order = 1 if frame.index % 2 else -1  # whoever looks first pays for fetching the picture
            found = {run.label: run.track(frame) for run in runs[::order]}
            total += _note(frame, [(run, found[run.label]) for run in runs])
    return total, began or 0.0


def _note(frame: Frame, found: list[tuple[_Run, tuple[Face, ...]]]) -> int:
    """Tell each run which of its faces others show too; returns how many different faces there are."""
    boxes = [boxes_of(faces) for _, faces in found]
    different = NO_BOXES
    for number, (run, faces) in enumerate(found):
        others = np.concatenate([NO_BOXES, *boxes[:number], *boxes[number + 1 :]])
        for face, shared in zip(faces, _among(boxes[number], others), strict=True):
            run.note(frame, face, shared=bool(shared))
        different = np.concatenate([different, boxes[number][~_among(boxes[number], different)]])
    return len(different)


def _among(boxes: FloatArray, others: FloatArray) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Which of the boxes ``(n, 4)`` lie on one of the others ``(m, 4)``: ``(n,)``."""
    return np.asarray(pairwise_iou(boxes, others).max(axis=1, initial=0) >= _SAME)


def _cut(image: Image, box: FloatArray) -> Image:
    """A square around a face, with as much again on all sides."""
    side = max(2, round(2 * float(max(box[2] - box[0], box[3] - box[1]))))
    middle = (float(box[0] + box[2]) / 2, float(box[1] + box[3]) / 2)
    return np.asarray(cv2.resize(cv2.getRectSubPix(image, (side, side), middle), (_TILE, _TILE)), np.uint8)


def clip_table(reports: Sequence[ClipReport]) -> Table:
    """One line a clip and detector, and one for all clips together."""
    table = Table(box=None, pad_edge=False)
    table.add_column("clip", overflow="fold", min_width=10)
    table.add_column("detector", overflow="fold", min_width=8)
    for heading, width in _FIGURES.items():  # on 80 columns the names give way, never a figure
        table.add_column(heading, justify="right", min_width=width)
    for clip in reports[0].clips:
        for report in reports:
            table.add_row(clip if report is reports[0] else "", report.label, *_cells(report.clips[clip], len(reports)))
    for report in reports:
        name = "all" if report is reports[0] else ""
        table.add_row(name, report.label, *_cells(_together(report.clips.values()), len(reports)), style="bold")
    return table


def _together(clips: Iterable[ClipScores]) -> ClipScores:
    """Sums, means over frames, and the mean time to a first face."""
    rows = list(clips)
    frames = max(1, sum(row.frames for row in rows))
    firsts = [row.first for row in rows if row.first is not None]
    counts = ("with_face", "faces", "of", "tracks", "gaps", "suspects")
    return ClipScores(
        frames=frames,
        first=sum(firsts) / len(firsts) if firsts else None,
        ms=sum(row.ms * row.frames for row in rows) / frames,
        cpu_ms=sum(row.cpu_ms * row.frames for row in rows) / frames,
        **{name: sum(getattr(row, name) for row in rows) for name in counts},
    )


def _cells(scores: ClipScores, contenders: int) -> tuple[str, ...]:
    return (
        f"{100 * scores.with_face / max(scores.frames, 1):.1f} %",
        f"{100 * scores.faces / scores.of:.1f} %" if scores.of and contenders > 1 else "–",
        "–" if scores.first is None else f"{scores.first:.2f}",
        str(scores.tracks),
        str(scores.gaps),
        str(scores.suspects) if contenders > 1 else "–",
        f"{scores.ms:.2f}",
        f"{scores.cpu_ms:.2f}",
    )


def draw_suspects(path: Path, suspects: Sequence[Suspect]) -> None:
    """Contact sheet of the suspects, for a human to tell faces from what is none.

    Raises:
        OutputError: the file cannot be written.
    """
    tiles = []
    for suspect in suspects:
        tile = suspect.picture.copy()
        cv2.rectangle(tile, (_TILE // 4, _TILE // 4), (3 * _TILE // 4, 3 * _TILE // 4), (0, 220, 255), 1)
        lines = (suspect.detector, suspect.clip[:20], f"id {suspect.track_id}, {suspect.frames} frames")
        for row, text in enumerate(lines):
            cv2.putText(tile, text, (4, 13 + 13 * row), cv2.FONT_HERSHEY_SIMPLEX, 0.38, (255, 255, 255), 1, cv2.LINE_AA)
        tiles.append(tile)
    if not cv2.imwrite(str(path), sheet(tiles or [np.zeros((_TILE, _TILE, 3), np.uint8)], _COLUMNS)):
        raise OutputError(f"{path} could not be written: is the folder writable and the disk not full?")
