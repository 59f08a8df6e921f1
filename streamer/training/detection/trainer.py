"""The training loop of TinyMog: one-cycle AdamW, moving average, marks and checkpoints every few thousand crops."""

from __future__ import annotations

import copy
import logging
import math
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import torch
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from torch import Tensor, nn

from streamer.detectors.tinymog_network import TinyMogNetwork, load_tinymog
from streamer.errors import FacestreamError
from streamer.runtime.states import save_state
from streamer.training.checkpoint import RunState, read_state, write_state
from streamer.training.curves import write_csv
from streamer.training.detection.anchors import anchor_table
from streamer.training.detection.batches import Batch, Batches, loader
from streamer.training.detection.curves import write_png
from streamer.training.detection.losses import Losses, detection_loss
from streamer.training.detection.trial import Marks, Trial

_WARM_UP: Final = 0.03
_FINAL_RATE: Final = 0.01
_MAX_GRADIENT: Final = 35.0
"""As in SCRFD's published training."""
_DECAY: Final = 0.05
_AVERAGE_DECAY: Final = 0.9995
_SAVE_SECONDS: Final = 120.0
_LONGEST_STEP: Final = 60.0
"""Seconds; a longer gap is a suspended process, which must not use up a schedule that ends by the clock."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Settings:
    """What a run is made of; a resumed run must have the same.

    Attributes:
        crops: samples in the whole run.
        batch: samples a step.
        side: of a sample in pixels, a multiple of 32 below 512.
        rate: highest learning rate.
        seed: of everything drawn.
        minutes: if not 0, the schedule ends by then even if crops are left.
        marked: samples from one trial to the next.
    """

    crops: int = 1_000_000
    batch: int = 32
    side: int = 320
    rate: float = 2e-3
    seed: int = 0
    minutes: float = 0.0
    marked: int = 10_000


class Trainer:
    """Trains on batches and marks itself on held-out photographs.

    Args:
        batches: made with the settings' batch, side and seed.
        trial: what it is marked by.
        settings: of the run.
        out: folder for ``last.pt``, ``best.safetensors``, ``last.safetensors``, ``curves.csv`` and ``curves.png``.
        workers: processes that make batches.
    """

    def __init__(self, batches: Batches, trial: Trial, settings: Settings, out: Path, workers: int) -> None:
        torch.manual_seed(settings.seed)
        self._batches, self._trial, self._settings = batches, trial, settings
        self._out, self._workers = out, workers
        self._network = TinyMogNetwork().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._average = copy.deepcopy(self._network)
        self._optimizer = torch.optim.AdamW(_groups(self._network), lr=settings.rate, betas=(0.9, 0.99))
        anchors = anchor_table(settings.side, settings.side)
        self._centres, self._strides = torch.from_numpy(anchors.centres), torch.from_numpy(anchors.strides)
        self._state = RunState({}, {}, {}, settings=asdict(settings))

    @property
    def total(self) -> int:
        """Batches in the whole run."""
        return max(1, self._settings.crops // self._settings.batch)

    def start_from(self, weights: Path) -> None:
        """Begin with weights of ours or a published checkpoint.

        Raises:
            WeightsError: they are missing or of another network.
        """
        self._network.load_state_dict(load_tinymog(weights).state_dict())
        self._average.load_state_dict(self._network.state_dict())

    def resume(self) -> None:
        """Go on where ``last.pt`` of the output folder ends.

        Raises:
            FacestreamError: there is none, or its run had other settings.
        """
        state = read_state(self._out / "last.pt")
        if state.settings != asdict(self._settings):
            raise FacestreamError(f"{self._out / 'last.pt'} was trained with {state.settings}; resume with the same.")
        self._network.load_state_dict(state.model)
        self._average.load_state_dict(state.average)
        self._optimizer.load_state_dict(state.optimizer)
        self._state = state

    def run(self) -> Path:
        """Train to the end.

        Returns:
            The file of the best moving average.
        """
        state = self._state
        every = max(1, self._settings.marked // self._settings.batch)
        saved = time.monotonic()
        sums: list[Losses] = []
        with _progress() as progress:
            task = progress.add_task("training", total=self.total, completed=state.batch, note="")
            for batch in self._timed(loader(self._batches, state.batch, self.total, self._workers)):
                sums.append(self._step(batch))
                state.batch += 1
                over = self._done() >= 1
                if state.batch % every == 0 or over:
                    progress.update(task, note=self._mark(sums))
                    sums.clear()
                    saved = time.monotonic()
                elif time.monotonic() - saved > _SAVE_SECONDS:
                    self._save()
                    saved = time.monotonic()
                progress.update(task, completed=state.batch)
                if over:
                    break
        return self._out / "best.safetensors"

    def _timed(self, batches: Iterator[Batch] | torch.utils.data.DataLoader[Batch]) -> Iterator[Batch]:
        """The batches; each adds its time, waiting and trials included, to the run's clock."""
        before = time.monotonic()
        for batch in batches:
            yield batch
            now = time.monotonic()
            self._state.seconds += min(now - before, _LONGEST_STEP)
            before = now

    def _done(self) -> float:
        """How much of the schedule is done, 0..1, by batches or by the clock."""
        clock = self._state.seconds / 60 / self._settings.minutes if self._settings.minutes else 0.0
        return max(self._state.batch / self.total, clock)

    def _rate(self) -> float:
        """One cycle: linear warm-up, then half a cosine."""
        done = self._done()
        if done < _WARM_UP:
            return self._settings.rate * max(done / _WARM_UP, 0.02)
        fall = 0.5 * (1 + math.cos(math.pi * min(1.0, (done - _WARM_UP) / (1 - _WARM_UP))))
        return self._settings.rate * (_FINAL_RATE + (1 - _FINAL_RATE) * fall)

    def _step(self, batch: Batch) -> Losses:
        """One update of network and moving average."""
        for group in self._optimizer.param_groups:
            group["lr"] = self._rate()
        self._network.train()
        levels = self._network(normalise(batch.pictures))
        losses = detection_loss(levels, self._centres, self._strides, batch.targets)
        self._optimizer.zero_grad(set_to_none=True)
        losses.total.backward()  # type: ignore[no-untyped-call]
        norm = nn.utils.clip_grad_norm_(self._network.parameters(), _MAX_GRADIENT)
        if not torch.isfinite(norm):
            raise FacestreamError("training diverged (a gradient is not finite); lower --rate or mend the data.")
        self._optimizer.step()
        self._follow()
        return Losses(*(term.detach() for term in losses))

    @torch.no_grad()
    def _follow(self) -> None:
        """Move the average towards the network; faster at the start, when it has little to remember."""
        decay = min(_AVERAGE_DECAY, (1 + self._state.batch) / (10 + self._state.batch))
        current, means = self._network.state_dict(), self._average.state_dict()
        for name, value in current.items():
            if value.is_floating_point():
                means[name].lerp_(value, 1 - decay)

    def _mark(self, sums: list[Losses]) -> str:
        """Marks of the moving average, the files of the run, and a line for the progress bar."""
        state, marks = self._state, self._trial.run(self._average)
        means = [float(torch.stack(term).mean()) for term in zip(*sums, strict=True)]
        state.history.append(self._row(means, marks))
        text = {"marks": str(marks), "crops": str(state.batch * self._settings.batch)}
        if -marks.score < state.best:
            state.best = -marks.score
            save_state(self._average, self._out / "best.safetensors", text)
        save_state(self._average, self._out / "last.safetensors", text)
        self._save()
        write_csv(state.history, self._out / "curves.csv")
        write_png(state.history, self._out / "curves.png")
        note = f"AP 320: {marks.small:.3f}  480: {marks.large:.3f}  turned: {marks.turned:.3f}"
        left = state.seconds * (1 / self._done() - 1) / 60
        _log.info("batch %d of %d, %.0f min left: loss %.3f, %s", state.batch, self.total, left, means[0], note)
        return note

    def _row(self, means: list[float], marks: Marks) -> dict[str, float]:
        """A row of the curves."""
        state = self._state
        return {
            "batch": float(state.batch),
            "crops": float(state.batch * self._settings.batch),
            "seconds": round(state.seconds, 1),
            "rate": self._rate(),
            **dict(zip(("loss", "score", "box", "keypoints", "soft"), means, strict=True)),
            "ap_320": marks.small,
            "ap_480": marks.large,
            "ap_turned": marks.turned,
        }

    def _save(self) -> None:
        """Write the checkpoint."""
        state = self._state
        state.model, state.average = self._network.state_dict(), self._average.state_dict()
        state.optimizer = self._optimizer.state_dict()
        write_state(state, self._out / "last.pt")


def normalise(pictures: Tensor) -> Tensor:
    """Network input of uint8 RGB ``(n, 3, h, w)``, channels last."""
    return pictures.float().sub_(127.5).div_(128).contiguous(memory_format=torch.channels_last)


def _groups(network: nn.Module) -> list[dict[str, float | list[Tensor]]]:
    """Convolutions decay; BatchNorm, biases and scales do not."""
    matrices = [value for value in network.parameters() if value.ndim > 1]
    vectors = [value for value in network.parameters() if value.ndim <= 1]
    return [{"params": matrices, "weight_decay": _DECAY}, {"params": vectors, "weight_decay": 0.0}]  # type: ignore[dict-item]


def _progress() -> Progress:
    """Bar with counts, elapsed and remaining time, and the latest marks."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
