"""State of a training run on disk: written whole or not at all, so that a kill at any moment can be resumed."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from streamer.errors import OutputError, WeightsError


@dataclass
class RunState:
    """Everything a run needs to go on.

    Attributes:
        model: state dict being trained.
        average: state dict of the moving average.
        optimizer: state dict.
        batch: number of the next batch.
        seconds: training time so far.
        best: lowest mark so far.
        settings: what the run was started with; resuming with others is refused.
        history: one row of marks per epoch.
    """

    model: dict[str, Any]
    average: dict[str, Any]
    optimizer: dict[str, Any]
    batch: int = 0
    seconds: float = 0.0
    best: float = float("inf")
    settings: dict[str, Any] = field(default_factory=dict)
    history: list[dict[str, float]] = field(default_factory=list)


def write_state(state: RunState, path: Path) -> None:
    """Write a state beside its goal, then rename it.

    Raises:
        OutputError: the folder cannot be written or is full.
    """
    part = path.with_suffix(".part")
    try:
        torch.save(asdict(state), part)
        os.replace(part, path)
    except (OSError, RuntimeError) as error:
        raise OutputError(f"{path} cannot be written ({error}); free some space or choose another --out.") from error


def read_state(path: Path) -> RunState:
    """Read what :func:`write_state` wrote.

    Raises:
        WeightsError: the file is missing or no state of a run.
    """
    if not path.is_file():
        raise WeightsError(f"{path} is not there, so nothing can be resumed; start without --resume.")
    try:
        return RunState(**torch.load(path, map_location="cpu", weights_only=True))
    except Exception as error:
        raise WeightsError(f"{path} is no state of a training run; start without --resume.") from error
