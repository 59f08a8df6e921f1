"""The source chooser: webcams by name, demo, files, folders, addresses, recent ones; one button to start and stop."""

from pathlib import Path

import pytest
from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import QFileDialog, QInputDialog, QLineEdit, QMenu
from pytestqt.qtbot import QtBot

from streamer.pipeline.status import CameraState
from streamer.sources import devices
from tests.ui.stage import Stage
from ui.source_bar import SourceBar


def opened(stage: Stage) -> QMenu:
    """The chooser's menu, filled as when it is shown."""
    menu = stage.window.findChild(SourceBar).findChild(QMenu)
    menu.aboutToShow.emit()
    return menu


def choose(stage: Stage, text: str) -> None:
    count = len(stage.cameras) + 1
    next(action for action in opened(stage).actions() if action.text() == text).trigger()
    stage.qtbot.waitUntil(lambda: len(stage.cameras) >= count)


def test_webcams_are_chosen_by_name(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    webcam = devices.Webcam(2, "/dev/video2", "Logi & Co C920")
    monkeypatch.setattr(devices, "list_webcams", lambda: [webcam])
    choose(stage, "Logi && Co C920  (/dev/video2)")
    assert stage.camera.status().source == "/dev/video2"


def test_without_webcams_the_menu_says_so_and_offers_the_demo(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "list_webcams", list)
    assert "No webcam found" in [action.text() for action in opened(stage).actions()]
    choose(stage, "Demo")
    assert stage.camera.status().source == "demo"


def test_an_address_is_asked_for_and_remembered_without_its_password(stage: Stage) -> None:
    stage.press(Qt.Key_U, Qt.ControlModifier)
    dialog = stage.window.findChild(QInputDialog)
    assert dialog is not None
    field = dialog.findChild(QLineEdit)
    stage.qtbot.keyClicks(field, "rtsp://me:secret@cam/live ")
    stage.qtbot.keyClick(field, Qt.Key_Return)
    stage.qtbot.waitUntil(lambda: len(stage.cameras) == 1)
    assert stage.camera.status().source == "rtsp://me:secret@cam/live"
    assert stage.settings.get("sources/recent", list[str]()) == ["rtsp://cam/live"]


def test_recent_sources_are_offered_newest_first_and_once(stage: Stage) -> None:
    bar = stage.window.findChild(SourceBar)
    for name in ("a.mp4", "b.mp4", "a.mp4", "demo", *(f"{n}.mp4" for n in range(6))):
        bar.remember(name)
    recent = bar.recent()
    assert recent == [*(f"{n}.mp4" for n in range(5, -1, -1)), "a.mp4", "b.mp4"]
    choose(stage, "b.mp4")
    assert bar.recent()[0] == "b.mp4"


@pytest.mark.parametrize("recent", ["", []])
def test_without_recent_sources_no_line_divides_nothing(stage: Stage, recent: str | list[str]) -> None:
    stage.settings.set("sources/recent", recent)
    actions = opened(stage).actions()
    assert not actions[0].isSeparator()
    assert actions[-1].text() == "Open address…"


def test_a_file_is_chosen_in_a_dialog_that_remembers_its_folder(stage: Stage, tmp_path: Path) -> None:
    (tmp_path / "clip.mp4").write_bytes(b"")
    stage.press(Qt.Key_O, Qt.ControlModifier)
    dialog = stage.window.findChild(QFileDialog)
    assert dialog is not None
    dialog.fileSelected.emit(str(tmp_path / "clip.mp4"))
    dialog.reject()
    stage.qtbot.waitUntil(lambda: len(stage.cameras) == 1)
    assert stage.settings.get("sources/folder", "") == str(tmp_path)


def test_one_button_starts_and_stops(stage: Stage, qtbot: QtBot) -> None:
    stage.run()
    stage.click("Stop")
    assert stage.session.status.state is CameraState.CLOSED
    assert stage.window.commands["run.start_stop"].text() == "Start"
    stage.press(Qt.Key_Return, Qt.ControlModifier)
    qtbot.waitUntil(lambda: len(stage.cameras) == 2)
