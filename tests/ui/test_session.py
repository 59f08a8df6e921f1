"""The session: never waits on the GUI thread, closes what it opened, and tells what happens."""

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from pytestqt.qtbot import QtBot

from streamer.config import Config, DetectorConfig
from streamer.errors import SourceNotFoundError
from streamer.pipeline.status import CameraState, CameraStatus
from tests.ui.fakes import FakeCamera, make_result
from ui.session import Run, Session


class Bench:
    """A session, the cameras it had made, and the signals it sent."""

    def __init__(self) -> None:
        self.cameras: list[FakeCamera] = []
        self.configs: list[Config] = []
        self.finished: list[str] = []
        self.states: list[CameraState] = []
        self.frames: list[int] = []
        self.gate = threading.Event()
        self.gate.set()
        self.error: Exception | None = None
        self.session = Session("first", Config(), self.prepare)
        self.session.status_changed.connect(self._on_status)
        self.session.frame_ready.connect(lambda result: self.frames.append(result.frame.index))

    def prepare(self, source: str, config: Config) -> Run:
        self.gate.wait(5)
        if self.error is not None:
            raise self.error
        self.cameras.append(FakeCamera(source))
        self.configs.append(config)
        outputs = ExitStack()
        outputs.callback(self.finished.append, source)
        return Run(self.cameras[-1], outputs)  # type: ignore[arg-type]

    def _on_status(self, status: CameraStatus) -> None:
        if self.states[-1:] != [status.state]:
            self.states.append(status.state)


@pytest.fixture
def bench(qtbot: QtBot) -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.gate.set()
    bench.session.close()


def start(bench: Bench, qtbot: QtBot) -> FakeCamera:
    before = len(bench.cameras)
    bench.session.start()
    qtbot.waitUntil(lambda: len(bench.cameras) > before and bench.cameras[-1].started == 1)
    return bench.cameras[-1]


def test_nothing_runs_before_start(bench: Bench) -> None:
    assert bench.session.status.state is CameraState.IDLE
    assert not bench.cameras


def test_states_and_frames_reach_the_window(bench: Bench, qtbot: QtBot) -> None:
    camera = start(bench, qtbot)
    camera.show(make_result(index=7))
    qtbot.waitUntil(lambda: bench.frames == [7])
    qtbot.waitUntil(lambda: bench.session.status.state is CameraState.RUNNING)
    camera.become(state=CameraState.ENDED)
    qtbot.waitUntil(lambda: bench.finished == ["first"])
    assert bench.states == [CameraState.CONNECTING, CameraState.RUNNING, CameraState.ENDED]


def test_a_busy_window_gets_the_newest_frame_once(bench: Bench, qtbot: QtBot) -> None:
    camera = start(bench, qtbot)
    worker = threading.Thread(target=lambda: [camera.show(make_result(index=i, size=(8, 8))) for i in range(500)])
    worker.start()
    worker.join()
    qtbot.waitUntil(lambda: bench.frames[-1:] == [499])
    qtbot.wait(20)
    assert bench.frames == [499]


def test_start_and_stop_do_not_wait_for_a_hanging_preparation(bench: Bench, qtbot: QtBot) -> None:
    bench.gate.clear()
    began = time.monotonic()
    bench.session.start()
    assert bench.session.status.state is CameraState.CONNECTING
    bench.session.stop()
    assert time.monotonic() - began < 0.1
    assert bench.session.status.state is CameraState.CLOSED
    bench.gate.set()
    qtbot.waitUntil(lambda: bench.finished == ["first"])
    qtbot.wait(20)
    assert bench.cameras[0].started == 0
    assert bench.session.status.state is CameraState.CLOSED


def test_the_second_of_two_quick_starts_wins(bench: Bench, qtbot: QtBot) -> None:
    bench.gate.clear()
    bench.session.start("one")
    bench.session.start("two")
    bench.gate.set()
    qtbot.waitUntil(lambda: bench.session.camera is not None)
    assert bench.session.camera is bench.cameras[1]
    assert bench.cameras[0].started == 0
    assert bench.finished == ["one"]


def test_a_new_source_waits_until_the_old_one_is_closed(bench: Bench, qtbot: QtBot) -> None:
    old = start(bench, qtbot)
    bench.session.start("second")
    qtbot.waitUntil(lambda: len(bench.cameras) == 2 and bench.cameras[1].started == 1)
    assert old.closed == 1
    assert bench.finished == ["first"]
    assert bench.session.status.source == "second"


def test_stop_closes_and_says_so_at_once(bench: Bench, qtbot: QtBot) -> None:
    camera = start(bench, qtbot)
    camera.show(make_result(size=(640, 360)))
    qtbot.waitUntil(lambda: bench.session.status.state is CameraState.RUNNING)
    bench.session.stop()
    assert bench.session.status.state is CameraState.CLOSED
    assert bench.session.status.size == (640, 360)
    qtbot.waitUntil(lambda: bench.finished == ["first"])
    camera.show(make_result(index=9))
    qtbot.wait(20)
    assert 9 not in bench.frames


def test_new_settings_reach_the_running_camera_and_the_next_one(bench: Bench, qtbot: QtBot) -> None:
    told: list[Config] = []
    bench.session.configured.connect(told.append)
    camera = start(bench, qtbot)
    faster = Config(detector=DetectorConfig(max_side=256))
    bench.session.configure(faster)
    bench.session.configure(faster)
    assert camera.configs == told == [faster]
    start(bench, qtbot)
    assert bench.configs == [Config(), faster]


def test_a_failed_preparation_is_told_and_can_be_retried(bench: Bench, qtbot: QtBot) -> None:
    bench.error = SourceNotFoundError("there is no such thing")
    bench.session.start()
    qtbot.waitUntil(lambda: bench.session.status.state is CameraState.FAILED)
    assert bench.session.status.error is bench.error
    bench.error = None
    start(bench, qtbot)
    qtbot.waitUntil(lambda: bench.session.status.error is None)


def test_a_failed_camera_is_told_and_closed(bench: Bench, qtbot: QtBot) -> None:
    camera = start(bench, qtbot)
    error = SourceNotFoundError("gone")
    camera.become(state=CameraState.FAILED, error=error)
    qtbot.waitUntil(lambda: bench.session.status.error is error)
    qtbot.waitUntil(lambda: bench.finished == ["first"])


def test_an_unexpected_error_is_not_swallowed(bench: Bench, qtbot: QtBot) -> None:
    bench.error = ZeroDivisionError("a bug")
    with qtbot.captureExceptions() as raised:
        bench.session.start()
        qtbot.waitUntil(lambda: len(raised) == 1)
    assert raised[0][1] is bench.error


def test_close_ends_everything(bench: Bench, qtbot: QtBot) -> None:
    camera = start(bench, qtbot)
    bench.session.close()
    bench.session.close()
    assert camera.closed
    assert bench.finished == ["first"]
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("session")]
