"""Evaluation of points and poses: the scores, the difficulties, the commands."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import orjson
import pytest
from rich.console import Console

from streamer.evaluation.landmarks import (
    Selection,
    evaluate_landmarks,
    evaluate_pose,
    measure_landmarks,
    select_faces,
)
from streamer.evaluation.pictures import sheet
from streamer.evaluation.probe import DIFFICULTIES, flicker, load_backend, look
from streamer.evaluation.scores import curve_area, landmark_scores, point_errors, pose_scores
from streamer.landmarks.backends import Answer
from streamer.landmarks.predictor import load_predictor
from streamer.landmarks.topology import MEAN_FACE, MEAN_SHAPE_3D
from streamer.training.datasets import SIDE, DatasetError, FaceSet, load_faces
from streamer.types import Image


class MeanFace:
    """A network that always answers the same."""

    def __call__(self, crops: Image) -> Answer:
        count = len(crops)
        points = np.repeat(MEAN_FACE[None] * 96, count, axis=0)
        return Answer(points, np.zeros((count, 3), np.float32), np.ones(count, np.float32))


@pytest.fixture
def faces(astronaut: np.ndarray) -> FaceSet:
    image = cv2.resize(astronaut[40:240, 125:325], (SIDE, SIDE))
    points = MEAN_SHAPE_3D * 45 + np.array([78, 66, 0], np.float32)
    predictor = load_predictor()
    for _ in range(4):
        points[:, :2] = predictor.from_landmarks(image, points[None, :, :2].astype(np.float32)).landmarks[0]
    return FaceSet(
        images=np.repeat(image[None], 3, axis=0),
        landmarks=np.repeat(points[None], 3, axis=0).astype(np.float32),
        pose=np.array([[0, 0, 0], [0, 0, -30], [0, 0, 70]], np.float32),
        group=np.array(["a", "b", "c"]),
        source=np.array(["here"] * 3),
        names=np.array(["0", "1", "2"]),
    )


def test_errors_are_in_eye_distances() -> None:
    truth = np.repeat(MEAN_SHAPE_3D[None, :, :2] * 40, 2, axis=0)
    found = truth + np.array([4.0, 0.0], np.float32)
    found[1] = truth[1]
    truth[0, 7] = np.nan
    errors = point_errors(found, truth)
    assert np.allclose(np.delete(errors[0], 7), 0.1, atol=1e-5)
    assert np.isnan(errors[0, 7])
    assert (errors[1] == 0).all()


def test_scores_by_part_and_angle() -> None:
    errors = np.full((4, 106), 0.02, np.float32)
    errors[:, :33] = 0.08
    errors[3] = 0.3
    scores = landmark_scores(errors, np.array([0, 20, np.nan, -50], np.float32))
    assert scores.failures == 0.25
    assert scores.parts["jaw"] == pytest.approx((3 * 0.08 + 0.3) / 4)
    assert scores.parts["eyes"] == pytest.approx((3 * 0.02 + 0.3) / 4)
    assert set(scores.yaw) == {"0-15", "15-25", "40-60"}
    assert scores.yaw["40-60"] == pytest.approx(0.3)
    assert curve_area(np.array([0.0, 0.05, 0.2], np.float32)) == pytest.approx(0.5)


def test_pose_errors_wrap_around() -> None:
    scores = pose_scores(np.array([[0, 179, 10.0]], np.float32), np.array([[5, -179, 30.0]], np.float32))
    assert (scores.pitch, scores.roll, scores.yaw) == (5, 2, 20)
    assert scores.mean == 9
    assert scores.yaw_by_yaw == {"25-40": 20}


def test_difficulties_are_the_same_for_every_network(faces: FaceSet) -> None:
    for name, difficulty in DIFFICULTIES.items():
        one, two = (look(MeanFace(), faces, difficulty) for _ in range(2))
        assert (one.landmarks == two.landmarks).all(), name


def test_a_network_that_ignores_the_picture_trembles_with_its_crop(faces: FaceSet) -> None:
    """Its points stay put in the crop, so they move with every crop error."""
    assert 0.01 < flicker(MeanFace(), faces).mean() < 0.06


def test_the_shipped_network_is_steadier_and_good(faces: FaceSet) -> None:
    ours = load_backend(None)
    assert flicker(ours, faces, repeats=3).mean() < 0.6 * flicker(MeanFace(), faces, repeats=3).mean()


def test_difficulties_are_difficult(shared_data: Path) -> None:
    faces = load_faces(shared_data / "faces", limit=60)
    report = measure_landmarks(load_backend(None), faces, "ours")
    assert report.clean.nme < 0.06
    for name, scores in report.difficulties.items():
        assert scores.nme > 0.95 * report.clean.nme, name


def test_roll_of_a_crop_is_taken_off_the_pose(faces: FaceSet) -> None:
    pose = look(MeanFace(), faces, DIFFICULTIES["roll 20-40"]).pose[:, 1]
    assert ((np.abs(pose) > 12) & (np.abs(pose) < 48)).all()


def test_commands_write_their_files(shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    few = load_faces(shared_data / "faces", limit=120)
    monkeypatch.setattr("streamer.evaluation.landmarks.load_faces", lambda folder: few)
    console = Console(record=True, width=120)
    starter = shared_data / "weights" / "landmarks106-starter.safetensors"
    selection = Selection(shared_data / "faces", fraction=0.5, max_yaw=40)
    reports = evaluate_landmarks(selection, None, starter, tmp_path / "eval", console)
    evaluate_pose(selection, None, None, tmp_path / "eval", console)
    text = console.export_text()
    assert "crop-jitter flicker" in text
    assert "yaw MAE" in text
    assert len(reports) == 2
    assert reports[0].clean.faces == reports[1].clean.faces < 120
    table = orjson.loads((tmp_path / "eval" / "landmarks.json").read_bytes())
    assert table[1]["weights"] == "landmarks106-starter"
    for name in ("landmarks.png", "worst.png"):
        assert cv2.imread(str(tmp_path / "eval" / name)) is not None
    assert "yaw_by_yaw" in orjson.loads((tmp_path / "eval" / "pose.json").read_bytes())["facestream"]


def test_an_empty_selection_is_an_error(shared_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    few = load_faces(shared_data / "faces", limit=5)
    monkeypatch.setattr("streamer.evaluation.landmarks.load_faces", lambda folder: few)
    with pytest.raises(DatasetError, match="No face"):
        select_faces(Selection(shared_data / "faces", only=("nobody",)))


def test_sheets_fill_their_last_row() -> None:
    tiles = [np.full((4, 4, 3), 9, np.uint8)] * 5
    assert sheet(tiles, 3).shape == (8, 12, 3)
