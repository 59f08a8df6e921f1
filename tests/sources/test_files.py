"""Video files: formats, times, start, loop, pace, damage."""

from __future__ import annotations

import os
import struct
import time
from itertools import pairwise

import cv2
import numpy as np
import pytest

from streamer.config import SourceConfig
from streamer.errors import NoVideoError, SourceError, SourceNotFoundError, UndecodableError
from streamer.sources import open_source


def file(path, *, realtime=False, **options):
    return open_source(str(path), SourceConfig(**options), realtime=realtime)


def similarity(image, expected):
    return cv2.PSNR(image, np.ascontiguousarray(expected))


def write(path, data):
    path.write_bytes(data)
    return path


REAL = {
    "s32_woman_720p.mp4": (180, 1280, 720, 30.0),
    "stage_small_to_large.mp4": (275, 640, 360, 29.97),
    "webcam_moving_face.avi": (1066, 320, 240, 20.0),
}


@pytest.mark.parametrize("name", REAL)
def test_real_clips_give_every_frame(clips, drain, name):
    count, width, height, fps = REAL[name]
    source = file(clips / name)
    frames = drain(source, limit=180)
    assert len(frames) == min(count, 180)
    assert source.size == (width, height)
    assert source.fps == pytest.approx(fps)
    assert not source.live
    assert [f.index for f in frames] == list(range(len(frames)))
    assert np.allclose([f.pts for f in frames], np.arange(len(frames)) / fps, atol=0.002)
    assert source.stats.corrupt == 0


@pytest.mark.parametrize("codec", ["mpeg4", "libx264"])
def test_an_avi_with_b_frames_keeps_its_speed(tmp_path, encode, moving, drain, codec):
    """FFmpeg's times of such pictures go back and forth."""
    source = file(encode(tmp_path / "b.avi", codec, count=30, options={"bf": "2", "g": "12"}))
    frames = drain(source)
    assert np.allclose(np.diff([frame.pts for frame in frames]), 1 / 30, atol=0.002)
    for frame, expected in zip(frames, moving(len(frames), 320, 240), strict=False):
        assert similarity(frame.image, expected) > 24


def test_a_real_avi_with_b_frames_keeps_its_speed_and_finds_its_pictures(clips, drain):
    frames = drain(file(clips / "makeup_hand_occlusion.avi"))
    assert len(frames) == 164
    assert np.allclose(np.diff([frame.pts for frame in frames]), 1 / 25, atol=0.002)
    source = file(clips / "makeup_hand_occlusion.avi")
    source.open()
    for index in (100, 20, 150):
        source.seek(frames[index].position)
        assert np.array_equal(source.read().image, frames[index].image)
    source.close()


@pytest.mark.parametrize(
    ("name", "codec", "pix_fmt", "size"),
    [
        ("a.mp4", "libx264", "yuv420p", (320, 240)),
        ("a.mp4", "libx265", "yuv420p10le", (320, 240)),
        ("a.mkv", "libx264", "yuv420p10le", (320, 240)),
        ("a.avi", "mpeg4", "yuv420p", (320, 240)),
        ("a.avi", "mjpeg", "yuvj420p", (320, 240)),
        ("a.mkv", "libx264", "yuv444p", (321, 243)),
        ("a.mkv", "ffv1", "yuv420p", (333, 201)),
        ("a.mkv", "ffv1", "bgr0", (322, 200)),
        ("a.avi", "rawvideo", "bgr24", (322, 200)),
        ("a.webm", "libvpx-vp9", "yuv420p", (320, 240)),
    ],
)
def test_formats_keep_the_picture(tmp_path, encode, moving, drain, name, codec, pix_fmt, size):
    path = encode(tmp_path / name, codec, pix_fmt=pix_fmt, size=size, count=6)
    source = file(path)
    frames = drain(source)
    assert len(frames) == 6
    assert source.size == size
    for frame, expected in zip(frames, moving(6, *size), strict=True):
        assert frame.image.shape == expected.shape
        assert frame.image.flags.c_contiguous
        assert not frame.image.flags.writeable
        assert similarity(frame.image, expected) > 24


def test_real_phone_clip_in_hevc(clips, drain):
    source = file(clips / "face_then_noface.mov")
    frames = drain(source)
    assert len(frames) == 169
    assert source.size in ((960, 540), (540, 960))
    assert all(b.pts > a.pts for a, b in pairwise(frames))


def test_frames_outlive_the_source(clip, drain, moving):
    frames = drain(file(clip))
    for frame, expected in zip(frames, moving(30, 320, 240), strict=True):
        assert similarity(frame.image, expected) > 24


def set_rotation(data, quarter_turns):
    """Write a clockwise rotation into the track header's display matrix of an mp4 file."""
    a, b = [(1, 0), (0, 1), (-1, 0), (0, -1)][quarter_turns]
    one, unit = 1 << 16, 1 << 30
    matrix = struct.pack(">9i", a * one, b * one, 0, -b * one, a * one, 0, 0, 0, unit)
    at = data.index(b"tkhd") + 44
    return data[:at] + matrix + data[at + 36 :]


@pytest.mark.parametrize(
    ("quarter_turns", "turn"),
    [(1, cv2.ROTATE_90_CLOCKWISE), (2, cv2.ROTATE_180), (3, cv2.ROTATE_90_COUNTERCLOCKWISE)],
)
def test_rotation_metadata_is_applied(tmp_path, clip, drain, moving, quarter_turns, turn):
    source = file(write(tmp_path / "turned.mp4", set_rotation(clip.read_bytes(), quarter_turns)))
    frames = drain(source)
    expected = cv2.rotate(next(moving(30, 320, 240)), turn)
    assert source.size == (expected.shape[1], expected.shape[0])
    assert similarity(frames[0].image, expected) > 24


def test_variable_frame_rate_keeps_its_times(tmp_path, encode, drain):
    ticks = [0, 1, 2, 10, 11, 40, 41, 42, 43, 90]
    path = encode(tmp_path / "vfr.mp4", "libx264", count=10, ticks=ticks)
    assert np.allclose([f.pts for f in drain(file(path))], np.array(ticks) / 30, atol=0.002)


def test_stream_without_times_is_counted(tmp_path, clip, ffmpeg, drain):
    raw = tmp_path / "raw.h264"
    ffmpeg("-i", clip, "-c", "copy", "-bsf:v", "h264_mp4toannexb", raw)
    frames = drain(file(raw, loop=True), limit=70)
    steps = np.diff([f.pts for f in frames])
    assert len(frames) == 70
    assert (steps > 0).all()
    assert steps.max() < 0.1


def test_size_may_change_in_the_middle(tmp_path, encode, ffmpeg, drain):
    parts = []
    for index, size in enumerate([(320, 240), (480, 270)]):
        parts.append(encode(tmp_path / f"{index}.ts", "libx264", size=size, count=10))
    joined = tmp_path / "joined.ts"
    joined.write_bytes(b"".join(p.read_bytes() for p in parts))
    frames = drain(file(joined))
    assert {f.image.shape for f in frames} == {(240, 320, 3), (270, 480, 3)}
    assert all(b.pts > a.pts for a, b in pairwise(frames))


@pytest.mark.parametrize("start", [0.2, 0.5, 0.55])
def test_start_is_accurate(clip, drain, moving, start):
    frames = drain(file(clip, start=start))
    first = int(np.ceil(start * 30 - 1e-6))
    assert len(frames) == 30 - first
    assert frames[0].index == 0
    assert frames[0].pts == pytest.approx(first / 30, abs=0.002)
    expected = list(moving(30, 320, 240))[first]
    assert similarity(frames[0].image, expected) > similarity(frames[1].image, expected)


def test_start_beyond_the_end_says_so(clip):
    with pytest.raises(SourceError, match=r"1\.0 s long.*source\.start"):
        file(clip, start=60).open()


def test_loop_goes_on_across_the_seam(clip, drain):
    frames = drain(file(clip, loop=True), limit=95)
    assert np.allclose(np.diff([f.pts for f in frames]), 1 / 30, atol=0.002)
    assert [f.index for f in frames] == list(range(95))
    assert np.array_equal(frames[0].image, frames[30].image)


def test_loop_comes_back_to_the_start_offset(clip, drain):
    frames = drain(file(clip, loop=True, start=0.5), limit=31)
    assert np.array_equal(frames[0].image, frames[15].image)
    assert np.allclose(np.diff([f.pts for f in frames]), 1 / 30, atol=0.002)


def test_reading_does_not_wait_until_pictures_are_due(tmp_path, encode, drain):
    slow = encode(tmp_path / "slow.mp4", "libx264", count=10, ticks=[300 * i for i in range(10)])
    began = time.monotonic()
    assert len(drain(file(slow))) == 10
    assert time.monotonic() - began < 30  # at its own pace: 90 s


def test_damaged_stretch_is_skipped_and_counted(tmp_path, encode, drain):
    path = encode(tmp_path / "long.avi", "mpeg4", count=90, options={"g": "10"})
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + len(data) // 12] = os.urandom(len(data) // 12)
    path.write_bytes(data)
    source = file(path)
    frames = drain(source)
    assert source.stats.corrupt > 0
    assert 45 < len(frames) < 90
    assert frames[-1].pts > 2.5, "reading went on behind the damage"


def test_damaged_h264_is_skipped_and_counted(tmp_path, clip, drain):
    data = bytearray(clip.read_bytes())
    start = data.index(b"mdat") + len(data) // 3
    data[start : start + 1500] = bytes(1500)
    path = tmp_path / "damaged.mp4"
    path.write_bytes(data)
    source = file(path)
    frames = drain(source)
    assert source.stats.corrupt > 0
    assert len(frames) >= 10


def test_real_clip_cut_short_gives_what_is_there(tmp_path, clips, drain):
    whole = (clips / "webcam_moving_face.avi").read_bytes()
    path = tmp_path / "cut.avi"
    path.write_bytes(whole[: len(whole) // 2])
    assert 400 < len(drain(file(path))) < 1066


def test_empty_file(tmp_path):
    with pytest.raises(UndecodableError, match="empty"):
        file(write(tmp_path / "empty.mp4", b"")).open()


@pytest.mark.parametrize("name", ["notes.txt", "notes.mp4", "notes.md"])
def test_text_file(tmp_path, name):
    with pytest.raises(UndecodableError, match=r"no video|text file"):
        file(write(tmp_path / name, b"Dear diary, today I filmed nothing.\n" * 50)).open()


def test_random_bytes(tmp_path):
    with pytest.raises(UndecodableError):
        file(write(tmp_path / "noise.mp4", np.random.default_rng(1).bytes(20_000))).open()


def test_header_cut_off(tmp_path, clip):
    data = clip.read_bytes()
    with pytest.raises(UndecodableError, match="damaged"):
        file(write(tmp_path / "cut.mp4", data[: len(data) // 2])).open()


def test_no_frame_survives(tmp_path, encode):
    path = encode(tmp_path / "ruin.mkv", "libx264", count=20)
    data = bytearray(path.read_bytes())
    for position in range(900, len(data) - 200):
        data[position] = 0x55
    with pytest.raises(UndecodableError):
        file(write(path, data)).open()


def test_audio_only(tmp_path, ffmpeg):
    path = tmp_path / "tone.mp4"
    ffmpeg("-f", "lavfi", "-i", "sine=duration=1", path)
    with pytest.raises(NoVideoError, match="only audio"):
        file(path).open()


def test_song_with_cover_is_no_video(tmp_path, ffmpeg, jpegs):
    cover, path = write(tmp_path / "cover.jpg", jpegs[0]), tmp_path / "song.mp3"
    ffmpeg("-f", "lavfi", "-i", "sine=duration=1", "-i", cover, "-map", "0", "-map", "1", "-c:v", "copy", path)
    with pytest.raises(NoVideoError):
        file(path).open()


@pytest.mark.parametrize("spec", ["missing.mp4", "", "nowhere/*.jpg", "file:///nowhere.mp4"])
def test_missing(tmp_path, monkeypatch, spec):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SourceNotFoundError):
        file(spec).open()


def test_deleted_between_choosing_and_opening(tmp_path, clip):
    path = write(tmp_path / "gone.mp4", clip.read_bytes())
    source = file(path)
    path.unlink()
    with pytest.raises(SourceNotFoundError):
        source.open()


def test_ffmpeg_prints_nothing(tmp_path, clip, capfd):
    data = clip.read_bytes()
    with pytest.raises(UndecodableError):
        file(write(tmp_path / "cut.mp4", data[: len(data) // 2])).open()
    assert capfd.readouterr() == ("", "")


def test_close_is_idempotent_and_read_after_it_ends(clip):
    source = file(clip)
    source.close()
    with pytest.raises(SourceError):
        source.open()
    source.close()
    assert source.read() is None
