"""Internal errors: whatever is raised in whatever thread is shown, can be copied, and the application goes on."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator

import pytest
from PyQt5.QtCore import Qt, QTimer
from PyQt5.QtWidgets import QApplication, QDialog, QLabel, QPlainTextEdit, QPushButton

from streamer.config import Config
from streamer.pipeline.status import CameraState
from streamer.settings import with_values
from streamer.version import __version__
from tests.ui.fakes import make_face, make_result
from tests.ui.stage import Stage
from ui.report import Reports, ReportWindow, report_text
from ui.session import Run


@pytest.fixture
def reports(stage: Stage) -> Iterator[Reports]:
    """The reports of a stage, listening."""
    reports = Reports(stage.session, stage.window)
    reports.told.connect(stage.window.tell)
    with reports.caught():
        yield reports


def boom() -> None:
    raise ZeroDivisionError("rtsp://me:s3cret@cam/live went wrong")


def report(stage: Stage) -> ReportWindow:
    """The report that is shown, once it is."""

    def shown() -> ReportWindow | None:
        return next((w for w in stage.window.findChildren(ReportWindow) if w.isVisible()), None)

    stage.qtbot.waitUntil(lambda: shown() is not None)
    found = shown()
    assert found is not None
    return found


def press(stage: Stage, window: ReportWindow, text: str) -> None:
    button = next(b for b in window.findChildren(QPushButton) if b.text() == text)
    stage.qtbot.mouseClick(button, Qt.LeftButton)


def text_of(window: ReportWindow) -> str:
    view = window.findChild(QPlainTextEdit)
    assert view is not None
    return str(view.toPlainText())


def in_a_slot(stage: Stage) -> None:
    QTimer.singleShot(0, boom)


def in_a_thread(stage: Stage) -> None:
    threading.Thread(target=boom).start()


def in_the_compositor(stage: Stage) -> None:
    stage.camera.show(make_result(faces=(make_face(track_id="one"),)))  # type: ignore[arg-type]  # no engine sends that


def in_a_page(stage: Stage) -> None:
    stage.session.frame_ready.connect(lambda result: boom())
    stage.camera.show(make_result())


def while_a_run_is_closed(stage: Stage) -> None:
    stage.camera.close = boom  # type: ignore[method-assign]
    stage.session.stop()
    stage.session._run = None


@pytest.mark.parametrize(
    "fail", [in_a_slot, in_a_thread, in_the_compositor, in_a_page, while_a_run_is_closed], ids=lambda f: f.__name__
)
def test_an_error_anywhere_is_reported_and_the_window_goes_on(
    stage: Stage, reports: Reports, fail: Callable[[Stage], None]
) -> None:
    stage.run()
    fail(stage)
    window = report(stage)
    assert "Error" in text_of(window)
    assert "Traceback (most recent call last)" in text_of(window)
    press(stage, window, "Go on")
    stage.qtbot.waitUntil(lambda: not stage.window.findChildren(ReportWindow))
    stage.window.activateWindow()  # as a window manager does when the window over it goes
    stage.qtbot.waitUntil(lambda: QApplication.activeWindow() is stage.window)
    stage.press(Qt.Key_B)
    assert not stage.view.overlays.box


def test_a_report_says_what_is_needed_and_no_secret(stage: Stage, reports: Reports) -> None:
    stage.session.configure(
        with_values(Config(), {"source.password": "hunter2", "source.username": "john", "detector.score": 0.6})
    )
    stage.run()
    logging.getLogger("streamer").warning("cannot sign in to http://cam/x?token=abc with hunter2")
    QTimer.singleShot(0, boom)
    window = report(stage)
    press(stage, window, "Copy report")
    clipboard = QApplication.clipboard()
    assert clipboard is not None
    text = clipboard.text()
    for part in (f"facestream {__version__}", "Python 3", "Qt 5", "score: 0.6", "in boom", "cannot sign in"):
        assert part in text
    for secret in ("s3cret", "hunter2", "john", "abc"):
        assert secret not in text
        assert not any(secret in label.text() for label in window.findChildren(QLabel))
    press(stage, window, "Go on")


@pytest.mark.parametrize("key", [Qt.Key_Escape, Qt.Key_Return])
def test_a_report_has_the_keyboard_and_its_place_on_the_screen(stage: Stage, reports: Reports, key: Qt.Key) -> None:
    def fail() -> None:
        raise ValueError(f"no preset {300 * 'x'}, {300 * 'long '}")

    stage.run()
    QTimer.singleShot(0, fail)
    window = report(stage)
    stage.qtbot.waitUntil(window.isActiveWindow)
    assert window.screen().availableGeometry().contains(window.frameGeometry())
    stage.qtbot.keyClick(QApplication.focusWidget(), key)
    stage.qtbot.waitUntil(lambda: not stage.window.findChildren(ReportWindow))


def test_a_report_over_a_modal_dialog_can_be_used_and_the_dialog_afterwards(stage: Stage, reports: Reports) -> None:
    dialog = QDialog(stage.window)
    dialog.open()
    stage.qtbot.waitUntil(lambda: QApplication.activeWindow() is dialog)
    QTimer.singleShot(0, boom)
    window = report(stage)
    stage.qtbot.waitUntil(window.isActiveWindow)
    assert QApplication.activeModalWidget() is window  # what a modal window does not keep from the mouse
    press(stage, window, "Go on")
    stage.qtbot.waitUntil(lambda: QApplication.activeModalWidget() is dialog)
    dialog.close()


def test_the_source_can_be_started_again_from_the_report(stage: Stage, reports: Reports) -> None:
    stage.run()
    QTimer.singleShot(0, boom)
    press(stage, report(stage), "Start source again")
    stage.qtbot.waitUntil(lambda: len(stage.cameras) == 2 and stage.camera.started == 1)


def test_an_error_with_every_frame_is_shown_once_and_then_told_without_a_window(
    stage: Stage, reports: Reports, caplog: pytest.LogCaptureFixture
) -> None:
    stage.run()
    stage.session.frame_ready.connect(lambda result: boom())
    for number in range(4):
        stage.camera.show(make_result(faces=(make_face(),), index=number))
        stage.qtbot.waitUntil(lambda number=number: reports.count == number + 1)  # type: ignore[misc]
    window = report(stage)
    stage.qtbot.waitUntil(lambda: any("4 internal errors" in label.text() for label in window.findChildren(QLabel)))
    press(stage, window, "Go on")
    stage.camera.show(make_result())
    stage.qtbot.waitUntil(lambda: any("has happened again" in text for text in stage.texts()))
    assert not [w for w in stage.window.findChildren(ReportWindow) if w.isVisible()]
    assert sum("internal error" in record.message for record in caplog.records) == 1


def test_a_run_that_cannot_even_be_prepared_is_a_card_and_a_report(stage: Stage, reports: Reports) -> None:
    def prepare(source: str, config: Config) -> Run:
        raise KeyError("no such thing")

    stage.session._prepare = prepare
    stage.session.start()
    stage.wait_for(CameraState.FAILED)
    window = report(stage)
    assert "KeyError" in text_of(window)
    assert any("Internal error: KeyError" in text for text in stage.texts())
    press(stage, window, "Go on")


def test_the_hooks_are_given_back(stage: Stage) -> None:
    before = sys.excepthook, threading.excepthook
    with Reports(stage.session, stage.window).caught():
        assert sys.excepthook is not before[0]
    assert (sys.excepthook, threading.excepthook) == before


def test_details_name_the_cause(stage: Stage) -> None:
    stage.start()
    assert "connecting to fake" in report_text(stage.session)


def test_the_program_ends_cleanly_and_says_that_something_was_wrong() -> None:
    code = """
import logging; logging.basicConfig()
import ui.stage.compose
from streamer.config import Config
from streamer.session import RunOptions
def broken(scene): return 1 / 0
ui.stage.compose.compose = broken
from ui.app import run_window
raise SystemExit(run_window(RunOptions("demo", max_frames=5), Config()))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert done.stderr.count("ZeroDivisionError") == 1
