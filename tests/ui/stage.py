"""A window with its session on the private display, and a person's hands and eyes for it."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import numpy as np
from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import QLabel, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from streamer.config import Config
from streamer.pipeline.status import CameraState
from streamer.types import Face
from tests.ui.fakes import FakeCamera, make_face, make_result, pixels
from ui.main_window import MainWindow
from ui.session import Run, Session
from ui.settings import Settings
from ui.stage.view import VideoView


class Stage:
    """A window that shows fake cameras."""

    def __init__(self, qtbot: QtBot, settings: Path) -> None:
        self.cameras: list[FakeCamera] = []
        self.qtbot = qtbot
        self.webcam = False
        self.settings = Settings(settings)
        self.session = Session("fake", Config(), self._prepare)
        self.window = MainWindow(self.session, self.settings)
        qtbot.addWidget(self.window)
        with qtbot.waitSignal(self.window.painted), qtbot.waitExposed(self.window):
            self.window.show()
        with qtbot.waitActive(self.window):
            self.window.activateWindow()  # shortcuts want it, and there is no window manager here

    def _prepare(self, source: str, config: Config) -> Run:
        self.cameras.append(FakeCamera(source))
        return Run(self.cameras[-1], ExitStack(), webcam=self.webcam)  # type: ignore[arg-type]

    @property
    def camera(self) -> FakeCamera:
        return self.cameras[-1]

    @property
    def view(self) -> VideoView:
        return self.window.view

    def start(self) -> None:
        self.session.start()
        self.qtbot.waitUntil(lambda: bool(self.cameras) and self.camera.started == 1)

    def run(self, *faces: Face) -> None:
        """Start, and show a frame with faces; one in the middle when none is given."""
        self.start()
        self.camera.show(make_result(faces=faces or (make_face(),)))
        self.wait_for(CameraState.RUNNING)

    def wait_for(self, state: CameraState) -> None:
        self.qtbot.waitUntil(lambda: self.session.status.state is state)

    def close(self) -> None:
        self.window.close()
        self.session.close()

    def look(self) -> np.ndarray:
        """What the window shows once the picture is composed, RGB."""
        settle(self.qtbot, self.view)
        return pixels(self.window)

    def texts(self) -> list[str]:
        """Every text on the screen."""
        widgets = [*self.window.findChildren(QLabel), *self.window.findChildren(QPushButton)]
        return [widget.text() for widget in widgets if widget.isVisible()]

    def button(self, text: str) -> QPushButton:
        return next(b for b in self.window.findChildren(QPushButton) if b.isVisible() and b.text() == text)

    def click(self, text: str) -> None:
        self.qtbot.mouseClick(self.button(text), Qt.LeftButton)

    def press(self, key: Qt.Key, modifier: Qt.KeyboardModifier = Qt.NoModifier) -> None:
        """Type where the keyboard is."""
        self.qtbot.keyClick(self.window.focusWidget() or self.window, key, modifier)

    def child(self, name: str) -> QWidget:
        found = self.window.findChild(QWidget, name)
        assert found is not None
        return found


def settle(qtbot: QtBot, view: VideoView) -> None:
    """Wait until the stage shows the newest state."""
    qtbot.waitUntil(lambda: view.settled)
