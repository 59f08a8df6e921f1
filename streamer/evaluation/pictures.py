"""Pictures of an evaluation: error curves, bars by angle and difficulty, and the faces that went worst."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np

from streamer.evaluation.scores import FAILURE
from streamer.types import FloatArray, Image

if TYPE_CHECKING:
    from streamer.evaluation.landmarks import LandmarkReport
    from streamer.training.datasets import FaceSet

_WORST: Final = 24
_COLUMNS: Final = 8
_TILE: Final = 200


def draw_curves(path: Path, reports: Mapping[str, LandmarkReport]) -> None:
    """Cumulative error curves, NME by |yaw| and NME by difficulty, one colour a network."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(15, 4.2), layout="constrained")
    FigureCanvasAgg(figure)
    curve, yaw, hard = figure.subplots(1, 3, width_ratios=(1, 1, 1.6))
    for name, report in reports.items():
        curve.plot(np.sort(report.nme), np.linspace(0, 1, len(report.nme)), label=name)
    curve.set(xlim=(0, FAILURE), ylim=(0, 1), xlabel="NME (outer-eye distance)", ylabel="share of faces")
    curve.legend()
    _bars(yaw, {name: report.clean.yaw for name, report in reports.items()}, "|yaw| in degrees")
    kinds = {
        name: {kind: scores.nme for kind, scores in report.difficulties.items()} for name, report in reports.items()
    }
    _bars(hard, kinds, "difficulty")
    for axes in (curve, yaw, hard):
        axes.grid(alpha=0.3)
    figure.savefig(path, dpi=110)


def _bars(axes: Any, values: Mapping[str, Mapping[str, float]], label: str) -> None:
    """Grouped bars: one group a key, one colour a network."""
    width = 0.8 / len(values)
    for place, (name, row) in enumerate(values.items()):
        axes.bar(np.arange(len(row)) + place * width, list(row.values()), width, label=name)
    keys = list(next(iter(values.values())))
    axes.set_xticks(np.arange(len(keys)) + 0.4 - width / 2, keys, rotation=25)
    axes.set(xlabel=label, ylabel="NME")


def draw_worst(path: Path, faces: FaceSet, found: FloatArray, nme: FloatArray) -> None:
    """Contact sheet of the 24 faces with the largest error: labels green, findings red.

    Args:
        path: PNG to write.
        faces: the measured faces.
        found: ``(n, 106, 2)`` in their pictures.
        nme: ``(n,)``.
    """
    tiles = []
    for row in np.argsort(-nme)[:_WORST].tolist():
        tile = _tile(faces.images[row], faces.landmarks[row, :, :2], found[row])
        cv2.putText(tile, f"{nme[row]:.3f}", (4, 16), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (255, 255, 255), 1, cv2.LINE_AA)
        tiles.append(tile)
    cv2.imwrite(str(path), sheet(tiles, _COLUMNS))


def _tile(image: Image, truth: FloatArray, found: FloatArray) -> Image:
    scale = _TILE / image.shape[0]
    tile = np.asarray(cv2.resize(image, (_TILE, _TILE), interpolation=cv2.INTER_LINEAR), np.uint8)
    for points, colour in ((truth, (0, 220, 0)), (found, (0, 0, 255))):
        for x, y in np.nan_to_num(points * scale * 8).round().astype(int).tolist():
            cv2.circle(tile, (x, y), 10, colour, -1, cv2.LINE_AA, 3)
    return tile


def sheet(tiles: Sequence[Image], columns: int) -> Image:
    """Put equal tiles into rows; the last row is filled up with black."""
    missing = -len(tiles) % columns
    filled = [*tiles, *[np.zeros_like(tiles[0])] * missing]
    rows = [np.hstack(filled[start : start + columns]) for start in range(0, len(filled), columns)]
    return np.vstack(rows)
