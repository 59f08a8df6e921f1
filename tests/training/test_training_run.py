"""Losses, and whole training runs on a handful of faces: files, resuming, export."""

from __future__ import annotations

import csv
import importlib.util
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from safetensors import safe_open

from streamer.errors import FacestreamError, OutputError, WeightsError
from streamer.landmarks.geometry import CROP
from streamer.landmarks.network import load_network
from streamer.landmarks.topology import MEAN_SHAPE_3D
from streamer.runtime.weights import own_weights
from streamer.training import losses
from streamer.training.checkpoint import RunState, read_state, write_state
from streamer.training.datasets import SIDE, DatasetError, FaceSet
from streamer.training.landmarks import Plan, export, train_landmarks
from streamer.training.trainer import Settings, Trainer

needs_onnx = pytest.mark.skipif(importlib.util.find_spec("onnx") is None, reason="onnx is not installed")


@pytest.fixture
def faces(astronaut: np.ndarray) -> FaceSet:
    """Ten differently lit and cut portraits of the astronaut."""
    images = []
    for number in range(10):
        part = cv2.resize(astronaut[40 + number : 240 + number, 125 - number : 325 - number], (SIDE, SIDE))
        images.append(cv2.convertScaleAbs(part, alpha=0.7 + 0.06 * number))
    points = MEAN_SHAPE_3D * 50 + np.array([SIDE / 2, SIDE / 2, 0], np.float32)
    return FaceSet(
        images=np.array(images),
        landmarks=np.repeat(points[None], 10, axis=0).astype(np.float32),
        pose=np.zeros((10, 3), np.float32),
        group=np.array([f"g{row}" for row in range(10)]),
        source=np.array(["skimage"] * 10),
        names=np.array([str(row) for row in range(10)]),
    )


def trainer(faces: FaceSet, out: Path, **settings: float) -> Trainer:
    chosen = Settings(**({"epochs": 2, "batch": 8, "rate": 1e-3} | settings))  # type: ignore[arg-type]
    own = own_weights("landmarks106.safetensors")
    return Trainer(faces.subset(np.arange(8)), faces.subset(np.arange(8, 10)), chosen, out, 0, threads=2, init=own)


def test_wing_is_logarithmic_near_and_linear_far() -> None:
    error = torch.tensor([0.0, 2.0, -2.0, 10.0, 30.0])
    value = losses.wing(error)
    assert value[0] == 0
    assert value[1] == value[2] == pytest.approx(10 * np.log(2))
    assert value[3] == pytest.approx(10 * np.log(6), rel=1e-5)
    assert value[4] - value[3] == pytest.approx(20, rel=1e-5)


def test_published_weights() -> None:
    parts = losses.part_weights()
    assert parts[[0, 35, 52, 60, 70, 90]].tolist() == pytest.approx([1.5, 1.5, 1.3, 1.3, 1.7, 1.7])
    pose = torch.tensor([[0.0, 0, 0], [0, 0, 60], [float("nan")] * 3])
    assert losses.pose_weights(pose).tolist() == pytest.approx([1, 1 + 2.5 / 3, 1])


def test_unlabelled_points_and_poses_cost_nothing() -> None:
    wanted = torch.zeros(2, 106, 2)
    found = torch.zeros(2, 106, 2)
    found[0, 5] = 1.0
    labelled = torch.ones(2, 106)
    pose = torch.full((2, 3), float("nan"))
    assert losses.point_loss(found, wanted, labelled, pose) > 0
    labelled[0, 5] = 0
    assert losses.point_loss(found, wanted, labelled, pose) == 0
    assert losses.pose_loss(torch.ones(2, 3), pose) == 0
    assert losses.pose_loss(torch.ones(2, 3), torch.zeros(2, 3)) == pytest.approx(3 * (57.29578 - 0.5), rel=1e-4)


def test_steadiness_costs_nothing_when_views_agree() -> None:
    between = torch.tensor([[[1.1, 0.1, 3.0], [-0.1, 0.9, -2.0]]])
    second = torch.rand(1, 106, 2)
    first = (torch.einsum("ij,nkj->nki", between[0, :, :2], second * CROP) + between[0, :, 2]) / CROP
    assert losses.steadiness_loss(first, second, between) < 1e-6
    assert losses.steadiness_loss(first + 1 / CROP, second, between) == pytest.approx(2 * (1 - 0.125), rel=1e-3)


def test_a_run_leaves_its_files_and_learns(faces: FaceSet, tmp_path: Path) -> None:
    run = trainer(faces, tmp_path, epochs=5)
    best = run.run()
    for name in ("last.pt", "last.safetensors", "best.safetensors", "curves.csv", "curves.png"):
        assert (tmp_path / name).stat().st_size > 100
    load_network(best)
    with (tmp_path / "curves.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 5
    assert float(rows[-1]["points"]) < float(rows[0]["points"])
    assert float(rows[-1]["rate"]) < 0.1 * max(float(row["rate"]) for row in rows)


def test_a_killed_run_goes_on_as_if_nothing_had_happened(
    faces: FaceSet, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    whole = trainer(faces, tmp_path / "a", epochs=3)
    halves = trainer(faces, tmp_path / "b", epochs=3)
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
    whole.run()
    mark, calls = halves._mark, []

    def killed(sums: list[losses.Losses]) -> str:
        note = mark(sums)
        calls.append(note)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return note

    halves._mark = killed  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        halves.run()
    assert f"the same command with --resume goes on from {tmp_path / 'b' / 'last.pt'}" in caplog.text
    again = trainer(faces, tmp_path / "b", epochs=3)
    again.resume()
    again.run()
    one, two = (load_network(tmp_path / folder / "last.safetensors").state_dict() for folder in ("a", "b"))
    assert all(torch.allclose(one[name], two[name], atol=1e-5) for name in one)


def test_a_run_stopped_too_early_says_that_nothing_is_kept(
    faces: FaceSet, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run = trainer(faces, tmp_path, epochs=3)

    def killed(batch: object) -> losses.Losses:
        raise KeyboardInterrupt

    run._step = killed  # type: ignore[method-assign, assignment]
    with pytest.raises(KeyboardInterrupt):
        run.run()
    assert "stopped before the first checkpoint" in caplog.text
    assert not list(tmp_path.iterdir())


def test_resuming_with_other_settings_is_refused(faces: FaceSet, tmp_path: Path) -> None:
    trainer(faces, tmp_path, epochs=1).run()
    with pytest.raises(FacestreamError, match="resume with the same"):
        trainer(faces, tmp_path, epochs=1, rate=5e-4).resume()
    with pytest.raises(WeightsError, match="start without --resume"):
        trainer(faces, tmp_path / "nowhere").resume()


def test_the_clock_ends_a_run(faces: FaceSet, tmp_path: Path) -> None:
    run = trainer(faces, tmp_path, epochs=100_000, minutes=0.01)
    run.run()
    assert read_state(tmp_path / "last.pt").batch < run.total


def test_checkpoints_are_whole_or_absent(tmp_path: Path) -> None:
    state = RunState({"a": torch.ones(2)}, {}, {}, batch=7, history=[{"nme": 0.1}])
    write_state(state, tmp_path / "last.pt")
    assert read_state(tmp_path / "last.pt").batch == 7
    assert [path.name for path in tmp_path.iterdir()] == ["last.pt"]
    (tmp_path / "last.pt").write_bytes(b"half a file")
    with pytest.raises(WeightsError, match="no state of a training run"):
        read_state(tmp_path / "last.pt")
    with pytest.raises(OutputError):
        write_state(state, tmp_path / "missing" / "last.pt")


@needs_onnx
def test_export_carries_presence_over(faces: FaceSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Weights get an ONNX file whose presence decides as ours does."""
    from streamer.landmarks.predictor import load_predictor
    from streamer.training.presence import transfer

    monkeypatch.setattr(transfer.transfer_presence, "__defaults__", (1000,))
    weights = tmp_path / "best.safetensors"
    weights.write_bytes(own_weights("landmarks106.safetensors").read_bytes())
    path = export(weights, faces, seed=0)
    predictor = load_predictor(path)
    image, points = faces.images[5], faces.landmarks[5:6, :, :2]
    with safe_open(tmp_path / "presence.safetensors", "numpy") as file:
        assert float(file.metadata()["agreement"]) > 0.85
    there = predictor.from_landmarks(image, predictor.from_landmarks(image, points).landmarks)
    assert there.presence[0] > 0.5
    assert predictor.from_landmarks(image, points + 60).presence[0] < 0.5


def test_unusable_folders_are_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be made"):
        train_landmarks(Plan(tmp_path, tmp_path / "file" / "out"), Settings())
    with pytest.raises(DatasetError):
        train_landmarks(Plan(tmp_path / "nowhere", tmp_path / "out"), Settings())
