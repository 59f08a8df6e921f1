"""The window is where it was left, unless nobody could see it there."""

from __future__ import annotations

from pathlib import Path

import pytest
from PyQt5.QtCore import QRect
from PyQt5.QtGui import QGuiApplication
from PyQt5.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from tests.ui.stage import Stage


def screen() -> QRect:
    first = QGuiApplication.primaryScreen()
    assert first is not None
    return first.availableGeometry()


def leave_at(stage: Stage, place: QRect) -> None:
    """Put the window somewhere, and wait until it is there."""
    stage.window.setGeometry(place)
    stage.qtbot.waitUntil(lambda: stage.window.geometry() == place)


GONE = {
    "a screen to the right": QRect(1700, 100, 1000, 600),
    "a screen to the left": QRect(-1500, 50, 1000, 600),
    "a screen above": QRect(100, -900, 1000, 600),
    "a larger screen": QRect(1200, 700, 1600, 900),
    "a larger screen, its corner": QRect(200, 100, 1700, 1200),
    "its upper edge alone": QRect(100, -60, 1000, 600),
}


@pytest.mark.parametrize("place", GONE.values(), ids=GONE)
def test_a_window_whose_screen_is_gone_comes_up_where_it_is_seen(
    qtbot: QtBot, stage: Stage, tmp_path: Path, place: QRect
) -> None:
    leave_at(stage, place)
    stage.close()
    again = Stage(qtbot, tmp_path / "window.ini")
    assert screen().contains(again.window.frameGeometry())
    again.close()


def test_a_window_that_reaches_over_the_edge_stays(qtbot: QtBot, stage: Stage, tmp_path: Path) -> None:
    place = QRect(900, 500, 1000, 600)
    leave_at(stage, place)
    stage.close()
    again = Stage(qtbot, tmp_path / "window.ini")
    assert again.window.geometry() == place
    again.close()


def test_a_screen_is_unplugged_under_the_window(stage: Stage) -> None:
    leave_at(stage, QRect(1700, 100, 1000, 600))  # where a second screen was
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    app.screenRemoved.emit(app.primaryScreen())  # as Qt tells it; the X server here can unplug none
    stage.qtbot.waitUntil(lambda: screen().contains(stage.window.frameGeometry()))
    assert stage.window.size().width() == 1000
