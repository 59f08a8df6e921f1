"""Settings applied to a running stream: at the next frame, or behind it, or not at all with the reason told."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import pytest

from streamer import load_config
from streamer.errors import WeightsError
from streamer.pipeline import analyzer as analyzer_module
from streamer.pipeline.reload import ModelLoader
from streamer.pipeline.status import CameraState
from streamer.settings import with_values
from tests.pipeline.players import Collector, until

CLIP = "two_people_walk_handshake.mp4"


@pytest.fixture
def crowd(clips, player):
    """A paused street with many faces."""
    p = player(clips / "crowd_street_1080p.mp4")
    p.paused(1.0)
    assert len(p.last.faces) >= 3
    return p


def change(p, **values):
    """Change settings and wait for the picture to be analysed again: ``section__name=value``."""
    count = len(p.shown)
    p.camera.configure(with_values(p.camera.config, {key.replace("__", "."): value for key, value in values.items()}))
    until(lambda: len(p.shown) > count)
    return p.settle()


def test_a_paused_picture_is_analysed_again(crowd):
    before = crowd.last
    after = change(crowd, tracking__max_faces=1)
    assert len(after.faces) == 1
    assert after.frame.image is before.frame.image
    assert after.frame.index == before.frame.index
    assert len(change(crowd, tracking__max_faces=16).faces) == len(before.faces)


def test_faces_keep_their_ids_when_settings_change(crowd):
    before = {face.track_id for face in crowd.last.faces}
    for score in (0.6, 0.65, 0.7):
        result = change(crowd, detector__score=score)
    assert before <= {face.track_id for face in result.faces}


def test_thresholds_take_effect_both_ways(crowd):
    usual = len(crowd.last.faces)
    assert len(change(crowd, detector__score=0.999).faces) < usual
    assert len(change(crowd, detector__score=None).faces) == usual
    assert len(change(crowd, detector__min_face=400).faces) == 0
    assert len(change(crowd, detector__min_face=16, detector__max_side=128).faces) < usual


def test_smoothing_changes_while_it_plays(clips, player):
    p = player(clips / "streamer_turns.mp4", "smoothing.kind=none").play()
    until(lambda: p.last.faces)
    assert (p.last.faces[0].landmarks == p.last.faces[0].raw_landmarks).all()
    track = p.last.faces[0].track_id
    p.camera.configure(with_values(p.camera.config, {"smoothing.kind": "kalman", "smoothing.strength": 0.9}))
    until(lambda: p.last.faces and (p.last.faces[0].landmarks != p.last.faces[0].raw_landmarks).any())
    assert p.last.faces[0].track_id == track, "the track goes on"
    assert p.camera.status().state is CameraState.RUNNING


def test_another_detector_is_loaded_behind_the_running_one(clips, player):
    p = player(clips / "streamer_turns.mp4", "source.loop=true", "detector.rotations=false").play()
    until(lambda: p.last.faces)
    p.camera.configure(with_values(p.camera.config, {"detector.name": "mtcnn"}))
    assert p.camera.status().loading == "loading mtcnn"
    frames = p.camera.status().frames
    until(lambda: p.camera.status().frames > frames)  # goes on meanwhile
    until(lambda: not p.camera.status().loading)
    frames = p.camera.status().frames
    until(lambda: p.camera.status().frames > frames + 10 and p.last.faces)
    assert p.camera.status().warnings == ()


def test_a_detector_that_cannot_be_loaded_is_told_and_the_old_one_goes_on(crowd):
    faces = len(crowd.last.faces)
    crowd.camera.configure(with_values(crowd.camera.config, {"detector.name": "retinaface_resnet50"}))
    (warning,) = until(lambda: crowd.camera.status().warnings)
    assert isinstance(warning, WeightsError)
    assert "retinaface goes on, because retinaface_resnet50 cannot be loaded" in str(warning)
    assert crowd.camera.status().state is CameraState.RUNNING
    assert len(change(crowd, tracking__max_faces=15).faces) == faces, "other settings still apply"
    change(crowd, detector__name="retinaface")
    assert crowd.camera.status().warnings == ()


def test_a_still_picture_follows_its_settings(tmp_path, astronaut, player):
    import cv2

    cv2.imwrite(str(tmp_path / "face.png"), astronaut)
    p = player(tmp_path / "face.png").play()
    until(lambda: p.playback.at_end)
    assert len(p.last.faces) == 1
    assert len(change(p, detector__min_face=500).faces) == 0
    assert len(change(p, detector__min_face=16).faces) == 1


def test_files_do_not_get_a_frame_twice(clips, player):
    collector = Collector()
    p = player(clips / CLIP, sinks=[collector])
    p.paused(1.0)
    change(p, tracking__max_faces=1)
    change(p, tracking__max_faces=2)
    p.camera.close()
    assert [r.frame.position for r in collector.results] == pytest.approx([0.0, 1.0], abs=0.04)


def test_loop_is_a_setting_too(clips, player):
    p = player(clips / CLIP)
    p.paused()
    p.camera.configure(with_values(p.camera.config, {"source.loop": True}))
    assert p.playback.loop
    p.camera.set_loop(False)
    assert not p.playback.loop


def test_settings_from_before_the_models_were_there_count(clips, player):
    p = player(clips / "crowd_street_1080p.mp4")
    p.camera.pause()
    p.camera.configure(with_values(p.camera.config, {"tracking.max_faces": 1}))
    p.play()
    p.camera.seek(1.0)
    until(lambda: p.position > 0.9)
    assert len(p.settle().faces) == 1


# ---- the loader alone -----------------------------------------------------------------------------------------------


class Loading:
    """Stands in for ``load_models``: waits until it is let go, and counts."""

    def __init__(self, monkeypatch):
        self.go, self.asked = threading.Event(), []
        monkeypatch.setattr(analyzer_module, "load_models", self)

    def __call__(self, config):
        self.asked.append(config.detector.name)
        assert self.go.wait(10)
        if config.detector.name == "tinymog":
            raise WeightsError("no such weights")
        return SimpleNamespace(detector=SimpleNamespace(name=config.detector.name))


@pytest.fixture
def loading(monkeypatch):
    return Loading(monkeypatch)


def wanting(name):
    return load_config(None, [f"detector.name={name}", "detector.weights=x.pth"])


def test_only_the_last_wish_is_kept(loading):
    changes = []
    loader = ModelLoader(wanting("retinaface"), lambda: changes.append(1))
    loader.want(wanting("mtcnn"))
    until(lambda: loading.asked)
    loader.want(wanting("retinaface_resnet50"))
    loader.want(wanting("tinymog"))
    loader.want(wanting("mtcnn"))
    loading.go.set()
    assert until(loader.take).detector.name == "mtcnn"
    until(lambda: changes)
    assert loader.take() is None
    assert loader.activity == ""
    assert loading.asked == ["mtcnn"]
    assert loader.close(5)


def test_a_wish_taken_back_loads_nothing(loading):
    loader = ModelLoader(wanting("retinaface"), lambda: None)
    loader.want(wanting("mtcnn"))
    until(lambda: loading.asked)
    loader.want(wanting("retinaface"))
    loading.go.set()
    until(lambda: not loader.activity)
    assert loader.take() is None
    assert loader.error is None


def test_a_failure_is_forgotten_with_the_wish(loading):
    loading.go.set()
    loader = ModelLoader(wanting("retinaface"), lambda: None)
    loader.want(wanting("tinymog"))
    assert "retinaface goes on" in str(until(lambda: loader.error))
    loader.want(wanting("retinaface"))
    assert loader.error is None
    loader.want(wanting("mtcnn"))
    assert until(loader.take).detector.name == "mtcnn"


def test_closing_does_not_wait_for_a_load(loading):
    loader = ModelLoader(wanting("retinaface"), lambda: None)
    loader.want(wanting("mtcnn"))
    until(lambda: loading.asked)
    assert not loader.close(0.05)
    loader.want(wanting("tinymog"))
    loading.go.set()
    assert loader.close(5)
    assert loading.asked == ["mtcnn"]
