"""The predictor on real faces: any rotation, signs of the pose, steadiness, torch against ONNX Runtime."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from streamer.detectors import load_detector
from streamer.errors import DeviceError, WeightsError
from streamer.landmarks import LandmarkPredictor, geometry, load_predictor
from streamer.landmarks.topology import eye_distance, flip_landmarks, keypoints_from_landmarks
from streamer.runtime.devices import has_nvidia_driver
from streamer.runtime.weights import own_weights
from streamer.types import Detections

Seen = tuple[np.ndarray, Detections]


def nme(found: np.ndarray, expected: np.ndarray) -> float:
    """Mean distance of (1, 106, 2) points in outer-eye distances."""
    distances = np.linalg.norm(found[0] - expected[0], axis=1)
    return float(distances.mean() / eye_distance(expected)[0])


def turned(image: np.ndarray, degrees: float) -> tuple[np.ndarray, np.ndarray]:
    """The image turned clockwise on a canvas that holds all of it, and the matrix that did it."""
    height, width = image.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), -degrees, 1.0)
    side = int(np.hypot(width, height)) + 1
    matrix[:, 2] += (side - width) / 2, (side - height) / 2
    return cv2.warpAffine(image, matrix, (side, side)), matrix


def moved(points: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    return (points @ matrix[:, :2].T + matrix[:, 2]).astype(np.float32)


def assert_any_rotation(predictor: LandmarkPredictor, image: np.ndarray, seen: Detections) -> None:
    upright = predictor.from_detections(image, seen.boxes, seen.keypoints)
    x1, y1, x2, y2 = seen.boxes[0]
    for degrees in range(0, 360, 15):
        picture, matrix = turned(image, degrees)
        corners = moved(np.array([[x1, y1], [x2, y1], [x2, y2], [x1, y2]]), matrix)
        box = np.concatenate([corners.min(axis=0), corners.max(axis=0)])[None]
        found = predictor.from_detections(picture, box, moved(seen.keypoints, matrix))
        assert nme(found.landmarks, moved(upright.landmarks, matrix)) < 0.04, degrees
        roll = found.pose[0, 1] - upright.pose[0, 1] - degrees
        assert abs((roll + 180) % 360 - 180) < 4, degrees
        assert found.presence[0] > 0.5, degrees
        np.testing.assert_allclose(found.pose[0, [0, 2]], upright.pose[0, [0, 2]], atol=6)


def test_portrait_in_any_rotation(predictor: LandmarkPredictor, portrait: Seen) -> None:
    assert_any_rotation(predictor, *portrait)


def test_people_in_any_rotation(predictor: LandmarkPredictor, people: list[Seen]) -> None:
    for image, seen in people:
        assert_any_rotation(predictor, image, seen)


def test_portrait_points_are_on_its_features(predictor: LandmarkPredictor, portrait: Seen) -> None:
    image, seen = portrait
    found = predictor.from_detections(image, seen.boxes, seen.keypoints)
    keypoints = keypoints_from_landmarks(found.landmarks)
    apart = np.linalg.norm(keypoints - seen.keypoints, axis=2) / eye_distance(found.landmarks)
    assert apart.max() < 0.15
    assert abs(found.pose[0, 1]) < 8
    assert abs(found.pose[0, 2]) < 10


def test_iterating_on_a_still_stays_where_it_is(predictor: LandmarkPredictor, portrait: Seen) -> None:
    image, seen = portrait
    first = predictor.from_detections(image, seen.boxes, seen.keypoints).landmarks
    landmarks = first
    for _ in range(20):
        before, landmarks = landmarks, predictor.from_landmarks(image, landmarks).landmarks
    assert nme(landmarks, first) < 0.02
    assert nme(landmarks, before) < 0.01


def test_flip_negates_roll_and_yaw(predictor: LandmarkPredictor, people: list[Seen], portrait: Seen) -> None:
    for image, seen in [portrait, *people]:
        right = predictor.from_detections(image, seen.boxes, seen.keypoints)
        width = image.shape[1]
        mirrored = flip_landmarks(right.landmarks, width)
        left = predictor.from_landmarks(np.ascontiguousarray(image[:, ::-1]), mirrored)
        assert nme(left.landmarks, mirrored) < 0.04
        expected = right.pose[0] * (1, -1, -1)
        np.testing.assert_allclose(left.pose[0], expected, atol=5)


def test_yaw_is_positive_when_the_nose_points_to_image_right(predictor: LandmarkPredictor, people: list[Seen]) -> None:
    """The nose tip's place between the eyes' outer corners gives the sign away on turned heads."""
    checked = 0
    for image, seen in people:
        found = predictor.from_detections(image, seen.boxes, seen.keypoints)
        left, right, nose = found.landmarks[0, [66, 79, 54], 0]
        lean = (nose - (left + right) / 2) / (right - left)
        if abs(lean) > 0.08:
            assert np.sign(found.pose[0, 2]) == np.sign(lean)
            checked += 1
    assert checked


def test_batch_gives_what_single_faces_give(predictor: LandmarkPredictor, portrait: Seen) -> None:
    image, seen = portrait
    one = predictor.from_detections(image, seen.boxes, seen.keypoints)
    shifts = np.float32([[0, 0], [3, 2], [-2, 4]])[:, None]
    many = predictor.from_landmarks(image, one.landmarks + shifts)
    for row, shift in enumerate(shifts):
        alone = predictor.from_landmarks(image, one.landmarks + shift)
        np.testing.assert_allclose(many.landmarks[row], alone.landmarks[0], atol=1e-3)
        np.testing.assert_allclose(many.pose[row], alone.pose[0], atol=1e-3)


def test_torch_and_onnx_agree_on_real_faces(predictor: LandmarkPredictor, people: list[Seen]) -> None:
    torch_predictor = load_predictor(own_weights("landmarks106.safetensors"), device="cpu")
    for image, seen in people:
        start = predictor.from_detections(image, seen.boxes, seen.keypoints).landmarks
        ours, theirs = (p.from_landmarks(image, start) for p in (predictor, torch_predictor))
        matrix = geometry.crops_from_landmarks(start)
        pixels = (ours.landmarks - theirs.landmarks) @ matrix[:, :, :2].transpose(0, 2, 1)
        assert np.abs(pixels).max() < 1e-3
        np.testing.assert_allclose(ours.pose, theirs.pose, atol=1e-3)
        np.testing.assert_allclose(ours.presence, theirs.presence, atol=1e-4)


def test_no_faces_are_no_faces(predictor: LandmarkPredictor, astronaut: np.ndarray) -> None:
    nothing = Detections.empty()
    assert len(predictor.from_detections(astronaut, nothing.boxes, nothing.keypoints)) == 0
    found = predictor.from_landmarks(astronaut, np.zeros((0, 106, 2), np.float32))
    assert found.landmarks.shape == (0, 106, 2)


def test_impossible_points_are_no_face_and_spoil_no_other(predictor: LandmarkPredictor, portrait: Seen) -> None:
    image, seen = portrait
    good = predictor.from_detections(image, seen.boxes, seen.keypoints).landmarks
    batch = np.concatenate([good * np.nan, good, good * 0, good + 5000])
    found = predictor.from_landmarks(image, batch)
    assert found.presence[[0, 2, 3]].tolist() == [0, 0, 0]
    assert found.presence[1] > 0.5
    assert np.isfinite(found.landmarks).all()
    np.testing.assert_allclose(found.landmarks[1], predictor.from_landmarks(image, good).landmarks[0], atol=1e-3)


@pytest.mark.parametrize("content", [b"", b"hello", "half", "retinaface"])
def test_weights_of_no_use_say_so(tmp_path: Path, content: bytes | str) -> None:
    from streamer.runtime.weights import retinaface_mobilenet_onnx

    path = tmp_path / "mine.onnx"
    if content == "half":
        data = own_weights("landmarks106.onnx").read_bytes()
        content = data[: len(data) // 2]
    elif content == "retinaface":
        content = retinaface_mobilenet_onnx()
    assert isinstance(content, bytes)
    path.write_bytes(content)
    with pytest.raises(WeightsError, match=r"mine\.onnx"):
        load_predictor(path)
    with pytest.raises(WeightsError, match=r"absent\.onnx"):
        load_predictor(tmp_path / "absent.onnx")


@pytest.mark.skipif(has_nvidia_driver(), reason="this machine has a GPU")
def test_cuda_without_a_gpu_is_a_sentence() -> None:
    with pytest.raises(DeviceError, match="CUDA"):
        load_predictor(device="cuda")


def test_a_default_run_does_not_import_torch() -> None:
    code = "import sys; from streamer.landmarks import load_predictor; load_predictor(); print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "False"


def test_detector_to_points_through_the_public_interface(predictor: LandmarkPredictor, portrait: Seen) -> None:
    """With a detector that gives no direction, an upright face is still found."""
    image, seen = portrait
    with_direction = predictor.from_detections(image, seen.boxes, seen.keypoints)
    without = predictor.from_detections(image, seen.boxes, None)
    assert nme(without.landmarks, with_direction.landmarks) < 0.02
    assert load_detector("retinaface", max_side=512).detect(image).scores[0] > 0.9
