"""The training loop of the 106-point network: one-cycle AdamW, moving average, marks and checkpoints per epoch."""

from __future__ import annotations

import copy
import logging
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from torch import Tensor, nn

from streamer.landmarks.network import LandmarkNetwork, load_network, normalise
from streamer.runtime.devices import Device
from streamer.runtime.states import save_state
from streamer.training import curves
from streamer.training.batches import Batch, Batches
from streamer.training.branches import branched, folded
from streamer.training.checkpoint import RunState
from streamer.training.datasets import FaceSet
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
from streamer.training.losses import Losses, Weights, point_loss, pose_loss, steadiness_loss
from streamer.training.parallel import Outputs, Shares
from streamer.training.trial import Trial

_MAX_GRADIENT: Final = 200.0
_AVERAGE_DECAY: Final = 0.999
_TRIAL_FACES: Final = 600
_DECAY: Final = 1e-3
_AHEAD: Final = 6
_PANELS: Final = (("points", "pose_loss", "steady"), ("nme", "nme_turned", "nme_rough"), ("pose_mae",))

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Settings:
    """What a run is made of; a resumed run must have the same.

    Attributes:
        epochs: passes over as many faces as there are.
        batch: crops a step.
        rate: highest learning rate.
        seed: of everything drawn.
        minutes: if not 0, the schedule ends by then even if epochs are left.
        branches: parallel convolutions while training, see ``streamer.training.branches``.
    """

    epochs: int = 40
    batch: int = 128
    rate: float = 2e-3
    seed: int = 0
    minutes: float = 0.0
    branches: int = 1


class Trainer:
    """Trains on one set of faces and marks itself on another.

    Args:
        train: faces to learn from.
        held: faces never learned from.
        settings: of the run.
        out: folder for ``last.pt``, ``best.safetensors``, ``curves.csv`` and ``curves.png``.
        workers: processes that make batches.
        threads: that a batch is shared out among on a CPU.
        device: where the network is trained.
        init: a checkpoint in published names to begin with; ``None``: from nothing.

    Raises:
        WeightsError: the checkpoint to begin with is missing or of another network.
    """

    def __init__(
        self,
        train: FaceSet,
        held: FaceSet,
        settings: Settings,
        out: Path,
        workers: int,
        threads: int,
        device: Device = "cpu",
        init: Path | None = None,
    ) -> None:
        torch.manual_seed(settings.seed)
        self._settings, self._out, self._workers, self._device = settings, out, workers, device
        self._batches = Batches(train, settings.batch, settings.seed)
        self._epoch = max(1, len(train) // self._batches.faces_per_batch)
        plain = LandmarkNetwork() if init is None else load_network(init)
        self._network = on_device(branched(plain, settings.branches), device)
        self._average = copy.deepcopy(self._network)
        self._shares = Shares(self._network, threads, outputs)
        self._optimizer = adamw(self._network, settings.rate, _DECAY)
        self._trial = Trial(held.subset(np.arange(0, len(held), -(-len(held) // _TRIAL_FACES))))
        self._state = RunState({}, {}, {}, settings=asdict(settings))

    @property
    def total(self) -> int:
        """Batches in the whole run."""
        return self._epoch * self._settings.epochs

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
        state, before = self._state, time.monotonic()
        every = mark_every(self.total, self._epoch)
        saved = before
        sums: list[Losses] = []
        with told_when_stopped(state, self._out), progress_bar() as progress:
            task = progress.add_task("training", total=self.total, completed=state.batch, note="")
            for batch in loader(self._batches, state.batch, self.total, self._workers, _AHEAD, self._device):
                sums.append(self._step(moved(batch, self._device)))
                state.batch += 1
                now = time.monotonic()
                state.seconds += min(now - before, LONGEST_STEP)
                before = now
                over = self._done() >= 1
                if state.batch % every == 0 or over:
                    note = self._mark(sums)
                    sums.clear()
                    progress.update(task, note=note)
                elif time.monotonic() - saved > SAVE_SECONDS:
                    self._save()
                    saved = time.monotonic()
                progress.update(task, completed=state.batch)
                if over:
                    break
        return self._out / "best.safetensors"

    def _done(self) -> float:
        return part_done(self._state, self.total, self._settings.minutes)

    def _rate(self) -> float:
        return one_cycle(self._settings.rate, self._done())

    def _step(self, batch: Batch) -> Losses:
        """One update of network and moving average."""
        losses = self._losses(batch)
        self._shares.backward(losses.total)
        descend(self._network, self._optimizer, self._rate(), _MAX_GRADIENT)
        follow(self._average, self._network, _AVERAGE_DECAY, self._state.batch)
        return Losses(*(term.detach() for term in losses))

    def _losses(self, batch: Batch) -> Losses:
        points, pose = self._shares.forward(batch.crops)
        pairs = len(batch.between)
        terms = (
            point_loss(points, batch.points, batch.labelled, batch.pose),
            pose_loss(pose, batch.pose),
            steadiness_loss(points[:pairs], points[len(points) - pairs :], batch.between),
        )
        weights = Weights()
        return Losses(terms[0] + weights.pose * terms[1] + weights.steady * terms[2], *terms)

    def _mark(self, sums: list[Losses]) -> str:
        """Marks of the moving average, the files of the run, and a line for the progress bar."""
        state, average = self._state, folded(self._average)
        marks = self._trial.run(average)
        mean = [float(torch.stack(term).mean()) for term in zip(*sums, strict=True)]
        row = {
            "batch": float(state.batch),
            "crops": float(state.batch * self._settings.batch),
            "seconds": round(state.seconds, 1),
            "rate": self._rate(),
            "loss": mean[0],
            "points": mean[1],
            "pose_loss": mean[2],
            "steady": mean[3],
            "nme": marks.clean,
            "nme_turned": marks.turned,
            "nme_rough": marks.rough,
            "pose_mae": marks.pose,
        }
        state.history.append(row)
        score = (marks.clean + marks.rough) / 2
        if score < state.best:
            state.best = score
            save_state(average, self._out / "best.safetensors", {"marks": str(marks)})
        save_state(average, self._out / "last.safetensors", {"marks": str(marks)})
        self._save()
        curves.write_csv(state.history, self._out / "curves.csv")
        curves.write_png(state.history, _PANELS, self._out / "curves.png")
        note = f"NME {marks.clean:.4f} turned {marks.turned:.4f} rough {marks.rough:.4f} pose {marks.pose:.2f}°"
        _log.info("batch %d of %d: loss %.3f, %s", state.batch, self.total, mean[0], note)
        return note

    def _save(self) -> None:
        """Write the checkpoint."""
        save_run(self._state, self._network, self._average, self._optimizer, self._out)


def outputs(network: nn.Module, crops: Tensor) -> Outputs:
    """Points and pose."""
    points, pose = network(normalise(crops).contiguous(memory_format=torch.channels_last))
    return points, pose
