"""Trains TinyMog from folders of annotated photographs; behind ``facestream train detector``."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from streamer.errors import ConfigError
from streamer.runtime.devices import resolve_device
from streamer.training.batches import single_threaded
from streamer.training.datasets import DatasetError, FaceSet, load_faces
from streamer.training.detection.batches import Batches
from streamer.training.detection.data import PhotoSet, collect, split
from streamer.training.detection.layouts import read_entries
from streamer.training.detection.sheet import write_sheet
from streamer.training.detection.teacher import Lesson, teach
from streamer.training.detection.trainer import Settings, Trainer
from streamer.training.detection.trial import Trial
from streamer.training.loop import make_folder, require

_FACES = 6000
"""Face crops read for pasting: 0.5 GB."""
_SHEET = 48
_UNSURE = "masked"
"""Collection of face crops that may come from the photographs that measure: never pasted."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Plan:
    """Where a run reads and writes.

    Attributes:
        data: folders of annotated photographs, see ``streamer.training.detection.layouts``.
        faces: folder of face crops to paste, see ``streamer.training.datasets``; ``None``: none.
        out: folder for checkpoints, curves, weights and ``samples.jpg``; the teacher's looks are kept beside it, for
            the next run.
        init: weights to start from; ``None`` trains from nothing.
        resume: go on with the run in ``out``.
        threads: processor threads that share a batch.
        workers: processes that make batches.
        device: ``auto``, ``cpu`` or ``cuda``.
    """

    data: tuple[Path, ...]
    faces: Path | None
    out: Path
    init: Path | None = None
    resume: bool = False
    threads: int = 2
    workers: int = 1
    device: str = "auto"


def train_detector(plan: Plan, settings: Settings) -> Path:
    """Draw a contact sheet of samples, then train.

    Args:
        plan: where to read and write.
        settings: of the run.

    Returns:
        ``best.safetensors``.

    Raises:
        FacestreamError: a setting cannot be, a package is missing, the data is unusable, the folder cannot be
            written, or training diverged.
    """
    if settings.side % 32 or not 160 <= settings.side < 512:
        raise ConfigError(f"--side {settings.side}: a multiple of 32 from 160 to 480 is wanted.")
    device = resolve_device(plan.device)
    require("matplotlib")
    single_threaded()
    make_folder(plan.out)
    train, lessons, held = _photographs(plan)
    faces = None if plan.faces is None else paste_faces(plan.faces)
    batches = Batches(train, lessons, faces, settings.batch, settings.side, settings.seed)
    trainer = Trainer(batches, Trial(held), settings, plan.out, plan.workers, plan.threads, device, plan.init)
    if plan.resume:
        trainer.resume()
    else:
        _draw(batches, plan.out / "samples.jpg")
    return trainer.run()


def _photographs(plan: Plan) -> tuple[PhotoSet, list[Lesson], PhotoSet]:
    """Training photographs with the teacher's lessons, and those held out."""
    train, held = split(collect(read_entries(plan.data), plan.data))
    if not len(train) or not any(len(photo) for photo in held.photographs):
        raise DatasetError(
            f"{len(train)} photographs to train on and {len(held)} held out, chosen by the hash of the file name, "
            "are too few; give more with --data."
        )
    train, lessons = teach(train, plan.out.parent / "teacher.npz")
    _log.info("%d photographs to train on, %d held out", len(train), len(held))
    return train, lessons, held


def paste_faces(folder: Path) -> FaceSet:
    """Face crops for pasting, without the collection whose photographs cannot be told from the held-out ones.

    Raises:
        DatasetError: the folder is unusable.
    """
    faces = load_faces(folder, limit=_FACES)
    return faces.subset(faces.source != _UNSURE)


def _draw(batches: Batches, path: Path) -> None:
    """The first samples of the run as a picture."""
    samples = []
    for number in count():
        samples += batches.samples(number)
        if len(samples) >= _SHEET:
            break
    write_sheet(samples[:_SHEET], path)
