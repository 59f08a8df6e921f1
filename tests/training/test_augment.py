"""Augmentation: crops whose labels are right, drawn the same for the same seed."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from streamer.landmarks import geometry as live
from streamer.landmarks.topology import MEAN_SHAPE_3D, MIRROR
from streamer.training import augment, photometry
from streamer.training.augment import CropError, FacePicture, between, cut, draw_error, draw_face, draw_view, nudge
from streamer.training.batches import Batches, sampling_weights
from streamer.training.datasets import SIDE, FaceSet, load_faces
from streamer.training.geometry import crop_matrix, crop_roll, transform
from streamer.training.loop import loader
from streamer.training.occlusion import glasses, hand, mask, occlude, patch
from streamer.training.sheet import augmentation_sheet

EXACT = CropError(0.0, np.zeros(4))


def portrait_set(astronaut: np.ndarray, count: int = 4) -> FaceSet:
    """The astronaut, several times, with the mean face for labels: always there, so these tests never skip."""
    image = cv2.resize(astronaut[40:240, 125:325], (SIDE, SIDE))
    points = MEAN_SHAPE_3D * 50 + np.array([SIDE / 2, SIDE / 2, 0], np.float32)
    return FaceSet(
        images=np.repeat(image[None], count, axis=0),
        landmarks=np.repeat(points[None], count, axis=0).astype(np.float32),
        pose=np.zeros((count, 3), np.float32),
        group=np.array([f"g{row}" for row in range(count)]),
        source=np.array(["skimage"] * count),
        names=np.array([f"{row}" for row in range(count)]),
    )


@pytest.fixture
def faces(astronaut: np.ndarray) -> FaceSet:
    return portrait_set(astronaut)


@pytest.fixture
def face(faces: FaceSet) -> FacePicture:
    return FacePicture(faces.images[0].copy(), faces.landmarks[0, :, :2], np.ones(106, bool), faces.pose[0])


def test_the_exact_crop_is_the_live_paths_crop(faces: FaceSet) -> None:
    points = faces.landmarks[:1, :, :2]
    assert np.allclose(crop_matrix(points[0]), live.crops_from_landmarks(points)[0], atol=1e-3)


def test_roll_error_leaves_the_face_turned_clockwise(face: FacePicture) -> None:
    view = cut(face.image, face.points, face.pose, CropError(20.0, np.zeros(4)))
    across = (view.points[79] - view.points[66]) @ np.diag(1 / np.linalg.norm(view.matrix[:, :2], axis=1))
    assert np.degrees(np.arctan2(across[1], across[0])) == pytest.approx(20, abs=0.1)
    assert view.pose[1] == pytest.approx(20, abs=0.1)
    assert crop_roll(view.matrix) == pytest.approx(20, abs=0.1)


def test_side_errors_move_the_face_against_them(face: FacePicture) -> None:
    exact = cut(face.image, face.points, face.pose, EXACT)
    shifted = cut(face.image, face.points, face.pose, CropError(0.0, np.array([0.1, 0, 0.1, 0])))
    moved = shifted.points - exact.points
    assert np.allclose(moved[:, 0], -0.1 / 1.15, atol=1e-3)
    assert np.allclose(moved[:, 1], 0, atol=1e-4)


def test_two_views_of_a_face_agree_through_their_map(face: FacePicture) -> None:
    rng = np.random.default_rng(3)
    for _ in range(20):
        error = draw_error(rng)
        first, second = draw_view(rng, face, error), draw_view(rng, face, nudge(rng, error))
        carried = transform(second.points * 96, between(first, second))
        assert np.allclose(carried, first.points * 96, atol=1e-2)
        assert np.abs(first.points - second.points).max() * 96 < 20


def test_mirroring_twice_is_nothing(faces: FaceSet) -> None:
    once = augment._mirror(faces.images[0], faces.landmarks[0], np.array([1, 2, 3], np.float32))
    assert np.allclose(once[2], [1, -2, -3])
    assert np.allclose(once[1][MIRROR][:, 1], faces.landmarks[0][:, 1])
    again = augment._mirror(*once)
    assert (again[0] == faces.images[0]).all()
    assert np.allclose(again[1], faces.landmarks[0], atol=1e-4)


def test_a_drawn_face_leaves_the_set_untouched(faces: FaceSet) -> None:
    before = faces.images.copy()
    rng = np.random.default_rng(0)
    for _ in range(40):
        draw_view(rng, draw_face(rng, faces, 0), draw_error(rng))
    assert (faces.images == before).all()


def test_missing_points_are_guessed_for_framing_and_not_learned(faces: FaceSet) -> None:
    faces.landmarks[0, 10] = np.nan
    faces.pose[0] = np.nan
    drawn = draw_face(np.random.default_rng(1), faces, 0)
    assert drawn.labelled.sum() == 105
    assert np.isfinite(drawn.points).all()
    assert np.isnan(drawn.pose).all()
    original = portrait_shape()
    flipped = bool(abs(drawn.points[79, 0] - original[79, 0]) > 1e-3)
    hidden = int(np.flatnonzero(~drawn.labelled)[0])
    assert hidden == (int(MIRROR[10]) if flipped else 10)
    assert np.linalg.norm(drawn.points[hidden] - original[hidden]) < 1.5


def portrait_shape() -> np.ndarray:
    return MEAN_SHAPE_3D[:, :2] * 50 + SIDE / 2


@pytest.mark.parametrize("cover", [patch, hand, mask, glasses])
def test_covers_change_some_of_the_picture_and_not_all(face: FacePicture, cover: object) -> None:
    changed = []
    for seed in range(12):
        image = face.image.copy()
        other = [] if cover in (hand, glasses) else [face.image[::-1].copy()]
        cover(np.random.default_rng(seed), image, face.points, *other)  # type: ignore[operator]
        changed.append((image != face.image).any(axis=2).mean())
    assert 0.01 < np.mean(changed) < 0.6


def test_about_two_faces_in_five_are_covered(face: FacePicture) -> None:
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(300):
        image = face.image.copy()
        occlude(rng, image, face.points, face.image[::-1])
        covered += bool((image != face.image).any())
    assert 0.3 < covered / 300 < 0.48


def test_disturbances_do_what_they_say(face: FacePicture) -> None:
    rng = np.random.default_rng(0)
    image = cv2.resize(face.image, (96, 96))
    sharpness = cv2.Laplacian(image, cv2.CV_32F).var()
    for softer in (
        photometry.blur(image, 2.0),
        photometry.motion_blur(image, 9, 0.3),
        photometry.low_resolution(image, 24),
    ):
        assert cv2.Laplacian(softer, cv2.CV_32F).var() < 0.5 * sharpness
    noisy = photometry.noise(rng, np.full((96, 96, 3), 128, np.uint8), 10.0)
    assert noisy.std() == pytest.approx(10, rel=0.1)
    assert photometry.darken(rng, image, 0.15).mean() < 0.3 * image.mean()
    assert photometry.jpeg(image, 20).shape == image.shape
    lit = photometry.side_light(np.full((96, 96, 3), 100, np.uint8), 0.5, 0.0).mean(axis=(0, 2))
    assert lit[0] < 60 < 140 < lit[-1]


def test_batches_are_the_same_for_the_same_seed(faces: FaceSet) -> None:
    one, two = Batches(faces, 9, seed=5)[3], Batches(faces, 9, seed=5)[3]
    other = Batches(faces, 9, seed=6)[3]
    assert all((a.nan_to_num() == b.nan_to_num()).all() for a, b in zip(one, two, strict=True))
    assert (one.crops != other.crops).any()
    assert one.crops.shape == (9, 3, 96, 96)
    assert one.between.shape == (3, 2, 3)


def test_a_worker_makes_the_same_batches(faces: FaceSet) -> None:
    batches = Batches(faces, 6, seed=1)
    made = list(loader(batches, 2, 5, workers=1, ahead=2))
    assert len(made) == 3
    assert all((batch.crops == batches[number].crops).all() for number, batch in enumerate(made, start=2))


def test_turned_heads_are_drawn_more_often(faces: FaceSet) -> None:
    faces.pose[0, 2] = 50
    weights = sampling_weights(faces)
    assert weights[0] == pytest.approx(3 * weights[1])
    assert weights.sum() == pytest.approx(1)


def test_poses_reach_far(shared_data: Path) -> None:
    """Turned heads are well represented: what 3-D turning is for."""
    faces = load_faces(shared_data / "faces", limit=300)
    rng = np.random.default_rng(0)
    poses = np.array([draw_face(rng, faces, int(rng.integers(len(faces)))).pose for _ in range(300)])
    assert (np.abs(poses[:, 2]) > 40).mean() > 0.15
    assert (np.abs(poses[:, 0]) > 20).mean() > 0.1


def test_contact_sheet(shared_data: Path, tmp_path: Path) -> None:
    augmentation_sheet(shared_data / "faces", tmp_path / "new" / "sheet.png", pairs=7, seed=0)
    image = cv2.imread(str(tmp_path / "new" / "sheet.png"))
    assert image is not None
    assert image.shape == (2 * 144, 10 * 144, 3)
