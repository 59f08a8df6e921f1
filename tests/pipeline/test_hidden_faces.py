"""Every place where a face may be is either a face that is shown or a hidden place, in every frame."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from streamer import FaceAnalyzer, load_config
from streamer.detectors import load_detector
from streamer.effects import Effects
from streamer.effects.library.pixelate import Pixelate
from streamer.landmarks import LandmarkBatch
from streamer.pipeline.analyzer import Models, load_models
from streamer.pipeline.hidden import HiddenPlaces
from streamer.types import NO_BOXES

FPS = 30.0


@pytest.fixture(scope="module")
def models() -> Models:
    return load_models(load_config())


@pytest.fixture
def analyzer(models: Models) -> FaceAnalyzer:
    return FaceAnalyzer(load_config(), models=models)


def frames(clip: Path, first: int, last: int) -> Iterator[tuple[np.ndarray, float]]:
    with av.open(str(clip)) as container:
        for index, frame in enumerate(container.decode(video=0)):
            if index >= last:
                return
            if index >= first:
                yield frame.to_ndarray(format="bgr24"), float(frame.time)


def held(box: np.ndarray, hidden: np.ndarray) -> bool:
    """Whether some hidden place holds nearly all of a box."""
    sides = np.maximum(np.minimum(box[2:], hidden[:, 2:]) - np.maximum(box[:2], hidden[:, :2]), 0)
    return bool((sides.prod(axis=1) > 0.9 * (box[2:] - box[:2]).prod()).any())


def beside(astronaut: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A scene with one face on the left, the same with a second one on the right, and the box of that one."""
    scene = np.full((512, 1024, 3), 90, np.uint8)
    scene[:, :512] = astronaut
    both = scene.copy()
    both[:, 512:] = astronaut[:, ::-1]
    return scene, both, np.array([1024 - 270, 65, 1024 - 180, 205], np.float32)


def test_a_new_face_is_hidden_until_it_is_shown(analyzer: FaceAnalyzer, astronaut: np.ndarray) -> None:
    face = analyzer.analyze(astronaut)[0].box
    for i in range(6):
        shown = analyzer.track(astronaut, i / FPS)
        assert len(shown) == 1 or held(face, analyzer.hidden)
    assert len(shown) == 1
    assert analyzer.hidden.shape == (0, 4)


def test_a_lost_face_is_hidden_while_it_may_come_back_and_a_second_longer(
    analyzer: FaceAnalyzer, astronaut: np.ndarray
) -> None:
    for i in range(30):
        faces = analyzer.track(astronaut, i / FPS)
    (face,) = faces
    blank, left = np.full_like(astronaut, 110), []
    for i in range(30, 120):
        shown = analyzer.track(blank, i / FPS)
        if not shown and held(face.box, analyzer.hidden):
            left.append(i / FPS)
        assert shown or i / FPS >= 2.8 or held(face.box, analyzer.hidden)
    assert 2.8 <= left[-1] <= 3.4
    assert analyzer.hidden.shape == (0, 4)


def test_a_face_that_comes_back_is_no_longer_hidden(analyzer: FaceAnalyzer, astronaut: np.ndarray) -> None:
    blank = np.full_like(astronaut, 110)
    for i in range(80):
        faces = analyzer.track(blank if 30 <= i < 50 else astronaut, i / FPS)
    assert [face.track_id for face in faces] == [1]
    assert analyzer.hidden.shape == (0, 4)


def test_faces_beyond_the_most_that_are_followed_are_hidden(models: Models, astronaut: np.ndarray) -> None:
    _, both, _ = beside(astronaut)
    analyzer = FaceAnalyzer(load_config(overrides=["tracking.max_faces=1"]), models=models)
    boxes = FaceAnalyzer(load_config(), models=models).analyze(both)
    assert len(boxes) == 2
    for i in range(20):
        shown = analyzer.track(both, i / FPS)
        for face in boxes:
            assert any(np.abs(face.box - s.box).max() < 25 for s in shown) or held(face.box, analyzer.hidden)
    assert len(shown) == 1
    assert len(analyzer.analyze(both)) == 1
    assert len(analyzer.hidden) == 1


def test_what_presence_rejects_on_a_still_is_hidden(models: Models, astronaut: np.ndarray) -> None:
    class Sceptic:
        def from_detections(self, *crops: Any, passes: int) -> LandmarkBatch:
            batch = models.predictor.from_detections(*crops, passes=passes)
            return replace(batch, presence=np.zeros(len(batch), np.float32))

    (face,) = FaceAnalyzer(load_config(), models=models).analyze(astronaut)
    strict = FaceAnalyzer(load_config(), models=replace(models, predictor=Sceptic()))
    assert strict.analyze(astronaut) == ()
    assert held(face.box, strict.hidden)


@pytest.mark.parametrize("vigilant", [False, True])
def test_a_vigilant_analyzer_hides_a_newcomer_in_its_first_frame(
    analyzer: FaceAnalyzer, astronaut: np.ndarray, vigilant: bool
) -> None:
    scene, both, newcomer = beside(astronaut)
    analyzer.vigilant = vigilant
    for i in range(61):
        analyzer.track(scene, i / FPS)
    assert len(analyzer.track(both, 61 / FPS)) == 1
    assert held(newcomer, analyzer.hidden) == vigilant


def test_vigilance_does_not_change_who_is_shown(models: Models, clips: Path) -> None:
    plain, vigilant = (FaceAnalyzer(load_config(), models=models) for _ in range(2))
    vigilant.vigilant = True
    for image, pts in frames(clips / "makeup_hand_occlusion.avi", 0, 60):
        first, second = plain.track(image, pts), vigilant.track(image, pts)
        assert [face.track_id for face in first] == [face.track_id for face in second]


def test_another_stream_has_no_hidden_places(analyzer: FaceAnalyzer, astronaut: np.ndarray) -> None:
    analyzer.track(astronaut, 0.0)
    assert len(analyzer.hidden)
    analyzer.reset()
    assert analyzer.hidden.shape == (0, 4)
    analyzer.track(astronaut, 0.0)
    analyzer.jump(60.0)
    analyzer.track(np.full_like(astronaut, 110), 0.03)
    assert analyzer.hidden.shape == (0, 4)


def test_a_place_moves_on_with_what_was_seen_there() -> None:
    places, box = HiddenPlaces(), np.array([100, 100, 140, 140], np.float32)
    for i in range(10):
        places.update(i / FPS, [], box[None] + np.array([3 * i, 0, 3 * i, 0], np.float32), NO_BOXES)
    hidden = places.update(19 / FPS, [], NO_BOXES, NO_BOXES)
    assert held(box + np.array([54, 0, 54, 0]), hidden)
    assert held(box + np.array([27, 0, 27, 0]), hidden)
    assert not len(places.update(2.0, [], NO_BOXES, NO_BOXES))


@pytest.mark.parametrize("step", [0.0, -0.5, -100.0])
def test_time_that_stands_still_or_runs_back_keeps_a_place_for_no_longer(step: float) -> None:
    places, box = HiddenPlaces(), np.array([[100, 100, 140, 140]], np.float32)
    places.update(10.0, [], box, NO_BOXES)
    assert len(places.update(10.0 + step, [], NO_BOXES, NO_BOXES)) == 1
    assert len(places.update(10.0 + step + 1.01, [], NO_BOXES, NO_BOXES)) == 0


@pytest.mark.parametrize(
    ("clip", "first", "last"),
    [("makeup_hand_occlusion.avi", 0, 164), ("webcam_moving_face.avi", 0, 120), ("stage_small_to_large.mp4", 0, 60)],
)
def test_no_frame_of_a_clip_shows_a_covered_face(models: Models, clips: Path, clip: str, first: int, last: int) -> None:
    """Every face that a detector finds in the frame, at its full size, is covered by 85 % at the least."""
    analyzer, effects = FaceAnalyzer(load_config(), models=models), Effects([Pixelate()])
    analyzer.vigilant = True
    judge = load_detector("retinaface", max_side=1920, min_face=20, device="cpu")
    seen = 0
    for image, pts in frames(clips / clip, first, last):
        faces = analyzer.track(image, pts)
        # what is covered is changed in any picture in which neighbours differ
        noise = np.random.default_rng(0).integers(0, 256, image.shape, np.uint8)
        changed = (effects.apply(noise, faces, analyzer.hidden) != noise).any(axis=2)
        for box in judge.detect(image).boxes.round().astype(int):
            left, top, right, bottom = np.maximum(box, 0)
            assert changed[top:bottom, left:right].mean() >= 0.85, f"a face shows at {pts:.2f} s"
            seen += 1
    assert seen > 20
