"""Network streams against real servers: RTSP, HTTP, and servers that misbehave."""

from __future__ import annotations

import shutil
import socket
import subprocess
import threading
import time
from itertools import pairwise

import pytest

from streamer.config import SourceConfig
from streamer.errors import (
    SourceAuthError,
    SourceError,
    SourceLostError,
    SourceNotFoundError,
    SourceRefusedError,
    SourceTimeoutError,
    UndecodableError,
)
from streamer.sources import interrupt, open_source
from tests.servers import exhaust, http_server, refusing_port, rtsp_server, silent_server

SECRET = "p@ss/w:rd 100%"
ENCODED = "p%40ss%2Fw%3Ard%20100%25"


def stream(url, **options):
    return open_source(url, SourceConfig(**options), realtime=True)


def read(source, count):
    try:
        source.open()
        return [source.read() for _ in range(count)]
    finally:
        source.close()


@pytest.fixture(scope="module")
def camera(clip):
    with rtsp_server(clip) as server:
        yield server


@pytest.fixture(scope="module")
def guarded_camera(clip):
    with rtsp_server(clip, "me", SECRET) as server:
        yield server


@pytest.fixture(scope="module")
def web(clip, jpegs):
    with http_server(clip, jpegs) as url:
        yield url


@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_rtsp(camera, transport):
    source = stream(camera.url, rtsp_transport=transport)
    frames = read(source, 20)
    assert source.live
    assert source.size == (320, 240)
    assert frames[0].image.shape == (240, 320, 3)
    assert frames[0].pts == 0
    assert all(b.pts > a.pts for a, b in pairwise(frames))
    assert frames[-1].pts < 5


def test_rtsp_with_a_real_clip(clips):
    with rtsp_server(clips / "s32_woman_720p.mp4") as server:
        source = stream(server.url)
        frames = read(source, 10)
    assert source.size == (1280, 720)
    assert frames[-1].image.std() > 10


def test_rtsp_unknown_path(camera):
    with pytest.raises(SourceNotFoundError, match="path"):
        stream(f"rtsp://127.0.0.1:{camera.port}/other").open()


def with_user(url, userinfo):
    return url.replace("://", f"://{userinfo}@")


@pytest.mark.parametrize("userinfo", [f"me:{ENCODED}", "me:p@ss%2Fw:rd 100%"])
def test_rtsp_password_in_url(guarded_camera, userinfo):
    source = stream(with_user(guarded_camera.url, userinfo))
    assert read(source, 2)[1] is not None
    assert source.name == guarded_camera.url
    assert "p@ss" not in repr(source)


def test_rtsp_password_in_config(guarded_camera):
    assert read(stream(guarded_camera.url, username="me", password=SECRET), 1)[0] is not None


def test_rtsp_password_in_environment(guarded_camera, monkeypatch):
    monkeypatch.setenv("FACESTREAM_USERNAME", "me")
    monkeypatch.setenv("FACESTREAM_PASSWORD", SECRET)
    assert read(stream(guarded_camera.url), 1)[0] is not None


@pytest.mark.parametrize("userinfo", ["", "me:wrongsecret@"])
def test_rtsp_wrong_password(guarded_camera, userinfo, capfd, caplog):
    with pytest.raises(SourceAuthError) as caught:
        stream(guarded_camera.url.replace("://", f"://{userinfo}")).open()
    assert "FACESTREAM_PASSWORD" in str(caught.value)
    assert "wrongsecret" not in str(caught.value) + repr(caught.value) + caplog.text
    assert caught.value.__suppress_context__
    assert capfd.readouterr() == ("", "")


def test_rtsp_power_cut(clip):
    with rtsp_server(clip) as server:
        source = stream(server.url, read_timeout=2)
        try:
            source.open()
            assert source.read() is not None
            server.kill()
            with pytest.raises((SourceLostError, SourceTimeoutError)):
                exhaust(source)
        finally:
            source.close()


def test_rtsp_stall(clip):
    with rtsp_server(clip) as server:
        source = stream(server.url, read_timeout=1)
        try:
            source.open()
            assert source.read() is not None
            server.freeze()
            began = time.monotonic()
            with pytest.raises(SourceTimeoutError, match="no picture for 1 s"):
                exhaust(source)
            assert time.monotonic() - began < 30
        finally:
            began = time.monotonic()
            source.close()
            assert time.monotonic() - began < 20


def test_close_wakes_a_reader_of_a_stalled_camera(clip, in_thread):
    with rtsp_server(clip) as server:
        source = stream(server.url, read_timeout=60)
        source.open()
        server.freeze()
        reader = in_thread(exhaust, source)
        time.sleep(0.5)
        began = time.monotonic()
        source.close()
        reader.result(timeout=20)
        assert time.monotonic() - began < 20


def test_http_mjpeg(web):
    source = stream(f"{web}/mjpeg")
    frames = read(source, 15)
    assert source.live
    assert source.size == (320, 240)
    assert all(b.pts > a.pts for a, b in pairwise(frames))


def test_slow_http_mjpeg_opens_soon_and_keeps_wall_time(web):
    source = stream(f"{web}/slow", connect_timeout=5)
    began = time.monotonic()
    frames = read(source, 6)
    assert frames[0].captured - began < 4
    last, before = frames[-1], frames[-2]
    assert last.pts - before.pts == pytest.approx(last.captured - before.captured, abs=0.05)


def test_http_file_is_a_recording(web, drain):
    source = open_source(f"{web}/clip.mp4", SourceConfig(), realtime=False)
    assert not source.live, "known by its ending"
    frames = drain(source)
    assert not source.live
    assert len(frames) == 30


@pytest.mark.parametrize("over_http", [True, False])
def test_hls(clip, tmp_path, ffmpeg, jpegs, drain, over_http):
    playlist = tmp_path / "index.m3u8"
    ffmpeg("-i", clip, "-c", "copy", "-hls_playlist_type", "vod", "-hls_time", "0.3", playlist)
    with http_server(playlist, jpegs) as url:
        spec = f"{url}/index.m3u8" if over_http else str(playlist)
        source = open_source(spec, SourceConfig(), realtime=False)
        assert len(drain(source)) == 30
        assert not source.live


def test_mpegts_over_udp(clip):
    if shutil.which("ffmpeg") is None:
        pytest.skip("no ffmpeg command (apt install ffmpeg)")
    url = f"udp://127.0.0.1:{refusing_port()}"
    command = ["ffmpeg", "-v", "error", "-re", "-stream_loop", "-1", "-i", clip, "-c", "copy", "-f", "mpegts", url]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL) as sender:
        try:
            source = stream(url, connect_timeout=20)
            frames = read(source, 10)
        finally:
            sender.kill()
    assert source.live
    assert source.size == (320, 240)
    assert all(b.pts > a.pts for a, b in pairwise(frames))


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (401, SourceAuthError),
        (403, SourceAuthError),
        (404, SourceNotFoundError),
        (500, SourceRefusedError),
        (410, SourceRefusedError),
    ],
)
def test_http_status(web, status, error):
    with pytest.raises(error) as caught:
        stream(with_user(f"{web}/status/{status}?token=tok3n", "me:s3cret")).open()
    assert "s3cret" not in str(caught.value)
    assert "tok3n" not in str(caught.value)


def test_http_stall(web):
    source = stream(f"{web}/stall", read_timeout=1)
    try:
        source.open()
        with pytest.raises(SourceTimeoutError):
            exhaust(source)
    finally:
        source.close()


def test_http_page_is_no_video(web, tmp_path, jpegs):
    page = tmp_path / "page.html"
    page.write_text("<html>no video here</html>" * 20)
    with http_server(page, jpegs) as url, pytest.raises(UndecodableError):
        stream(f"{url}/page").open()


@pytest.mark.parametrize("scheme", ["rtsp", "http", "rtmp", "tcp"])
def test_refused(scheme):
    with pytest.raises(SourceRefusedError, match="port"):
        stream(f"{scheme}://127.0.0.1:{refusing_port()}/live").open()


@pytest.mark.parametrize("scheme", ["rtsp", "http"])
def test_unknown_host(scheme):
    with pytest.raises(SourceNotFoundError, match=r"no-such-host\.invalid"):
        stream(f"{scheme}://me:s3cret@no-such-host.invalid/live").open()


def test_unknown_scheme():
    with pytest.raises(SourceNotFoundError, match="kind of address"):
        stream("gopher2://127.0.0.1/x").open()


@pytest.mark.parametrize("scheme", ["rtsp", "http", "rtmp", "tcp"])
def test_server_that_never_answers(scheme):
    with silent_server() as port:
        source = stream(f"{scheme}://127.0.0.1:{port}/live", connect_timeout=0.6)
        began = time.monotonic()
        with pytest.raises(SourceTimeoutError, match=r"within 0\.6 s"):
            source.open()
        assert time.monotonic() - began < 20


def test_udp_without_sender():
    with pytest.raises(SourceTimeoutError):
        stream(f"udp://127.0.0.1:{refusing_port()}", connect_timeout=0.5).open()


@pytest.mark.parametrize("scheme", ["rtsp", "http", "rtmp", "udp"])
def test_close_while_connecting(scheme, in_thread):
    with silent_server() as port:
        source = stream(f"{scheme}://127.0.0.1:{port}/live", connect_timeout=60)
        opener = in_thread(source.open)
        time.sleep(0.3)
        began = time.monotonic()
        source.close()
        with pytest.raises(SourceError, match="closed"):
            opener.result(timeout=20)
        assert time.monotonic() - began < 20


def test_close_while_the_name_is_looked_up(monkeypatch, in_thread):
    asked, answered = threading.Event(), threading.Event()

    def look_up(*_, **__):
        asked.set()
        answered.wait(60)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    source = stream("rtsp://slow.example/live", connect_timeout=60)
    opener = in_thread(source.open)
    assert asked.wait(20)
    source.close()
    with pytest.raises(SourceError, match="closed"):
        opener.result(timeout=20)
    assert not answered.is_set()
    answered.set()


def test_interrupt_leaves_no_trace(web):
    read(stream(f"{web}/mjpeg"), 2)
    assert not interrupt._CLOCK.guards
