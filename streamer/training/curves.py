"""The marks of a run as a table and a picture."""

from __future__ import annotations

import csv
from pathlib import Path

History = list[dict[str, float]]

_PANELS = (("points", "pose_loss", "steady"), ("nme", "nme_turned", "nme_rough"), ("pose_mae",))


def write_csv(history: History, path: Path) -> None:
    """One row per epoch, columns as in the first row."""
    with path.open("w", newline="") as stream:
        table = csv.DictWriter(stream, fieldnames=list(history[0]))
        table.writeheader()
        table.writerows(history)


def write_png(history: History, path: Path) -> None:
    """Losses, NME and pose error against crops seen."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 3.6), layout="constrained")
    FigureCanvasAgg(figure)
    seen = [row["crops"] for row in history]
    for axes, names in zip(figure.subplots(1, len(_PANELS)), _PANELS, strict=True):
        for name in names:
            axes.plot(seen, [row[name] for row in history], marker=".", label=name)
        axes.set_xlabel("crops seen")
        axes.grid(alpha=0.3)
        axes.legend()
    figure.savefig(path, dpi=120)
