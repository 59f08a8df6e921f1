"""``facestream evaluate landmarks|pose``: scores on held-out faces, of one network or of two side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from streamer.evaluation.pictures import draw_curves, draw_worst
from streamer.evaluation.probe import DIFFICULTIES, flicker, load_backend, look
from streamer.evaluation.scores import LandmarkScores, PoseScores, landmark_scores, point_errors, pose_scores
from streamer.landmarks.backends import Backend
from streamer.sinks.jsonl import write_json
from streamer.training.datasets import DatasetError, FaceSet, held_out, load_faces
from streamer.types import FloatArray


@dataclass(frozen=True, slots=True)
class Selection:
    """Which faces of a folder are measured.

    Attributes:
        data: the folder.
        fraction: share of groups held out in training; 1 measures all faces.
        always: groups held out by name.
        only: measure these groups alone; empty for all that are held out.
        max_yaw: leave out faces turned further, in degrees.
        max_pitch: the same for pitch.
        pose_known: leave out faces without a labelled pose.
    """

    data: Path
    fraction: float = 0.06
    always: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    max_yaw: float = 180.0
    max_pitch: float = 180.0
    pose_known: bool = False


@dataclass(frozen=True, slots=True)
class LandmarkReport:
    """Everything measured on one network.

    Attributes:
        weights: what was measured.
        clean: scores with the right crops.
        difficulties: scores by kind of difficulty.
        flicker: mean movement under crop jitter, in outer-eye distances.
        nme: ``(n,)`` per face with the right crops.
        found: ``(n, 106, 2)`` points with the right crops.
    """

    weights: str
    clean: LandmarkScores
    difficulties: dict[str, LandmarkScores]
    flicker: float
    nme: FloatArray
    found: FloatArray

    def as_table(self) -> dict[str, Any]:
        """The report without its arrays, for JSON."""
        table = asdict(self)
        del table["nme"], table["found"]
        return table


def select_faces(selection: Selection) -> FaceSet:
    """Load the faces to measure.

    Raises:
        DatasetError: the folder is unusable, or no face is left.
    """
    faces = load_faces(selection.data)
    chosen = held_out(faces, selection.fraction, selection.always)
    if selection.only:
        chosen = np.isin(faces.group, list(selection.only))
    pose = np.abs(faces.pose)
    if selection.pose_known:
        chosen &= np.isfinite(pose).all(axis=1)
    chosen &= ~(pose[:, 2] > selection.max_yaw) & ~(pose[:, 0] > selection.max_pitch)
    if not chosen.any():
        raise DatasetError(f"No face of {selection.data} fits the selection; check --only, --hold-out and the limits.")
    return faces.subset(chosen)


def measure_landmarks(backend: Backend, faces: FaceSet, name: str) -> LandmarkReport:
    """Measure one network on all difficulties and on crop jitter."""
    truth, yaw = faces.landmarks[:, :, :2], faces.pose[:, 2]
    found = {kind: look(backend, faces, difficulty).landmarks for kind, difficulty in DIFFICULTIES.items()}
    errors = {kind: point_errors(points, truth) for kind, points in found.items()}
    scores = {kind: landmark_scores(values, yaw) for kind, values in errors.items()}
    return LandmarkReport(
        weights=name,
        clean=scores["clean"],
        difficulties=scores,
        flicker=float(flicker(backend, faces).mean()),
        nme=np.asarray(np.nanmean(errors["clean"], axis=1), np.float32),
        found=found["clean"],
    )


def evaluate_landmarks(
    selection: Selection, weights: Path | None, against: Path | None, out: Path | None, console: Console | None = None
) -> list[LandmarkReport]:
    """Measure and report.

    Args:
        selection: which faces.
        weights: network to measure; ``None`` for ours.
        against: a second one to compare with.
        out: folder for ``landmarks.json``, ``landmarks.png`` and ``worst.png``.
        console: where the table is printed.

    Returns:
        One report per network.

    Raises:
        FacestreamError: data, weights or output folder are unusable.
    """
    faces = select_faces(selection)
    reports = [measure_landmarks(load_backend(path), faces, _name(path)) for path in _networks(weights, against)]
    (console or Console()).print(_table("landmarks", len(faces), reports, _landmark_rows))
    if out is not None:
        write_json(out / "landmarks.json", [report.as_table() for report in reports])
        draw_curves(out / "landmarks.png", {report.weights: report for report in reports})
        draw_worst(out / "worst.png", faces, reports[0].found, reports[0].nme)
    return reports


def evaluate_pose(
    selection: Selection, weights: Path | None, against: Path | None, out: Path | None, console: Console | None = None
) -> dict[str, PoseScores]:
    """Measure and report pose errors; arguments as in :func:`evaluate_landmarks`, ``out`` gets ``pose.json``."""
    faces = select_faces(replace(selection, pose_known=True))
    scores = {
        _name(path): pose_scores(look(load_backend(path), faces, DIFFICULTIES["clean"]).pose, faces.pose)
        for path in _networks(weights, against)
    }
    (console or Console()).print(_table("pose", len(faces), list(scores.items()), _pose_rows))
    if out is not None:
        write_json(out / "pose.json", {name: asdict(score) for name, score in scores.items()})
    return scores


Row = tuple[str, float, str]


def _landmark_rows(report: LandmarkReport) -> Iterator[Row]:
    """Label, value and format of every line of the landmark table."""
    clean = report.clean
    yield "NME", clean.nme, ".4f"
    yield "median", clean.median, ".4f"
    yield "68 points", clean.subset68, ".4f"
    yield "failures > 0.10", clean.failures, ".3f"
    yield "AUC 0.10 (higher is better)", clean.auc, ".3f"
    for name, value in clean.parts.items():
        yield name, value, ".4f"
    for name, value in clean.yaw.items():
        yield f"|yaw| {name}°", value, ".4f"
    for name, scores in report.difficulties.items():
        if name != "clean":
            yield f"{name}: {DIFFICULTIES[name].about}", scores.nme, ".4f"
    yield "crop-jitter flicker", report.flicker, ".5f"


def _pose_rows(named: tuple[str, PoseScores]) -> Iterator[Row]:
    """The same for poses."""
    scores = named[1]
    for angle in ("pitch", "roll", "yaw", "mean"):
        yield f"{angle} MAE", getattr(scores, angle), ".2f"
    for name, value in scores.yaw_by_yaw.items():
        yield f"yaw, |yaw| {name}°", value, ".2f"
    for name, value in scores.pitch_by_pitch.items():
        yield f"pitch, |pitch| {name}°", value, ".2f"


def _table(what: str, faces: int, reports: Sequence[Any], rows: Any) -> Table:
    """One column a network; with two, the change of the first against the second."""
    table = Table(title=f"{what}: {faces} faces")
    table.add_column("")
    for report in reports:
        table.add_column(report[0] if isinstance(report, tuple) else report.weights, justify="right")
    if len(reports) == 2:
        table.add_column("change", justify="right")
    for lines in zip(*(rows(report) for report in reports), strict=True):
        label, first, form = lines[0]
        cells = [format(value, form) for _, value, _ in lines]
        if len(lines) == 2 and lines[1][1]:
            cells.append(f"{100 * (first / lines[1][1] - 1):+.0f} %")
        table.add_row(label, *cells)
    return table


def _networks(weights: Path | None, against: Path | None) -> list[Path | None]:
    return [weights] if against is None else [weights, against]


def _name(weights: Path | None) -> str:
    return "facestream" if weights is None else weights.stem
