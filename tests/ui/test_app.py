"""Whatever ends the event loop ends it cleanly: a signal, the last window."""

import gc
import os
import signal
import threading
import weakref
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from PyQt5.QtCore import QTimer
from PyQt5.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot

from streamer import personal
from streamer.config import Config
from streamer.session import RunOptions
from tests.ui.fakes import FakeCamera
from ui import theme
from ui.app import _execute, _load_effects_behind, _Runs, _show
from ui.main_window import MainWindow
from ui.session import Run, Session
from ui.settings import Settings


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path) -> Iterator[MainWindow]:
    session = Session("fake", Config(), lambda source, _: Run(FakeCamera(source), ExitStack()))  # type: ignore[arg-type]
    window = MainWindow(session, Settings(tmp_path / "window.ini"))
    qtbot.addWidget(window)
    window.show()
    yield window
    session.close()


def test_closing_the_window_ends_the_loop(qapp: QApplication, window: MainWindow) -> None:
    QTimer.singleShot(0, window.close)
    assert _execute(qapp) is False


def test_ctrl_c_ends_the_loop_and_gives_the_signal_back(qapp: QApplication) -> None:
    before = signal.getsignal(signal.SIGINT)
    QTimer.singleShot(0, lambda: os.kill(os.getpid(), signal.SIGINT))
    assert _execute(qapp) is True
    assert signal.getsignal(signal.SIGINT) is before


def test_what_is_wrong_with_the_saved_defaults_is_told_in_the_window(
    qtbot: QtBot, qapp: QApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(personal, "notices", ["your defaults were damaged"])
    monkeypatch.setattr(theme, "apply", lambda *_: None)  # the other tests have the look they had
    told: list[str] = []

    def look() -> None:
        (window,) = (widget for widget in qapp.topLevelWidgets() if isinstance(widget, MainWindow))
        told.extend(label.text() for label in window.findChildren(QLabel, "bannerText"))
        window.close()

    QTimer.singleShot(0, look)
    assert _show(qapp, RunOptions("nothing.mp4"), Config()) == 0
    assert told == ["Your defaults were damaged"]


def test_a_run_that_is_over_keeps_no_networks() -> None:
    runs = _Runs(RunOptions("demo", stats=True))
    first = runs.prepare("demo", Config())
    gone = weakref.ref(first.camera)
    first.close()
    del first
    runs.prepare("demo", Config())
    gc.collect()
    assert gone() is None


def test_effects_are_loaded_once_behind_a_picture_that_runs(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    import ui.pages.effects  # noqa: F401  # it would keep what stands in for all_effects here

    loaded: list[threading.Thread] = []
    monkeypatch.setattr("ui.app._CALM", 0)
    monkeypatch.setattr("streamer.effects.registry.all_effects", lambda: loaded.append(threading.current_thread()))
    session = Session("fake", Config(), lambda source, _: Run(FakeCamera(source), ExitStack()))  # type: ignore[arg-type]
    _load_effects_behind(session)
    for _ in range(3):
        session.frame_ready.emit(None)
    qtbot.waitUntil(lambda: bool(loaded))
    (thread,) = loaded
    assert thread is not threading.main_thread()
    thread.join()
    session.close()
