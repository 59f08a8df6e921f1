"""Playing a file from the window: keys, buttons, the seek bar; live sources say so."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from PyQt5.QtCore import QEvent, QMimeData, QPoint, QPointF, Qt, QUrl
from PyQt5.QtGui import QDragEnterEvent, QDropEvent, QMouseEvent
from PyQt5.QtWidgets import QAbstractSpinBox, QApplication, QComboBox, QLabel, QToolButton, QWidget

from streamer.errors import SourceLostError
from streamer.pipeline.status import CameraState, PlaybackStatus
from tests.ui.fakes import make_result, pixels
from tests.ui.stage import Stage
from ui.glyphs import GlyphButton
from ui.seek_bar import SeekBar, clock

FILE = PlaybackStatus(live=False, seekable=True, position=2.0, duration=20.0)


def play(stage: Stage, playback: PlaybackStatus = FILE) -> None:
    stage.run()
    stage.camera.become(playback=playback)
    stage.qtbot.waitUntil(lambda: stage.session.status.playback == playback)


def seek_bar(stage: Stage) -> SeekBar:
    found = stage.window.findChild(SeekBar)
    assert found is not None
    return found


def commands(stage: Stage) -> list[tuple[str, object]]:
    return stage.camera.commands


def test_space_pauses_and_plays(stage: Stage) -> None:
    play(stage)
    stage.press(Qt.Key_Space)
    stage.qtbot.waitUntil(lambda: stage.session.status.playback.paused)
    assert stage.window.commands["playback.play"].text() == "Play"
    stage.press(Qt.Key_Space)
    assert commands(stage) == [("pause", None), ("resume", None)]
    assert stage.session.status.state is CameraState.RUNNING


def test_space_pauses_after_a_click_on_a_button_that_tab_reaches(stage: Stage) -> None:
    play(stage)
    stage.view.setFocus()
    loop = next(b for b in stage.window.findChildren(QToolButton) if b.accessibleName() == "Loop")
    stage.qtbot.mouseClick(loop, Qt.LeftButton)
    stage.press(Qt.Key_Space)
    assert commands(stage) == [("pause", None)]
    assert stage.window.commands["playback.loop"].isChecked()
    for _ in range(60):
        stage.press(Qt.Key_Tab)
        if loop.hasFocus():
            break
    assert loop.hasFocus()
    stage.press(Qt.Key_Space)
    assert not stage.window.commands["playback.loop"].isChecked()


def test_space_starts_a_source_that_has_stopped(stage: Stage) -> None:
    play(stage)
    stage.press(Qt.Key_Return, Qt.ControlModifier)
    assert stage.session.status.state is CameraState.CLOSED
    stage.view.setFocus()
    stage.press(Qt.Key_Space)
    stage.qtbot.waitUntil(lambda: len(stage.cameras) == 2 and stage.camera.started == 1)


@pytest.mark.parametrize(
    ("key", "command"),
    [
        (Qt.Key_Comma, ("step", -1)),
        (Qt.Key_Period, ("step", 1)),
        (Qt.Key_Right, ("seek", 7.0)),
        (Qt.Key_Left, ("seek", 0.0)),
        (Qt.Key_Home, ("seek", 0.0)),
        (Qt.Key_End, ("seek", 20.0)),
        (Qt.Key_BracketLeft, ("speed", 0.5)),
        (Qt.Key_BracketRight, ("speed", 2.0)),
    ],
)
def test_keys_move_through_a_file(stage: Stage, key: Qt.Key, command: tuple[str, object]) -> None:
    play(stage)
    stage.view.setFocus()
    stage.press(key)
    assert commands(stage) == [command]


def test_skips_add_up_while_the_frame_is_on_its_way(stage: Stage) -> None:
    play(stage)
    stage.view.setFocus()
    for _ in range(3):
        stage.press(Qt.Key_Right)
    assert commands(stage) == [("seek", 7.0), ("seek", 12.0), ("seek", 17.0)]


def test_a_click_seeks_and_a_drag_scrubs_with_the_file_held(stage: Stage) -> None:
    play(stage)
    bar = seek_bar(stage)
    middle = bar.rect().center()
    stage.qtbot.mousePress(bar, Qt.LeftButton, pos=middle)
    end = QPointF(bar.width() - 1, middle.y())  # qtbot's move is by the X server, in its own time
    QApplication.sendEvent(bar, QMouseEvent(QEvent.MouseMove, end, Qt.NoButton, Qt.LeftButton, Qt.NoModifier))
    stage.qtbot.mouseRelease(bar, Qt.LeftButton, pos=end.toPoint())
    names = [name for name, _ in commands(stage)]
    assert names == ["pause", "seek", "seek", "resume"]
    assert commands(stage)[1][1] == pytest.approx(10.0, abs=0.1)
    assert commands(stage)[2][1] == 20.0


def test_a_paused_file_stays_paused_after_a_drag(stage: Stage) -> None:
    play(stage, replace(FILE, paused=True))
    bar = seek_bar(stage)
    stage.qtbot.mouseClick(bar, Qt.LeftButton, pos=bar.rect().center())
    assert [name for name, _ in commands(stage)] == ["seek"]


def test_the_bar_stays_where_it_was_put_until_the_frame_is_there(stage: Stage) -> None:
    play(stage, replace(FILE, paused=True))
    bar = seek_bar(stage)
    stage.qtbot.mouseClick(bar, Qt.LeftButton, pos=bar.rect().center())
    put = bar.value()
    old = make_result(index=5)
    stage.camera.show(replace(old, frame=replace(old.frame, position=2.1)))
    stage.qtbot.waitUntil(lambda: stage.session.result.frame.position == 2.1)
    assert bar.value() == put
    stage.camera.become(playback=replace(FILE, paused=True, position=10.0))
    stage.qtbot.waitUntil(lambda: "0:10.00 / 0:20" in stage.texts())
    assert bar.value() == 10_000


def test_the_time_follows_every_step_of_a_paused_file(stage: Stage) -> None:
    play(stage, replace(FILE, paused=True))
    for index, position in enumerate((3.0, 3.04, 3.08), 1):
        result = make_result(index=index)
        stage.camera.become(playback=replace(FILE, paused=True, position=position))
        stage.camera.show(replace(result, frame=replace(result.frame, position=position)))
        stage.qtbot.waitUntil(lambda: f"{clock(position)} / 0:20" in stage.texts())  # noqa: B023


def test_arrow_keys_on_the_bar_seek_by_a_second(stage: Stage) -> None:
    play(stage)
    bar = seek_bar(stage)
    bar.setFocus()
    stage.qtbot.keyClick(bar, Qt.Key_Right)
    assert commands(stage) == [("seek", 3.0)]


def test_arrow_keys_stay_with_a_field_that_is_being_edited(stage: Stage) -> None:
    play(stage)
    stage.press(Qt.Key_3, Qt.AltModifier)
    field = next(box for box in stage.window.findChildren(QAbstractSpinBox) if box.isVisible() and box.isEnabled())
    field.setFocus()
    for key in (Qt.Key_Left, Qt.Key_Right, Qt.Key_Home, Qt.Key_End):
        stage.qtbot.keyClick(field, key)
    assert commands(stage) == []


def test_speed_is_chosen_and_shown(stage: Stage) -> None:
    play(stage)
    speed = next(box for box in stage.window.findChildren(QComboBox) if box.accessibleName() == "Speed")
    assert speed.currentText() == "1×"
    speed.setFocus()
    stage.qtbot.keyClick(speed, Qt.Key_Down)
    assert commands(stage) == [("speed", 2.0)]
    stage.camera.become(playback=replace(FILE, speed=0.25))
    stage.qtbot.waitUntil(lambda: speed.currentText() == "0.25×")


def test_loop_is_a_setting_of_this_run_and_the_next(stage: Stage) -> None:
    play(stage)
    stage.press(Qt.Key_L, Qt.ShiftModifier)
    assert [config.source.loop for config in stage.camera.configs] == [True]
    assert stage.session.config.source.loop
    stage.session.start("other.mp4")
    stage.qtbot.waitUntil(lambda: len(stage.cameras) == 2 and stage.camera.started == 1)
    assert stage.window.commands["playback.loop"].isChecked()


def test_a_live_source_says_live_and_offers_no_transport(stage: Stage) -> None:
    play(stage, PlaybackStatus(live=True))
    assert "● Live" in stage.texts()
    assert not seek_bar(stage).isVisible()
    stage.view.setFocus()
    for key in (Qt.Key_Space, Qt.Key_Comma, Qt.Key_Right, Qt.Key_BracketRight):
        stage.press(key)
    assert commands(stage) == []
    assert stage.session.status.state is CameraState.RUNNING


def test_a_single_picture_is_called_one_and_offers_no_transport(stage: Stage) -> None:
    play(stage, PlaybackStatus(live=False, paused=True, at_end=True, position=0.0, duration=0.0))
    assert not seek_bar(stage).isVisible()
    assert stage.child("statusBar").findChild(QLabel).text().endswith("Picture")
    assert not {"0:00.00 / 0:00", "● Live"} & set(stage.texts())
    stage.view.setFocus()
    for key in (Qt.Key_Space, Qt.Key_Comma, Qt.Key_Right, Qt.Key_BracketRight):
        stage.press(key)
    assert commands(stage) == []
    stage.camera.become(playback=FILE)
    stage.qtbot.waitUntil(lambda: seek_bar(stage).isVisible())


def test_a_file_that_cannot_be_searched_can_still_be_paused(stage: Stage) -> None:
    play(stage, replace(FILE, seekable=False, duration=None))
    assert not seek_bar(stage).isEnabled()
    assert "0:02.00" in stage.texts()
    stage.press(Qt.Key_Space)
    assert commands(stage) == [("pause", None)]


@pytest.mark.parametrize(("width", "height"), [(760, 420), (1024, 640), (1280, 720)])
def test_nothing_in_the_bar_is_cut_off(stage: Stage, width: int, height: int) -> None:
    stage.window.resize(width, height)
    play(stage, replace(FILE, position=3599.0, duration=3599.99))
    stage.press(Qt.Key_R, Qt.ControlModifier)
    stage.qtbot.waitUntil(lambda: stage.window.width() == width)
    stage.qtbot.waitUntil(lambda: any("REC" in text for text in stage.texts()))
    bar = stage.child("playbackBar")
    assert bar.width() <= width
    for child in (w for w in bar.findChildren(QWidget) if w.isVisible() and not isinstance(w, SeekBar)):
        assert child.width() >= child.minimumSizeHint().width(), child
    assert seek_bar(stage).width() >= 36
    speed = next(box for box in bar.findChildren(QComboBox))
    assert next(w for w in bar.findChildren(QLabel) if "/" in w.text()).geometry().right() < speed.geometry().left()


def drop(stage: Stage, mime: QMimeData) -> None:
    enter = QDragEnterEvent(QPoint(300, 300), Qt.CopyAction, mime, Qt.LeftButton, Qt.NoModifier)
    QApplication.sendEvent(stage.window, enter)
    if enter.isAccepted():
        assert "Drop it here to show it" in stage.texts()
        event = QDropEvent(QPointF(300, 300), Qt.CopyAction, mime, Qt.LeftButton, Qt.NoModifier)
        QApplication.sendEvent(stage.window, event)
    assert "Drop it here to show it" not in stage.texts()


def test_a_file_dropped_on_the_window_is_shown(stage: Stage, tmp_path: Path) -> None:
    play(stage)
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(tmp_path / "my clip.mp4")), QUrl.fromLocalFile("/b.mp4")])
    drop(stage, mime)
    stage.qtbot.waitUntil(lambda: len(stage.cameras) == 2)
    assert stage.camera.status().source == str(tmp_path / "my clip.mp4")
    assert any("2 files were dropped" in text for text in stage.texts())


def test_an_address_dropped_as_text_is_shown(stage: Stage) -> None:
    mime = QMimeData()
    mime.setText("rtsp://camera.example/live\n")
    drop(stage, mime)
    stage.qtbot.waitUntil(lambda: len(stage.cameras) == 1)
    assert stage.camera.status().source == "rtsp://camera.example/live"


def test_what_is_no_source_changes_nothing(stage: Stage) -> None:
    play(stage)
    mime = QMimeData()
    mime.setText("some words")
    drop(stage, mime)
    assert stage.session.status.state is CameraState.RUNNING
    assert len(stage.cameras) == 1


def test_nothing_heavy_comes_with_the_bar() -> None:
    code = "import sys, ui.main_window; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"numpy", "cv2", "av"} & set(loaded)


def test_the_state_says_that_a_file_stands_still(stage: Stage) -> None:
    play(stage)
    assert any("Running" in text for text in stage.texts())
    stage.camera.become(playback=replace(FILE, paused=True))
    stage.qtbot.waitUntil(lambda: any("Paused" in text for text in stage.texts()))
    stage.camera.become(playback=replace(FILE, paused=True, at_end=True))
    stage.qtbot.waitUntil(lambda: any("At the end" in text for text in stage.texts()))
    assert not any("Running" in text for text in stage.texts())


def test_the_end_is_told_with_the_next_step_and_only_while_it_is_the_end(stage: Stage) -> None:
    play(stage)
    assert "Play again" not in stage.texts()
    stage.camera.become(playback=replace(FILE, paused=True, at_end=True, position=19.96))
    stage.qtbot.waitUntil(lambda: "Play again" in stage.texts())
    assert "fake has ended: this is its last frame." in stage.texts()
    assert seek_bar(stage).value() == seek_bar(stage).maximum()
    assert stage.window.commands["playback.play"].text() == "Play again"
    stage.click("Play again")
    stage.qtbot.waitUntil(lambda: "Play again" not in stage.texts())
    assert commands(stage) == [("resume", None)]
    stage.camera.become(playback=replace(FILE, paused=True, at_end=True))
    stage.qtbot.waitUntil(lambda: "Play again" in stage.texts())
    stage.camera.become(playback=replace(FILE, paused=True, position=19.9))
    stage.qtbot.waitUntil(lambda: "Play again" not in stage.texts())


def test_the_button_shows_pause_as_soon_as_the_file_plays_again(stage: Stage) -> None:
    play(stage)
    button = next(each for each in stage.window.findChildren(GlyphButton) if each.accessibleName() == "Pause")
    playing = pixels(button)
    stage.camera.become(playback=replace(FILE, paused=True, at_end=True))
    stage.qtbot.waitUntil(lambda: button.accessibleName() == "Play again")
    assert (pixels(button) != playing).any()
    for playback in (replace(FILE, at_end=True), FILE):  # the engine tells of the end until the first frame is there
        stage.camera.become(playback=playback)
        stage.qtbot.waitUntil(lambda: button.accessibleName() == "Pause")
        assert (pixels(button) == playing).all()


def test_a_seek_that_takes_long_is_shown_until_it_is_there(stage: Stage) -> None:
    play(stage)
    bar = seek_bar(stage)
    calm = pixels(bar)
    stage.camera.become(playback=replace(FILE, seeking=True))
    stage.qtbot.waitUntil(lambda: bar.accessibleDescription() == "Seeking")
    assert (pixels(bar) != calm).any()
    stage.camera.become(playback=FILE)
    stage.qtbot.waitUntil(lambda: bar.accessibleDescription() == "")
    assert (pixels(bar) == calm).all()


def test_a_lost_source_is_not_called_live(stage: Stage) -> None:
    play(stage, PlaybackStatus(live=True))
    assert "● Live" in stage.texts()
    stage.camera.become(state=CameraState.FAILED, error=SourceLostError("the camera has gone"))
    stage.wait_for(CameraState.FAILED)
    assert "● Live" not in stage.texts()
