"""What the training loops of all networks have in common: schedule, update, moving average, checkpoint, bar."""

from __future__ import annotations

import importlib.util
import logging
import math
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

import torch
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from streamer.errors import FacestreamError, OutputError
from streamer.runtime.devices import Device
from streamer.training.checkpoint import RunState, read_state, write_state

T = TypeVar("T")
Moved = TypeVar("Moved")
Network = TypeVar("Network", bound=nn.Module)

SAVE_SECONDS: Final = 120.0
"""Longest work that a kill can cost."""

LONGEST_STEP: Final = 60.0
"""Seconds; a longer gap is a suspended process, which must not use up a schedule that ends by the clock."""

_log = logging.getLogger(__name__)

_TRIALS: Final = 20
_WARM_UP: Final = 0.04
_FINAL_RATE: Final = 0.01


def loader(
    batches: Dataset[T], start: int, stop: int, workers: int, ahead: int, device: Device = "cpu"
) -> DataLoader[T]:
    """Batches ``start`` … ``stop − 1`` in order, at most ``ahead`` a worker made ahead, pinned for a GPU.

    Workers are forked, for the pictures need not be copied then. A forked process must not inherit OpenCV's
    thread pool (its first call would wait for threads that are not there): call
    ``streamer.training.batches.single_threaded`` before anything that uses OpenCV.
    """
    return DataLoader(
        batches,
        batch_size=None,
        sampler=range(start, stop),
        num_workers=workers,
        prefetch_factor=ahead if workers else None,
        multiprocessing_context="fork" if workers else None,
        worker_init_fn=_leave_to_parent,
        pin_memory=device == "cuda",
    )


def _leave_to_parent(_: int) -> None:
    """Who ends a service or a terminal's job ends all its processes at once; a worker that goes first is an error."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


def on_device(network: Network, device: Device) -> Network:
    """The network on the device, laid out channels last, the way its convolutions run fastest."""
    network.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    return network


def moved(batch: Moved, device: Device) -> Moved:
    """A batch (tensors in nested named tuples) on the device."""
    parts: Any = batch
    if isinstance(batch, Tensor):
        return parts.to(device, non_blocking=True)  # type: ignore[no-any-return]
    return parts._make(moved(part, device) for part in parts)  # type: ignore[no-any-return]


def part_done(state: RunState, total: int, minutes: float) -> float:
    """How much of the schedule is done, from 0, by batches or by the clock; over at 1."""
    clock = state.seconds / 60 / minutes if minutes else 0.0
    return max(state.batch / total, clock)


def one_cycle(highest: float, done: float) -> float:
    """Learning rate when so much of the schedule is done: linear warm-up, then half a cosine."""
    if done < _WARM_UP:
        return highest * max(done / _WARM_UP, 0.02)
    fall = 0.5 * (1 + math.cos(math.pi * min(1.0, (done - _WARM_UP) / (1 - _WARM_UP))))
    return highest * (_FINAL_RATE + (1 - _FINAL_RATE) * fall)


def adamw(network: nn.Module, rate: float, decay: float) -> torch.optim.AdamW:
    """The optimizer: convolutions decay; BatchNorm, PReLU, biases and scales do not."""
    matrices = [value for value in network.parameters() if value.ndim > 1]
    vectors = [value for value in network.parameters() if value.ndim <= 1]
    groups = [{"params": matrices, "weight_decay": decay}, {"params": vectors, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=rate, betas=(0.9, 0.99), fused=matrices[0].is_cuda)


def mark_every(total: int, least: int) -> int:
    """Batches from one trial to the next: ``least``, or more where a fast machine would do little but trials."""
    return max(1, least, total // _TRIALS)


def descend(network: nn.Module, optimizer: torch.optim.Optimizer, rate: float, largest: float) -> None:
    """One update by the gradients, clipped to a norm of ``largest``.

    Raises:
        FacestreamError: training diverged.
    """
    for group in optimizer.param_groups:
        group["lr"] = rate
    norm = nn.utils.clip_grad_norm_(network.parameters(), largest)
    if not torch.isfinite(norm):
        raise FacestreamError("training diverged (a gradient is not finite); lower --rate or mend the data.")
    optimizer.step()


@torch.no_grad()
def follow(average: nn.Module, network: nn.Module, decay: float, batch: int) -> None:
    """Move the average towards the network; faster at the start, when it has little to remember."""
    decay = min(decay, (1 + batch) / (10 + batch))
    pairs = zip(average.state_dict().values(), network.state_dict().values(), strict=True)
    means, values = zip(*(pair for pair in pairs if pair[0].is_floating_point()), strict=True)
    torch._foreach_lerp_(list(means), list(values), 1 - decay)  # one kernel on a GPU instead of hundreds


def save_run(
    state: RunState, network: nn.Module, average: nn.Module, optimizer: torch.optim.Optimizer, out: Path
) -> None:
    """Write ``last.pt``."""
    state.model, state.average = network.state_dict(), average.state_dict()
    state.optimizer = optimizer.state_dict()
    write_state(state, out / "last.pt")


def resume_run(
    settings: dict[str, Any], network: nn.Module, average: nn.Module, optimizer: torch.optim.Optimizer, out: Path
) -> RunState:
    """Read ``last.pt`` into network, moving average and optimizer.

    Raises:
        FacestreamError: there is none, or its run had other settings.
    """
    state = read_state(out / "last.pt")
    if state.settings != settings:
        raise FacestreamError(f"{out / 'last.pt'} was trained with {state.settings}; resume with the same.")
    network.load_state_dict(state.model)
    average.load_state_dict(state.average)
    optimizer.load_state_dict(state.optimizer)
    return state


@contextmanager
def told_when_stopped(state: RunState, out: Path) -> Iterator[None]:
    """Say where a run goes on that Ctrl-C or SIGTERM has ended; ``state`` is what :func:`save_run` was given."""
    try:
        yield
    except KeyboardInterrupt:
        if state.model:
            _log.warning("stopped; the same command with --resume goes on from %s", out / "last.pt")
        else:
            _log.warning("stopped before the first checkpoint, which comes after %.0f minutes", SAVE_SECONDS / 60)
        raise


def progress_bar() -> Progress:
    """Bar with counts, elapsed and remaining time, and the latest marks."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )


def require(*packages: str) -> None:
    """Name packages that training needs beside the product's own.

    Raises:
        FacestreamError: some are not installed.
    """
    missing = [name for name in packages if importlib.util.find_spec(name) is None]
    if missing:
        names = " ".join(missing)
        raise FacestreamError(f"Training needs packages that are not installed; run: pip install {names}")


def make_folder(folder: Path) -> None:
    """Make the folder of a run.

    Raises:
        OutputError: it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder} cannot be made ({error.strerror}); choose another --out.") from error
