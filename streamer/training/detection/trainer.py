"""The training loop of TinyMog: one-cycle AdamW, moving average, marks and checkpoints every few thousand crops."""

from __future__ import annotations

import copy
import logging
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import torch
from torch import Tensor, nn

from streamer.detectors.tinymog_network import Level, TinyMogNetwork, load_tinymog
from streamer.runtime.devices import Device
from streamer.runtime.states import save_state
from streamer.training.branches import branched, folded
from streamer.training.checkpoint import RunState
from streamer.training.curves import write_csv, write_png
from streamer.training.detection.anchors import anchor_table
from streamer.training.detection.batches import Batch, Batches
from streamer.training.detection.losses import Losses, detection_loss
from streamer.training.detection.trial import Marks, Trial
from streamer.training.loop import (
    LONGEST_STEP,
    SAVE_SECONDS,
    adamw,
    descend,
    follow,
    loader,
    mark_every,
    moved,
    on_device,
    one_cycle,
    part_done,
    progress_bar,
    resume_run,
    save_run,
    told_when_stopped,
)
from streamer.training.parallel import Outputs, Shares

_MAX_GRADIENT: Final = 35.0
"""As in SCRFD's published training."""
_DECAY: Final = 0.05
_AVERAGE_DECAY: Final = 0.9995
_AHEAD: Final = 3
_PANELS: Final = (("ap_320", "ap_480", "ap_turned"), ("score", "soft"), ("box",), ("keypoints",))

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
        marked: samples from one trial to the next, at least.
        branches: parallel convolutions while training, see ``streamer.training.branches``.
    """

    crops: int = 1_000_000
    batch: int = 32
    side: int = 320
    rate: float = 2e-3
    seed: int = 0
    minutes: float = 0.0
    marked: int = 10_000
    branches: int = 1


class Trainer:
    """Trains on batches and marks itself on held-out photographs.

    Args:
        batches: made with the settings' batch, side and seed.
        trial: what it is marked by.
        settings: of the run.
        out: folder for ``last.pt``, ``best.safetensors``, ``last.safetensors``, ``curves.csv`` and ``curves.png``.
        workers: processes that make batches.
        threads: that a batch is shared out among on a CPU.
        device: where the network is trained.
        init: weights of ours or a published checkpoint to begin with; ``None``: from nothing.

    Raises:
        WeightsError: the weights to begin with are missing or of another network.
    """

    def __init__(
        self,
        batches: Batches,
        trial: Trial,
        settings: Settings,
        out: Path,
        workers: int,
        threads: int,
        device: Device = "cpu",
        init: Path | None = None,
    ) -> None:
        torch.manual_seed(settings.seed)
        self._batches, self._trial, self._settings = batches, trial, settings
        self._out, self._workers, self._device = out, workers, device
        plain = TinyMogNetwork() if init is None else load_tinymog(init)
        self._network = on_device(branched(plain, settings.branches), device)
        self._average = copy.deepcopy(self._network)
        self._shares = Shares(self._network, threads, outputs)
        self._optimizer = adamw(self._network, settings.rate, _DECAY)
        anchors = anchor_table(settings.side, settings.side)
        self._centres, self._strides = (
            torch.from_numpy(part).to(device) for part in (anchors.centres, anchors.strides)
        )
        self._state = RunState({}, {}, {}, settings=asdict(settings))

    @property
    def total(self) -> int:
        """Batches in the whole run."""
        return max(1, self._settings.crops // self._settings.batch)

    def resume(self) -> None:
        """Go on where ``last.pt`` of the output folder ends.

        Raises:
            FacestreamError: there is none, or its run had other settings.
        """
        self._state = resume_run(asdict(self._settings), self._network, self._average, self._optimizer, self._out)

    def run(self) -> Path:
        """Train to the end.

        Returns:
            The file of the best moving average.
        """
        state = self._state
        every = mark_every(self.total, self._settings.marked // self._settings.batch)
        saved = time.monotonic()
        sums: list[Losses] = []
        with told_when_stopped(state, self._out), progress_bar() as progress:
            task = progress.add_task("training", total=self.total, completed=state.batch, note="")
            for batch in self._timed(
                loader(self._batches, state.batch, self.total, self._workers, _AHEAD, self._device)
            ):
                sums.append(self._step(moved(batch, self._device)))
                state.batch += 1
                over = self._done() >= 1
                if state.batch % every == 0 or over:
                    progress.update(task, note=self._mark(sums))
                    sums.clear()
                    saved = time.monotonic()
                elif time.monotonic() - saved > SAVE_SECONDS:
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
            self._state.seconds += min(now - before, LONGEST_STEP)
            before = now

    def _done(self) -> float:
        return part_done(self._state, self.total, self._settings.minutes)

    def _rate(self) -> float:
        return one_cycle(self._settings.rate, self._done())

    def _step(self, batch: Batch) -> Losses:
        """One update of network and moving average."""
        level = Level(*self._shares.forward(batch.pictures))
        losses = detection_loss([level], self._centres, self._strides, batch.targets)
        self._shares.backward(losses.total)
        descend(self._network, self._optimizer, self._rate(), _MAX_GRADIENT)
        follow(self._average, self._network, _AVERAGE_DECAY, self._state.batch)
        return Losses(*(term.detach() for term in losses))

    def _mark(self, sums: list[Losses]) -> str:
        """Marks of the moving average, the files of the run, and a line for the progress bar."""
        state, average = self._state, folded(self._average)
        marks = self._trial.run(average)
        means = [float(torch.stack(term).mean()) for term in zip(*sums, strict=True)]
        state.history.append(self._row(means, marks))
        text = {"marks": str(marks), "crops": str(state.batch * self._settings.batch)}
        if -marks.score < state.best:
            state.best = -marks.score
            save_state(average, self._out / "best.safetensors", text)
        save_state(average, self._out / "last.safetensors", text)
        self._save()
        write_csv(state.history, self._out / "curves.csv")
        write_png(state.history, _PANELS, self._out / "curves.png")
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
        save_run(self._state, self._network, self._average, self._optimizer, self._out)


def outputs(network: nn.Module, pictures: Tensor) -> Outputs:
    """Scores, distances and keypoints of all anchors; the layers calculate in bfloat16 on a CPU made for it."""
    half = not pictures.is_cuda and torch.cpu._is_avx512_bf16_supported()
    with torch.autocast("cpu", torch.bfloat16, enabled=half):
        levels = network(normalise(pictures))
    return tuple(torch.cat(parts, 1).float() for parts in zip(*levels, strict=True))


def normalise(pictures: Tensor) -> Tensor:
    """Network input of uint8 RGB ``(n, 3, h, w)``, channels last."""
    return pictures.float().sub_(127.5).div_(128).contiguous(memory_format=torch.channels_last)
