"""What is seen, saved and copied has the effects on; before and after are compared; overlays make room for effects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from PyQt5.QtCore import QEvent, QPoint, QPointF, Qt
from PyQt5.QtGui import QKeyEvent, QMouseEvent
from PyQt5.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from streamer.config import Config
from streamer.effects.memory import Moment
from streamer.effects.shown import Shown
from streamer.pipeline.status import CameraState
from streamer.settings import with_values
from streamer.types import Face, FloatArray, FrameResult, Image
from tests.ui.fakes import make_face, make_result, near, pixels
from tests.ui.stage import Stage, settle
from ui import theme
from ui.faces.row import FaceRow
from ui.stage.overlays import Overlays
from ui.stage.painting import stage_times

FRAME, DRESSED, COVERED = (200, 60, 60), (60, 60, 200), (60, 160, 60)
"""RGB of a frame, of its picture with effects, and of the one in which faces are only hidden."""

CLEAN = Overlays(**dict.fromkeys(Overlays.__dataclass_fields__, False))


class Paint:
    """Effects that leave one colour of the whole picture."""

    failed = False

    def __init__(self, rgb: tuple[int, int, int] = DRESSED, *, covers: bool = False) -> None:
        self.rgb, self.covers = rgb, covers

    def covering(self) -> Paint:
        return Paint(COVERED, covers=True)

    def apply(self, bgr: Image, faces: Sequence[Face], hidden: FloatArray, moment: Moment | None) -> Image:
        return np.full_like(bgr, self.rgb[::-1])


def dressed(paint: Paint, index: int = 0) -> FrameResult:
    result = make_result(FRAME[::-1], faces=(make_face(),), index=index)
    return replace(result, shown=Shown(paint, result.frame.image, result.faces, result.hidden))  # type: ignore[arg-type]


def show(stage: Stage, paint: Paint | None = None) -> None:
    """Show a frame with effects and nothing over it."""
    stage.window.commands["clean.picture"].setChecked(True)
    stage.start()
    stage.camera.show(dressed(paint or Paint()))
    stage.wait_for(CameraState.RUNNING)
    settle(stage.qtbot, stage.view)


def seen(stage: Stage) -> np.ndarray:
    settle(stage.qtbot, stage.view)
    return pixels(stage.view)


def picture(stage: Stage) -> np.ndarray:
    """The stage without its margins, and without the line and its words."""
    image = seen(stage)
    top = (image.shape[0] - image.shape[1] * 360 // 640) // 2
    return image[top + 20 : image.shape[0] // 2 - 40]


def shares(stage: Stage) -> tuple[float, float]:
    """How much of the picture is as it was, and how much has effects; what is before is all on the left."""
    image = picture(stage)
    before, after = near(image, FRAME), near(image, DRESSED)
    if before.any() and after.any():
        assert np.argwhere(before)[:, 1].max() < np.argwhere(after)[:, 1].min()
    return float(before.mean()), float(after.mean())


# ---- everywhere the picture with effects ---------------------------------------------------------------------------


def test_the_stage_shows_the_picture_with_effects(stage: Stage) -> None:
    show(stage)
    assert shares(stage) == (0, 1)


def test_the_grey_last_frame_hides_who_was_hidden(stage: Stage) -> None:
    show(stage, Paint((0, 0, 0), covers=True))
    stage.camera.become(state=CameraState.ENDED)
    stage.wait_for(CameraState.ENDED)
    assert picture(stage).max() < 10  # the frame itself is bright


def saved(stage: Stage, modifier: Qt.KeyboardModifier) -> np.ndarray:
    """A snapshot, RGB."""
    stage.press(Qt.Key_S, modifier)
    stage.qtbot.waitUntil(lambda: any("Snapshot saved" in text for text in stage.texts()))
    (path,) = (Path.home() / "Pictures" / "facestream").iterdir()
    return cv2.imread(str(path))[..., ::-1]


@pytest.mark.parametrize("modifier", [Qt.NoModifier, Qt.ShiftModifier])
def test_a_snapshot_has_the_effects_on_and_never_the_line(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, modifier: Qt.KeyboardModifier
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    split(stage)
    picture = saved(stage, modifier)
    assert picture.shape == (360, 640, 3)
    assert near(picture, DRESSED).all()


def test_a_snapshot_of_the_screen_has_all_that_is_seen(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    split(stage)
    image = seen(stage)
    assert near(image, FRAME).any()
    assert np.abs(saved(stage, Qt.ControlModifier).astype(int) - image).max() == 0


def test_a_copy_has_the_effects_on(stage: Stage) -> None:
    show(stage)
    stage.press(Qt.Key_V, Qt.ShiftModifier)  # and never the line
    stage.press(Qt.Key_C, Qt.ControlModifier)
    stage.qtbot.waitUntil(lambda: any("clipboard (640 × 360)" in text for text in stage.texts()))
    assert near(pixels(QApplication.clipboard().image()), DRESSED).all()
    QApplication.clipboard().clear()


def crop(stage: Stage) -> np.ndarray:
    """The picture of the one row of the Faces page."""
    (row,) = stage.window.findChildren(FaceRow)
    return pixels(row)[12:100, 20:100]


def test_the_faces_page_waits_for_the_effects_and_never_shows_who_is_hidden(stage: Stage) -> None:
    stage.start()
    stage.window.commands["page.faces"].setChecked(True)
    stage.camera.show(dressed(Paint()))
    stage.qtbot.waitUntil(lambda: bool(stage.window.findChildren(FaceRow)))
    stage.qtbot.waitUntil(lambda: near(crop(stage), DRESSED).mean() > 0.5)
    stage.view._compositor.close()  # from now on nobody makes pictures
    hidden = dressed(Paint(COVERED, covers=True), index=1)
    stage.camera.show(hidden)
    stage.qtbot.waitUntil(lambda: stage.session.result is hidden)
    stage.qtbot.wait(250)  # two rounds of the page
    assert hidden.shown is not None
    assert hidden.shown.ready is None  # the page did not make it either
    assert not near(crop(stage), FRAME).any()
    assert not near(crop(stage), DRESSED).any()
    assert hidden.picture is hidden.shown.ready
    stage.qtbot.waitUntil(lambda: near(crop(stage), COVERED).mean() > 0.5)


def test_the_time_of_the_effects_stands_with_the_stages() -> None:
    result = replace(dressed(Paint()), stages={"detect": 3.0})
    assert stage_times(result) == {"detect": 3.0}
    assert result.picture is not None
    assert list(stage_times(result)) == ["detect", "effects"]


# ---- before, while a key is held -----------------------------------------------------------------------------------


def test_holding_the_key_shows_the_picture_before(stage: Stage) -> None:
    show(stage)
    stage.qtbot.keyPress(stage.view, Qt.Key_V)
    assert shares(stage) == (1, 0)
    repeated = QKeyEvent(QEvent.KeyRelease, Qt.Key_V, Qt.NoModifier, "v", True)
    QApplication.sendEvent(stage.view, repeated)  # a key that is held down repeats
    assert shares(stage) == (1, 0)
    stage.qtbot.keyRelease(stage.view, Qt.Key_V)
    assert shares(stage) == (0, 1)


def test_a_key_that_is_let_go_elsewhere_is_let_go(stage: Stage) -> None:
    show(stage)
    stage.qtbot.keyPress(stage.view, Qt.Key_V)
    QApplication.sendEvent(stage.window, QEvent(QEvent.WindowDeactivate))
    assert shares(stage) == (0, 1)


def test_before_still_hides_faces(stage: Stage) -> None:
    show(stage, Paint(covers=True))
    stage.qtbot.keyPress(stage.view, Qt.Key_V)
    assert near(picture(stage), COVERED).all()
    stage.qtbot.keyRelease(stage.view, Qt.Key_V)


# ---- before and after, side by side --------------------------------------------------------------------------------


def split(stage: Stage) -> None:
    show(stage)
    stage.press(Qt.Key_V, Qt.ShiftModifier)


def move(stage: Stage, to: QPoint, button: Qt.MouseButton = Qt.NoButton) -> None:
    """Move the pointer over the stage."""
    event = QMouseEvent(QMouseEvent.MouseMove, QPointF(to), Qt.NoButton, button, Qt.NoModifier)
    QApplication.sendEvent(stage.view, event)  # qtbot.mouseMove has no button, and comes later


def drag(stage: Stage, start: QPoint, end: QPoint) -> None:
    stage.qtbot.mousePress(stage.view, Qt.LeftButton, pos=start)
    move(stage, end, Qt.LeftButton)
    stage.qtbot.mouseRelease(stage.view, Qt.LeftButton, pos=end)


def line(stage: Stage) -> QPoint:
    """Where the handle is."""
    share = stage.view.compare.split
    assert share is not None
    return QPoint(round(share * stage.view.width()), stage.view.height() // 2)


def test_a_line_parts_before_from_after(stage: Stage) -> None:
    split(stage)
    assert shares(stage) == pytest.approx((0.5, 0.5), abs=0.01)
    stage.press(Qt.Key_V, Qt.ShiftModifier)
    assert shares(stage) == (0, 1)


def test_the_line_is_dragged_and_stays_where_it_was_let_go(stage: Stage) -> None:
    split(stage)
    chosen: list[object] = []
    stage.view.face_clicked.connect(chosen.append)
    target = QPoint(stage.view.width() // 4, line(stage).y())
    move(stage, line(stage))
    assert stage.view.cursor().shape() == Qt.SplitHCursor
    drag(stage, line(stage), target)
    assert shares(stage) == pytest.approx((0.25, 0.75), abs=0.01)
    assert not chosen
    stage.press(Qt.Key_V, Qt.ShiftModifier)
    stage.press(Qt.Key_V, Qt.ShiftModifier)
    assert shares(stage) == pytest.approx((0.25, 0.75), abs=0.01)
    stage.qtbot.mouseDClick(stage.view, Qt.LeftButton, pos=line(stage))
    assert shares(stage) == pytest.approx((0.5, 0.5), abs=0.01)
    assert not stage.window.isFullScreen()


def test_the_line_goes_by_keys_to_both_ends(stage: Stage) -> None:
    assert not stage.window.commands["split.left"].isEnabled()
    split(stage)
    stage.press(Qt.Key_Right, Qt.ShiftModifier)
    assert shares(stage)[0] == pytest.approx(0.52, abs=0.01)
    for _ in range(40):
        stage.press(Qt.Key_Left, Qt.ShiftModifier)
    assert shares(stage)[1] == pytest.approx(1, abs=0.01)


def test_before_stays_on_the_left_in_a_mirror_and_under_zoom_and_pan(stage: Stage) -> None:
    split(stage)
    stage.press(Qt.Key_M)
    assert shares(stage) == pytest.approx((0.5, 0.5), abs=0.01)
    for _ in range(4):
        stage.press(Qt.Key_Plus, Qt.ControlModifier)
    drag(stage, QPoint(60, 60), QPoint(300, 200))
    assert shares(stage) == pytest.approx((0.5, 0.5), abs=0.01)  # the line stays in sight


def test_each_side_is_named_where_there_is_room(stage: Stage) -> None:
    split(stage)
    bottom = seen(stage)[-140:].astype(int)
    plate = (bottom.max(axis=2) < 100) & (bottom.sum(axis=2) > 60)  # dark, but not the stage's margin
    middle = plate.shape[1] // 2
    assert plate[:, middle - 80 : middle - 5].any()
    assert plate[:, middle + 5 : middle + 80].any()


def test_without_effects_there_is_no_line(stage: Stage) -> None:
    split(stage)
    before = shares(stage)
    stage.camera.show(make_result(FRAME[::-1], index=1))
    stage.qtbot.waitUntil(lambda: shares(stage) == (1, 0))
    assert before != shares(stage)


# ---- the clean picture ---------------------------------------------------------------------------------------------


def look(stage: Stage, text: str) -> None:
    stage.session.configure(with_values(stage.session.config, {"effects.look": text}))


def test_a_key_hides_all_overlays_and_is_remembered(stage: Stage, qtbot: QtBot, tmp_path: Path) -> None:
    before = stage.view.overlays
    stage.press(Qt.Key_H)
    assert stage.view.overlays == CLEAN
    stage.close()
    again = Stage(qtbot, tmp_path / "window.ini")
    assert again.view.overlays == CLEAN
    again.press(Qt.Key_H)
    assert again.view.overlays == before
    again.close()


@pytest.mark.parametrize(("key", "name"), [(Qt.Key_B, "box"), (Qt.Key_T, "trail")])
def test_the_key_of_an_overlay_brings_it_back_with_the_others(stage: Stage, key: Qt.Key, name: str) -> None:
    before = stage.view.overlays
    stage.press(Qt.Key_H)
    stage.press(key)
    assert stage.view.overlays == replace(before, **{name: True})
    assert not stage.window.commands["clean.picture"].isChecked()


def test_the_first_effect_clears_the_picture_and_the_last_one_gives_it_back(
    stage: Stage, qtbot: QtBot, tmp_path: Path
) -> None:
    before = stage.view.overlays
    look(stage, "tone")
    assert stage.view.overlays == CLEAN
    stage.close()
    again = Stage(qtbot, tmp_path / "window.ini")  # nobody wished for it, so it is not remembered
    assert again.view.overlays == before
    look(again, "tone")
    look(again, "tone=0")
    assert again.view.overlays == before
    again.close()


def test_overlays_the_user_has_asked_for_stay(stage: Stage) -> None:
    before = stage.view.overlays
    look(stage, "tone")
    stage.press(Qt.Key_H)
    look(stage, "")
    look(stage, "tone")
    assert stage.view.overlays == before


def test_a_session_that_starts_with_effects_starts_clean(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.ui.stage.Config", lambda: with_values(Config(), {"effects.look": "tone"}))
    stage = Stage(qtbot, tmp_path / "window.ini")
    assert stage.view.overlays == CLEAN
    stage.close()


# ---- faces that are to be hidden from now on -----------------------------------------------------------------------


def cover(stage: Stage) -> None:
    stage.session.configure(with_values(stage.session.config, {"effects.look": "pixelate"}))


def test_a_last_frame_is_taken_away_when_faces_are_to_be_hidden(stage: Stage) -> None:
    stage.run()
    stage.window.commands["page.faces"].setChecked(True)
    stage.session.stop()
    assert stage.look().any()
    cover(stage)
    assert stage.view.scene() is None
    assert not stage.window.commands["capture.snapshot"].isEnabled()
    assert all(row.blank for row in stage.window.findChildren(FaceRow))
    assert near(pixels(stage.view)[5:60], theme.DARK.stage.getRgb()[:3], 0).all()
    stage.window.commands["page.view"].setChecked(True)
    stage.window.commands["page.faces"].setChecked(True)
    assert all(row.blank for row in stage.window.findChildren(FaceRow))


def test_a_source_that_stops_just_then_leaves_no_uncovered_frame(stage: Stage) -> None:
    stage.run()
    cover(stage)
    stage.session.stop()
    assert stage.view.scene() is None


def test_a_last_frame_that_is_covered_stays(stage: Stage) -> None:
    show(stage, Paint(COVERED, covers=True))
    stage.session.stop()
    cover(stage)
    assert stage.view.scene() is not None


def test_what_a_running_source_showed_before_is_taken_away_until_faces_are_hidden(stage: Stage) -> None:
    stage.run()
    cover(stage)
    assert stage.view.scene() is None
    stage.camera.show(dressed(Paint(DRESSED)))  # analysed before the camera heard of the covers
    stage.qtbot.wait(100)
    assert stage.view.scene() is None
    stage.camera.show(dressed(Paint(COVERED, covers=True)))
    stage.qtbot.waitUntil(lambda: stage.view.scene() is not None)
