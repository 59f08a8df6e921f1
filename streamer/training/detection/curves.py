"""The marks of a detector's run as a picture."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from streamer.training.curves import History

_PANELS: Final = (("ap_320", "ap_480", "ap_turned"), ("score", "soft"), ("box",), ("keypoints",))


def write_png(history: History, path: Path) -> None:
    """AP and losses against samples seen."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(16, 3.6), layout="constrained")
    FigureCanvasAgg(figure)
    seen = [row["crops"] for row in history]
    for axes, names in zip(figure.subplots(1, len(_PANELS)), _PANELS, strict=True):
        for name in names:
            axes.plot(seen, [row[name] for row in history], marker=".", label=name)
        axes.set_xlabel("samples seen")
        axes.grid(alpha=0.3)
        axes.legend()
    figure.savefig(path, dpi=120)
