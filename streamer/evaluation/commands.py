"""``facestream evaluate …``: each command's arguments; the work is imported when a command runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def jitter(
    clips: Annotated[list[str], typer.Argument(metavar="CLIP...", help="Video files.", show_default=False)],
    plot: Annotated[
        Path | None,
        typer.Option(help="Draw flicker against lag over all strengths into this .png.", show_default=False),
    ] = None,
    json: Annotated[Path | None, typer.Option(help="Write the results to this file.", show_default=False)] = None,
    max_frames: Annotated[
        int | None, typer.Option(min=3, help="Use no more frames of each clip.", show_default=False)
    ] = None,
    config: Annotated[Path | None, typer.Option("--config", help="Configuration file.", show_default=False)] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Change one key, e.g. smoothing.strength=0.7."),
    ] = None,
) -> None:
    """Measure how steady the landmarks are on clips, and how far smoothing lets them lag."""
    from streamer.config import load_config
    from streamer.evaluation.jitter import evaluate_jitter

    evaluate_jitter(clips, load_config(config, settings or []), max_frames=max_frames, plot=plot, json=json)
