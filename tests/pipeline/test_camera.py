"""A camera from outside: what it delivers, and that it always ends within 2 s without leftovers."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from streamer import load_config
from streamer.errors import FacestreamError, OutputError, SourceNotFoundError
from streamer.pipeline.analyzer import FaceAnalyzer
from streamer.pipeline.camera import Camera, CameraState
from streamer.types import FrameResult
from tests.pipeline.players import Collector


class Failing(Collector):
    def write(self, result: FrameResult) -> None:
        raise OutputError("cannot write x: the disk is full; free some space")


@pytest.fixture
def hanging_server() -> Iterator[socket.socket]:
    """A host that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(30)
        yield server


def close_in_time(camera: Camera) -> None:
    started = time.monotonic()
    camera.close()
    assert time.monotonic() - started < 15, "what hangs hangs for longer"


def test_a_file_is_delivered_whole_in_order_and_read_only(clips: Path) -> None:
    collector = Collector()
    camera = Camera(str(clips / "no_face.mp4"), load_config(), sinks=[collector], realtime=False)
    camera.start()
    assert camera.wait(60)
    camera.close()
    assert [r.frame.index for r in collector.results] == list(range(95))
    assert camera.status().state is CameraState.ENDED
    assert camera.status().drops == {}
    with pytest.raises(ValueError, match="read-only"):
        collector.results[0].frame.image[0, 0] = 0


def test_results_carry_faces_stages_and_latency() -> None:
    collector = Collector()
    camera = Camera("demo", load_config(), sinks=[collector], realtime=False, max_frames=30)
    camera.start()
    assert camera.wait(60)
    camera.close()
    assert len(collector.results) == 30
    last = collector.results[-1]
    assert {"track", "landmark", "smooth"} <= set(last.stages)
    assert last.finished > last.frame.captured
    (face,) = last.faces
    assert face.landmarks.shape == (106, 2)
    assert not face.landmarks.flags.writeable
    status = camera.status()
    assert status.size == (last.frame.image.shape[1], last.frame.image.shape[0])
    assert status.latency_ms[0] > 0


def test_closing_while_it_connects(hanging_server: socket.socket) -> None:
    address = f"rtsp://127.0.0.1:{hanging_server.getsockname()[1]}/live"
    camera = Camera(address, load_config(None, ["source.connect_timeout=60"]))
    camera.start()
    connection, _ = hanging_server.accept()
    assert camera.status().state is CameraState.CONNECTING
    with connection:
        close_in_time(camera)
    assert camera.status().state is CameraState.CLOSED


def test_closing_while_it_runs_and_before_it_starts() -> None:
    camera = Camera("demo", load_config(None, ["source.loop=true"]))
    camera.start()
    deadline = time.monotonic() + 30
    while camera.status().state is not CameraState.RUNNING and time.monotonic() < deadline:
        time.sleep(0.01)
    close_in_time(camera)
    close_in_time(camera)
    close_in_time(Camera("demo", load_config()))


def test_closing_with_a_sink_that_hangs() -> None:
    released = threading.Event()

    class Stuck(Collector):
        def write(self, result: FrameResult) -> None:
            released.wait(60)

    camera = Camera("demo", load_config(), sinks=[Stuck()], realtime=False)
    camera.start()
    deadline = time.monotonic() + 30
    while camera.status().frames < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    try:
        close_in_time(camera)
    finally:
        released.set()


def test_a_failing_sink_is_told_and_the_others_go_on() -> None:
    collector = Collector()
    camera = Camera("demo", load_config(), sinks=[Failing(), collector], realtime=False, max_frames=20)
    camera.start()
    assert camera.wait(60)
    camera.close()
    assert len(collector.results) == 20
    (warning,) = camera.status().warnings
    assert "disk is full" in str(warning)
    assert camera.status().state is CameraState.ENDED


def test_a_source_that_cannot_be_opened_fails_with_its_type() -> None:
    camera = Camera("/nowhere/clip.mp4", load_config())
    camera.start()
    assert camera.wait(30)
    close_in_time(camera)
    status = camera.status()
    assert status.state is CameraState.FAILED
    assert isinstance(status.error, SourceNotFoundError)


def test_an_internal_error_reaches_the_observer_and_stops_the_threads(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(self: FaceAnalyzer, bgr: np.ndarray, pts: float, *, standing: bool) -> tuple[()]:
        raise ZeroDivisionError("boom")

    monkeypatch.setattr(FaceAnalyzer, "track", broken)
    changes: list[int] = []
    camera = Camera("demo", load_config(), realtime=False)
    camera.on_change(lambda: changes.append(1))
    camera.start()
    assert camera.wait(30)
    close_in_time(camera)
    error = camera.status().error
    assert isinstance(error, FacestreamError)
    assert "boom" in str(error)
    assert changes
    assert "ZeroDivisionError" in caplog.text


def test_a_slow_viewer_misses_frames_and_nothing_waits_for_it() -> None:
    camera = Camera("demo", load_config(), realtime=False, max_frames=20)
    camera.start()
    assert camera.wait(60)
    result = camera.viewer.take(0)
    camera.close()
    assert result is not None
    assert result.frame.index == 19
    assert camera.status().drops == {}
