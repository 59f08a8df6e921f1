"""Every place where a face may be is either a face that is shown or a hidden place, in every frame."""

from __future__ import annotations

from dataclasses import replace
from io import StringIO
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from streamer import FaceAnalyzer, load_config
from streamer.errors import ConfigError
from streamer.evaluation.covers import evaluate_covers
from streamer.landmarks import LandmarkBatch
from streamer.pipeline.analyzer import Models, load_models
from streamer.pipeline.hidden import HiddenPlaces
from streamer.pipeline.hindsight import Hindsight
from streamer.types import NO_BOXES, Frame, FrameResult
from tests.pipeline.covering import FPS, frames, held, hidden_or_shown, results_of, video
from tests.pipeline.players import Collector, until


@pytest.fixture(scope="module")
def models() -> Models:
    return load_models(load_config())


@pytest.fixture
def analyzer(models: Models) -> FaceAnalyzer:
    return FaceAnalyzer(load_config(), models=models)


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


def test_a_place_moves_on_with_what_it_shows(astronaut: np.ndarray) -> None:
    places, box = HiddenPlaces(), np.array([[180, 60, 270, 200]], np.float32)
    places.update(astronaut, 0.0, [], box, NO_BOXES)
    for i in range(1, 11):
        moved = np.roll(astronaut, 12 * i, axis=1)
        hidden = places.update(moved, i / FPS, [], NO_BOXES, NO_BOXES)
        assert held(box[0] + np.array([12 * i, 0, 12 * i, 0]), hidden)
    assert not len(places.update(moved, 2.0, [], NO_BOXES, NO_BOXES))


@pytest.mark.parametrize("step", [0.0, -0.5, -100.0])
def test_time_that_stands_still_or_runs_back_keeps_a_place_for_no_longer(astronaut: np.ndarray, step: float) -> None:
    places, box = HiddenPlaces(), np.array([[180, 60, 270, 200]], np.float32)
    places.update(astronaut, 10.0, [], box, NO_BOXES)
    assert len(places.update(astronaut, 10.0 + step, [], NO_BOXES, NO_BOXES)) == 1
    assert len(places.update(astronaut, 10.0 + step + 1.01, [], NO_BOXES, NO_BOXES)) == 0


# ---- frames that wait ------------------------------------------------------------------------------------------------


def waiting(images: list[np.ndarray]) -> Hindsight:
    hindsight = Hindsight()
    for i, image in enumerate(images):
        hindsight.add(FrameResult(Frame(image, i, i / FPS, 0.0, "test"), ()), NO_BOXES)
    return hindsight


def test_what_is_found_late_is_covered_in_the_frames_before_where_it_was(astronaut: np.ndarray) -> None:
    """Also while it moves by a third of its size a frame."""
    box, images = np.array([180, 60, 270, 200], np.float32), [np.roll(astronaut, 30 * i, axis=1) for i in range(5)]
    hindsight = waiting(images)
    hindsight.found(box[None] + np.array([120, 0, 120, 0], np.float32))
    results = hindsight.take(0)
    assert [result.frame.index for result in results] == [0, 1, 2, 3, 4]
    for i, result in enumerate(results):
        assert held(box + np.array([30 * i, 0, 30 * i, 0]), result.hidden)


def test_what_was_not_there_before_stays_covered_where_it_came(astronaut: np.ndarray) -> None:
    """Nothing like it can be found: it may have been turned away, or hidden behind something."""
    box = np.array([180, 60, 270, 200], np.float32)
    hindsight = waiting([np.full_like(astronaut, 90), astronaut])
    hindsight.found(box[None])
    assert all(held(box, result.hidden) for result in hindsight.take(0))


def test_frames_come_out_in_order_and_only_as_many_as_need_not_wait(astronaut: np.ndarray) -> None:
    hindsight = waiting([astronaut] * 7)
    assert [result.frame.index for result in hindsight.take(5)] == [0, 1]
    assert len(hindsight) == 5
    assert hindsight.take(5) == []


# ---- the whole pipeline ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("turn", [0, 1, 2, 3])
def test_a_newcomer_is_covered_from_the_first_frame(
    models: Models, astronaut: np.ndarray, tmp_path: Path, turn: int
) -> None:
    """Beside a known face, while no detection is due, and sideways and upside down, too."""
    scene, both, _ = beside(astronaut)
    both[:, 512:] = np.rot90(astronaut, turn)
    corners = np.array([(180, 65), (270, 177)], np.float32) - 255.5
    for _ in range(turn):  # a quarter turn counter-clockwise: x, y -> y, -x
        corners = np.stack([corners[:, 1], -corners[:, 0]], axis=1)
    newcomer = np.concatenate([corners.min(axis=0), corners.max(axis=0)]) + 255.5 + np.array([512, 0, 512, 0])
    for result in results_of(video(tmp_path / "new.mkv", [scene] * 40 + [both] * 12), models)[40:]:
        assert hidden_or_shown(newcomer, result), f"a face shows in frame {result.frame.index}"


def test_a_face_that_enters_fast_from_the_edge_is_covered(
    models: Models, astronaut: np.ndarray, tmp_path: Path
) -> None:
    images, boxes = [], []
    for i in range(24):
        scene, x = np.full((480, 640, 3), 90, np.uint8), 640 - 45 * i
        face = astronaut[30:240, 140:310]
        left, right = max(x, 0), min(x + face.shape[1], 640)
        if left < right:
            scene[120:330, left:right] = face[:, left - x : right - x]
        images.append(scene)
        boxes.append(np.array([x + 40, 155, x + 130, 295], np.float32))
    for result, box in zip(results_of(video(tmp_path / "fast.mkv", images), models), boxes, strict=True):
        if box[0] >= 0 and box[2] <= 640:
            assert hidden_or_shown(box, result), f"a face shows in frame {result.frame.index}"


def test_a_cut_and_the_light_going_out_show_no_face(models: Models, astronaut: np.ndarray, tmp_path: Path) -> None:
    left, right = astronaut, astronaut[:, ::-1]
    first = np.array([180, 65, 270, 205], np.float32)
    second = np.array([512 - 270, 65, 512 - 180, 205], np.float32)
    dark = (astronaut // 40).astype(np.uint8)
    clip = video(tmp_path / "cut.mkv", [left] * 20 + [right] * 20 + [dark] * 20 + [left] * 10)
    results = results_of(clip, models)
    lit = [(first, results[:20]), (second, results[20:40]), (first, results[60:])]
    assert all(hidden_or_shown(box, result) for box, part in lit for result in part)


def test_results_are_late_only_while_faces_are_covered(clips: Path, player: Any) -> None:
    """Live latency counts the wait; a pause shows at once what waits, and nothing is lost at the end."""
    collector = Collector()
    p = player(
        clips / "makeup_hand_occlusion.avi", "effects.look=pixelate", hold=False, max_frames=60, sinks=[collector]
    )
    p.play()
    until(lambda: len(collector.results) > 5)
    p.camera.pause()
    paused = p.settle()
    until(lambda: collector.results[-1].frame.index == paused.frame.index)
    p.camera.resume()
    assert p.camera.wait(120)
    assert [result.frame.index for result in collector.results] == list(range(60))
    waits = [later.frame.captured <= result.finished for result, later in pairwise(collector.results)]
    assert sum(waits) > 30, "a result comes out after the next frames have come in"


@pytest.mark.parametrize(
    ("clip", "settings", "frames"),
    [
        ("makeup_hand_occlusion.avi", (), 164),
        ("webcam_moving_face.avi", ("tracking.max_faces=1",), 120),
        ("stage_small_to_large.mp4", ("detector.max_side=128", "tracking.detect_every=30"), 60),
        ("crowd_street_1080p.mp4", ("source.start=3.6",), 16),
    ],
)
def test_no_frame_of_a_clip_shows_a_covered_face(
    clips: Path, clip: str, settings: tuple[str, ...], frames: int
) -> None:
    """Every face that a detector finds in the frame, at its full size, is covered by 85 % at the least."""
    (result,) = evaluate_covers(
        [str(clips / clip)], load_config(None, settings), max_frames=frames, console=Console(file=StringIO())
    )
    assert result.faces > 20
    assert result.shown == 0, f"a face shows at {result.moments} s"


def test_the_measure_counts_faces_that_show(clips: Path) -> None:
    """A rule that leaves the only face open: it shows from the moment it is known, and the place is named."""
    config = load_config(None, ["effects.look=pixelate, pixelate.faces=not id 1"])
    console = Console(file=StringIO(), width=120)
    (result,) = evaluate_covers([str(clips / "makeup_hand_occlusion.avi")], config, max_frames=30, console=console)
    assert 10 < result.shown <= result.faces
    assert len(result.moments) == result.shown
    assert f"{result.moments[0]:.2f}" in console.file.getvalue()
    with pytest.raises(ConfigError, match="covers no faces: name blur"):
        evaluate_covers([], load_config(None, ["effects.look=glam"]))
