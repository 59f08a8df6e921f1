"""The window: what it says in each state, and that its controls command the session."""

from collections.abc import Iterator
from contextlib import ExitStack
from itertools import pairwise

import pytest
from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import QLabel, QLineEdit, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from streamer.errors import OutputError, SourceRefusedError
from streamer.pipeline.status import CameraState
from tests.ui.fakes import FakeCamera, make_face, make_result, near, pixels
from ui import theme
from ui.main_window import MainWindow
from ui.overlay import Landmarks
from ui.session import Run, Session
from ui.status_bar import describe_drops


class Stage:
    """A window with its session, on the private display."""

    def __init__(self, qtbot: QtBot) -> None:
        self.cameras: list[FakeCamera] = []
        self.qtbot = qtbot
        self.session = Session("fake", self._prepare)
        self.window = MainWindow(self.session)
        qtbot.addWidget(self.window)
        with qtbot.waitSignal(self.window.painted), qtbot.waitExposed(self.window):
            self.window.show()
        with qtbot.waitActive(self.window):
            self.window.activateWindow()  # shortcuts want it, and there is no window manager here

    def _prepare(self, source: str) -> Run:
        self.cameras.append(FakeCamera(source))
        return Run(self.cameras[-1], ExitStack())  # type: ignore[arg-type]

    @property
    def camera(self) -> FakeCamera:
        return self.cameras[-1]

    def start(self) -> None:
        self.session.start()
        self.qtbot.waitUntil(lambda: bool(self.cameras) and self.camera.started == 1)

    def run(self) -> None:
        self.start()
        self.camera.show(make_result(faces=(make_face(),)))
        self.wait_for(CameraState.RUNNING)

    def wait_for(self, state: CameraState) -> None:
        self.qtbot.waitUntil(lambda: self.session.status.state is state)

    def texts(self) -> list[str]:
        """Every text on the screen."""
        widgets = [*self.window.findChildren(QLabel), *self.window.findChildren(QPushButton)]
        return [widget.text() for widget in widgets if widget.isVisible()]

    def button(self, text: str) -> QPushButton:
        return next(b for b in self.window.findChildren(QPushButton) if b.isVisible() and b.text() == text)

    def click(self, text: str) -> None:
        self.qtbot.mouseClick(self.button(text), Qt.LeftButton)

    def child(self, name: str) -> QWidget:
        found = self.window.findChild(QWidget, name)
        assert found is not None
        return found


@pytest.fixture
def stage(qtbot: QtBot) -> Iterator[Stage]:
    stage = Stage(qtbot)
    yield stage
    stage.session.close()


def test_it_says_what_it_is_waiting_for(stage: Stage) -> None:
    stage.start()
    stage.qtbot.waitUntil(lambda: "Connecting to fake…" in stage.texts())
    assert "Cancel" in stage.texts()


def test_cancel_ends_the_waiting(stage: Stage) -> None:
    stage.start()
    stage.click("Cancel")
    assert stage.session.status.state is CameraState.CLOSED
    assert {"Stopped", "Start"} <= set(stage.texts())


def test_a_running_picture_is_covered_by_nothing(stage: Stage) -> None:
    stage.run()
    assert not stage.child("notice").isVisible()
    assert "640 × 360" in stage.texts()
    assert near(pixels(stage.window), theme.track_color(1).getRgb()[:3]).any()
    assert stage.window.windowTitle() == "fake – facestream"


def test_figures_are_shown(stage: Stage) -> None:
    stage.run()
    stage.camera.become(source_fps=29.97, analysed_fps=28.5, latency_ms=(7.6, 12.3), drops={"analysis too slow": 4})
    stage.qtbot.waitUntil(lambda: "4 analysis too slow" in stage.texts())
    assert {"30.0 fps", "28.5 fps", "8 / 12 ms"} <= set(stage.texts())


def test_a_failure_is_a_sentence_with_retry(stage: Stage) -> None:
    stage.start()
    stage.camera.become(state=CameraState.FAILED, error=SourceRefusedError("host example refuses; is it switched on?"))
    stage.qtbot.waitUntil(lambda: "Host example refuses; is it switched on?" in stage.texts())
    stage.click("Retry")
    stage.qtbot.waitUntil(lambda: len(stage.cameras) == 2 and stage.camera.started == 1)


def test_another_source_can_be_chosen(stage: Stage) -> None:
    stage.start()
    stage.camera.become(state=CameraState.FAILED, error=SourceRefusedError("no"))
    stage.wait_for(CameraState.FAILED)
    stage.click("Choose another…")
    field = stage.window.findChild(QLineEdit)
    assert field is not None
    stage.qtbot.keyClicks(field, "blp 2.mp4")  # keys that are shortcuts elsewhere
    stage.qtbot.keyClick(field, Qt.Key_Return)
    stage.qtbot.waitUntil(lambda: len(stage.cameras) == 2)
    assert stage.camera.status().source == "blp 2.mp4"


def test_the_end_of_a_video_offers_to_play_it_again(stage: Stage) -> None:
    stage.run()
    stage.camera.become(state=CameraState.ENDED, frames=90)
    stage.wait_for(CameraState.ENDED)
    stage.click("Play again")
    stage.qtbot.waitUntil(lambda: len(stage.cameras) == 2)


def test_space_starts_and_stops(stage: Stage) -> None:
    stage.run()
    stage.qtbot.keyClick(stage.window, Qt.Key_Space)
    assert stage.session.status.state is CameraState.CLOSED
    assert stage.child("notice").isVisible()


def test_space_presses_the_button_that_has_the_keyboard(stage: Stage) -> None:
    stage.run()
    stage.button("Box").setFocus()
    stage.qtbot.keyClick(stage.button("Box"), Qt.Key_Space)
    assert not stage.button("Box").isChecked()
    assert stage.session.status.state is CameraState.RUNNING


def test_keys_and_buttons_choose_the_overlay(stage: Stage) -> None:
    stage.run()
    view = stage.window._view
    for key in (Qt.Key_B, Qt.Key_P, Qt.Key_L):
        stage.qtbot.keyClick(stage.window, key)
    assert (view.options.boxes, view.options.pose, view.options.landmarks) == (False, False, Landmarks.CONTOURS)
    stage.click("Contours")
    assert view.options.landmarks is Landmarks.OFF
    assert not stage.button("Points").isChecked()
    stage.click("Box")
    assert view.options.boxes


def test_a_sink_that_failed_is_told_over_a_running_picture(stage: Stage) -> None:
    stage.run()
    stage.camera.become(warnings=(OutputError("cannot write out.mp4: the disk is full"),))
    stage.qtbot.waitUntil(lambda: "cannot write out.mp4: the disk is full" in stage.texts())
    assert stage.session.status.state is CameraState.RUNNING


def test_a_source_name_is_never_taken_for_markup(stage: Stage) -> None:
    stage.start()
    stage.camera.become(source="<b>clip</b>.mp4", activity="opening <b>clip</b>.mp4")
    stage.qtbot.waitUntil(lambda: "Opening <b>clip</b>.mp4…" in stage.texts())
    labels = [label for label in stage.window.findChildren(QLabel) if "<b>clip" in label.text()]
    assert len(labels) >= 2
    assert all(label.textFormat() == Qt.PlainText for label in labels)


@pytest.mark.parametrize(("width", "height"), [(1024, 640), (1280, 720), (760, 420)])
def test_nothing_is_cut_off_or_overlaps(stage: Stage, width: int, height: int) -> None:
    stage.window.resize(width, height)
    stage.run()
    stage.camera.become(source="a very long name of a clip " * 20 + ".mp4", drops={"analysis too slow": 12345})
    stage.qtbot.waitUntil(lambda: any(t.startswith("a very long") for t in stage.texts()))
    stage.qtbot.waitUntil(lambda: stage.window.width() == width)
    row = [w for w in stage.child("statusBar").findChildren(QLabel) if w.isVisible()]
    for left, right in pairwise(row):
        assert left.geometry().right() < right.geometry().left()
    header = [w for w in stage.child("header").findChildren(QWidget) if w.isVisible()]
    assert max(w.geometry().right() for w in header) < width


def test_controls_have_names_for_screen_readers(stage: Stage) -> None:
    for button in stage.window.findChildren(QPushButton):
        assert button.text() or button.accessibleName() or button.objectName() == "primary"
    assert stage.child("statusBar").findChild(QLabel).accessibleName() == "State"


def test_drops_are_told_by_cause() -> None:
    assert describe_drops({}) == "0"
    assert describe_drops({"analysis too slow": 3, "corrupt data": 1}) == "3 analysis too slow, 1 corrupt data"
