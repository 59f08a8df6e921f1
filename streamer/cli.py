"""The command line: reads arguments and hands them to the product; ``streamer.__main__`` runs it."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path
from typing import Annotated

import typer

from streamer.config import Config
from streamer.errors import DisplayError
from streamer.evaluation import commands as evaluation
from streamer.options import ConfigOption, EffectsOption, SetOption, user_config
from streamer.runtime.memory import keep_freed_memory
from streamer.session import STDOUT, RunOptions
from streamer.training import commands as training
from streamer.version import __version__

app = typer.Typer(
    name="facestream",
    help="Real-time face video: boxes, ids, 106 steady landmarks and head pose.",
    epilog="`facestream run` opens the window with your webcam, or the demo when there is none.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
train_app = typer.Typer(help="Train or fine-tune a network.", no_args_is_help=True)
train_app.command("landmarks")(training.landmarks)
train_app.command("detector")(training.detector)
train_app.command("augmentation")(training.augmentation)
evaluate_app = typer.Typer(help="Measure quality on clips and labelled faces.", no_args_is_help=True)
evaluate_app.command("jitter")(evaluation.jitter)
evaluate_app.command("effects")(evaluation.effects)
evaluate_app.command("covers")(evaluation.covers)
evaluate_app.command("landmarks")(evaluation.landmarks)
evaluate_app.command("pose")(evaluation.pose)
evaluate_app.command("detection")(evaluation.detection)
app.add_typer(train_app, name="train")
app.add_typer(evaluate_app, name="evaluate")


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"facestream {__version__}")
        raise typer.Exit()


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log what happens, for a bug report.")] = False,
) -> None:
    when = "%(asctime)s " if verbose else ""
    logging.basicConfig(
        level=logging.INFO if verbose else logging.WARNING, format=f"{when}%(levelname)s %(name)s: %(message)s"
    )


@app.command()
def run(
    source: Annotated[
        str | None,
        typer.Argument(
            help="Webcam number or path, file, folder, glob, URL (rtsp, http, …) or demo.", show_default=False
        ),
    ] = None,
    headless: Annotated[
        bool, typer.Option("--headless", help="No window: a progress line and a summary. Automatic without a display.")
    ] = False,
    jsonl: Annotated[
        Path | None,
        typer.Option(help="Write one JSON object per frame to this file; - for the terminal.", show_default=False),
    ] = None,
    record: Annotated[
        Path | None,
        typer.Option(help="Record the video to this .mp4: with faces drawn, or with effects.", show_default=False),
    ] = None,
    max_frames: Annotated[
        int | None, typer.Option(min=1, help="Stop after this many frames.", show_default=False)
    ] = None,
    pace: Annotated[
        str | None, typer.Option(help="Files: realtime or fastest. Default: realtime in a window.", show_default=False)
    ] = None,
    effects: EffectsOption = None,
    stats: Annotated[
        bool, typer.Option("--stats", help="Print the summary table after a window is closed, too.")
    ] = False,
    config: ConfigOption = None,
    settings: SetOption = None,
) -> None:
    """Follow the faces of a video source, in a window or headless.

    Without a source: the first webcam, else the demo. The demo run headless writes out/demo.mp4 and
    out/demo.jsonl unless --jsonl or --record says otherwise.
    """
    cfg = user_config(config, settings or [], effects=effects, pace=pace)
    if not headless and not _has_display():
        typer.echo("No display: running headless (see --headless).", err=True)
        headless = True
    keep_freed_memory()
    jsonl = STDOUT if jsonl == Path("-") else jsonl
    options = RunOptions(cfg.source.default if source is None else source, jsonl, record, max_frames, stats)
    sys.exit(_runner(headless)(options, cfg))


@app.command()
def image(
    paths: Annotated[
        list[Path],
        typer.Argument(help="Pictures, folders of pictures, or patterns such as '*.jpg'.", show_default=False),
    ],
    json: Annotated[
        Path | None,
        typer.Option(help="Write the faces as JSON to this file; - for the terminal.", show_default=False),
    ] = None,
    save: Annotated[
        Path | None,
        typer.Option(
            help="Write the pictures into this folder: with faces drawn, or with effects.", show_default=False
        ),
    ] = None,
    effects: EffectsOption = None,
    config: ConfigOption = None,
    settings: SetOption = None,
) -> None:
    """Find the faces of single pictures; prints a table.

    With --save, a JPEG becomes a JPEG and anything else a PNG, upright. Transparency, 16 bits and colour
    profiles are kept; camera data (EXIF: place, date, preview) is not.
    """
    from streamer.stills import analyze_pictures

    json = STDOUT if json == Path("-") else json
    sys.exit(analyze_pictures(paths, user_config(config, settings or [], effects=effects), json=json, save=save))


@app.command()
def effects() -> None:
    """List the effects with their settings, and the presets."""
    from streamer.effects.listing import print_effects

    print_effects()


@app.command()
def sources() -> None:
    """List the webcams of this machine."""
    from streamer.sources import list_webcams

    webcams = list_webcams()
    for webcam in webcams:
        typer.echo(f"{webcam.index}  {webcam.path}  {webcam.name}")
    if not webcams:
        typer.echo("No webcam found. Try `facestream run demo`, a file, or a URL such as rtsp://host/path.")


def _has_display() -> bool:
    return sys.platform != "linux" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _runner(headless: bool) -> Callable[[RunOptions, Config], int]:
    """What runs a source: the engine alone, or the installed window.

    The window is found by entry point because the engine never imports the user interface.
    """
    if headless:
        from streamer.headless import run_headless

        return run_headless
    for viewer in entry_points(group="facestream.viewers"):
        return viewer.load()  # type: ignore[no-any-return]
    raise DisplayError("no window is installed; add --headless, or install the whole facestream package")
