"""A private X server for the window's tests; whatever Qt warns of fails the test."""

from __future__ import annotations

import gc
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from PyQt5 import sip
from PyQt5.QtCore import QTimer
from PyQt5.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from tests.ui.program import Program, Start
from tests.ui.stage import Stage
from tests.ui.xvfb import private_display
from ui import theme
from ui.display import drop_foreign_plugins

drop_foreign_plugins()  # the shared conftest has imported cv2
for waiting in (QtBot.waitUntil, QtBot.waitSignal, QtBot.waitSignals, QtBot.waitExposed, QtBot.waitActive):
    waiting.__kwdefaults__["timeout"] = 60_000  # pytest-qt's 5 s are little on a machine that runs other things, too


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever Qt warns of fails the test it happens in."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.qt_log_level_fail("WARNING"))


@pytest.fixture(scope="session", autouse=True)
def x_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The display tests open windows on: a private 1280x720 Xvfb, or the desktop's where there is no Xvfb."""
    runtime = tmp_path_factory.mktemp("runtime")
    runtime.chmod(0o700)
    with pytest.MonkeyPatch.context() as patch, ExitStack() as stack:
        patch.setenv("XDG_RUNTIME_DIR", str(runtime))
        patch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("config")))
        patch.setenv("QT_QPA_PLATFORM", "xcb")
        if shutil.which("Xvfb"):
            patch.delenv("WAYLAND_DISPLAY", raising=False)
            patch.setenv("DISPLAY", stack.enter_context(private_display()))
        elif "DISPLAY" not in os.environ:
            pytest.skip("no display and no Xvfb: install xvfb to test the window")
        yield os.environ["DISPLAY"]
        if (app := QApplication.instance()) is not None:
            sip.delete(app)  # before its server goes: Qt ends the process when it loses the connection


@pytest.fixture(autouse=True)
def no_leaked_windows_and_timers() -> Iterator[None]:
    """Fail any test that leaves a window on the screen, or a timer running."""
    yield
    app = QApplication.instance()
    if not isinstance(app, QApplication):
        return
    windows = [widget for widget in app.topLevelWidgets() if widget.isVisible()]
    assert not windows, f"windows left open: {windows}"
    # type(), because isinstance() asks the object, and some of torch's answer with a warning
    kinds = {QTimer, *QTimer.__subclasses__()}
    timers = [thing for thing in gc.get_objects() if type(thing) in kinds and not sip.isdeleted(thing)]
    assert not [timer for timer in timers if timer.isActive()], "a timer is left running"


@pytest.fixture(autouse=True)
def bare_look() -> Iterator[None]:
    """Every test begins without a style sheet, in whatever order: with one, each window takes several times as long."""
    yield
    app = QApplication.instance()
    if isinstance(app, QApplication) and app.styleSheet():
        app.setStyleSheet("")
    theme._current = theme.DARK


@pytest.fixture
def stage(qtbot: QtBot, tmp_path: Path) -> Iterator[Stage]:
    """A window with a session, and nothing remembered from before."""
    stage = Stage(qtbot, tmp_path / "window.ini")
    yield stage
    stage.close()


@pytest.fixture
def start(qapp: QApplication, tmp_path: Path) -> Iterator[Start]:
    """Starts the real program with arguments; whatever still runs at the end is killed."""
    programs: list[Program] = []

    def start(*arguments: str, display: str | None = None) -> Program:
        programs.append(Program(qapp, tmp_path, *arguments, display=display))
        return programs[-1]

    yield start
    for program in programs:
        if program.process.poll() is None:
            program.process.kill()
            program.process.communicate()
