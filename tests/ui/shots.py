"""The states of the real window that ``tests.ui.screenshots`` takes pictures of, each brought about for real.

Usage: python -m tests.ui.shots FOLDER dark|light SHOT…; DISPLAY says where. Every shot begins with a window of its own
that remembers nothing, and shows nothing but the demo, which is in the public domain.
"""

from __future__ import annotations

import logging
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from typing import Final

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
from streamer.sources import list_webcams
from streamer.sources.demo import DemoSource
from streamer.types import Image
from tests.servers import http_server, refusing_port, silent_server
from ui import theme
from ui.app import _application, _Runs
from ui.display import choose_platform
from ui.main_window import MainWindow
from ui.pages import PAGES
from ui.report import Reports
from ui.session import Session
from ui.settings import Settings

PATIENCE = 60.0  # hang guard in seconds for a crowded machine
REST = 200  # ms in which a new layout reaches every part of the window
POPUP = 500  # ms a menu has to come up
TWO_FACES = 9.0  # seconds into the demo after which a second face is in the picture


class Desk:
    """A window in a folder of its own, and all that is needed to bring it into a state.

    Attributes:
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
        theme.apply(app, theme.LIGHT if light else theme.DARK)
        self.begin_with(f"[window]\ntheme={'light' if light else 'dark'}\n")

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


# ---- states ----------------------------------------------------------------------------------------------------


def loading(desk: Desk) -> None:
    desk.passing = True
    desk.start()
    desk.until(lambda: desk.status.activity.startswith("loading") or desk.status.frames > 0, "the networks loading")


def connecting(desk: Desk) -> None:
    desk.start(f"http://127.0.0.1:{desk.servers.enter_context(silent_server())}/live")
    desk.until(lambda: "connecting" in desk.status.activity, "the address")


def hanging(desk: Desk) -> None:
    connecting(desk)
    desk.until(lambda: desk.tells("Waiting for"), "how long it takes")


def running(desk: Desk) -> None:
    desk.run()


def all_overlays(desk: Desk) -> None:
    for action in desk.window.commands.area("overlay"):
        action.setChecked(True)
    desk.run(2.0)


def recording(desk: Desk) -> None:
    desk.run()
    desk.command("capture.record")
    desk.until(lambda: desk.status.recording is not None and desk.status.recording.seconds > 1, "the recording")


def snapshot(desk: Desk) -> None:
    desk.run()
    desk.command("capture.snapshot")
    desk.until(lambda: desk.tells("Snapshot saved"), "the snapshot")


def paused(desk: Desk) -> None:
    desk.run()
    desk.command("playback.play")
    desk.until(lambda: desk.status.playback.paused, "the pause")


def end_of_file(desk: Desk) -> None:
    desk.start(str(desk.clip()))
    desk.until(lambda: desk.status.playback.at_end, "the end")


def stopped(desk: Desk) -> None:
    desk.run()
    desk.command("run.start_stop")
    desk.become(CameraState.CLOSED)


def refused(desk: Desk) -> None:
    desk.start(f"http://127.0.0.1:{refusing_port()}/live")
    desk.become(CameraState.FAILED)


def not_found(desk: Desk) -> None:
    running(desk)
    desk.start("holiday.mp4")
    desk.become(CameraState.FAILED)


def no_video(desk: Desk) -> None:
    (desk.folder / "letter.txt").write_text("Dear all")
    desk.start(str(desk.folder / "letter.txt"))
    desk.become(CameraState.FAILED)


def wrong_password(desk: Desk) -> None:
    desk.start(desk.serve().replace("://", "://me:wrong@") + "/status/401")
    desk.become(CameraState.FAILED)


def lost(desk: Desk) -> None:
    desk.start(desk.serve() + "/mjpeg")
    desk.until(lambda: desk.status.frames > 5, "the stream")
    desk.servers.close()
    desk.become(CameraState.FAILED)


def details(desk: Desk) -> None:
    refused(desk)
    desk.press("Details")


def silent(desk: Desk) -> None:
    desk.start(desk.serve() + "/stall")
    desk.until(lambda: desk.tells("has sent no picture"), "that nothing comes")


def no_webcam(desk: Desk) -> None:
    desk.start("63")  # a number no webcam has
    desk.become(CameraState.FAILED)


def demo_instead(desk: Desk) -> None:
    if list_webcams():
        raise LookupError("there is a webcam, which would be shown")
    desk.start("auto")
    desk.until(lambda: desk.tells("There is no webcam"), "that it is the demo")
    desk.until(lambda: desk.status.faces > 0, "a face")


def internal_error(desk: Desk) -> None:
    def fail() -> None:
        raise RuntimeError("this is what an internal error looks like")

    running(desk)
    logging.disable(logging.CRITICAL)  # the terminal need not tell of it
    desk.stack.callback(logging.disable, logging.NOTSET)
    desk.stack.enter_context(Reports(desk.session, desk.window).caught())
    QTimer.singleShot(0, fail)
    desk.wait_for_dialog()


def shortcuts(desk: Desk) -> None:
    running(desk)
    desk.command("help.shortcuts")
    desk.wait_for_dialog()


def source_menu(desk: Desk) -> None:
    desk.settings.set("sources/recent", ["rtsp://door.local/live", "/home/me/Videos/holiday.mp4"])
    running(desk)
    desk.popup = "source.choose"


def ask_address(desk: Desk) -> None:
    running(desk)
    desk.command("source.url")
    desk.wait_for_dialog()


def damaged_settings(desk: Desk) -> None:
    desk.begin_with("rubbish")
    running(desk)


def full_screen(desk: Desk) -> None:
    running(desk)
    desk.command("view.full_screen")
    desk.until(desk.window.isFullScreen, "the full screen")


def folded(desk: Desk) -> None:
    running(desk)
    desk.command("inspector.fold")


def effects(desk: Desk) -> None:
    desk.session.configure(with_values(desk.session.config, {"effects.look": "glam,ears"}))
    open_page("effects", desk)
    desk.command("playback.play")  # the first pictures with effects take a while: hold it, and go back
    desk.go(TWO_FACES + 1.5)


def before_and_after(desk: Desk) -> None:
    effects(desk)
    desk.command("compare.split")


def open_page(name: str, desk: Desk) -> None:
    desk.window.commands[f"page.{name}"].setChecked(True)
    desk.run(2.0)  # so that traces have something to show


def another_detector(desk: Desk) -> None:
    open_page("detector", desk)
    desk.session.configure(with_values(desk.session.config, {"detector.name": "mtcnn"}))
    desk.passing = True
    desk.until(lambda: desk.tells("Loading"), "the loading")


STATES: Final[dict[str, Callable[[Desk], None]]] = {
    state.__name__: state
    for state in (
        loading, connecting, hanging, running, all_overlays, paused, end_of_file, stopped, recording, snapshot, folded,
        full_screen, refused, details, wrong_password, not_found, no_video, lost, silent, no_webcam, demo_instead,
        internal_error, damaged_settings, shortcuts, source_menu, ask_address, effects, before_and_after,
        another_detector,
    )
}  # fmt: skip
PAGE_SHOTS: Final = {f"page_{spec.name}": partial(open_page, spec.name) for spec in PAGES}
SHOTS: Final = {**STATES, **PAGE_SHOTS}


def take(app: QApplication, name: str, path: Path, *, light: bool) -> None:
    """Bring a window into a state, write a picture of it, and close it."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        desk = Desk(app, Path(folder), stack, light=light)
        SHOTS[name](desk)
        desk.save(path)


def main() -> None:
    """Take the shots that are asked for, and print what was written."""
    folder, look, *names = sys.argv[1:]
    app = _application(choose_platform())
    missed = 0
    for name in names:
        path = Path(folder, f"{name}.png")
        try:
            take(app, name, path, light=look == "light")
        except (LookupError, TimeoutError) as error:
            missed += 1
            print(f"{path}: {error}", flush=True)
        else:
            print(path, flush=True)
    raise SystemExit(missed > 0)


if __name__ == "__main__":
    main()
