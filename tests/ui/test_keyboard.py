"""Keyboard and eyes: every control is reached by Tab, shows that it is, has a name, and fits its letters."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PyQt5.QtCore import QPoint, QRect, Qt
from PyQt5.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLabel,
    QLineEdit,
    QMenuBar,
    QPlainTextEdit,
    QProgressBar,
    QScrollArea,
    QScrollBar,
    QSlider,
    QToolButton,
    QWidget,
)
from pytestqt.qtbot import QtBot

from streamer.errors import SourceAuthError
from streamer.pipeline.status import CameraState, PlaybackStatus
from tests.ui.fakes import pixels
from tests.ui.stage import Stage
from ui import theme
from ui.glyphs import GlyphButton
from ui.pages import PAGES
from ui.settings_form import Row
from ui.widgets import ElidedButton, ElidedLabel

CONTROLS = (QAbstractButton, QAbstractSpinBox, QComboBox, QLineEdit, QPlainTextEdit, QProgressBar, QSlider)
NAMES = [spec.name for spec in PAGES]


def show(stage: Stage, page: str) -> None:
    """Run a file with a page open, everything that can be enabled enabled."""
    stage.run()
    file = PlaybackStatus(live=False, seekable=True, position=1.0, duration=9.0)
    stage.camera.become(playback=file)
    stage.qtbot.waitUntil(lambda: stage.session.status.playback == file)
    action = stage.window.commands[f"page.{page}"]
    action.setChecked(True)
    stage.qtbot.waitUntil(lambda: bool(stage.window.findChildren(QWidget, "page")))


def reachable(stage: Stage) -> set[QWidget]:
    """What the user should be able to reach with Tab."""
    return {
        widget
        for widget in stage.window.findChildren(QWidget)
        if widget.isVisible() and widget.isEnabled() and isinstance(widget, CONTROLS) and not is_inner(widget)
        and not isinstance(widget, QProgressBar)
    }  # fmt: skip


def is_inner(widget: QWidget) -> bool:
    """Whether a widget is a part of Qt's own of another one."""
    return isinstance(widget.parent(), (QAbstractSpinBox, QComboBox, QMenuBar)) or isinstance(widget, QScrollBar)


def walk(stage: Stage, key: Qt.Key = Qt.Key_Tab) -> list[QWidget]:
    """Press a key until the keyboard is back where it began."""
    stage.view.setFocus()
    order: list[QWidget] = []
    for _ in range(300):
        stage.press(key)
        focused = stage.window.focusWidget()
        if focused is None or focused is stage.view:
            return order
        order.append(focused)
    raise AssertionError(f"Tab does not come back: {order[-6:]}")


@pytest.mark.parametrize("page", NAMES)
def test_tab_reaches_every_control_in_order_and_comes_back(stage: Stage, page: str) -> None:
    show(stage, page)
    order = walk(stage)
    missing = reachable(stage) - set(order)
    assert not missing, [f"{type(w).__name__} {w.accessibleName() or getattr(w, 'text', str)()}" for w in missing]
    assert len(order) == len(set(order))
    rows = [row for row in stage.window.findChildren(Row) if row.isVisibleTo(stage.window)]
    heights = [row.mapTo(stage.window, row.rect().topLeft()).y() for w in order for row in rows if row.isAncestorOf(w)]
    assert len({row for row in rows for w in order if row.isAncestorOf(w)}) == len(rows)
    assert heights == sorted(heights) or any(row.window() is not stage.window for row in rows) or scrolled(stage)


def scrolled(stage: Stage) -> bool:
    """Whether the page has moved while it was walked through."""
    return any(area.verticalScrollBar().maximum() for area in stage.window.findChildren(QScrollArea))


def test_the_page_scrolls_to_the_control_that_has_the_keyboard(stage: Stage) -> None:
    stage.window.resize(1024, 640)
    show(stage, "detector")
    stage.view.setFocus()
    seen = 0
    for _ in range(80):
        stage.press(Qt.Key_Tab)
        focused = stage.window.focusWidget()
        assert focused is not None
        if any(row.isAncestorOf(focused) for row in stage.window.findChildren(Row)):
            seen += 1
            assert not focused.visibleRegion().isEmpty(), focused.accessibleName()
    assert seen > 10


@pytest.mark.parametrize("name", theme.THEMES)
@pytest.mark.parametrize("page", NAMES)
def test_the_keyboards_place_can_be_seen(qapp: QApplication, stage: Stage, page: str, name: str) -> None:
    theme.apply(qapp, theme.THEMES[name])
    show(stage, page)
    for widget in walk(stage):
        widget.setFocus(Qt.TabFocusReason)
        place = QRect(widget.mapTo(stage.window, QPoint()), widget.size()).adjusted(-3, -3, 3, 3)
        on = pixels(stage.window.grab(place).toImage())
        widget.clearFocus()
        off = pixels(stage.window.grab(place).toImage())
        changed = (np.abs(on.astype(int) - off).sum(axis=2) > 60).sum()
        assert changed > 40, f"{type(widget).__name__} {widget.accessibleName() or widget.objectName()}"
    theme.apply(qapp, theme.DARK)


@pytest.mark.parametrize("page", NAMES)
def test_every_control_has_a_name(stage: Stage, page: str) -> None:
    show(stage, page)
    stage.camera.become(state=CameraState.FAILED, error=SourceAuthError("no"))
    stage.wait_for(CameraState.FAILED)
    stage.click("Details")
    for widget in stage.window.findChildren(QWidget):
        if (
            widget.window() is stage.window
            and (isinstance(widget, CONTROLS) or widget.focusPolicy() & Qt.TabFocus)
            and not is_inner(widget)
        ):
            if isinstance(widget, (QScrollArea, QScrollBar, QMenuBar)) or widget.objectName().startswith("qt_"):
                continue
            name = widget.accessibleName() or (widget.text() if isinstance(widget, QAbstractButton) else "")
            assert name.strip(), f"{type(widget).__name__} {widget.objectName()}"


def test_arrows_stay_with_the_control_that_has_the_keyboard(stage: Stage) -> None:
    show(stage, "detector")
    row = stage.window.findChild(Row, "detector.max_side")
    slider, number = row.findChild(QSlider), row.findChild(QAbstractSpinBox)
    slider.setFocus()
    stage.press(Qt.Key_Right)
    assert number.value() == 544
    number.setFocus()
    stage.press(Qt.Key_Up)
    assert number.value() == 576
    stage.qtbot.waitUntil(lambda: stage.session.config.detector.max_side == 576)


@pytest.fixture
def large_letters(qapp: QApplication) -> Iterator[None]:
    """The system's letters are 16 points high."""
    before = qapp.font()
    font = qapp.font()
    font.setPointSize(16)
    qapp.setFont(font)
    yield
    qapp.setFont(before)


@pytest.mark.parametrize("page", NAMES)
def test_large_letters_are_not_cut(large_letters: None, qtbot: QtBot, tmp_path: Path, page: str) -> None:
    stage = Stage(qtbot, tmp_path / "window.ini")
    stage.window.resize(1280, 720)
    show(stage, page)
    stage.look()
    assert cut(stage) == []
    stage.camera.become(state=CameraState.FAILED, error=SourceAuthError("the camera refuses the password"))
    stage.wait_for(CameraState.FAILED)
    stage.look()
    assert cut(stage) == []
    stage.close()


def cut(stage: Stage) -> list[str]:
    """Texts that have less room than they need, those that give way on purpose left out."""
    found = []
    for widget in stage.window.findChildren(QWidget):
        if not widget.isVisible() or isinstance(widget, (ElidedLabel, ElidedButton, GlyphButton)):
            continue
        if isinstance(widget, QLabel) and widget.text():
            if widget.wordWrap():
                fits = widget.heightForWidth(widget.width()) <= widget.height()
            else:
                fits = widget.sizeHint().width() <= widget.width()
        elif isinstance(widget, (QAbstractButton, QToolButton)) and widget.text():
            fits = widget.fontMetrics().horizontalAdvance(widget.text()) <= widget.width()
        else:
            continue
        inside = widget.parentWidget() is None or widget.geometry().left() >= 0
        if not fits or not inside:
            found.append(f"{widget.text()!r} needs {widget.sizeHint()} and has {widget.size()}")
    return found
