"""The stage's widget: the newest state in the end, wheel, drag, click, and no thread left."""

import shutil
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from PyQt5.QtCore import QPoint, QPointF, Qt
from PyQt5.QtGui import QMouseEvent, QWheelEvent
from PyQt5.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from tests.ui.fakes import make_face, make_result, near, pixels
from tests.ui.stage import settle
from ui import theme
from ui.stage import compositor
from ui.stage.overlays import Overlays
from ui.stage.view import VideoView
from ui.stage.viewport import Fit, Viewport


@pytest.fixture
def view(qtbot: QtBot) -> Iterator[VideoView]:
    view = VideoView()
    qtbot.addWidget(view)
    view.resize(640, 360)
    with qtbot.waitExposed(view):
        view.show()
    yield view
    view.close()


def look(view: VideoView, qtbot: QtBot) -> np.ndarray:
    settle(qtbot, view)
    return pixels(view)


def composing() -> bool:
    return any(thread.name == "compositor" for thread in threading.enumerate())


def turn_wheel(view: VideoView, at: tuple[int, int], notches: int) -> None:
    where = QPointF(*at)
    delta = QPoint(0, 120 * notches)
    event = QWheelEvent(where, where, delta, delta, Qt.NoButton, Qt.NoModifier, Qt.NoScrollPhase, False)
    QApplication.sendEvent(view, event)


def test_an_empty_stage_is_dark_and_starts_no_thread(view: VideoView) -> None:
    assert near(pixels(view), theme.current().stage.getRgb()[:3], 0).all()
    assert not composing()


def test_the_newest_of_many_results_is_shown(view: VideoView, qtbot: QtBot) -> None:
    for level in range(0, 200, 5):
        view.show_result(make_result((level, level, level)))
    view.show_result(make_result((250, 40, 10)))
    assert near(look(view, qtbot), (10, 40, 250), 1).all()


def test_a_new_size_is_composed_anew(view: VideoView, qtbot: QtBot) -> None:
    view.show_result(make_result((200, 200, 200)))
    look(view, qtbot)
    view.resize(640, 480)
    light = near(look(view, qtbot), (200, 200, 200), 1)
    assert light[60:420].all()
    assert not light[:60].any()


def test_overlay_choice_and_dimming_are_obeyed(view: VideoView, qtbot: QtBot) -> None:
    blue = theme.track_color(1).getRgb()[:3]
    view.show_result(make_result((60, 60, 60), faces=(make_face(),)))
    assert near(look(view, qtbot), blue).any()
    view.set_overlays(Overlays(box=False, points=False, axes=False, angles=False))
    assert near(look(view, qtbot), (60, 60, 60), 0).all()
    view.set_overlays(Overlays())
    view.dim()
    assert look(view, qtbot).max() < 60
    view.show_result(make_result((60, 60, 60)))
    assert near(look(view, qtbot), (60, 60, 60), 0).all()


def test_what_is_shown_follows_what_has_come(view: VideoView, qtbot: QtBot) -> None:
    assert view.shown is None
    for result in (make_result(index=3), make_result(index=4)):
        view.show_result(result)
        settle(qtbot, view)
        assert view.shown is result


def test_the_wheel_zooms_about_the_pointer(view: VideoView, qtbot: QtBot) -> None:
    image = np.zeros((360, 640, 3), np.uint8)
    image[90:110, 150:170] = 255
    result = make_result()
    view.show_result(replace(result, frame=replace(result.frame, image=image)))
    turn_wheel(view, (160, 100), 5)
    lit = near(look(view, qtbot), (255, 255, 255), 100)
    assert lit[100, 160]
    assert lit.sum() == pytest.approx(400 * 1.25**10, rel=0.1)
    turn_wheel(view, (160, 100), -50)
    assert view.viewport.zoom == pytest.approx(1)


def test_dragging_pans_and_chooses_nothing(view: VideoView, qtbot: QtBot) -> None:
    chosen: list[object] = []
    view.face_clicked.connect(chosen.append)
    view.show_result(make_result(faces=(make_face(),)))
    view.zoom(4)
    before = view.viewport
    qtbot.mousePress(view, Qt.LeftButton, pos=QPoint(320, 180))
    for x in (300, 250, 200):
        move = QMouseEvent(QMouseEvent.MouseMove, QPointF(x, 180), Qt.NoButton, Qt.LeftButton, Qt.NoModifier)
        QApplication.sendEvent(view, move)  # as a pressed button does it; qtbot.mouseMove has no button
    qtbot.mouseRelease(view, Qt.LeftButton, pos=QPoint(200, 180))
    assert view.viewport.x > before.x
    assert chosen == []


@pytest.mark.parametrize("mirrored", [False, True])
def test_a_click_chooses_the_face_under_it(view: VideoView, qtbot: QtBot, mirrored: bool) -> None:
    chosen: list[object] = []
    view.face_clicked.connect(chosen.append)
    view.set_viewport(Viewport(mirrored=mirrored))
    view.show_result(make_result(faces=(make_face((150, 180), 100, 4), make_face((150, 180), 40, 5))))
    for x in (150, 195, 400):
        qtbot.mouseClick(view, Qt.LeftButton, pos=QPoint(639 - x if mirrored else x, 180))
    assert chosen == [5, 4, None]


def test_another_fit_forgets_the_zoom(view: VideoView) -> None:
    view.show_result(make_result())
    view.zoom(3)
    view.set_fit(Fit.FILL)
    assert view.viewport == Viewport(Fit.FILL)


def test_an_error_while_composing_is_raised_on_the_gui_thread(view: VideoView, qtbot: QtBot) -> None:
    result = make_result()
    broken = replace(result, faces=(replace(make_face(), landmarks=None),))
    with qtbot.captureExceptions() as raised:
        view.show_result(broken)
        qtbot.waitUntil(lambda: len(raised) == 1)
    view.show_result(make_result((200, 200, 200)))
    assert near(look(view, qtbot), (200, 200, 200), 1).all()


def test_nothing_is_composed_while_the_view_is_hidden(view: VideoView, qtbot: QtBot) -> None:
    view.hide()
    view.show_result(make_result((60, 60, 60)))
    view.show_result(make_result((200, 200, 200)))
    assert not composing()
    view.show()
    assert near(look(view, qtbot), (200, 200, 200), 1).all()


@pytest.mark.skipif(shutil.which("xdotool") is None, reason="xdotool is not installed")
def test_nothing_is_composed_for_a_window_the_desktop_has_put_away(view: VideoView, qtbot: QtBot) -> None:
    handle = view.windowHandle()
    assert handle is not None
    window = str(int(view.winId()))
    subprocess.run(["xdotool", "windowunmap", window], check=True)  # what a desktop does to a minimised window
    qtbot.waitUntil(lambda: not handle.isExposed())
    view.show_result(make_result((200, 200, 200)))
    assert not composing()
    subprocess.run(["xdotool", "windowmap", window], check=True)
    assert near(look(view, qtbot), (200, 200, 200), 1).all()


def test_no_more_is_composed_than_a_screen_shows(
    view: VideoView, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compositor, "_INTERVAL", 1e9)
    first = make_result(index=1)
    view.show_result(first)
    settle(qtbot, view)
    for index in range(2, 6):
        view.show_result(make_result(index=index))
    qtbot.wait(50)  # a chance to do it nevertheless
    assert view.shown is first
    view.close()  # does not wait until the next one is due
    assert not composing()


def test_closing_ends_the_thread(view: VideoView, qtbot: QtBot) -> None:
    view.show_result(make_result())
    settle(qtbot, view)
    view.close()
    assert not composing()
    view.show_result(make_result())
