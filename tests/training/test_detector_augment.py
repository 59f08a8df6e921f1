"""Labels stay on the faces whatever augmentation does; the same number gives the same sample."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from streamer.detectors import load_detector
from streamer.detectors.postprocess import overlap, turn_boxes
from streamer.training.detection import augment
from streamer.training.detection.assign import NO_HINTS, Hints
from streamer.training.detection.augment import draw_sample
from streamer.training.detection.batches import Batches
from streamer.training.detection.cut import SMALLEST, Sample, cut, join, place, warp
from streamer.training.detection.data import Photograph, PhotoSet, collect, split
from streamer.training.detection.decoys import draw_decoy
from streamer.training.detection.layouts import read_entries
from streamer.training.detection.run import paste_faces
from streamer.training.detection.sheet import write_sheet
from streamer.training.detection.teacher import Lesson, teach
from streamer.training.loop import loader

ASTRONAUT = [185.0, 60.0, 265.0, 170.0]
EYES_TO_MOUTH = [[207, 115], [244, 110], [229, 132], [211, 146], [249, 142]]


@pytest.fixture
def portrait(astronaut: np.ndarray) -> PhotoSet:
    """The astronaut with an ignored place."""
    photo = Photograph(
        "astronaut",
        cv2.imencode(".png", astronaut)[1].tobytes(),
        (512, 512),
        np.array([ASTRONAUT], np.float32),
        np.array([EYES_TO_MOUTH], np.float32),
        np.zeros(1, np.float32),
        np.array([[400, 20, 440, 60]], np.float32),
    )
    return PhotoSet([photo], {"astronaut": astronaut})


@pytest.fixture(scope="module")
def real(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[PhotoSet, list[Lesson]]:
    """Twenty-four photographs of both parts, completed by the teacher."""
    folder = shared_data / "detection"
    entries = [entry for entry in read_entries([folder]) if not entry.held_out]
    train, _ = split(collect(entries[::160], [folder]))
    return teach(train, tmp_path_factory.mktemp("teacher") / "teacher.npz")


def no_lessons(photos: PhotoSet) -> list[Lesson]:
    return [Lesson(NO_HINTS, np.zeros(0, np.intp)) for _ in photos.photographs]


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("degrees", [0, 37, 90, 180, 250])
def test_a_turned_face_is_found_where_its_label_is(portrait: PhotoSet, degrees: int, mirrored: bool) -> None:
    """The detector, shown the crop turned back upright, agrees with the labels that augmentation computed."""
    seen = load_detector("retinaface").detect(portrait.picture(0))
    photo = replace(portrait[0], boxes=seen.boxes, keypoints=seen.keypoints)
    middle = (photo.boxes[0, :2] + photo.boxes[0, 2:]) / 2
    matrix = place((320, 320), 0.9, math.radians(degrees), mirrored, middle + np.array([20, -30]))
    sample = cut(np.random.default_rng(0), photo, portrait.picture(0), NO_HINTS, matrix, (320, 320))
    back = place((320, 320), 1.0, math.radians(-degrees), False, np.full(2, 160.0))
    found = load_detector("retinaface").detect(warp(sample.image, back, (320, 320), (0, 0, 0)))
    labelled = sample.keypoints[0] @ back[:, :2].T + back[:, 2]
    assert len(found) == 1
    assert np.abs(found.keypoints[0] - labelled).max() < 5, "an eye is 20 px from the nose"
    upright = turn_boxes(photo.boxes, np.column_stack([back[:, :2] @ matrix[:, :2], back @ [*matrix[:, 2], 1]]))
    assert overlap(upright[0], found.boxes)[0] > 0.7
    box = sample.boxes[0]
    assert ((sample.keypoints[0] > box[:2]) & (sample.keypoints[0] < box[2:])).all()
    assert np.allclose(
        np.sqrt((box[2:] - box[:2]).prod()), 0.9 * np.sqrt(np.prod(seen.boxes[0, 2:] - seen.boxes[0, :2])), rtol=0.12
    )


def test_a_box_turned_by_a_right_angle_is_exact_and_in_between_is_its_ellipse() -> None:
    box = np.array([[-20, -10, 20, 10]], np.float32)
    quarter = place((0, 0), 2.0, math.pi / 2, False, np.zeros(2))
    assert np.allclose(turn_boxes(box, quarter), [[-20, -40, 20, 40]])
    angle = math.radians(30)
    round_ = np.linspace(0, 2 * math.pi, 5000)
    points = np.column_stack([20 * np.cos(round_), 10 * np.sin(round_)])
    turned = points @ np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
    expected = [*turned.min(axis=0), *turned.max(axis=0)]
    assert np.allclose(turn_boxes(box, place((0, 0), 1.0, angle, False, np.zeros(2))), expected, atol=1e-3)


def test_tiny_and_cut_faces_are_ignored(portrait: PhotoSet) -> None:
    photo, image, rng = portrait[0], portrait.picture(0), np.random.default_rng(0)

    def at(scale: float, middle: tuple[float, float]) -> Sample:
        hints = Hints(np.array([[225, 110]], np.float32), np.array([3]), np.array([0.9], np.float32), np.array([0]))
        matrix = place((320, 320), scale, 0.0, False, np.array(middle))
        return cut(rng, photo, image, hints, matrix, (320, 320))

    whole = at(1.0, (256, 256))
    assert len(whole.boxes) == 1
    assert whole.hints.faces.tolist() == [0]
    tiny = at(0.9 * SMALLEST / np.sqrt(80 * 110), (256, 256))
    assert len(tiny.boxes) == 0
    assert len(tiny.ignore) == 2
    assert tiny.hints.faces.tolist() == [-1]
    beside = at(1.0, (400, 200))
    assert len(beside.boxes) == 0
    assert beside.ignore.tolist() == [[0, 20, 25, 130], [160, 0, 200, 20]], "its middle lies outside"
    assert len(beside.hints.scores) == 0
    half = at(1.0, (380, 200))
    assert half.boxes.tolist() == [[0, 20, 45, 130]], "clipped to what is seen"


def test_join_shifts_labels_and_hints() -> None:
    def part(faces: int) -> Sample:
        hints = Hints(np.ones((2, 2), np.float32), np.zeros(2, int), np.ones(2, np.float32), np.array([faces - 1, -1]))
        boxes = np.tile(np.array([[1, 1, 9, 9]], np.float32), (faces, 1))
        points = np.ones((faces, 5, 2), np.float32)
        return Sample(np.full((10, 10, 3), faces, np.uint8), boxes, points, np.zeros((0, 4), np.float32), hints)

    whole = join([(part(1), (0, 0)), (part(2), (10, 0)), (part(3), (0, 10)), (part(4), (10, 10))], (20, 20))
    assert whole.image[[0, 0, 15, 15], [0, 15, 0, 15], 0].tolist() == [1, 2, 3, 4]
    assert whole.boxes[[0, 1, 3, 9]].tolist() == [[1, 1, 9, 9], [11, 1, 19, 9], [1, 11, 9, 19], [11, 11, 19, 19]]
    assert whole.hints.faces.tolist() == [0, -1, 2, -1, 5, -1, 9, -1]
    assert whole.hints.centres[-1].tolist() == [11, 11]


def test_keypoints_lie_in_their_boxes_on_real_photographs(
    real: tuple[PhotoSet, list[Lesson]], shared_data: Path, tmp_path: Path
) -> None:
    photos, lessons = real
    batches = Batches(photos, lessons, paste_faces(shared_data / "faces"), 8, 256, seed=1)
    samples = [sample for number in range(12) for sample in batches.samples(number)]
    inside, faces, hinted = [], 0, 0
    for sample in samples:
        assert sample.image.shape == (256, 256, 3)
        assert (sample.boxes >= 0).all()
        assert (sample.boxes <= 256).all()
        assert (np.sqrt((sample.boxes[:, 2:] - sample.boxes[:, :2]).prod(axis=1)) >= SMALLEST - 1e-3).all()
        assert (sample.hints.faces < len(sample.boxes)).all()
        faces += len(sample.boxes)
        own = sample.hints.faces >= 0
        hinted += len(set(sample.hints.faces[own].tolist()))
        centres, boxes = sample.hints.centres[own], sample.boxes[sample.hints.faces[own]]
        reach = 0.75 * (boxes[:, 2:] - boxes[:, :2]).max(axis=1, initial=0)[:, None] + 16
        assert (np.abs(centres - (boxes[:, :2] + boxes[:, 2:]) / 2) <= reach + 40).all()
        cut_off = (sample.boxes < 0.5).any(axis=1) | (sample.boxes > 255.5).any(axis=1)
        known = np.isfinite(sample.keypoints).all(axis=(1, 2)) & ~cut_off
        for box, points in zip(sample.boxes[known], sample.keypoints[known], strict=True):
            slack = 0.1 * (box[2:] - box[:2])
            inside.append(((points >= box[:2] - slack) & (points <= box[2:] + slack)).all())
    assert faces > 150
    assert len(inside) > 60
    assert np.mean(inside) > 0.97
    assert hinted > 0.3 * faces
    write_sheet(samples[:12], tmp_path / "deep" / "sheet.png")
    assert cv2.imread(str(tmp_path / "deep" / "sheet.png")).shape == (640, 1920, 3)


def test_upright_samples_are_detected_again(real: tuple[PhotoSet, list[Lesson]]) -> None:
    """What RetinaFace finds in upright crops are labelled faces, keypoints included, or ignored places."""
    photos, _ = real
    detector = load_detector("retinaface", score=0.9)
    errors, explained = [], []
    for index in range(0, len(photos), 2):
        photo, rng = photos[index], np.random.default_rng(index)
        scale = 320 / min(photo.size)
        matrix = place((320, 320), scale, 0.0, bool(index % 4), np.array(photo.size) / 2)
        sample = cut(rng, photo, photos.picture(index), NO_HINTS, matrix, (320, 320))
        found = detector.detect(sample.image)
        for box, points in zip(found.boxes, found.keypoints, strict=True):
            there = overlap(box, sample.boxes) if len(sample.boxes) else np.zeros(1)
            explained.append(there.max() > 0.4 or overlap(box, sample.ignore).max(initial=0) > 0.1)
            if there.max() > 0.5 and np.isfinite(sample.keypoints[there.argmax()]).all():
                side = np.sqrt((box[2:] - box[:2]).prod())
                errors.append(np.linalg.norm(points - sample.keypoints[there.argmax()], axis=1).mean() / side)
    assert len(errors) >= 10
    assert np.median(errors) < 0.06
    assert np.mean(explained) > 0.9


def test_decoys_are_pasted_where_no_face_is(portrait: PhotoSet, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same samples with and without: labels stay, faces and ignored places keep their pixels, the rest differs."""
    monkeypatch.setattr(augment, "disturb", lambda rng, image: image)

    def draw(number: int, distract: float) -> Sample:
        monkeypatch.setattr(augment, "_DISTRACT", distract)
        rng = np.random.default_rng(number)
        return draw_sample(rng, portrait, no_lessons(portrait), np.ones(1), None, 256)

    changed = 0
    for number in range(60):
        plain, other = draw(number, 0.0), draw(number, 1.0)
        assert np.array_equal(plain.boxes, other.boxes)
        places = np.concatenate([plain.boxes, plain.ignore])
        inner = np.concatenate([np.ceil(places[:, :2]), np.floor(places[:, 2:])], axis=1).astype(int)
        for left, top, right, bottom in inner:
            assert (plain.image[top:bottom, left:right] == other.image[top:bottom, left:right]).all()
        changed += not (plain.image == other.image).all()
    assert changed > 20, "where the face fills the picture there is no place for one"


def test_decoys_are_letters_discs_and_badges() -> None:
    rng = np.random.default_rng(0)
    texture = np.tile(np.arange(40, dtype=np.uint8)[:, None, None], (1, 40, 3))
    made = [draw_decoy(rng, texture) for _ in range(100)]
    for picture, opacity in made:
        assert picture.shape == (160, 160, 3)
        assert opacity.shape == (160, 160)
        assert opacity.max() == 255
        assert opacity[0, 0] == 0, "a corner would tell it from a pasted face"
    shown = cv2.resize(texture, (160, 160))
    textured = [(picture == shown).all() for picture, _ in made]
    plain = [np.ptp(picture.reshape(-1, 3), axis=0).max() == 0 for picture, _ in made]
    assert 20 < sum(textured) < 50
    assert 12 < sum(plain) < 45, "letters"


def test_a_number_always_gives_the_same_batch(portrait: PhotoSet) -> None:
    """Whether made here or in a worker, and from whatever number on."""
    one, two = (Batches(portrait, no_lessons(portrait), None, 3, 192, seed=5) for _ in range(2))
    two[7]
    for got, same in zip(loader(one, 2, 4, workers=1, ahead=2), (two[2], two[3]), strict=True):
        assert (got.pictures == same.pictures).all()
        for first, second in zip(got.targets, same.targets, strict=True):
            assert np.array_equal(first.numpy(), second.numpy(), equal_nan=first.is_floating_point())
    assert not (one[2].pictures == one[3].pictures).all()
    other = Batches(portrait, no_lessons(portrait), None, 3, 192, seed=6)
    assert not (one[2].pictures == other[2].pictures).all()


def test_every_roll_is_seen(portrait: PhotoSet) -> None:
    rng, rolls = np.random.default_rng(0), []
    for _ in range(2000):
        sample = draw_sample(rng, portrait, no_lessons(portrait), np.ones(1), None, 160)
        for points in sample.keypoints[:1]:
            across = points[1] - points[0]
            rolls.append(math.degrees(math.atan2(across[1], across[0])) % 360)
    share = np.histogram(rolls, bins=8, range=(0, 360))[0] / len(rolls)
    assert share.min() > 0.03, "an eighth of the full turns is 0.0375"
    assert share[0] + share[-1] > 0.35, "upright ones are still the most"
