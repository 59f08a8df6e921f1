"""The commands: one table, no key twice, each in a menu and on the sheet; what they do is remembered."""

from collections import Counter
from dataclasses import fields
from pathlib import Path

import pytest
from PyQt5.QtCore import Qt
from PyQt5.QtGui import QKeySequence
from PyQt5.QtWidgets import QApplication, QLabel, QMenu, QToolButton
from pytestqt.qtbot import QtBot

from tests.ui.fakes import pixels
from tests.ui.stage import Stage
from ui import theme
from ui.actions import MENUS
from ui.pages import PAGES
from ui.shortcut_sheet import MOUSE, ShortcutSheet
from ui.stage.overlays import Overlays
from ui.stage.viewport import Fit


def test_no_key_is_taken_twice_and_every_command_is_explained(stage: Stage) -> None:
    keys = Counter(key.toString() for _, action in stage.window.commands for key in action.shortcuts())
    assert [key for key, count in keys.items() if count > 1] == []
    for command, action in stage.window.commands:
        assert command.tip
        assert command.menu in MENUS
        assert all(not QKeySequence(key).isEmpty() for key in command.keys)
        assert command.tip in action.toolTip()


def test_every_command_is_in_a_menu(stage: Stage) -> None:
    menus = [menu for menu in stage.window.menuBar().findChildren(QMenu) if menu.title() in MENUS]
    shown = {action.objectName() for menu in menus for action in menu.actions()}
    assert shown >= {command.name for command, _ in stage.window.commands}


def test_the_sheet_names_every_key_and_the_mouse(stage: Stage) -> None:
    stage.press(Qt.Key_Question)  # real keyboards send Shift with it, which Qt takes away by the layout
    sheet = stage.window.findChild(ShortcutSheet)
    assert sheet is not None
    stage.qtbot.waitUntil(sheet.isVisible)
    texts = " ".join(label.text() for label in sheet.findChildren(QLabel))
    for command, action in stage.window.commands:
        assert not command.keys or action.shortcut().toString(QKeySequence.NativeText) in texts
    assert all(word in texts for word, _ in MOUSE)
    for both in ("Start or stop", "Play or pause"):  # not what the menu says just now
        assert both in texts
    stage.qtbot.keyClick(sheet, Qt.Key_Escape)
    stage.qtbot.waitUntil(lambda: stage.window.findChild(ShortcutSheet) is None)


@pytest.mark.parametrize("name", [field.name for field in fields(Overlays)])
def test_an_overlay_has_a_key_a_button_and_a_memory(stage: Stage, qtbot: QtBot, tmp_path: Path, name: str) -> None:
    action = stage.window.commands[f"overlay.{name}"]
    before = getattr(stage.view.overlays, name)
    stage.press(Qt.Key(action.shortcut()[0]))
    assert getattr(stage.view.overlays, name) is not before
    button = next(b for b in stage.window.findChildren(QToolButton) if b.defaultAction() is action)
    assert button.isChecked() is not before
    stage.close()
    again = Stage(qtbot, tmp_path / "window.ini")
    assert getattr(again.view.overlays, name) is not before
    again.close()


def test_fit_fill_and_one_to_one_exclude_each_other_and_are_remembered(
    stage: Stage, qtbot: QtBot, tmp_path: Path
) -> None:
    assert stage.view.viewport.fit is Fit.FIT
    stage.press(Qt.Key_1, Qt.ControlModifier)
    assert stage.view.viewport.fit is Fit.ACTUAL
    stage.press(Qt.Key_9, Qt.ControlModifier)
    assert stage.view.viewport.fit is Fit.FILL
    assert not stage.window.commands["fit.actual"].isChecked()
    stage.close()
    again = Stage(qtbot, tmp_path / "window.ini")
    assert again.view.viewport.fit is Fit.FILL
    assert again.window.commands["fit.fill"].isChecked()
    again.close()


def test_the_keys_zoom_and_the_same_fit_again_zooms_back(stage: Stage) -> None:
    stage.run()
    stage.press(Qt.Key_Plus, Qt.ControlModifier)
    stage.press(Qt.Key_Plus, Qt.ControlModifier)
    stage.press(Qt.Key_Minus, Qt.ControlModifier)
    assert stage.view.viewport.zoom == pytest.approx(1.25)
    stage.press(Qt.Key_0, Qt.ControlModifier)
    assert stage.view.viewport.zoom == 1


def test_webcams_are_mirrored_and_files_are_not_until_the_user_says_so(
    stage: Stage, qtbot: QtBot, tmp_path: Path
) -> None:
    stage.run()
    assert not stage.view.viewport.mirrored
    stage.webcam = True
    stage.session.start("0")
    qtbot.waitUntil(lambda: stage.view.viewport.mirrored)
    stage.press(Qt.Key_M)
    assert not stage.view.viewport.mirrored
    stage.webcam = False
    stage.session.start("clip.mp4")
    qtbot.waitUntil(lambda: len(stage.cameras) == 3 and stage.camera.started == 1)
    stage.press(Qt.Key_M)
    stage.close()
    again = Stage(qtbot, tmp_path / "window.ini")
    again.run()
    assert again.view.viewport.mirrored
    again.webcam = True
    again.session.start("0")
    qtbot.waitUntil(lambda: len(again.cameras) == 2 and again.camera.started == 1)
    assert not again.view.viewport.mirrored
    again.close()


def test_the_light_theme_is_worn_at_once_and_remembered(stage: Stage) -> None:
    try:
        stage.window.commands["theme.light"].trigger()
        assert theme.current() is theme.LIGHT
        corner = stage.look()[200, 20]
        assert corner.tolist() == list(theme.LIGHT.stage.getRgb()[:3])
        assert stage.settings.get("window/theme", "") == "light"
    finally:
        stage.window.commands["theme.dark"].trigger()
    assert theme.current() is theme.DARK


def test_pages_open_one_at_a_time_fold_away_and_are_remembered(stage: Stage, qtbot: QtBot, tmp_path: Path) -> None:
    inspector = stage.child("inspector")
    for number, spec in enumerate(PAGES, 1):
        if stage.window.commands[f"page.{spec.name}"].isChecked():
            continue
        stage.press(Qt.Key(Qt.Key_0 + number), Qt.AltModifier)
        assert inspector.isVisible()
        assert [s.name for s in PAGES if stage.window.commands[f"page.{s.name}"].isChecked()] == [spec.name]
    stage.press(Qt.Key_I, Qt.ControlModifier)
    assert not inspector.isVisible()
    stage.press(Qt.Key_I, Qt.ControlModifier)
    assert stage.window.commands[f"page.{PAGES[-1].name}"].isChecked()
    stage.press(Qt.Key(Qt.Key_0 + len(PAGES)), Qt.AltModifier)
    assert not inspector.isVisible()
    stage.press(Qt.Key_2, Qt.AltModifier)
    stage.close()
    again = Stage(qtbot, tmp_path / "window.ini")
    assert again.window.commands["page.faces"].isChecked()
    again.close()


def test_full_screen_leaves_only_the_picture_and_escape_brings_the_rest_back(stage: Stage) -> None:
    stage.run()
    stage.press(Qt.Key_F)
    stage.qtbot.waitUntil(stage.window.isFullScreen)
    for name in ("header", "rail", "statusBar", "inspector"):
        assert not stage.child(name).isVisible()
    stage.qtbot.waitUntil(lambda: stage.view.size() == stage.window.size())
    stage.press(Qt.Key_Escape)
    stage.qtbot.waitUntil(lambda: not stage.window.isFullScreen())
    for name in ("header", "rail", "statusBar", "inspector"):
        assert stage.child(name).isVisible()


def test_the_window_comes_back_where_it_was(stage: Stage, qtbot: QtBot, tmp_path: Path) -> None:
    stage.window.resize(900, 600)
    qtbot.waitUntil(lambda: stage.window.width() == 900)
    stage.close()
    again = Stage(qtbot, tmp_path / "window.ini")
    assert (again.window.width(), again.window.height()) == (900, 600)
    again.close()


def test_a_place_is_remembered_behind_a_full_screen(stage: Stage, qtbot: QtBot, tmp_path: Path) -> None:
    before = stage.settings.get("window/geometry", b"")
    stage.window.resize(900, 600)
    qtbot.waitUntil(lambda: stage.settings.get("window/geometry", b"") != before)
    stage.run()
    stage.press(Qt.Key_F11)
    qtbot.waitUntil(stage.window.isFullScreen)
    stage.close()
    again = Stage(qtbot, tmp_path / "window.ini")
    assert not again.window.isFullScreen()
    assert again.child("header").isVisible()
    assert (again.window.width(), again.window.height()) == (900, 600)
    again.close()


def test_the_desktop_may_end_the_full_screen(stage: Stage) -> None:
    stage.run()
    stage.press(Qt.Key_F)
    stage.qtbot.waitUntil(stage.window.isFullScreen)
    stage.window.setWindowState(Qt.WindowNoState)  # as a window manager does
    for name in ("header", "rail", "statusBar", "inspector", "playbackBar"):
        assert stage.child(name).isVisible()
    assert not stage.window.commands["view.full_screen"].isChecked()
    assert not stage.window.commands["view.leave"].isEnabled()


def test_the_page_says_that_overlays_are_hidden(qapp: QApplication, stage: Stage) -> None:
    theme.apply(qapp, theme.DARK)
    stage.run()
    button = next(b for b in stage.window.findChildren(QToolButton) if b.text() == "Box and id")
    shown = pixels(button)
    stage.press(Qt.Key_H)
    assert "hidden; H shows them" in stage.texts()
    assert button.isChecked()
    assert (pixels(button) != shown).any()
    assert button.accessibleDescription() == "Hidden by Clean picture"
    stage.press(Qt.Key_H)
    assert "hidden; H shows them" not in stage.texts()
    assert (pixels(button) == shown).all()


def test_clicking_a_face_chooses_it_for_everyone(stage: Stage, qtbot: QtBot) -> None:
    from tests.ui.fakes import make_face

    stage.run(make_face(track_id=9))
    stage.look()
    scene = stage.view.scene()
    assert scene is not None
    place = scene.placement.to_rect(scene.result.faces[0].box).center().toPoint()
    qtbot.mouseClick(stage.view, Qt.LeftButton, pos=place)
    assert stage.window._selection.track_id == 9
    assert stage.view.scene().chosen == 9
