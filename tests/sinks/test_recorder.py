"""Recordings play: with their own timing, any size, after a crash and after the disk has filled up."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest

from streamer.effects import Effects
from streamer.effects.shown import Shown, is_look
from streamer.errors import OutputError
from streamer.sinks import recorder as recorder_module
from streamer.sinks.drawing import annotate, pose_axes
from streamer.sinks.recorder import Recorder
from streamer.types import Face, Frame, FrameResult, Pose
from tests.disk import disk_full_after

ORANGE = (40, 80, 200)


def result(index: int, pts: float, size: tuple[int, int] = (180, 320), faces: tuple[Face, ...] = ()) -> FrameResult:
    image = np.full((*size, 3), ORANGE, np.uint8)
    return FrameResult(Frame(image, index, pts, 0.0, "test"), faces)


def noisy(index: int) -> FrameResult:
    image = np.random.default_rng(index).integers(0, 255, (240, 320, 3), np.uint8)
    return FrameResult(Frame(image, index, index / 30, 0.0, "test"), ())


def record_noise(recorder: Recorder, count: int) -> None:
    for index in range(count):
        recorder.write(noisy(index))


def decode(path: Path) -> list[av.VideoFrame]:
    with av.open(str(path)) as container:
        return list(container.decode(video=0))


def times(frames: list[av.VideoFrame]) -> list[float]:
    return [float(frame.pts * frame.time_base) for frame in frames]


def test_timing_and_colour_survive(tmp_path: Path) -> None:
    """Variable frame rate, a live gap of three seconds and a loop back to zero."""
    recorder = Recorder(tmp_path / "clip.mp4", fps=25)
    for index, pts in enumerate([5.0, 5.04, 5.1, 8.1, 8.14, 0.0, 0.04]):
        recorder.write(result(index, pts))
    recorder.close()
    frames = decode(tmp_path / "clip.mp4")
    np.testing.assert_allclose(times(frames), [0.0, 0.04, 0.1, 3.1, 3.14, 3.18, 3.22], atol=1e-3)
    np.testing.assert_allclose(frames[3].to_ndarray(format="bgr24")[90, 160], ORANGE, atol=4)


def test_a_recording_is_as_bright_as_the_picture(tmp_path: Path, astronaut: np.ndarray) -> None:
    """What is in the file, by BT.709's own formula: converting it back to BGR has rounding errors of its own."""
    recorder = Recorder(tmp_path / "clip.mp4")
    recorder.write(FrameResult(Frame(astronaut, 0, 0.0, 0.0, "test"), ()))
    recorder.close()
    (frame,) = decode(tmp_path / "clip.mp4")
    height, width = astronaut.shape[:2]
    planes = frame.to_ndarray(format="yuv420p").reshape(-1)
    blue, green, red = astronaut.reshape(-1, 3).mean(axis=0) / 255
    luma = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    means = [part.mean() for part in np.split(planes, [height * width, height * width * 5 // 4])]
    wanted = [16 + 219 * luma, 128 + 224 * (blue - luma) / 1.8556, 128 + 224 * (red - luma) / 1.5748]
    np.testing.assert_allclose(means, wanted, atol=0.3)


@pytest.mark.parametrize("size", [(1, 1), (7, 300), (181, 321)])
def test_odd_and_tiny_sizes(tmp_path: Path, size: tuple[int, int]) -> None:
    recorder = Recorder(tmp_path / "clip.mp4")
    recorder.write(result(0, 0.0, size))
    recorder.close()
    (frame,) = decode(tmp_path / "clip.mp4")
    assert (frame.height, frame.width) == tuple(max(16, side - side % 2) for side in size)


def test_change_of_size_is_fitted_with_bars(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "clip.mp4")
    recorder.write(result(0, 0.0, (180, 320)))
    recorder.write(result(1, 0.1, (640, 360)))
    recorder.close()
    picture = decode(tmp_path / "clip.mp4")[1].to_ndarray(format="bgr24")
    assert picture.shape == (180, 320, 3)
    np.testing.assert_allclose(picture[90, 160], ORANGE, atol=6)
    assert picture[90, 20].max() < 16


def test_codec_of_builds_without_x264(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder_module, "_CODECS", ("no_such_codec", "mpeg4"))
    recorder = Recorder(tmp_path / "clip.mp4")
    for index in range(5):
        recorder.write(result(index, index / 30))
    recorder.close()
    assert len(decode(tmp_path / "clip.mp4")) == 5


def test_no_frames_leave_no_file_and_an_old_recording_alone(tmp_path: Path) -> None:
    Recorder(tmp_path / "new.mp4").close()
    assert not (tmp_path / "new.mp4").exists()
    (tmp_path / "old.mp4").write_bytes(b"precious")
    Recorder(tmp_path / "old.mp4").close()
    assert (tmp_path / "old.mp4").read_bytes() == b"precious"


def test_closing_lets_the_frame_be_finished_that_is_being_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when Ctrl-C ends a camera on a crowded machine, whose first frame is not encoded yet."""
    begun, closing = threading.Event(), threading.Event()

    def slow(*_: object) -> np.ndarray:
        begun.set()
        closing.wait(0.3)  # close() is under way by then, or waits for us
        return np.full((180, 320, 3), ORANGE, np.uint8)

    monkeypatch.setattr(recorder_module, "annotate", slow)
    recorder = Recorder(tmp_path / "clip.mp4")
    worker = threading.Thread(target=recorder.write, args=(result(0, 0.0),))
    worker.start()
    assert begun.wait(10)
    recorder.close()
    closing.set()
    worker.join(10)
    recorder.write(result(1, 0.1))  # too late, and no error
    assert len(decode(tmp_path / "clip.mp4")) == 1


def test_unwritable_path_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="it is a folder"):
        Recorder(tmp_path)


def test_playable_after_the_program_was_killed(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    script = (
        "import os, sys; sys.path.insert(0, sys.argv[2]);"
        "from test_recorder import Recorder, record_noise;"
        "record_noise(Recorder(sys.argv[1]), 200); os._exit(9)"
    )
    command = [sys.executable, "-c", script, str(path), str(Path(__file__).parent)]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    assert subprocess.run(command, timeout=120, env=environment, check=False).returncode == 9
    assert len(decode(path)) >= 60


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")
def test_playable_after_the_disk_filled_up(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", disk], check=False, capture_output=True)
    if mounted.returncode:
        pytest.skip(f"this machine mounts no small disk: {mounted.stderr.decode().strip()}")
    try:
        recorder = Recorder(disk / "clip.mp4")
        with pytest.raises(OutputError, match="the disk is full"):
            record_noise(recorder, 1000)
        recorder.write(noisy(0))
        recorder.close()
        frames = decode(disk / "clip.mp4")
        assert len(frames) >= 30
        assert times(frames) == pytest.approx([index / 30 for index in range(len(frames))], abs=1e-3)
    finally:
        subprocess.run(["umount", disk], check=True)


@pytest.mark.parametrize("limit", [0, 500, 3000])
def test_a_disk_too_full_for_the_first_pictures_leaves_no_file(tmp_path: Path, limit: int) -> None:
    recorder = Recorder(tmp_path / "clip.mp4")
    told = "clip.mp4: the file has reached .*; nothing of the recording could be kept"
    with disk_full_after(limit), pytest.raises(OutputError, match=told):
        record_noise(recorder, 200)
    recorder.close()
    assert list(tmp_path.iterdir()) == []


def test_no_boxes_come_into_a_recording_when_its_look_is_taken_off(tmp_path: Path) -> None:
    points = np.full((106, 2), 90, np.float32)
    face = Face(np.array([40, 40, 140, 140], np.float32), 0.9, points[:5], points, Pose(0, 0, 0), 0.9, points)
    bare = [result(index, index / 30, faces=(face,)) for index in range(4)]
    recorder = Recorder(tmp_path / "clip.mp4", crf=0)
    for each, look in zip(bare, ("", "tone=0.5", "tone=0", ""), strict=True):
        effects = Effects.parse(look)
        shown = Shown(effects, each.frame.image, (), each.hidden) if is_look(effects) else None
        recorder.write(replace(each, shown=shown))
    recorder.close()
    pictures = [frame.to_ndarray(format="bgr24").astype(int) for frame in decode(tmp_path / "clip.mp4")]
    drawn = [(np.abs(picture - ORANGE).max(2) > 30).mean() > 0.01 for picture in pictures]
    assert drawn == [True, False, False, False]


def test_drawing_goes_on_a_copy(astronaut: np.ndarray) -> None:
    points = np.random.default_rng(0).uniform(170, 270, (106, 2)).astype(np.float32)
    box = np.array([165, 60, 280, 200], np.float32)
    face = Face(box, 0.9, points[:5], points, Pose(0, 0, 0), 0.9, points, track_id=1)
    before = astronaut.copy()
    drawn = annotate(astronaut, [face])
    np.testing.assert_array_equal(astronaut, before)
    changed = np.argwhere((drawn != before).any(axis=2))
    assert changed.min() > 30
    assert changed[:, 0].max() < 290


def test_faces_beyond_the_edge_are_drawn_as_far_as_they_are_seen() -> None:
    points = np.linspace(-500, 5000, 212, dtype=np.float32).reshape(106, 2)
    face = Face(np.array([-50, -60, 9000, 70], np.float32), 0.9, points[:5], points, Pose(0, 0, 0), 0.9, points)
    for size in ((1, 1), (40, 60)):
        assert annotate(np.zeros((*size, 3), np.uint8), [face]).any()


@pytest.mark.parametrize(
    ("pose", "axis", "direction"),
    [
        (Pose(30, 0, 0), 2, (0.0, -0.5)),  # nose up
        (Pose(0, 0, 30), 2, (0.5, 0.0)),  # nose to image-right
        (Pose(0, 90, 0), 1, (1.0, 0.0)),  # tilted clockwise: the head's up points to image-right
        (Pose(0, 90, 0), 0, (0.0, 1.0)),
    ],
)
def test_pose_axes_follow_the_sign_convention(pose: Pose, axis: int, direction: tuple[float, float]) -> None:
    np.testing.assert_allclose(pose_axes(pose)[axis], direction, atol=1e-6)


def test_a_recording_has_one_writer(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    recorder = Recorder(path)
    with pytest.raises(OutputError, match=r"clip\.mp4: another run is writing it; choose another name"):
        Recorder(path)
    recorder.write(result(0, 0.0))
    with pytest.raises(OutputError, match="another run is writing it"):
        Recorder(path)
    recorder.close()
    assert len(decode(path)) == 1
    again = Recorder(path)
    again.write(result(0, 0.0))
    again.close()
    assert len(decode(path)) == 1
