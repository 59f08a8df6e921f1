"""A picture of what every smoothing strength gains and costs."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from streamer.errors import ConfigError
from streamer.evaluation.jitter import TrackRecord, measure, smooth_again
from streamer.sinks.base import output_error, prepare_folder, refuse_suffix
from trackers.smoothing import Kind

STRENGTHS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)

_GOAL_REDUCTION = 60.0  # percent
_SUFFIXES = (".png", ".svg", ".pdf")
_GOAL_LAG = 1000.0 / 30.0  # ms: one frame at 30 frames a second


def refuse_undrawable(path: Path) -> None:
    """Refuse a plot that cannot be drawn, before the long work whose results it is to show.

    Raises:
        ConfigError: matplotlib, which only developers need, is not installed.
        OutputError: no picture has such a name.
    """
    if find_spec("matplotlib") is None:
        raise ConfigError("--plot needs matplotlib, which is not installed; run: pip install matplotlib")
    refuse_suffix(path, _SUFFIXES, "plots are PNG, SVG or PDF pictures")


def trade_off(
    clips: Sequence[Sequence[TrackRecord]], kind: Kind, strengths: Sequence[float] = STRENGTHS
) -> list[tuple[float, float]]:
    """Lag in ms and flicker reduction in percent at each strength, means over clips (lag: those with fast moves)."""
    points = []
    for strength in strengths:
        results = [measure("", [smooth_again(record, kind, strength) for record in clip]) for clip in clips]
        lags = [result.lag_ms for result in results if result.lag_ms is not None]
        reductions = [result.reduction for result in results if result.reduction is not None]
        points.append((float(np.mean(lags or [np.nan])), float(np.mean(reductions or [np.nan]))))
    return points


def draw_trade_off(clips: Sequence[Sequence[TrackRecord]], path: Path) -> None:
    """Draw flicker reduction against lag for both filters over all strengths.

    Args:
        clips: the tracks of each clip.
        path: picture to write; its suffix says which format.

    Raises:
        OutputError: the picture cannot be written.
    """
    # Without pyplot: no display and no global state are touched.
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.5, 5.0), layout="constrained")
    axes = figure.add_subplot()
    axes.axvspan(0.0, _GOAL_LAG, color="tab:green", alpha=0.07)
    axes.axhline(_GOAL_REDUCTION, color="tab:green", linestyle=":", label="goal: 60 % less, under one frame at 30 fps")
    for kind, colour in (("one_euro", "tab:blue"), ("kalman", "tab:orange")):
        _draw_curve(axes, trade_off(clips, kind), kind, colour)  # type: ignore[arg-type]
    axes.set(xlabel="lag on fast moves, ms", ylabel="less flicker, %", ylim=(0, 100))
    axes.set_xlim(left=0)
    axes.set_title(f"Smoothing strength 0.1 to 1, mean of {len(clips)} clips")
    axes.legend(loc="lower right")
    try:
        prepare_folder(path)
        figure.savefig(path, dpi=120)
    except OSError as error:
        raise output_error(path, error) from error


def _draw_curve(axes: Any, points: list[tuple[float, float]], name: str, colour: str) -> None:
    lags, reductions = zip(*points, strict=True)
    axes.plot(lags, reductions, marker="o", markersize=4, color=colour, label=name)
    for strength, point in zip(STRENGTHS, points, strict=True):
        if strength in (0.1, 0.5, 1.0) and np.isfinite(point).all():
            axes.annotate(f"{strength:g}", point, textcoords="offset points", xytext=(6, -10), color=colour)
