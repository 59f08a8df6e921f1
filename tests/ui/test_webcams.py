"""Webcams in the window, with a fake driver below the real source: no machine that tests this has a real one."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
import av.error
import numpy as np
import pytest
from PyQt5.QtCore import QTimer
from PyQt5.QtWidgets import QMenu

from streamer.config import Config
from streamer.pipeline.status import CameraState
from streamer.sources import devices
from streamer.sources.webcam import WebcamSource
from tests.ui.fakes import make_result
from tests.ui.stage import Stage
from tests.ui.test_failures import PATIENCE, LiveStage
from ui import app, webcam_watch


class Driver:
    """What is plugged in: a folder of device nodes, and what opening one does."""

    def __init__(self, folder: Path, clip: Path) -> None:
        self.folder, self._clip = folder, clip
        self.refusal = 0
        self.containers: list[Device] = []

    @property
    def node(self) -> Path:
        return self.folder / "video3"

    def plug(self) -> None:
        self.node.touch()

    def unplug(self) -> None:
        self.node.unlink()
        for container in self.containers:
            container.gone = True

    def open(self, path: str, mode: dict[str, str]) -> Any:
        number = self.refusal or (0 if self.node.exists() else errno.ENOENT)
        if number:
            raise av.error.classes.get(number, av.error.UndefinedError)(number, "fake", path)
        self.containers.append(Device(self._clip))
        return self.containers[-1]


class Device:
    """A container that plays a clip again and again, until it is unplugged."""

    def __init__(self, clip: Path) -> None:
        self._container = av.open(str(clip))
        self.gone = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._container, name)

    def demux(self, stream: Any) -> Iterator[Any]:
        while True:
            self._container.seek(0)
            for packet in self._container.demux(stream):
                if self.gone:
                    raise av.error.classes.get(errno.ENODEV, av.error.UndefinedError)(errno.ENODEV, "No such device")
                if packet.dts is not None:
                    yield packet


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("webcam") / "webcam.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=30, options={"g": "5", "tune": "zerolatency"})
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        for number in range(30):
            image = np.full((120, 160, 3), 60 + 3 * number, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        container.mux(stream.encode(None))
    return path


@pytest.fixture
def driver(tmp_path: Path, clip: Path, monkeypatch: pytest.MonkeyPatch) -> Driver:
    folder = tmp_path / "dev"
    folder.mkdir()
    driver = Driver(folder, clip)
    monkeypatch.setitem(WebcamSource.__init__.__kwdefaults__, "opener", driver.open)
    monkeypatch.setattr(webcam_watch, "DEVICES", folder)
    return driver


@pytest.fixture
def live(qtbot: Any, tmp_path: Path) -> Iterator[LiveStage]:
    stage = LiveStage(qtbot, tmp_path / "window.ini")
    yield stage
    stage.close()


def until(live: LiveStage, seen: Callable[[], bool]) -> None:
    live.qtbot.waitUntil(seen, timeout=PATIENCE)


def test_an_unplugged_webcam_starts_again_when_it_is_back(live: LiveStage, driver: Driver) -> None:
    driver.plug()
    live.open("3")
    live.wait_for(CameraState.RUNNING)
    driver.unplug()
    live.wait_for(CameraState.FAILED)
    assert {"The webcam has gone", "Retry", "Choose another…"} <= set(live.texts())
    assert any("starts by itself when it is plugged in again" in text for text in live.texts())
    assert live.view.scene() is not None, "the last frame stays"
    live.click("Retry")  # too early
    live.wait_for(CameraState.FAILED)
    until(live, lambda: "The webcam is not there" in live.texts())
    driver.plug()
    live.wait_for(CameraState.RUNNING)
    assert not live.child("notice").isVisible()
    live.session.close()


def test_a_webcam_that_is_not_plugged_in_is_waited_for(live: LiveStage, driver: Driver) -> None:
    live.open("/dev/video3")
    live.wait_for(CameraState.FAILED)
    assert "The webcam is not there" in live.texts()
    driver.plug()
    live.wait_for(CameraState.RUNNING)
    live.session.close()


def test_nobody_who_has_chosen_something_else_is_brought_back(live: LiveStage, driver: Driver, clip: Path) -> None:
    live.open("3")
    live.wait_for(CameraState.FAILED)
    live.open(str(clip))
    live.wait_for(CameraState.RUNNING)
    watch = live.window.findChild(webcam_watch.WebcamWatch)
    assert watch is not None
    assert not watch.findChild(QTimer).isActive()
    live.session.close()


@pytest.mark.parametrize(
    ("number", "title", "advice"),
    [
        (errno.EBUSY, "The webcam is in use", "Close that program"),
        (errno.EACCES, "The webcam may not be used", "usermod -aG video"),
    ],
)
def test_a_webcam_that_cannot_be_opened_says_why(
    live: LiveStage, driver: Driver, number: int, title: str, advice: str
) -> None:
    driver.plug()
    driver.refusal = number
    live.open("3")
    live.wait_for(CameraState.FAILED)
    assert {title, "Retry"} <= set(live.texts())
    assert any(advice in text for text in live.texts())
    assert not any("starts by itself" in text for text in live.texts())
    driver.refusal = 0
    live.click("Retry")
    live.wait_for(CameraState.RUNNING)
    live.session.close()


def test_without_a_webcam_the_demo_says_why_it_is_shown(stage: Stage) -> None:
    stage.session.start("auto")
    stage.qtbot.waitUntil(lambda: bool(stage.cameras) and stage.camera.started == 1)
    stage.camera.become(source="demo")
    stage.camera.show(make_result())
    stage.wait_for(CameraState.RUNNING)
    assert "There is no webcam, so this is the demo." in stage.texts()


def test_a_menu_without_webcams_says_so(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "list_webcams", lambda: [])
    menu = next(menu for menu in stage.child("header").findChildren(QMenu))
    menu.aboutToShow.emit()
    first = menu.actions()[0]
    assert (first.text(), first.isEnabled()) == ("No webcam found", False)


def test_the_webcam_that_was_meant_is_tried_again_and_not_the_demo(monkeypatch: pytest.MonkeyPatch) -> None:
    from streamer.session import RunOptions

    there = [devices.Webcam(3, "/dev/video3", "fake")]
    monkeypatch.setattr("streamer.sources.list_webcams", lambda: there)
    runs = app._Runs(RunOptions(source="auto"))
    assert runs.prepare("auto", Config()).camera.status().source == "/dev/video3"
    there.clear()
    assert runs.prepare("auto", Config()).camera.status().source == "/dev/video3"
