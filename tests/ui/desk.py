"""The real window on a private screen, brought into the states that pictures are taken of."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path

import av
import cv2
from PyQt5.QtCore import QTimer
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QApplication, QDialog, QLabel, QPushButton

from streamer.config import Config, SourceConfig
from streamer.pipeline.camera import Camera
from streamer.pipeline.status import CameraState, CameraStatus
from streamer.session import RunOptions
from streamer.settings import with_values
from streamer.sources.demo import DemoSource
from streamer.types import Image
from tests.servers import http_server
from ui import theme
from ui.app import _Runs
from ui.main_window import MainWindow
from ui.session import Session
from ui.settings import Settings

PATIENCE = 60.0  # hang guard in seconds for a crowded machine
REST = 200  # ms in which a new layout reaches every part of the window
POPUP = 500  # ms a menu has to come up
TWO_FACES = 9.0  # seconds into the demo after which a second face is in the picture


class Desk:
    """A window in a folder of its own, and all that is needed to bring it into a state.

    Attributes:
        theme: the name of what the window wears.
        popup: a command that opens a menu, which holds everything up: to be given when the picture is taken.
        passing: whether it is a state that does not last until everything has come to rest.
    """

    def __init__(self, app: QApplication, folder: Path, stack: ExitStack, *, light: bool) -> None:
        self.app, self.folder, self.stack = app, folder, stack
        self.popup, self.passing = "", False
        self.servers = stack.enter_context(ExitStack())
        screen = app.primaryScreen()
        assert screen is not None
        self.screen = screen
        self.theme = "light" if light else "dark"
        theme.apply(app, theme.THEMES[self.theme])
        self.begin_with(f"[window]\ntheme={self.theme}\n")

    def begin_with(self, remembered: str) -> None:
        """Open the window, in place of one before, with this file of settings."""
        path = self.folder / "window.ini"
        path.write_text(remembered)
        self.settings = Settings(path)
        config = with_values(Config(), {"source.connect_timeout": 30.0, "output.folder": str(self.folder)})
        self.session = Session("demo", config, _Runs(RunOptions("demo")).prepare)
        self.window = MainWindow(self.session, self.settings)
        self.stack.callback(self._close, self.session, self.window)
        self.window.resize(self.screen.size())  # there is no window manager that would
        self.window.show()
        self.window.activateWindow()
        self.until(self.window.isActiveWindow, "the window")

    def _close(self, session: Session, window: MainWindow) -> None:
        window.close()
        session.close()
        window.deleteLater()
        self.app.processEvents()

    def until(self, seen: Callable[[], bool], what: str) -> None:
        """Let the window work until something is so."""
        deadline = time.monotonic() + PATIENCE
        while not seen():
            if time.monotonic() > deadline:
                raise TimeoutError(f"never saw {what}; {self.status}")
            self.app.processEvents()
            time.sleep(0.005)

    def save(self, path: Path) -> None:
        """Write what is on the screen."""
        if not self.passing:
            QTest.qWait(REST)
        self.until(lambda: self.window.view.settled, "the picture")
        self.app.processEvents()
        if self.popup:
            QTimer.singleShot(POPUP, partial(self._save_popup, path))
            self.command(self.popup)  # comes back when the menu is closed
        else:
            self.screen.grabWindow(0).save(str(path))

    def _save_popup(self, path: Path) -> None:
        self.screen.grabWindow(0).save(str(path))
        menu = self.app.activePopupWidget()
        assert menu is not None
        menu.close()

    @property
    def status(self) -> CameraStatus:
        return self.session.status

    def command(self, name: str) -> None:
        self.window.commands[name].trigger()

    def start(self, source: str = "demo") -> None:
        self.session.start(source)

    def become(self, state: CameraState) -> None:
        self.until(lambda: self.status.state is state, state.value)

    def tells(self, words: str) -> bool:
        """Whether these words are on the screen."""
        return any(words in label.text() for label in self.window.findChildren(QLabel) if label.isVisible())

    def press(self, text: str) -> None:
        """Click the button that says this."""
        next(b for b in self.window.findChildren(QPushButton) if b.isVisible() and b.text() == text).click()

    def wait_for_dialog(self) -> None:
        """Wait until there is a dialog."""
        self.until(lambda: any(d.isVisible() for d in self.window.findChildren(QDialog)), "the dialog")

    def run(self, seconds: float = 1.0, *, from_second: float = TWO_FACES) -> None:
        """Play a part of the demo."""
        self.start()
        self.until(lambda: self.status.playback.seekable and self.status.frames > 0, "the demo")
        camera = self.go(from_second)
        self.until(lambda: (camera.status().playback.position or 0.0) >= from_second + seconds, "the demo playing")

    def go(self, second: float) -> Camera:
        """Show a place in the demo."""
        camera = self.session.camera
        assert camera is not None
        camera.seek(second)
        self.until(lambda: not (camera.status().playback.seeking or self.status.playback.seeking), "the place")
        return camera

    def clip(self) -> Path:
        """Two seconds of the demo as a file."""
        path = self.folder / "demo.mp4"
        with av.open(str(path), "w") as container:
            stream = container.add_stream("libx264", rate=30, options={"preset": "ultrafast"})
            stream.width, stream.height, stream.pix_fmt = 1280, 720, "yuv420p"
            for image in demo_frames(20):
                container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
            container.mux(stream.encode(None))
        return path

    def serve(self) -> str:
        """An HTTP server that sends the demo as a webcam would, until the shot is over."""
        jpegs = [cv2.imencode(".jpg", image)[1].tobytes() for image in demo_frames(5)]
        return self.servers.enter_context(http_server(self.folder, jpegs))


def demo_frames(count: int) -> Iterator[Image]:
    """The first frames of the demo."""
    with closing(DemoSource(SourceConfig())) as source:
        source.open()
        for _ in range(count):
            frame = source.read()
            assert frame is not None
            yield frame.image
