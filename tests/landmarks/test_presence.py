"""Presence: high on faces, low on what a tracker drifts to without one; how crops are labelled, and the export."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from streamer.detectors import load_detector
from streamer.errors import FacestreamError
from streamer.landmarks import LandmarkPredictor, geometry
from streamer.landmarks.network import load_network
from streamer.landmarks.presence import load_presence
from streamer.runtime.weights import own_weights
from streamer.training import export
from streamer.training.presence.data import degrade, starts
from streamer.training.presence.sight import Judges
from streamer.training.presence.truth import (
    Truth,
    judge,
    mirrored,
    truth_of_crops,
    truth_of_keypoints,
    truth_of_photograph,
)
from streamer.types import Detections

Seen = tuple[np.ndarray, Detections]


def drifted(predictor: LandmarkPredictor, image: np.ndarray, boxes: np.ndarray, passes: int) -> np.ndarray:
    """Presence (n,) after following boxes through the landmark loop."""
    batch = predictor.from_detections(image, boxes.astype(np.float32), None, passes)
    return batch.presence


def test_real_faces_are_present(predictor: LandmarkPredictor, people: list[Seen], portrait: Seen) -> None:
    for image, seen in [portrait, *people]:
        for shown in (image, cv2.convertScaleAbs(image, alpha=0.35), cv2.GaussianBlur(image, (0, 0), 2)):
            found = predictor.from_detections(shown, seen.boxes, seen.keypoints)
            assert found.presence[0] > 0.5


def test_the_portrait_without_its_face_holds_none(predictor: LandmarkPredictor, portrait: Seen) -> None:
    image, seen = portrait
    x1, y1, x2, y2 = (int(v) for v in seen.boxes[0])
    empty = image.copy()
    empty[y1 - 20 : y2 + 20, x1 - 20 : x2 + 20] = image[300 : 300 + y2 - y1 + 40, 200 : 200 + x2 - x1 + 40]
    corners = np.array([(x, y) for x in range(0, 400, 50) for y in range(0, 400, 50)])
    accepted = []
    for side in (60, 110):
        boxes = np.concatenate([corners, np.add(corners, (side, side * 1.3))], axis=1)
        accepted += [drifted(predictor, empty, boxes, passes) > 0.5 for passes in (1, 3, 6)]
    assert np.concatenate(accepted).mean() <= 0.02


@pytest.mark.parametrize("change", [(0.7, 0, 1), (0, 0.8, 1), (0, 0, 0.35), (0, 0, 3.0)])
def test_badly_framed_portrait_is_none(
    predictor: LandmarkPredictor, portrait: Seen, change: tuple[float, float, float]
) -> None:
    """Beside the face by most of its size, a third of it, or three times its size: one pass must tell."""
    image, seen = portrait
    right, down, scale = change
    low, high = seen.boxes[0, :2], seen.boxes[0, 2:]
    middle = (low + high) / 2 + (high - low) * (right, down)
    half = (high - low) / 2 * scale
    box = np.concatenate([middle - half, middle + half])[None]
    assert drifted(predictor, image, box, 1)[0] < 0.5


def test_nothing_is_found_on_the_clip_without_faces(predictor: LandmarkPredictor, clips: Path) -> None:
    rng = np.random.default_rng(0)
    capture = cv2.VideoCapture(str(clips / "no_face.mp4"))
    accepted = []
    for number in range(90):
        good, frame = capture.read()
        assert good
        if number % 30:
            continue
        height, width = frame.shape[:2]
        middle = rng.uniform(0, 1, (40, 2)) * (width, height)
        half = np.exp(rng.uniform(np.log(15), np.log(200), (40, 1))) * (1, 1.3)
        boxes = np.concatenate([middle - half, middle + half], axis=1)
        accepted += [drifted(predictor, frame, boxes, passes) > 0.5 for passes in (1, 4)]
    capture.release()
    assert np.concatenate(accepted).mean() <= 0.01


def test_heads_seen_from_behind_are_no_faces_on_their_side(predictor: LandmarkPredictor, clips: Path) -> None:
    """Everyone in this street stands upright; turned readings of a bald head look almost like a face."""
    capture = cv2.VideoCapture(str(clips / "crowd_street_1080p.mp4"))
    good, frame = capture.read()
    capture.release()
    assert good
    seen = load_detector("retinaface").detect(frame)
    found = predictor.from_detections(frame, seen.boxes, seen.keypoints)
    present = found.presence > 0.5
    assert present.sum() >= 3
    assert np.abs(found.pose[present, 1]).max() < 45


def crop_at(x: float, y: float, size: float, roll: float = 0.0) -> np.ndarray:
    """Matrix (1, 2, 3) of an upright square crop, turned by degrees about its middle."""
    matrix = cv2.getRotationMatrix2D((x, y), roll, 96 / size)
    matrix[:, 2] += (48 - x, 48 - y)
    return matrix[None].astype(np.float32)


@pytest.mark.parametrize(
    ("crop", "label"),
    [
        (crop_at(200, 150, 100), 1),
        (crop_at(210, 145, 115, 20), 1),
        (crop_at(235, 150, 100), 0),
        (crop_at(260, 150, 100), -1),
        (crop_at(200, 150, 40), -1),
        (crop_at(200, 150, 240), -1),
        (crop_at(200, 150, 100, 120), -1),
        (crop_at(400, 300, 60), 0),
        (crop_at(20, 300, 60), -1),
    ],
)
def test_a_crop_is_labelled_by_where_it_lies(crop: np.ndarray, label: int) -> None:
    """One certain face at (200, 150), and perhaps another at (400, 300)."""
    sure, perhaps = truth_of_crops(crop_at(200, 150, 100)), truth_of_crops(crop_at(400, 300, 60))
    truth = Truth(
        np.concatenate([sure.centres, perhaps.centres]),
        np.concatenate([sure.sizes, perhaps.sizes]),
        np.array([0, np.nan], np.float32),
        np.array([True, False]),
        np.array([False, False]),
    )
    assert judge(crop, truth).tolist() == [label]


def test_starting_crops_hold_both_kinds_and_are_repeatable(portrait: Seen, predictor: LandmarkPredictor) -> None:
    image, seen = portrait
    found = predictor.from_detections(image, seen.boxes, seen.keypoints)
    truth = truth_of_crops(geometry.crops_from_landmarks(found.landmarks))
    first, again = (starts(truth, image.shape, np.random.default_rng(3)) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert {-1, 1} <= set(judge(first, truth).tolist())
    rng = np.random.default_rng(0)
    degraded = [degrade(image, rng) for _ in range(8)]
    assert all(picture.shape == image.shape and picture.dtype == np.uint8 for picture in degraded)
    assert any((picture != image).any() for picture in degraded)


def test_annotations_with_keypoints_are_certain_and_others_are_left_out(portrait: Seen) -> None:
    _, seen = portrait
    keypoints = seen.keypoints[0].tolist()
    boxes = [[300.0, 300.0, 340.0, 350.0], [400.0, 20.0, 430.0, 60.0]]
    known, vague = (
        {"box": seen.boxes[0].tolist(), "keypoints": keypoints, "mask": True},
        {"box": boxes[0], "mask": True},
    )
    truth = truth_of_photograph({"faces": [known, vague], "ignore": [boxes[1]]})
    assert truth.certain.tolist() == [True, False, False]
    assert truth.masked.tolist() == [True, False, False]
    middle = truth.centres[1]
    assert judge(crop_at(*middle.tolist(), 45), truth).tolist() == [0]
    assert truth_of_photograph({"faces": [], "ignore": None}).sizes.size == 0


def test_a_mirrored_face_lies_where_the_mirrored_picture_shows_it(portrait: Seen) -> None:
    image, seen = portrait
    turned = np.asarray(seen.keypoints + np.float32([0, 8]) * (np.arange(5) % 2)[:, None], np.float32)
    swapped = turned[:, [1, 0, 2, 4, 3]] * np.float32([-1, 1]) + np.float32([image.shape[1], 0])
    flipped, truth = mirrored(truth_of_keypoints(turned), image.shape[1]), truth_of_keypoints(swapped)
    np.testing.assert_allclose(flipped.centres, truth.centres, atol=1e-2)
    np.testing.assert_allclose(flipped.rolls, truth.rolls, atol=1e-3)
    assert abs(truth.rolls[0]) > 3


def test_a_box_without_keypoints_gets_those_of_the_face_that_is_found_there(portrait: Seen) -> None:
    image, seen = portrait
    bare, away = {"box": seen.boxes[0].tolist(), "mask": False}, {"box": [400.0, 20.0, 430.0, 60.0], "mask": None}
    judges = Judges()
    first, second = judges.completed(image, {"file": "a.jpg", "faces": [bare, away]})["faces"]
    np.testing.assert_allclose(first["keypoints"], seen.keypoints[0], atol=3)
    assert second == away
    assert "keypoints" not in bare
    assert truth_of_photograph(judges.completed(image[:64, :64], {"faces": [bare]})).certain.tolist() == [False]


def test_judges_confirm_a_face_until_it_cannot_be_seen(portrait: Seen) -> None:
    image, seen = portrait
    truth = truth_of_keypoints(np.concatenate([seen.keypoints, np.add(seen.keypoints, (250, 200))]))
    judges = Judges()
    assert judges.confirmed(image, truth.centres, truth.sizes).tolist() == [2, 0]
    assert judges.hinted(image, truth.centres, truth.sizes).tolist() == [1, 0]
    noise = np.random.default_rng(0).normal(0, 12, image.shape)
    night = np.clip(image * 0.01 + noise, 0, 255).astype(np.uint8)
    assert judges.confirmed(night, truth.centres, truth.sizes).tolist() == [0, 0]


def test_export_renews_our_own_file(tmp_path: Path) -> None:
    network = load_network(own_weights("landmarks106.safetensors"))
    presence = load_presence(own_weights("presence.safetensors"))
    path = tmp_path / "again.onnx"
    assert export.export_onnx(network, presence, path) < 1e-3
    assert path.read_bytes() == own_weights("landmarks106.onnx").read_bytes()


def test_export_refuses_what_disagrees(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    network = load_network(own_weights("landmarks106.safetensors"))
    presence = load_presence(own_weights("presence.safetensors"))
    monkeypatch.setattr(export, "TOLERANCE", 0.0)
    with pytest.raises(FacestreamError, match="nothing was written"):
        export.export_onnx(network, presence, tmp_path / "never.onnx")
    assert not list(tmp_path.iterdir())
