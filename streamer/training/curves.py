"""The marks of a run as a table and a picture."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

History = list[dict[str, float]]


def write_csv(history: History, path: Path) -> None:
    """One row per epoch, columns as in the first row."""
    with path.open("w", newline="") as stream:
        table = csv.DictWriter(stream, fieldnames=list(history[0]))
        table.writeheader()
        table.writerows(history)


def write_png(history: History, panels: Sequence[Sequence[str]], path: Path) -> None:
    """Columns against samples seen, those of a panel in one diagram."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4 * len(panels), 3.6), layout="constrained")
    FigureCanvasAgg(figure)
    seen = [row["crops"] for row in history]
    for axes, names in zip(figure.subplots(1, len(panels)), panels, strict=True):
        for name in names:
            axes.plot(seen, [row[name] for row in history], marker=".", label=name)
        axes.set_xlabel("samples seen")
        axes.grid(alpha=0.3)
        axes.legend()
    figure.savefig(path, dpi=120)
