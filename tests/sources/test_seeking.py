"""Seeking: the exact picture, whatever the file's index says."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from streamer.config import SourceConfig
from streamer.sources import open_source
from streamer.sources.seeking import places_to_begin

FPS = 30


def opened(path, *, realtime=True, **options):
    source = open_source(str(path), SourceConfig(**options), realtime=realtime)
    source.open()
    return source


def seek(source, seconds, back=0):
    source.seek(seconds, back=back)
    return source.read()


@pytest.fixture
def pictures(moving):
    """Tells which picture of the moving portrait a frame shows."""
    all_of_them = [image.astype(np.int16) for image in moving(90, 320, 240)]

    def number(frame):
        return int(np.argmin([np.abs(image - frame.image).mean() for image in all_of_them]))

    return number


@pytest.fixture(scope="module")
def long_clip(tmp_path_factory, encode):
    """Three seconds with a key frame a second and B-frames in between."""
    return encode(
        tmp_path_factory.mktemp("long") / "long.mp4",
        "libx264",
        count=90,
        options={"g": "30", "bf": "2", "sc_threshold": "0"},
    )


def unindexed(path, folder, ffmpeg):
    """An MP4 whose index calls every frame a key frame."""
    out = folder / "lies.mp4"
    out.write_bytes(path.read_bytes().replace(b"stss", b"free"))
    return out


def remuxed(name, *arguments):
    def make(path, folder, ffmpeg):
        ffmpeg("-i", path, "-c", "copy", *arguments, folder / name)
        return folder / name

    return make


FILES = {
    "mp4": lambda path, folder, ffmpeg: path,
    "mp4 whose index lies": unindexed,
    "fragmented mp4": remuxed("fragments.mp4", "-movflags", "frag_keyframe+empty_moov"),
    "mkv without an index": remuxed("live.mkv", "-live", "1"),
    "mpeg-ts": remuxed("stream.ts"),
    "avi": remuxed("clip.avi", "-c:v", "mpeg4", "-q:v", "2", "-g", "20"),
    "raw h264, without times": remuxed("raw.h264", "-bsf:v", "h264_mp4toannexb"),
}


@pytest.mark.parametrize("kind", FILES)
@pytest.mark.parametrize("realtime", [True, False], ids=["paced", "with frame threads"])
def test_every_seek_finds_the_exact_picture(tmp_path, long_clip, ffmpeg, pictures, kind, realtime):
    source = opened(FILES[kind](long_clip, tmp_path, ffmpeg), realtime=realtime)
    assert source.seekable
    try:
        for wanted in (50, 12, 89, 0, 31, 30, 29, 61):
            frame = seek(source, (wanted + 0.5) / source.fps)  # shown until the next one
            assert pictures(frame) == wanted
            assert frame.position == pytest.approx(wanted / source.fps, abs=0.002)
            assert pictures(source.read()) == wanted + 1 if wanted < 89 else source.read() is None
    finally:
        source.close()
    assert source.stats.corrupt == 0


def test_bounds_are_the_first_and_the_last_picture(long_clip, pictures):
    source = opened(long_clip)
    assert pictures(seek(source, 1e12)) == 89
    assert source.read() is None
    assert source.read() is None
    assert pictures(seek(source, -5.0)) == 0
    source.close()


@pytest.mark.parametrize("kind", ["mp4", "mp4 whose index lies", "raw h264, without times"])
def test_stepping_back_picture_by_picture(tmp_path, long_clip, ffmpeg, pictures, kind):
    source = opened(FILES[kind](long_clip, tmp_path, ffmpeg))
    frame = seek(source, 32 / source.fps)
    for wanted in (31, 30, 29, 28):
        frame = seek(source, frame.position, back=1)
        assert pictures(frame) == wanted
    assert pictures(seek(source, frame.position, back=7)) == 21
    assert pictures(source.read()) == 22
    assert pictures(seek(source, 2 / source.fps, back=9)) == 0
    source.close()


def test_variable_frame_rate(tmp_path, encode, pictures):
    ticks = [0, 1, 2, 10, 11, 40, 41, 42, 43, 90]
    source = opened(encode(tmp_path / "vfr.mp4", "libx264", count=10, ticks=ticks, options={"g": "3"}))
    for seconds, wanted in ((39 / FPS, 4), (40 / FPS, 5), (89 / FPS, 8), (60.0, 9), (5 / FPS, 2)):
        frame = seek(source, seconds)
        assert frame.position == pytest.approx(ticks[wanted] / FPS, abs=0.002)
        back = seek(source, frame.position, back=1)
        assert back.position == pytest.approx(ticks[wanted - 1] / FPS, abs=0.002)
    source.close()


def test_time_goes_on_while_the_position_jumps(long_clip):
    source = opened(long_clip)
    frames = [source.read(), source.read(), seek(source, 2.0), source.read(), seek(source, 0.5)]
    assert np.allclose(np.diff([f.pts for f in frames]), 1 / FPS, atol=0.002)
    assert [f.segment for f in frames] == [0, 0, 1, 1, 2]
    assert [f.position for f in frames] == pytest.approx([0, 1 / FPS, 2.0, 2 + 1 / FPS, 0.5], abs=0.002)
    source.close()


def test_a_copy_that_broke_off_seeks_to_its_last_picture(tmp_path, long_clip, ffmpeg, pictures):
    whole = remuxed("fast.mp4", "-movflags", "faststart")(long_clip, tmp_path, ffmpeg)
    data = whole.read_bytes()
    whole.write_bytes(data[: len(data) * 2 // 3])
    source = opened(whole)
    last = seek(source, 2.9)
    assert 30 < pictures(last) < 85
    assert pictures(seek(source, 0.1)) == 3
    source.close()


def test_seeking_from_a_start_offset_and_looping_back_to_it(long_clip, pictures):
    source = opened(long_clip, start=2.5, loop=True)
    assert pictures(source.read()) == 75
    assert pictures(seek(source, 0.0)) == 0
    assert pictures(seek(source, 3.0)) == 89
    lap = source.read()
    assert (pictures(lap), lap.segment) == (75, 3)
    source.close()


def test_loop_may_be_switched_at_any_time(long_clip, pictures):
    source = opened(long_clip)
    seek(source, 3.0)
    assert source.read() is None
    source.loop = True
    assert pictures(source.read()) == 0
    source.close()


def test_real_clips(clips):
    """Whatever real files hold: the picture found by seeking is the one that playing shows at that time."""
    for name in ("face_then_noface.mov", "webcam_moving_face.avi", "retalk_man_suit.mp4"):
        source = opened(clips / name)
        played = [source.read() for _ in range(70)]
        for wanted in (61, 7, 33):
            frame = seek(source, played[wanted].position)
            assert np.array_equal(frame.image, played[wanted].image), name
            previous = seek(source, frame.position, back=1)
            assert np.array_equal(previous.image, played[wanted - 1].image), name
        source.close()


def test_closing_during_a_long_search(clips, in_thread):
    source = opened(clips / "franck_talking_4800f.mp4")
    search = in_thread(source.seek, 1e9, back=30)
    source.close()
    search.result(timeout=5)
    assert source.read() is None


def test_the_demo():
    source = opened("demo", start=1.0)
    first = source.read()
    assert np.array_equal(seek(source, 1.0).image, first.image)
    assert seek(source, 5.01).position == pytest.approx(5.0)
    assert seek(source, 5.0, back=3).position == pytest.approx(4.9)
    assert seek(source, 99.0).position == pytest.approx(20 - 1 / 30)
    assert source.read() is None
    source.close()


def test_pictures_of_a_folder(tmp_path):
    for index in range(6):
        cv2.imwrite(str(tmp_path / f"{index}.png"), np.full((20, 30, 3), index * 40, np.uint8))
    (tmp_path / "3.png").write_bytes(b"no picture")
    source = opened(tmp_path, image_seconds=0.5)
    values = [int(source.read().image[0, 0, 0]) for _ in range(4)]
    assert values == [0, 40, 80, 160]
    assert seek(source, 1.2).image[0, 0, 0] == 80
    assert seek(source, 2.0, back=1).image[0, 0, 0] == 80, "the unreadable one is stepped over"
    assert seek(source, 99.0).image[0, 0, 0] == 200
    assert source.read() is None
    assert source.stats.corrupt == 1
    source.close()


def test_attempts_reach_further_and_further_back_and_end_at_the_start():
    assert list(places_to_begin(20.0)) == [20.0, 18.0, 12.0, 0.0]
    assert list(places_to_begin(0.0)) == [0.0]
    assert len(list(places_to_begin(1e9))) == 5


def test_a_live_source_is_not_moved():
    from streamer.sources.network import NetworkSource
    from streamer.sources.webcam import WebcamSource

    assert not NetworkSource("rtsp://host/live", SourceConfig()).seekable
    assert not WebcamSource(0, "/dev/video0", SourceConfig()).seekable
