"""Snapshots, the clipboard and recordings: what is saved is what was seen, and the window says where."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from PyQt5.QtCore import QObject, Qt, QUrl, pyqtSlot
from PyQt5.QtGui import QDesktopServices
from PyQt5.QtWidgets import QApplication

from streamer.errors import OutputError, SourceLostError
from streamer.pipeline.status import CameraState, RecordingStatus
from tests.disk import disk_full_after
from tests.ui.fakes import make_face, make_result, near, pixels
from tests.ui.stage import Stage
from ui import theme
from ui.recording_light import RecordingLight

BGR = (40, 90, 200)
BOX = theme.track_color(1).getRgb()[:3]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's folders."""
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def show(stage: Stage) -> None:
    stage.start()
    stage.camera.show(make_result(BGR, faces=(make_face(),)))
    stage.wait_for(CameraState.RUNNING)
    stage.look()


def saved(stage: Stage, home: Path) -> np.ndarray:
    """The one snapshot that is on the disk, RGB, once the window has told of it."""
    stage.qtbot.waitUntil(lambda: any("Snapshot saved" in text for text in stage.texts()))
    (path,) = (home / "Pictures" / "facestream").iterdir()
    assert any(str(path) in text for text in stage.texts())
    return cv2.imread(str(path))[..., ::-1]


def test_a_snapshot_is_the_whole_frame_with_the_overlays_that_are_on(stage: Stage, home: Path) -> None:
    show(stage)
    stage.press(Qt.Key_Plus, Qt.ControlModifier)  # the zoom of the stage changes nothing in it
    stage.press(Qt.Key_M)
    stage.press(Qt.Key_S)
    picture = saved(stage, home)
    assert picture.shape == (360, 640, 3)
    assert near(picture, BGR[::-1]).mean() > 0.8
    assert near(picture, BOX).any()


def test_overlays_that_are_off_are_not_in_it(stage: Stage, home: Path) -> None:
    show(stage)
    for name in ("box", "points", "axes", "angles"):
        stage.window.commands[f"overlay.{name}"].setChecked(False)
    stage.press(Qt.Key_S)
    assert (saved(stage, home) == BGR[::-1]).all()


def test_a_snapshot_without_overlays_is_the_frame_as_it_came(stage: Stage, home: Path) -> None:
    show(stage)
    stage.press(Qt.Key_S, Qt.ShiftModifier)
    assert (saved(stage, home) == BGR[::-1]).all()


def test_a_snapshot_of_the_screen_is_the_stage_just_as_it_is_seen(stage: Stage, home: Path) -> None:
    show(stage)
    stage.press(Qt.Key_Plus, Qt.ControlModifier)
    stage.look()
    seen = pixels(stage.view)
    stage.press(Qt.Key_S, Qt.ControlModifier)
    picture = saved(stage, home)
    assert picture.shape == seen.shape
    assert np.abs(picture.astype(int) - seen).max() == 0


def test_a_frame_can_be_copied(stage: Stage) -> None:
    show(stage)
    stage.press(Qt.Key_C, Qt.ControlModifier)
    stage.qtbot.waitUntil(lambda: any("clipboard (640 × 360)" in text for text in stage.texts()))
    copied = pixels(QApplication.clipboard().image())
    assert copied.shape == (360, 640, 3)
    assert near(copied, BOX).any()
    QApplication.clipboard().clear()


def test_without_a_picture_there_is_nothing_to_save(stage: Stage) -> None:
    for name in ("snapshot", "plain", "shown", "copy", "record"):
        assert not stage.window.commands[f"capture.{name}"].isEnabled()


def test_a_full_disk_is_a_sentence_and_the_picture_goes_on(stage: Stage, home: Path) -> None:
    show(stage)
    with disk_full_after(100):
        stage.press(Qt.Key_S)
        stage.qtbot.waitUntil(lambda: any("Cannot write" in text for text in stage.texts()))
    assert list((home / "Pictures" / "facestream").iterdir()) == []
    assert stage.session.status.state is CameraState.RUNNING


class Opener(QObject):
    """Stands for the desktop's file manager."""

    def __init__(self) -> None:
        super().__init__()
        self.opened: list[str] = []

    @pyqtSlot(QUrl)
    def open(self, url: QUrl) -> None:
        self.opened.append(url.toLocalFile())


@pytest.fixture
def opener() -> Iterator[Opener]:
    opener = Opener()
    QDesktopServices.setUrlHandler("file", opener, "open")
    yield opener
    QDesktopServices.unsetUrlHandler("file")


def test_a_click_opens_the_folder_and_another_puts_the_line_away(stage: Stage, home: Path, opener: Opener) -> None:
    show(stage)
    stage.press(Qt.Key_S)
    saved(stage, home)
    stage.click("Open folder")
    assert opener.opened == [str(home / "Pictures" / "facestream")]
    stage.click("Dismiss")
    assert not any("Snapshot saved" in text for text in stage.texts())


def record(stage: Stage) -> Path:
    stage.press(Qt.Key_R, Qt.ControlModifier)
    stage.qtbot.waitUntil(lambda: stage.session.status.recording is not None)
    return stage.session.status.recording.path


def test_a_recording_shows_that_it_runs_and_where_it_went(stage: Stage, home: Path) -> None:
    show(stage)
    path = record(stage)
    assert path.parent == home / "Videos" / "facestream"
    switch = stage.window.commands["capture.record"]
    stage.camera.become(recording=RecordingStatus(path, 75.4, 1885, False))
    stage.qtbot.waitUntil(lambda: any("●" in text and "REC 1:15" in text for text in stage.texts()))
    assert switch.isChecked()
    stage.press(Qt.Key_R, Qt.ControlModifier)
    stage.qtbot.waitUntil(lambda: f"Recording saved: {path}" in stage.texts())
    assert [name for name, _ in stage.camera.commands] == ["record", "stop recording"]
    assert not switch.isChecked()
    assert not any("REC" in text for text in stage.texts())


def test_a_recording_is_still_seen_in_full_screen(stage: Stage) -> None:
    show(stage)
    record(stage)
    stage.press(Qt.Key_F)
    stage.qtbot.waitUntil(stage.window.isFullScreen)
    assert [text for text in stage.texts() if "REC" in text]
    stage.window.tell("something is wrong")
    light, banner = stage.view.findChild(RecordingLight), stage.child("banner")
    stage.qtbot.waitUntil(
        lambda: banner.isVisible() and light.y() > banner.mapTo(stage.view, banner.rect().center()).y()
    )
    stage.press(Qt.Key_Escape)
    stage.qtbot.waitUntil(lambda: not stage.window.isFullScreen())
    assert len([text for text in stage.texts() if "REC" in text]) == 1


def test_stopping_the_source_tells_of_its_recording(stage: Stage) -> None:
    show(stage)
    path = record(stage)
    stage.session.stop()
    stage.qtbot.waitUntil(lambda: f"Recording saved: {path}" in stage.texts())
    assert not stage.window.commands["capture.record"].isChecked()


def test_a_recording_that_failed_says_why_even_after_the_end(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    show(stage)
    path = record(stage)
    monkeypatch.setattr(stage.camera, "written", lambda: [])
    stage.camera.become(recording=None, warnings=(OutputError(f"cannot write {path}: the disk is full"),))
    stage.qtbot.waitUntil(lambda: any("the disk is full" in text for text in stage.texts()))
    stage.session.stop()
    assert any("the disk is full" in text for text in stage.texts())
    assert not any("Recording saved" in text for text in stage.texts())


def test_a_lost_source_ends_its_recording_and_tells_of_it(stage: Stage) -> None:
    show(stage)
    path = record(stage)
    stage.camera.become(state=CameraState.FAILED, error=SourceLostError("the camera has gone"))
    stage.wait_for(CameraState.FAILED)
    stage.camera.become(recording=None)  # the file is finished behind, as on a slow disk
    stage.qtbot.waitUntil(lambda: f"Recording saved: {path}" in stage.texts())
    assert not any("REC" in text for text in stage.texts())
    assert not stage.window.commands["capture.record"].isChecked()
    stage.qtbot.waitUntil(lambda: stage.camera.closed == 1)


def test_a_failed_recording_is_told_once(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    show(stage)
    path = record(stage)
    monkeypatch.setattr(stage.camera, "written", lambda: [])
    stage.camera.become(recording=None, warnings=(OutputError(f"cannot write {path}: the disk is full"),))
    stage.qtbot.waitUntil(lambda: any("the disk is full" in text for text in stage.texts()))
    assert sum(text.count("the disk is full") for text in stage.texts()) == 1
