"""The search for covers: beside the frame's analysis, only where something has changed, in all turns at a start."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from streamer import FaceAnalyzer, load_config
from streamer.detectors import load_detector
from streamer.pipeline.analyzer import Models, load_models
from streamer.pipeline.camera import Camera
from streamer.pipeline.lookout import ROUND, Known, Lookout
from streamer.pipeline.looks import Look, looks_over
from streamer.pipeline.searched import Searched
from streamer.pipeline.status import CameraState
from streamer.types import NO_BOXES, Detections
from tests.pipeline.covering import frames, hidden_or_shown, results_of, video
from tests.pipeline.players import Collector, until
from tests.servers import rtsp_server


@pytest.fixture(scope="module")
def models() -> Models:
    return load_models(load_config())


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The times of the frames that were analysed."""
    times: list[float] = []
    track = FaceAnalyzer.track

    def spy(self: FaceAnalyzer, bgr: np.ndarray, pts: float, **options: Any) -> Any:
        times.append(pts)
        return track(self, bgr, pts, **options)

    monkeypatch.setattr(FaceAnalyzer, "track", spy)
    return times


# ---- what is searched ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(1, 1), (240, 320), (480, 640), (720, 1280), (1280, 720), (2160, 3840), (40, 4000)])
@pytest.mark.parametrize("turns", [{0}, {0, 90}, {0, 90, 180, 270}])
def test_the_passes_cover_the_picture_in_every_turn_and_closely_in_some(size: tuple[int, int], turns: set[int]) -> None:
    looks = looks_over(size, turns, 1920)
    wanted = min(1.0, 1920 / max(size))
    for turn in (0, 90, 180, 270):
        whole, close = np.zeros(size, bool), np.zeros(size, bool)
        for look in looks:
            if look.turn == turn:
                whole[look.top : look.bottom, look.left : look.right] = True
                close[look.top : look.bottom, look.left : look.right] |= look.scale >= wanted
        assert whole.all()
        assert close.all() or turn not in turns


def test_a_part_is_searched_again_only_where_it_has_changed() -> None:
    picture, look, searched = np.full((360, 640, 3), 90, np.uint8), Look(0, 0, 640, 360, 0, 640, room=32), Searched()
    assert searched.due(picture, look, NO_BOXES) == look
    searched.note(look, look, NO_BOXES, NO_BOXES)
    assert searched.due(picture, look, NO_BOXES) is None
    picture[200:230, 300:330] = 200
    part = searched.due(picture, look, NO_BOXES)
    assert part is not None
    assert part.left <= 268
    assert part.top <= 168
    assert part.right >= 362
    assert part.bottom >= 262
    assert part.cost < look.cost / 8
    assert part.scale == look.scale


def test_what_was_found_is_looked_at_again_though_nothing_changes() -> None:
    picture, look, searched = np.full((360, 640, 3), 90, np.uint8), Look(0, 0, 640, 360, 0, 640, room=32), Searched()
    find = np.array([[100, 100, 130, 140]], np.float32)
    searched.due(picture, look, NO_BOXES)
    searched.note(look, look, NO_BOXES, find)
    for _ in range(3):
        part = searched.due(picture, look, NO_BOXES)
        assert part is not None
        assert part != look
        searched.note(look, part, NO_BOXES, find)
    searched.due(picture, look, NO_BOXES)
    assert searched.due(picture, look, NO_BOXES) == look, "now and then all of it is searched"


def test_a_followed_face_may_change_and_its_place_is_searched_once_it_is_not_followed() -> None:
    picture, look, searched = np.full((360, 640, 3), 90, np.uint8), Look(0, 0, 640, 360, 0, 640, room=32), Searched()
    face = np.array([[200, 100, 300, 220]], np.float32)
    searched.due(picture, look, face)
    searched.note(look, look, face, NO_BOXES)
    picture[100:220, 200:300] = 200
    assert searched.due(picture, look, face) is None
    part = searched.due(picture, look, NO_BOXES)
    assert part is not None
    assert part.left <= 200
    assert part.right >= 300


def test_every_part_is_searched_within_a_round(monkeypatch: pytest.MonkeyPatch, astronaut: np.ndarray) -> None:
    """Also where each frame differs from the one before, in the middle of rounds, and while a turned face is known."""
    done: list[Look] = []
    monkeypatch.setattr(Lookout, "_detect", lambda self, bgr, look: done.append(look) or Detections.empty())
    lookout, scene = Lookout(load_detector()), np.tile(astronaut, (2, 3, 1))
    rounds = []
    for i in range(3 * ROUND):
        known = Known({90} if ROUND + 2 <= i < 2 * ROUND + 4 else set())
        lookout.begin(np.roll(scene, 20 * i, axis=1), known).result()
        rounds.append(list(done))
        done.clear()
    size = scene.shape[:2]
    for first in range(2 * ROUND):
        seen = {look for part in rounds[first : first + ROUND] for look in part}
        assert set(looks_over(size, {0}, 1920)) <= seen
    first = {look for part in rounds[:ROUND] for look in part}
    assert first == set(looks_over(size, {0, 90, 180, 270}, 1920)), "the first frames are searched in all turns"
    turned = {look for part in rounds[ROUND + 2 : 2 * ROUND + 2] for look in part}
    assert set(looks_over(size, {0, 90}, 1920)) <= turned


@pytest.mark.parametrize("turn", [1, 2, 3])
def test_small_faces_on_their_side_are_covered_from_the_first_frame_and_after_a_cut(
    models: Models, clips: Path, tmp_path: Path, turn: int
) -> None:
    """A man in a crowd, 30 pixels wide: a pass over the whole shrunk picture does not see him."""
    crowd = [image[300:840, 150:1110] for image, _ in frames(clips / "crowd_street_1080p.mp4", 0, 4)]
    man = next(face for face in load_detector(max_side=960).detect(crowd[0]).boxes if abs(face[0] - 317) < 12)
    corners = man.reshape(2, 2) - (480, 270)
    for _ in range(turn):  # a quarter turn counter-clockwise: x, y -> y, -x
        corners = np.stack([corners[:, 1], -corners[:, 0]], axis=1)
    middle = (480, 270) if turn == 2 else (270, 480)
    box = np.concatenate([corners.min(axis=0), corners.max(axis=0)]) + np.tile(middle, 2)
    lying = [np.rot90(image, turn) for image in crowd]
    dark = np.full_like(lying[0], 20)
    results = results_of(video(tmp_path / "turned.mkv", [*lying, *[dark] * 8, *lying]), models)
    for result in results[:4] + results[12:]:
        assert hidden_or_shown(box, result), f"a face shows in frame {result.frame.index}"


# ---- beside the analysis ---------------------------------------------------------------------------------------------


def test_an_error_in_the_search_is_told_like_one_in_the_analysis(
    monkeypatch: pytest.MonkeyPatch, models: Models, astronaut: np.ndarray
) -> None:
    def broken(self: Lookout, bgr: np.ndarray, look: Look) -> Detections:
        raise RuntimeError("the search is broken")

    monkeypatch.setattr(Lookout, "_detect", broken)
    analyzer = FaceAnalyzer(load_config(), models=models)
    analyzer.track(astronaut, 0.0)
    analyzer.vigilant = True
    with pytest.raises(RuntimeError, match="the search is broken"):
        analyzer.track(astronaut, 0.04)
    with pytest.raises(RuntimeError, match="the search is broken"):
        analyzer.analyze(astronaut)
    collector = Collector()
    camera = Camera("demo", load_config(None, ["effects.look=pixelate"]), sinks=[collector], models=models)
    camera.start()
    assert camera.wait(60)
    camera.close()
    assert camera.status().state is CameraState.FAILED
    assert "the search is broken" in str(camera.status().error)
    assert collector.results == []


def test_single_pictures_know_nothing_of_each_other(models: Models, astronaut: np.ndarray) -> None:
    """What was judged in one must not count in the next."""
    analyzer = FaceAnalyzer(load_config(None, ["detector.score=0.99"]), models=models)
    analyzer.vigilant = True
    faint = (astronaut // 12 + 100).astype(np.uint8)
    analyzer.analyze(faint)
    alone = analyzer.hidden
    analyzer.analyze(np.full_like(faint, 100))
    assert len(analyzer.hidden) == 0
    analyzer.analyze(faint)
    np.testing.assert_array_equal(analyzer.hidden, alone)


# ---- frames that wait when no further one comes ----------------------------------------------------------------------


def test_a_stop_brings_out_what_waits_and_records_it(
    clips: Path, tmp_path: Path, player: Any, taken: list[float]
) -> None:
    """Sinks and recordings get every frame that was analysed, with all its places."""
    collector = Collector()
    p = player(clips / "makeup_hand_occlusion.avi", "effects.look=pixelate", "source.loop=true", sinks=[collector])
    p.play()
    p.camera.start_recording(tmp_path / "out.mp4")
    recording = p.camera._outputs.recordings
    until(lambda: len(collector.results) > 12 and recording.workers[0].frames)
    p.camera.close()
    assert [result.frame.pts for result in collector.results] == taken
    assert all(len(result.faces) or len(result.hidden) for result in collector.results)
    assert recording.workers[0].frames >= ROUND
    (path,) = p.camera.written()
    assert path.stat().st_size > 0


def test_a_live_source_that_stalls_shows_what_waits_covered(
    clips: Path, player: Any, taken: list[float], tmp_path: Path
) -> None:
    with rtsp_server(clips / "streamer_turns.mp4") as server:
        p = player(server.url, "effects.look=pixelate", "source.read_timeout=60")
        p.play()
        until(lambda: p.camera.metrics.frames > 5)
        server.freeze()
        until(lambda: p.last.frame.pts == taken[-1] and p.camera.metrics.frames == len(taken))
        assert all(result.faces or len(result.hidden) for result in p.shown)
        assert all(result.shown is not None for result in p.shown)
