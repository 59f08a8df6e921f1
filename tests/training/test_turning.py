"""Turning a face in 3-D: labels that fit the picture, poses that fit the labels."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from streamer.landmarks.topology import MEAN_SHAPE_3D, eye_distance
from streamer.training.augment import draw_turn
from streamer.training.datasets import SIDE, FaceSet, load_faces
from streamer.training.geometry import eye_angle, in_plane, pose_of, rotation
from streamer.training.turning import fit_head, turn_face


@pytest.fixture(scope="module")
def faces(shared_data: Path) -> FaceSet:
    return load_faces(shared_data / "faces", limit=200)


@pytest.fixture
def portrait(astronaut: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The astronaut's face with the mean shape laid over it."""
    image = cv2.resize(astronaut[40:240, 125:325], (SIDE, SIDE))
    return image, MEAN_SHAPE_3D * 50 + np.array([SIDE / 2, SIDE / 2, 0], np.float32)


@pytest.mark.parametrize("pose", [(0, 0, 0), (20, -5, 40), (-35, 10, -70), (5, 170, 10)])
def test_pose_and_rotation_are_inverse(pose: tuple[float, float, float]) -> None:
    assert np.allclose(pose_of(rotation(np.array(pose, float))), pose, atol=1e-6)


def test_signs_of_the_pose() -> None:
    """Nose towards image-right: yaw > 0; nose up: pitch > 0; image-right eye lower: roll > 0."""
    nose = np.array([0, 0, -1.0])
    right_eye = np.array([0.5, 0, 0])
    assert (rotation(np.array([0, 0, 30.0])) @ nose)[0] > 0
    assert (rotation(np.array([30.0, 0, 0])) @ nose)[1] < 0
    assert (rotation(np.array([0, 30.0, 0])) @ right_eye)[1] > 0


def test_turning_nowhere_changes_little(portrait: tuple[np.ndarray, np.ndarray]) -> None:
    image, points = portrait
    pose = np.zeros(3, np.float32)
    turned = turn_face(image, points, pose, 0.0, 0.0)
    again = turn_face(turned.image, np.column_stack([turned.points, points[:, 2]]).astype(np.float32), pose, 0.0, 0.0)
    middle = slice(SIDE // 4, 3 * SIDE // 4)
    difference = np.abs(again.image[middle, middle].astype(int) - turned.image[middle, middle].astype(int))
    assert difference.mean() < 2.5
    assert np.allclose(turned.pose, 0, atol=1e-6)


@pytest.mark.parametrize("yaw", [-70.0, -40.0, 40.0, 70.0])
def test_the_texture_follows_the_points(portrait: tuple[np.ndarray, np.ndarray], yaw: float) -> None:
    """A dot painted on a visible point lands where that point's label goes."""
    image, points = portrait
    seen = 88 if abs(yaw) < 60 else (86 if yaw > 0 else 88)
    dotted = np.zeros_like(image)
    x, y = points[seen, :2]
    cv2.circle(dotted, (round(x * 8), round(y * 8)), 24, (255, 255, 255), -1, cv2.LINE_AA, 3)
    turned = turn_face(dotted, points, np.zeros(3, np.float32), 0.0, yaw)
    mass = turned.image[:, :, 0].astype(float)
    assert mass.sum() > 500
    rows, columns = np.indices(mass.shape)
    centre = np.array([(columns * mass).sum(), (rows * mass).sum()]) / mass.sum()
    assert np.linalg.norm(centre - turned.points[seen]) < 3.0


def test_labels_stay_a_rigid_head(faces: FaceSet) -> None:
    """After turning, the points' own head fit has turned by what the pose labels say."""
    for row in range(0, 60, 6):
        landmarks, pose = faces.landmarks[row], faces.pose[row]
        turned = turn_face(faces.images[row], landmarks, pose, 10.0, 45.0)
        assert abs(eye_angle(turned.points)) < 1e-3
        change = rotation(turned.pose) @ rotation(pose.astype(float)).T
        rigid = landmarks.astype(float) @ change.T
        expected = rigid[:, :2] - rigid[:, :2].mean(axis=0)
        found = turned.points - turned.points.mean(axis=0)
        scale = np.linalg.norm(found) / np.linalg.norm(expected)
        assert np.abs(found - scale * expected).max() < 0.05


def test_pose_labels_match_the_shape(faces: FaceSet) -> None:
    """The axis order was measured on these labels; a wrong one would leave 10 degrees and more on turned heads."""
    far = np.flatnonzero(np.abs(faces.pose[:, 2]) > 25)
    fits = [fit_head(faces.landmarks[row])[1] for row in far]
    poses = [rotation(faces.pose[row].astype(float)) for row in far]
    offset = sum(fit.T @ pose for fit, pose in zip(fits, poses, strict=True))
    left, _, right = np.linalg.svd(offset)
    angles = [
        np.degrees(np.arccos(np.clip((np.trace((fit @ left @ right).T @ pose) - 1) / 2, -1, 1)))
        for fit, pose in zip(fits, poses, strict=True)
    ]
    assert np.mean(angles) < 4


def test_drawn_turns_reach_far_and_keep_their_side() -> None:
    rng = np.random.default_rng(0)
    turns = np.array([draw_turn(rng, -5.0, 15.0) for _ in range(2000)])
    assert np.abs(turns[:, 1]).max() <= 72
    assert np.abs(turns[:, 0]).max() <= 42
    assert (turns[:, 1] > 40).mean() > 0.4
    assert (turns[:, 1] < -20).mean() < 0.01
    assert (np.abs(turns[:, 0]) > 20).mean() > 0.2


def test_in_plane_turns_clockwise() -> None:
    assert np.allclose(in_plane(np.pi / 2) @ [1, 0, 0], [0, 1, 0])


def test_turned_eyes_come_together(faces: FaceSet) -> None:
    face = int(np.argmin(np.abs(faces.pose[:, 2])))
    wide = eye_distance(faces.landmarks[face, :, :2])
    turned = turn_face(faces.images[face], faces.landmarks[face], faces.pose[face], 0.0, 60.0)
    height = np.ptp(faces.landmarks[face, :, 1]) / np.ptp(turned.points[:, 1])
    assert eye_distance(turned.points) * height < 0.8 * wide
