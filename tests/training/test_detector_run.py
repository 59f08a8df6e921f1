"""Whole detector runs on a handful of photographs: files, learning, resuming, starting from weights, refusals."""

from __future__ import annotations

import csv
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from streamer.detectors import load_detector
from streamer.detectors.tinymog_network import TinyMogNetwork
from streamer.errors import FacestreamError, OutputError, WeightsError
from streamer.runtime.states import load_state
from streamer.training.checkpoint import read_state
from streamer.training.datasets import DatasetError
from streamer.training.detection.assign import NO_HINTS
from streamer.training.detection.batches import Batches
from streamer.training.detection.data import Photograph, PhotoSet
from streamer.training.detection.run import Plan, train_detector
from streamer.training.detection.teacher import Lesson
from streamer.training.detection.trainer import Settings, Trainer
from streamer.training.detection.trial import Trial
from streamer.training.loop import follow

TINY = {"crops": 8, "batch": 2, "side": 160, "marked": 4}


def weights(path: Path) -> TinyMogNetwork:
    """The network of a run's file."""
    network = TinyMogNetwork()
    load_state(network, path)
    return network


@pytest.fixture
def photos(astronaut: np.ndarray) -> PhotoSet:
    """The astronaut's portrait in three lights."""
    pictures = {f"{row}.png": cv2.convertScaleAbs(astronaut, alpha=0.7 + 0.2 * row) for row in range(3)}
    box = np.array([[185, 60, 265, 170]], np.float32)
    points = np.array([[[206, 122], [243, 119], [225, 139], [210, 152], [245, 150]]], np.float32)
    nowhere = np.zeros((0, 4), np.float32)
    made = [
        Photograph(name, cv2.imencode(".png", image)[1].tobytes(), (512, 512), box, points, np.zeros(1), nowhere)
        for name, image in pictures.items()
    ]
    return PhotoSet(made, pictures)


def trainer(photos: PhotoSet, out: Path, init: Path | None = None, threads: int = 2, **changes: float) -> Trainer:
    out.mkdir(exist_ok=True)
    settings = Settings(**(TINY | changes))  # type: ignore[arg-type]
    lessons = [Lesson(NO_HINTS, np.zeros(0, np.intp)) for _ in photos.photographs]
    batches = Batches(photos, lessons, None, settings.batch, settings.side, settings.seed)
    return Trainer(batches, Trial(photos.replaced(photos.photographs[:1])), settings, out, 0, threads, init=init)


def test_a_run_leaves_its_files(photos: PhotoSet, tmp_path: Path) -> None:
    best = trainer(photos, tmp_path).run()
    for name in ("last.pt", "last.safetensors", "best.safetensors", "curves.csv", "curves.png"):
        assert (tmp_path / name).stat().st_size > 100
    weights(best)
    assert load_detector("tinymog", weights=best, device="cpu").detect(np.zeros((48, 64, 3), np.uint8)) is not None
    with (tmp_path / "curves.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert [float(row["crops"]) for row in rows] == [4, 8]
    assert float(rows[-1]["rate"]) < 0.1 * float(rows[0]["rate"])
    assert all(0 <= float(row[name]) <= 1 for row in rows for name in ("ap_320", "ap_480", "ap_turned"))


def test_a_killed_run_goes_on_as_if_nothing_had_happened(photos: PhotoSet, tmp_path: Path) -> None:
    """Killed between two trials, so that only the checkpoint tells where it was."""
    trainer(photos, tmp_path / "whole").run()
    halves = trainer(photos, tmp_path / "halves")
    step, calls = halves._step, []

    def killed(batch):  # type: ignore[no-untyped-def]
        if len(calls) == 3:  # one after the first trial
            halves._save()
            raise KeyboardInterrupt
        calls.append(1)
        return step(batch)

    halves._step = killed  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        halves.run()
    assert read_state(tmp_path / "halves" / "last.pt").batch == 3
    again = trainer(photos, tmp_path / "halves")
    again.resume()
    again.run()
    for name in ("last.safetensors", "best.safetensors"):
        one, two = (weights(tmp_path / folder / name).state_dict() for folder in ("whole", "halves"))
        assert all(torch.equal(one[key], two[key]) for key in one)
    first, second = (read_state(tmp_path / folder / "last.pt") for folder in ("whole", "halves"))
    assert all(torch.equal(first.model[key], second.model[key]) for key in first.model)
    assert [row["ap_480"] for row in first.history] == [row["ap_480"] for row in second.history]


@pytest.mark.parametrize("threads", [1, 2])
def test_steps_learn_a_batch(photos: PhotoSet, tmp_path: Path, threads: int) -> None:
    run = trainer(photos, tmp_path, threads=threads, crops=10_000, rate=4e-3)
    run._state.batch = 400  # past the warm-up
    batch = max((run._batches[number] for number in range(8)), key=lambda one: len(one.targets.anchors))
    losses = [run._step(batch) for _ in range(40)]
    assert all(bool(torch.isfinite(term)) for loss in losses for term in loss)
    assert losses[-1].total < 0.6 * losses[0].total
    assert losses[-1].box < 0.7 * losses[0].box


def test_the_average_follows_faster_at_the_start() -> None:
    for batch, kept in ((0, 0.1), (90, 0.91), (10**6, 0.999)):
        average, network = torch.nn.Linear(1, 1), torch.nn.Linear(1, 1)
        torch.nn.init.ones_(average.weight)
        torch.nn.init.zeros_(network.weight)
        follow(average, network, 0.999, batch)
        assert average.weight.item() == pytest.approx(kept)


def test_starting_from_weights(photos: PhotoSet, tmp_path: Path) -> None:
    best = trainer(photos, tmp_path / "first").run()
    second = trainer(photos, tmp_path / "second", init=best)
    for network in (second._network, second._average):
        assert all(torch.equal(a, b) for a, b in zip(network.parameters(), weights(best).parameters(), strict=True))
    with pytest.raises(WeightsError):
        trainer(photos, tmp_path / "third", init=tmp_path / "nothing.safetensors")


def test_branches_fold_into_the_plain_network(photos: PhotoSet, tmp_path: Path) -> None:
    best = trainer(photos, tmp_path / "branched", branches=3).run()
    assert set(weights(best).state_dict()) == set(TinyMogNetwork().state_dict())


def test_resuming_with_other_settings_is_refused(photos: PhotoSet, tmp_path: Path) -> None:
    trainer(photos, tmp_path, crops=4).run()
    with pytest.raises(FacestreamError, match="resume with the same"):
        trainer(photos, tmp_path, crops=4, seed=1).resume()
    with pytest.raises(WeightsError, match="start without --resume"):
        trainer(photos, tmp_path / "nowhere").resume()


def test_the_clock_ends_a_run(photos: PhotoSet, tmp_path: Path) -> None:
    run = trainer(photos, tmp_path, crops=1_000_000, minutes=0.01)
    run.run()
    assert 0 < read_state(tmp_path / "last.pt").batch < run.total


def test_the_trial_counts_right_and_leaves_the_network_as_it_was(photos: PhotoSet) -> None:
    network = TinyMogNetwork().train()
    marks = Trial(photos).run(network)
    assert network.training
    assert max(marks) < 0.5, "an untrained network finds nothing"


def test_impossible_runs_are_refused(photos: PhotoSet, tmp_path: Path) -> None:
    plan = Plan((tmp_path,), None, tmp_path / "out")
    with pytest.raises(FacestreamError, match="multiple of 32"):
        train_detector(plan, Settings(side=300))
    with pytest.raises(DatasetError, match="no annotation"):
        train_detector(plan, Settings())
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be made"):
        train_detector(Plan((tmp_path,), None, tmp_path / "file" / "out"), Settings())
