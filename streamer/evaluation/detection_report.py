"""What an evaluation of detectors shows: reports for JSON, tables for the terminal, one picture."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from rich.table import Table

from streamer.evaluation.detection_scores import MASKS, PRECISION, ROLLS, SIZES, Scores
from streamer.evaluation.wider import LEVELS, WiderScores
from streamer.sinks.base import output_error

_RECALLS: Final = ("all", *MASKS)
"""Slices of which recall is shown too, beside the sources."""


@dataclass(frozen=True, slots=True)
class PhotographReport:
    """Everything measured of one detector on annotated photographs.

    Attributes:
        label: the detector.
        upright: scores by slice on the photographs as they are.
        turned: the same on photographs turned by random rolls.
        milliseconds: median time of a photograph.
        speed: median milliseconds by input size such as ``640x480``, at the score the detector has in use.
    """

    label: str
    upright: dict[str, Scores]
    turned: dict[str, Scores]
    milliseconds: float
    speed: dict[str, float]

    def as_table(self) -> dict[str, Any]:
        """The report without its curves, for JSON."""
        return {
            "upright": {name: scores.as_table() for name, scores in self.upright.items()},
            "turned": {name: scores.as_table() for name, scores in self.turned.items()},
            "ms_photograph": self.milliseconds,
            "ms_by_size": self.speed,
        }


@dataclass(frozen=True, slots=True)
class WiderReport:
    """Everything measured of one detector on WIDER FACE.

    Attributes:
        label: the detector.
        levels: official scores by level.
        milliseconds: median time of a picture.
    """

    label: str
    levels: dict[str, WiderScores]
    milliseconds: float

    def as_table(self) -> dict[str, Any]:
        """The report without its curves, for JSON."""
        levels = {name: scores.as_table() for name, scores in self.levels.items()}
        return {"levels": levels, "ms_picture": self.milliseconds}


def photograph_table(reports: Sequence[PhotographReport]) -> Table:
    """AP and recall by slice and milliseconds by size, one column a detector."""
    table = _table(reports)
    upright, rolled = [report.upright for report in reports], [report.turned for report in reports]
    _add(table, "AP@0.5, %", upright, upright[0], "ap")
    sources = [name for name in upright[0] if name not in (*_RECALLS, *SIZES)]
    recalls = [name for name in upright[0] if name in (*_RECALLS, *sources)]
    _add(table, f"faces found at {PRECISION:.0%} precision over all, %", upright, recalls, "recall_at_90")
    _add(table, "AP@0.5, turned by 0-360°, %", rolled, rolled[0], "ap")
    table.add_row("ms, median", style="bold")
    table.add_row("  a photograph", "", *(f"{report.milliseconds:.1f}" for report in reports))
    for size in reports[0].speed:
        table.add_row(f"  {size}, in use", "", *(f"{report.speed[size]:.1f}" for report in reports))
    return table


def wider_table(reports: Sequence[WiderReport]) -> Table:
    """Official AP by level, one column a detector."""
    table = _table(reports)
    _add(table, "AP, %", [report.levels for report in reports], LEVELS, "ap")
    table.add_row("ms a picture, median", "", *(f"{report.milliseconds:.1f}" for report in reports))
    return table


def _table(reports: Sequence[PhotographReport | WiderReport]) -> Table:
    table = Table("", box=None, pad_edge=False)
    table.add_column("faces", justify="right")
    for report in reports:
        table.add_column(report.label, justify="right")
    return table


def _add(table: Table, heading: str, scores: Sequence[Mapping[str, Any]], names: Iterable[str], attribute: str) -> None:
    """A heading and a line for each slice: its faces, and the figure of each detector in percent."""
    table.add_row(heading, style="bold")
    for name in names:
        cells = (f"{100 * getattr(row[name], attribute):.1f}" for row in scores)
        table.add_row(f"  {name}", str(scores[0][name].faces), *cells)


def draw_photographs(path: Path, reports: Sequence[PhotographReport], title: str) -> None:
    """Precision-recall curves of all, masked and turned faces; AP by source and mask, by size and by roll."""
    figure, axes = _figure(2, 3, title)
    curves, bars = axes
    upright, rolled = {r.label: r.upright for r in reports}, {r.label: r.turned for r in reports}
    for place, rows, name, heading in (
        (curves[0], upright, "all", "all faces"),
        (curves[1], upright, "masked", "masked faces"),
        (curves[2], rolled, "all", "turned by 0-360°"),
    ):
        _curves(place, {label: row[name] for label, row in rows.items() if name in row}, heading)
    names = list(reports[0].upright)
    _bars(bars[0], upright, [name for name in names if name not in SIZES], "source and mask")
    _bars(bars[1], upright, [name for name in names if name in SIZES], "shorter side of the face")
    _bars(bars[2], rolled, [name for name in reports[0].turned if name in ROLLS], "angle from upright")
    _save(figure, path)


def draw_wider(path: Path, reports: Sequence[WiderReport], title: str) -> None:
    """Precision-recall curves by level."""
    figure, axes = _figure(1, len(LEVELS), title)
    for place, level in zip(axes, LEVELS, strict=True):
        _curves(place, {report.label: report.levels[level] for report in reports}, level)
    _save(figure, path)


def _figure(rows: int, columns: int, title: str) -> tuple[Any, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5 * columns, 4.2 * rows), layout="constrained")
    figure.suptitle(title)
    return figure, figure.subplots(rows, columns)


def _curves(axes: Any, scores: Mapping[str, Scores | WiderScores], heading: str) -> None:
    for label, row in scores.items():
        axes.plot(row.recalls, row.precisions, label=f"{label}: AP {100 * row.ap:.1f} %")
    axes.set(xlim=(0, 1), ylim=(0, 1.01), xlabel="recall", ylabel="precision", title=heading)
    axes.grid(alpha=0.3)
    if scores:
        axes.legend(loc="lower left")


def _bars(axes: Any, rows: Mapping[str, Mapping[str, Scores]], names: Sequence[str], label: str) -> None:
    """AP in groups of bars: one group a slice, one colour a detector."""
    width = 0.8 / len(rows)
    for place, (detector, row) in enumerate(rows.items()):
        heights = [100 * row[name].ap for name in names]
        axes.bar(np.arange(len(names)) + place * width, heights, width, label=detector)
    axes.set_xticks(np.arange(len(names)) + 0.4 - width / 2, names, rotation=25)
    axes.set(xlabel=label, ylabel="AP, %", ylim=(0, 100))
    axes.grid(alpha=0.3, axis="y")


def _save(figure: Any, path: Path) -> None:
    try:
        figure.savefig(path, dpi=110)
    except OSError as error:
        raise output_error(path, error) from error
