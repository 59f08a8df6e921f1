"""``facestream train …``: each command's arguments; the work is imported when a command runs."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

import typer

from streamer.runtime.memory import keep_training_memory

DataOption = Annotated[
    Path,
    typer.Option(help="Folder with labels.npz and shards, or pictures with a JSON file each.", show_default=False),
]

BranchesOption = Annotated[
    int, typer.Option(min=1, max=6, help="Parallel convolutions while training, folded into one at the end; 1: plain.")
]
DeviceOption = Annotated[str, typer.Option(help="auto, cpu or cuda.")]


def landmarks(
    data: DataOption,
    out: Annotated[Path, typer.Option(help="Folder for checkpoints, curves and weights.", show_default=False)],
    init: Annotated[
        Path | None,
        typer.Option(
            help="Weights to fine-tune, ours or a published checkpoint; none: from nothing.", show_default=False
        ),
    ] = None,
    epochs: Annotated[int, typer.Option(min=1, help="Passes over the data.")] = 40,
    minutes: Annotated[float, typer.Option(min=0, help="End the schedule by then; 0: after --epochs.")] = 0.0,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in --out.")] = False,
    batch: Annotated[int, typer.Option(min=4, help="Crops a step.")] = 128,
    rate: Annotated[float, typer.Option(min=1e-6, max=0.1, help="Highest learning rate.")] = 2e-3,
    seed: Annotated[int, typer.Option(min=0, help="Seed of everything drawn.")] = 0,
    hold_out: Annotated[str, typer.Option(help="Groups never trained on, separated by commas.")] = "",
    hold_fraction: Annotated[float, typer.Option(min=0.01, max=0.5, help="Share of all groups held out.")] = 0.06,
    threads: Annotated[int, typer.Option(min=1, help="Processor threads that share a batch.")] = 2,
    workers: Annotated[int, typer.Option(min=0, help="Processes that make batches.")] = 1,
    branches: BranchesOption = 1,
    device: DeviceOption = "auto",
) -> None:
    """Train or fine-tune the 106-point network; best.safetensors and best.onnx end up in --out."""
    from streamer.training.landmarks import Plan, train_landmarks
    from streamer.training.trainer import Settings

    logging.getLogger("streamer.training").setLevel(logging.INFO)
    keep_training_memory()
    plan = Plan(data, out, init, resume, _names(hold_out), hold_fraction, threads, workers, device)
    path = train_landmarks(plan, Settings(epochs, batch, rate, seed, minutes, branches))
    typer.echo(f"{path} is ready: facestream run --set landmarks.weights={path}")


def detector(
    data: Annotated[
        list[Path],
        typer.Option(
            help="Folder of annotated photographs (our own layout, WIDER FACE, VOC or YOLO); may be repeated.",
            show_default=False,
        ),
    ],
    out: Annotated[Path, typer.Option(help="Folder for checkpoints, curves, samples and weights.", show_default=False)],
    faces: Annotated[
        Path | None, typer.Option(help="Folder of face crops to paste into photographs.", show_default=False)
    ] = None,
    init: Annotated[
        Path | None, typer.Option(help="Weights to start from; none: from nothing.", show_default=False)
    ] = None,
    crops: Annotated[int, typer.Option(min=1, help="Samples in the whole run.")] = 1_000_000,
    minutes: Annotated[float, typer.Option(min=0, help="End the schedule by then; 0: after --crops.")] = 0.0,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in --out.")] = False,
    side: Annotated[int, typer.Option(min=160, max=480, help="Side of a sample in pixels, a multiple of 32.")] = 320,
    batch: Annotated[int, typer.Option(min=2, help="Samples a step.")] = 32,
    rate: Annotated[float, typer.Option(min=1e-6, max=0.1, help="Highest learning rate.")] = 2e-3,
    seed: Annotated[int, typer.Option(min=0, help="Seed of everything drawn.")] = 0,
    threads: Annotated[int, typer.Option(min=1, help="Processor threads that share a batch.")] = 2,
    workers: Annotated[int, typer.Option(min=0, help="Processes that make batches.")] = 1,
    branches: BranchesOption = 1,
    device: DeviceOption = "auto",
) -> None:
    """Train or fine-tune the TinyMog detector; samples.jpg, curves.png and best.safetensors end up in --out."""
    from streamer.training.detection.run import Plan, train_detector
    from streamer.training.detection.trainer import Settings

    logging.getLogger("streamer.training").setLevel(logging.INFO)
    keep_training_memory()
    plan = Plan(tuple(data), faces, out, init, resume, threads, workers, device)
    path = train_detector(plan, Settings(crops, batch, side, rate, seed, minutes, branches=branches))
    typer.echo(f"{path} is ready: facestream run --set detector.name=tinymog --set detector.weights={path}")


def augmentation(
    data: DataOption,
    out: Annotated[Path, typer.Option(help="Picture to write.")] = Path("out/augmentation.png"),
    faces: Annotated[int, typer.Option(min=1, max=500, help="How many faces, two crops each.")] = 50,
    seed: Annotated[int, typer.Option(min=0, help="Seed of everything drawn.")] = 0,
) -> None:
    """Draw a contact sheet of what training crops look like."""
    from streamer.training.sheet import augmentation_sheet

    augmentation_sheet(data, out, faces, seed)
    typer.echo(f"{out} shows {faces} faces")


def _names(listed: str) -> tuple[str, ...]:
    """``"a, b"`` to ``("a", "b")``."""
    return tuple(name.strip() for name in listed.split(",") if name.strip())
