"""Trains or fine-tunes the 106-point network and exports the result; behind ``facestream train landmarks``."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

from streamer.landmarks.network import load_network
from streamer.runtime.devices import resolve_device
from streamer.runtime.states import save_state
from streamer.training.batches import single_threaded
from streamer.training.datasets import DatasetError, FaceSet, held_out, load_faces
from streamer.training.loop import make_folder, require
from streamer.training.presence.transfer import transfer_presence
from streamer.training.trainer import Settings, Trainer

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Plan:
    """Where a run reads and writes.

    Attributes:
        data: training folder, see ``streamer.training.datasets``.
        out: folder for checkpoints, curves and exported weights.
        init: weights to start from; ``None`` trains from nothing.
        resume: go on with the run in ``out``.
        hold_out: groups never trained on, by name.
        hold_fraction: share of all groups held out.
        threads: processor threads that share a batch.
        workers: processes that make batches.
        device: ``auto``, ``cpu`` or ``cuda``.
    """

    data: Path
    out: Path
    init: Path | None = None
    resume: bool = False
    hold_out: tuple[str, ...] = ()
    hold_fraction: float = 0.06
    threads: int = 2
    workers: int = 1
    device: str = "auto"


def train_landmarks(plan: Plan, settings: Settings) -> Path:
    """Train, and export the best moving average.

    Args:
        plan: where to read and write.
        settings: of the run.

    Returns:
        ``best.onnx``; ``best.safetensors`` and ``presence.safetensors`` lie beside it.

    Raises:
        FacestreamError: a package is missing, the data is unusable, the folder cannot be written, training
            diverged, or the export does not say what torch says.
    """
    device = resolve_device(plan.device)
    require("matplotlib", "onnx")
    single_threaded()
    make_folder(plan.out)
    faces = load_faces(plan.data)
    held = held_out(faces, plan.hold_fraction, plan.hold_out)
    if held.all() or not held.any():
        raise DatasetError(
            f"{plan.data} has {len(set(faces.group.tolist()))} groups, of which {plan.hold_fraction:.0%} cannot be "
            "held out; name some with --hold-out, raise --hold-fraction or add pictures of more people."
        )
    train, test = faces.subset(~held), faces.subset(held)
    _log.info("%d faces to train on, %d held out", len(train), len(test))
    trainer = Trainer(train, test, settings, plan.out, plan.workers, plan.threads, device, plan.init)
    if plan.resume:
        trainer.resume()
    return export(trainer.run(), train, settings.seed)


def export(weights: Path, faces: FaceSet, seed: int) -> Path:
    """Write the ONNX file and the presence head that go with weights, beside them.

    Args:
        weights: landmark weights in published names.
        faces: what they were trained on.
        seed: of the crops the presence head learns from.

    Returns:
        The ONNX file.

    Raises:
        FacestreamError: the ONNX file does not say what torch says.
    """
    from streamer.training.export import export_onnx  # needs onnx, which training alone asks for

    network = load_network(weights)
    transfer = transfer_presence(network, faces, seed)
    save_state(transfer.head, weights.with_name("presence.safetensors"), {"agreement": f"{transfer.agreement:.4f}"})
    path = weights.with_suffix(".onnx")
    difference = export_onnx(network, transfer.head, path)
    _log.info("%s: largest difference from torch %.2g", path, difference)
    return path
