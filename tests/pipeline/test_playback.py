"""Playing, pausing, stepping, seeking, looping: a camera as a window drives it."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import numpy as np
import pytest

from streamer.config import SourceConfig
from streamer.pipeline import playback as playing
from streamer.pipeline.playback import Pacer, Playback
from streamer.pipeline.status import CameraState
from streamer.sources import open_source
from streamer.sources.base import Picture, Source
from streamer.types import Frame
from tests.pipeline.players import Collector, until

CLIP = "streamer_turns.mp4"  # 368 frames at 30 a second, one face


def exact(clips: Path, name: str, number: int) -> Frame:
    """The frame of a clip by its number, found by decoding everything before it."""
    source = open_source(str(clips / name), SourceConfig(), realtime=False)
    source.open()
    frame = None
    for _ in range(number + 1):
        frame = source.read()
    source.close()
    assert frame is not None
    return frame


def test_pause_before_the_start_shows_the_first_frame_and_its_faces(clips, player):
    result = player(clips / CLIP).paused()
    assert result.frame.position == 0.0
    assert len(result.faces) == 1, "one look must do: no second frame comes"


def test_pause_and_resume(clips, player):
    p = player(clips / CLIP).play()
    until(lambda: p.position > 0.3)
    p.camera.pause()
    held = p.settle().frame
    assert p.playback.paused
    time.sleep(0.5)
    assert p.last.frame.index == held.index
    p.camera.resume()
    following = until(lambda: next((r.frame for r in p.shown if r.frame.index > held.index), None))
    assert not p.playback.paused
    assert following.segment == held.segment


def test_seeking_while_paused_shows_exactly_that_frame(clips, player):
    p = player(clips / CLIP)
    result = p.paused(5.0)
    assert np.array_equal(result.frame.image, exact(clips, CLIP, 150).image)
    assert p.position == pytest.approx(5.0, abs=0.002)
    assert len(result.faces) == 1
    assert p.playback.duration == pytest.approx(12.27, abs=0.01)


def test_steps_in_both_directions(clips, player):
    p = player(clips / CLIP)
    p.paused(5.0)
    for frames, wanted in ((1, 151), (1, 152), (-1, 151), (-3, 148), (5, 153)):
        p.camera.step(frames)
        assert p.settle().frame.position == pytest.approx(wanted / 30, abs=0.002)
    assert np.array_equal(p.last.frame.image, exact(clips, CLIP, 153).image)


def test_a_face_keeps_its_id_over_steps_and_gets_another_by_a_far_jump(clips, player):
    p = player(clips / CLIP)
    before = p.paused(5.0).faces[0].track_id
    for frames in (-1, -1, 1, -2):
        p.camera.step(frames)
        assert [face.track_id for face in p.settle().faces] == [before]
    p.camera.seek(9.0)
    assert [face.track_id for face in p.settle().faces] != [before]


def test_after_a_jump_nothing_is_smeared(clips, player):
    """Smoothing and velocity of before the jump would pull the first points off the picture's own."""
    p = player(clips / CLIP).play()
    until(lambda: p.position > 0.5)
    p.camera.seek(8.0)
    result = until(lambda: next((r for r in p.shown if r.frame.segment == 1 and r.faces), None))
    first = next(r for r in p.shown if r.frame.segment == 1 and r.stages)  # what is passed on the way is not analysed
    assert first.frame.position == pytest.approx(8.0, abs=0.002)
    face = result.faces[0]
    assert np.abs(face.landmarks - face.raw_landmarks).max() < 3.0
    assert all(np.diff([r.frame.pts for r in p.shown]) > 0)


def test_a_search_shows_where_it_is_until_the_frame_is_there(clips, player, monkeypatch):
    monkeypatch.setattr(playing, "_GLIMPSE", 0.0)  # as if each frame took long
    p = player(clips / CLIP)
    p.paused()
    p.camera.seek(8.0)
    assert p.settle().frame.position == pytest.approx(8.0, abs=0.002)
    passed = [r for r in p.shown if r.frame.segment == 1 and not r.stages]
    assert any(r.frame.position < 8.0 for r in passed)
    assert all(np.diff([r.frame.pts for r in p.shown]) > 0)


def test_nobody_in_effects_is_seen_without_them_on_the_way(clips, player, monkeypatch):
    monkeypatch.setattr(playing, "_GLIMPSE", 0.0)
    p = player(clips / CLIP, "effects.look=pixelate")
    p.paused()
    p.camera.seek(8.0)
    assert p.settle().frame.position == pytest.approx(8.0, abs=0.002)
    assert all(r.shown is not None for r in p.shown)


def test_the_newest_of_many_seeks_is_where_it_lands(clips, player):
    p = player(clips / CLIP)
    p.paused(0.0)
    for seconds in (9.0, 2.0, 11.0, 5.0):
        p.camera.seek(seconds)
        until(lambda: p.playback.seeking)
    result = p.settle()
    assert np.array_equal(result.frame.image, exact(clips, CLIP, 150).image)
    p.camera.step(-1)
    assert np.array_equal(p.settle().frame.image, exact(clips, CLIP, 149).image)


def test_seeking_beyond_the_ends_and_stepping_at_them(clips, player):
    p = player(clips / CLIP)
    p.paused(1e9)
    assert p.position == pytest.approx(367 / 30, abs=0.002)
    p.camera.step(1)
    until(lambda: p.playback.at_end)
    assert p.settle().frame.position == pytest.approx(367 / 30, abs=0.002)
    p.camera.step(-1)
    assert p.settle().frame.position == pytest.approx(366 / 30, abs=0.002)
    assert not p.playback.at_end
    p.camera.seek(-3.0)
    assert p.settle().frame.position == 0.0
    p.camera.step(-1)
    assert p.settle().frame.position == 0.0


def test_the_end_holds_and_playing_again_starts_over(clips, player):
    p = player(clips / CLIP).play()
    p.camera.seek(12.0)
    until(lambda: p.playback.at_end)
    assert p.playback.paused
    assert p.camera.status().state is CameraState.RUNNING
    p.camera.resume()
    until(lambda: 0.0 < p.position < 5.0)
    assert not p.playback.at_end


def test_without_hold_the_end_ends(clips, player):
    p = player(clips / CLIP, hold=False).play()
    p.camera.seek(12.0)
    assert p.camera.wait(30)
    assert p.camera.status().state is CameraState.ENDED


def test_loop_can_be_switched_on_while_playing(clips, player):
    p = player(clips / CLIP).play()
    p.camera.set_loop(True)
    p.camera.seek(12.1)
    until(lambda: p.last.frame.segment >= 2 and p.position < 5.0)
    assert p.playback.loop
    assert not p.playback.at_end
    assert all(np.diff([r.frame.pts for r in p.shown]) > 0)


def test_many_seeks_at_once_end_at_the_last(clips, player):
    p = player(clips / "franck_talking_4800f.mp4")
    p.paused()
    for seconds in np.linspace(0, 150, 200):
        p.camera.seek(float(seconds))
    until(lambda: p.position > 149.9)
    assert p.settle().frame.position == pytest.approx(150.0, abs=0.05)


def test_commands_return_at_once_while_a_read_hangs(player):
    """A decode that never ends holds nobody up, and closing ends it."""
    p = player("demo")
    p.paused()
    source = p.camera._source
    stuck = threading.Event()
    source._seek = lambda seconds, back: (stuck.set(), source._closed.wait(60))
    p.camera.seek(5.0)
    assert stuck.wait(10)
    began = time.monotonic()
    for command in (p.camera.pause, p.camera.resume, p.camera.step, lambda: p.camera.seek(3.0), p.camera.status):
        command()
    p.camera.set_speed(2.0)
    p.camera.set_loop(True)
    assert time.monotonic() - began < 1.0
    assert p.playback.seeking


def test_a_still_picture_holds_and_is_analysed_as_one(tmp_path, astronaut, player):
    import cv2

    cv2.imwrite(str(tmp_path / "face.png"), astronaut)
    p = player(tmp_path / "face.png").play()
    until(lambda: p.playback.at_end)
    (face,) = p.last.faces
    assert face.track_id is None


def test_pauses_are_in_no_figure(clips, player):
    p = player(clips / CLIP).play()
    until(lambda: p.position > 0.5)
    p.camera.pause()
    held = p.settle().frame
    paused, playing = time.monotonic(), p.camera.metrics.playing
    time.sleep(1.0)
    resumed = time.monotonic()
    p.camera.resume()
    until(lambda: p.position > 0.9)
    assert p.camera.metrics.playing - playing <= time.monotonic() - paused - 1.0
    assert next(r.frame for r in p.shown if r.frame.index > held.index).captured >= resumed, "latency counts from here"
    assert p.camera.status().drops == {}


def test_files_get_each_shown_frame_once_with_rising_times(clips, player):
    collector = Collector()
    p = player(clips / CLIP, sinks=[collector])
    p.paused(5.0)
    p.camera.step(2)
    p.settle()
    p.camera.step(-1)
    p.settle()
    p.camera.configure(p.camera.config.model_copy(update={"smoothing": p.camera.config.smoothing}))
    p.settle()
    p.camera.close()
    positions = [r.frame.position for r in collector.results]
    assert positions == pytest.approx([0.0, 5.0, 151 / 30, 152 / 30, 151 / 30], abs=0.002)
    assert np.diff([r.frame.pts for r in collector.results]) == pytest.approx([1 / 30] * 4, abs=0.002)


@pytest.mark.parametrize("speed", [0.2, 4.5, float("nan")])
def test_speeds_outside_the_bounds(player, speed):
    with pytest.raises(ValueError, match=r"0\.25 to 4"):
        player("demo").camera.set_speed(speed)


@pytest.mark.parametrize("seconds", [float("nan"), float("inf")])
def test_no_time_to_seek_to(player, seconds):
    with pytest.raises(ValueError, match="cannot seek"):
        player("demo").camera.seek(seconds)


# ---- the transport alone, with sources that the test makes --------------------------------------------------------


class Ticking(Source):
    """Pictures without end, 10 a second."""

    seekable = True

    def __init__(self, *, live: bool = False) -> None:
        super().__init__("ticking")
        self.live, self.at, self.seeks = live, 0, []

    def _open(self) -> None:
        pass

    def _next(self) -> Picture | None:
        self.at += 1
        seconds = (self.at - 1) / 10
        return Picture(np.zeros((2, 2, 3), np.uint8), seconds, None if self.live else seconds)

    def _seek(self, seconds: float, back: int) -> None:
        self.seeks.append((seconds, back))

    def _release(self) -> None:
        pass


@pytest.fixture
def transport(in_thread_pool):
    def make(source: Source, *, realtime: bool = False) -> tuple[Playback, list[Frame]]:
        playback, shown = Playback(realtime=realtime, hold=True, loop=False, begin=0.0), []

        def take(frame: Frame) -> bool:
            shown.append(frame)
            time.sleep(0.001)
            return True

        in_thread_pool(playback, lambda: playback.play(source, take, lambda: None))
        return playback, shown

    return make


@pytest.fixture
def in_thread_pool():
    running = []

    def run(playback, body):
        thread = threading.Thread(target=body)
        thread.start()
        running.append((playback, thread))

    yield run
    for playback, thread in running:
        playback.close()
        thread.join(5)


def test_a_live_source_ignores_the_transport(transport):
    source = Ticking(live=True)
    playback, shown = transport(source)
    until(lambda: len(shown) > 3)
    assert playback.status(shown[-1]).live
    playback.pause()
    playback.step(-1)
    playback.seek(3.0)
    playback.set_speed(4.0)
    count = len(shown)
    until(lambda: len(shown) > count + 3)
    status = playback.status(shown[-1])
    assert (status.paused, status.seeking, status.speed, status.position) == (False, False, 1.0, None)
    assert source.seeks == []


def test_steps_add_up_to_a_bound(transport):
    source = Ticking()
    playback, shown = transport(source)
    playback.pause()
    until(lambda: shown)
    time.sleep(0.05)
    for _ in range(50):
        playback.step(-2)
    until(lambda: source.seeks)
    time.sleep(0.05)
    assert all(back <= 30 for _, back in source.seeks)


def test_speed_is_kept_to_and_may_change(transport, monkeypatch):
    """Only bounds: a busy machine may be late, never early."""
    playback, shown = transport(Ticking(), realtime=True)
    playback.set_speed(4.0)
    until(lambda: len(shown) >= 12)
    assert shown[11].captured - shown[1].captured >= 10 * 0.025 - 0.03
    playback.set_speed(0.25)
    count = len(shown)
    until(lambda: len(shown) >= count + 3)
    assert shown[count + 2].captured - shown[count + 1].captured >= 0.38


def test_a_pause_wakes_a_long_wait(tmp_path, transport):
    """A picture a minute: commands must not wait for the next one."""

    class Slow(Ticking):
        def _next(self) -> Picture | None:
            picture = super()._next()
            return picture._replace(pts=picture.pts * 600)

    source = Slow()
    playback, shown = transport(source, realtime=True)
    until(lambda: shown)
    playback.step(1)
    until(lambda: len(shown) == 2, 5)
    playback.seek(7.0)
    until(lambda: source.seeks == [(7.0, 0)], 5)
    until(lambda: len(shown) == 3, 5)


class Waiting:
    """A clock that stands still unless it is moved."""

    def __init__(self, monkeypatch) -> None:
        self.now = 50.0
        monkeypatch.setattr(time, "monotonic", lambda: self.now)

    def wait(self, seconds: float) -> None:
        self.now += seconds


def test_pacer_does_not_drift(monkeypatch):
    clock, pacer = Waiting(monkeypatch), Pacer()
    for index in range(100):
        clock.wait(0.013)  # decoding and analysis
        clock.wait(pacer.delay(index * 0.04, 1.0))
        pacer.shown(index * 0.04, 1.0)
    assert clock.now == pytest.approx(50.013 + 99 * 0.04)


def test_pacer_goes_on_from_now_when_it_is_far_behind(monkeypatch):
    clock, pacer = Waiting(monkeypatch), Pacer()
    pacer.shown(0.0, 1.0)
    clock.wait(60.0)
    assert pacer.delay(0.04, 1.0) == 0.0
    pacer.shown(0.04, 1.0)
    assert pacer.delay(0.08, 1.0) == pytest.approx(0.04)
    assert pacer.delay(0.08, 0.25) == pytest.approx(0.16)
    pacer.restart()
    assert pacer.delay(99.0, 1.0) == 0.0
