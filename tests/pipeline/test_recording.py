"""Recordings and snapshots made while a camera runs."""

from __future__ import annotations

from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from streamer.errors import OutputError
from tests.disk import disk_full_after
from tests.pipeline.players import until

CLIP = "streamer_turns.mp4"


def times(path: Path) -> list[float]:
    with av.open(str(path)) as container:
        return [float(frame.time) for frame in container.decode(video=0)]


def test_a_part_of_the_stream_is_recorded(tmp_path, clips, player):
    path = tmp_path / "new" / "part.mp4"
    p = player(clips / CLIP).play()
    p.camera.start_recording(path)
    until(lambda: (recording := p.camera.status().recording) and recording.seconds > 0.5)
    assert not p.camera.status().recording.finishing
    p.camera.stop_recording()
    until(lambda: p.camera.status().recording is None)
    assert p.camera.written() == [path]
    assert p.camera.status().warnings == ()
    recorded = times(path)
    assert len(recorded) > 15
    assert np.diff(recorded) == pytest.approx(1 / 30, abs=0.002)
    until(lambda: p.position > 1.0)  # and the stream goes on


def test_pauses_steps_and_seeks_leave_no_gap(tmp_path, clips, player):
    p = player(clips / CLIP)
    p.paused(2.0)
    p.camera.start_recording(tmp_path / "jumps.mp4")
    for frames in (1, 1, -2):
        p.camera.step(frames)
        p.settle()
    p.camera.seek(9.0)
    p.settle()
    p.camera.seek(1.0)
    p.settle()
    until(lambda: p.camera.status().recording.frames == 5)
    assert p.camera.status().recording.seconds == pytest.approx(4 / 30, abs=0.002), "it stands still in a pause"
    p.camera.close()
    assert np.diff(times(tmp_path / "jumps.mp4")) == pytest.approx(1 / 30, abs=0.002)


def test_closing_finishes_the_file(tmp_path, clips, player):
    p = player(clips / CLIP).play()
    p.camera.start_recording(tmp_path / "closed.mp4")
    until(lambda: (recording := p.camera.status().recording) and recording.frames > 5)
    p.camera.close()
    assert p.camera.status().recording is None
    assert len(times(tmp_path / "closed.mp4")) > 5


def test_a_second_recording_takes_over_from_the_first(tmp_path, clips, player):
    p = player(clips / CLIP, "source.loop=true").play()
    for name in ("one.mp4", "two.mp4"):
        p.camera.start_recording(tmp_path / name)
        until(lambda name=name: (r := p.camera.status().recording) and r.path.name == name and r.frames > 3)
    p.camera.close()
    assert p.camera.written() == [tmp_path / "one.mp4", tmp_path / "two.mp4"]
    assert len(times(tmp_path / "one.mp4")) > 3
    assert len(times(tmp_path / "two.mp4")) > 3


def test_a_bad_folder_is_told_at_once_even_in_a_pause(tmp_path, clips, player):
    (tmp_path / "file").write_text("no folder")
    p = player(clips / CLIP)
    p.paused()
    p.camera.start_recording(tmp_path / "file" / "x.mp4")
    (warning,) = until(lambda: p.camera.status().warnings)
    assert isinstance(warning, OutputError)
    assert "not a folder" in str(warning)
    assert p.camera.status().recording is None
    assert p.camera.written() == []
    p.camera.start_recording(tmp_path / "good.mp4")
    assert p.camera.status().warnings == ()


@pytest.mark.parametrize("name", ["picture.png", ""])
def test_what_cannot_be_a_recording_is_told(tmp_path, clips, player, name):
    p = player(clips / CLIP)
    p.paused()
    p.camera.start_recording(tmp_path / name)
    (warning,) = until(lambda: p.camera.status().warnings)
    assert isinstance(warning, OutputError)


def test_the_source_is_not_recorded_onto_itself(tmp_path, clips, player):
    path = tmp_path / "mine.mp4"
    path.write_bytes((clips / CLIP).read_bytes())
    p = player(path).play()
    p.camera.start_recording(path)
    (warning,) = until(lambda: p.camera.status().warnings)
    assert "source itself" in str(warning)
    assert path.read_bytes() == (clips / CLIP).read_bytes()


def test_a_full_disk_ends_the_recording_and_nothing_else(tmp_path, clips, player):
    p = player(clips / CLIP, "source.loop=true", "output.record_quality=0").play()
    with disk_full_after(300_000):
        p.camera.start_recording(tmp_path / "full.mp4")
        (warning,) = until(lambda: p.camera.status().warnings)
        assert isinstance(warning, OutputError)
        frames = p.camera.status().frames
        until(lambda: p.camera.status().frames > frames + 3)
    assert p.camera.status().recording is None
    p.camera.close()
    assert p.camera.written() == []


def test_stopping_without_a_recording_and_recording_after_the_end(tmp_path, clips, player):
    p = player(clips / CLIP, hold=False, max_frames=3).play()
    p.camera.stop_recording()
    assert p.camera.wait(30)
    p.camera.start_recording(tmp_path / "late.mp4")
    (warning,) = p.camera.status().warnings
    assert "start the source first" in str(warning)
    assert list(tmp_path.iterdir()) == []


def test_a_snapshot_of_what_is_shown(tmp_path, clips, player):
    from streamer.sinks.snapshot import save_snapshot

    result = player(clips / CLIP).paused(5.0)
    plain = save_snapshot(result, tmp_path / "a.png", overlays=False)
    drawn = save_snapshot(result, tmp_path / "a.png", overlays=True)
    assert (plain.name, drawn.name) == ("a.png", "a-2.png")
    assert np.array_equal(cv2.imread(str(plain)), result.frame.image)
    assert not np.array_equal(cv2.imread(str(drawn)), result.frame.image)
