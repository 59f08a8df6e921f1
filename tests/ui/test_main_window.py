"""The window: what it says in each state, and that its controls command the session."""

from itertools import combinations

import pytest
from PyQt5.QtCore import QPoint, QRect, Qt
from PyQt5.QtWidgets import QAbstractButton, QLabel, QLineEdit, QToolButton, QWidget

from streamer.errors import OutputError, SourceAuthError, SourceRefusedError
from streamer.pipeline.status import CameraState
from tests.ui.fakes import make_result, near
from tests.ui.stage import Stage
from ui import theme
from ui.receipt import Receipt
from ui.status_bar import describe_drops


def test_it_says_what_it_is_waiting_for(stage: Stage) -> None:
    stage.start()
    stage.qtbot.waitUntil(lambda: "Connecting to fake…" in stage.texts())
    assert "Cancel" in stage.texts()


def test_cancel_ends_the_waiting(stage: Stage) -> None:
    stage.start()
    stage.click("Cancel")
    assert stage.session.status.state is CameraState.CLOSED
    assert {"Stopped", "Start"} <= set(stage.texts())


def test_a_running_picture_is_covered_by_nothing(stage: Stage) -> None:
    stage.run()
    assert not stage.child("notice").isVisible()
    assert "640 × 360" in stage.texts()
    assert near(stage.look(), theme.track_color(1).getRgb()[:3]).any()
    assert stage.window.windowTitle() == "fake – facestream"


def test_a_first_frame_is_shown_at_once_while_models_load(stage: Stage) -> None:
    stage.start()
    stage.camera.viewer.put(make_result((10, 20, 200)))
    stage.camera.become(activity="loading models")
    stage.qtbot.waitUntil(lambda: "Loading models…" in stage.texts())
    assert near(stage.look(), (200, 20, 10), 3).any()


def test_the_last_frame_is_kept_grey_when_the_source_is_lost(stage: Stage) -> None:
    stage.start()
    stage.camera.show(make_result((10, 20, 200)))
    stage.wait_for(CameraState.RUNNING)
    assert near(stage.look(), (200, 20, 10), 3).any()
    stage.camera.become(state=CameraState.FAILED, error=SourceRefusedError("the camera was unplugged"))
    stage.wait_for(CameraState.FAILED)
    picture = stage.look()[stage.view.mapTo(stage.window, stage.view.rect().topLeft()).y() + 90, 20]
    assert len(set(picture.tolist())) == 1
    assert not near(stage.look(), (200, 20, 10), 3).any()


def test_figures_are_shown(stage: Stage) -> None:
    stage.run()
    stage.camera.become(source_fps=29.97, analysed_fps=28.5, latency_ms=(7.6, 12.3), drops={"analysis too slow": 4})
    stage.qtbot.waitUntil(lambda: "4 analysis too slow" in stage.texts())
    assert {"30.0 fps", "28.5 fps", "8 / 12 ms"} <= set(stage.texts())


def test_a_failure_is_a_sentence_with_retry(stage: Stage) -> None:
    stage.start()
    stage.camera.become(state=CameraState.FAILED, error=SourceRefusedError("host example refuses; is it switched on?"))
    stage.qtbot.waitUntil(lambda: "Host example refuses; is it switched on?" in stage.texts())
    stage.click("Retry")
    stage.qtbot.waitUntil(lambda: len(stage.cameras) == 2 and stage.camera.started == 1)


def test_another_source_can_be_entered(stage: Stage) -> None:
    stage.start()
    stage.camera.become(state=CameraState.FAILED, error=SourceRefusedError("no"))
    stage.wait_for(CameraState.FAILED)
    stage.click("Edit…")
    field = stage.child("notice").findChild(QLineEdit)
    assert field is not None
    field.clear()
    stage.qtbot.keyClicks(field, "blp 2.mp4")  # keys that are shortcuts elsewhere
    stage.qtbot.keyClick(field, Qt.Key_Return)
    stage.qtbot.waitUntil(lambda: len(stage.cameras) == 2)
    assert stage.camera.status().source == "blp 2.mp4"


def test_the_end_of_a_video_offers_to_play_it_again(stage: Stage) -> None:
    stage.run()
    stage.camera.become(state=CameraState.ENDED, frames=90)
    stage.wait_for(CameraState.ENDED)
    stage.click("Play again")
    stage.qtbot.waitUntil(lambda: len(stage.cameras) == 2)


def test_a_key_stops_and_starts(stage: Stage) -> None:
    stage.run()
    stage.qtbot.keyClick(stage.window, Qt.Key_Return, Qt.ControlModifier)
    assert stage.session.status.state is CameraState.CLOSED
    assert stage.child("notice").isVisible()


def test_space_presses_the_button_that_has_the_keyboard(stage: Stage) -> None:
    stage.run()
    button = next(b for b in stage.window.findChildren(QToolButton) if b.text() == "Box and id")
    button.setFocus()
    stage.qtbot.keyClick(button, Qt.Key_Space)
    assert not button.isChecked()
    assert not stage.view.overlays.box
    assert stage.session.status.state is CameraState.RUNNING


def test_a_sink_that_failed_is_told_over_a_running_picture_until_it_is_read(stage: Stage) -> None:
    stage.run()
    told = "Cannot write out.mp4: the disk is full"
    failure = OutputError("cannot write out.mp4: the disk is full")
    stage.camera.become(warnings=(failure,))
    stage.qtbot.waitUntil(lambda: told in stage.texts())
    assert stage.session.status.state is CameraState.RUNNING
    stage.click("Dismiss")
    assert told not in stage.texts()
    stage.camera.become(warnings=())
    stage.qtbot.waitUntil(lambda: stage.session.status.warnings == ())
    stage.camera.become(warnings=(failure,))  # the next one that fails in the same way
    stage.qtbot.waitUntil(lambda: told in stage.texts())


def test_what_is_told_moves_no_picture(stage: Stage) -> None:
    def place(widget: QWidget) -> QRect:
        return QRect(widget.mapTo(stage.window, QPoint()), widget.size())

    stage.run()
    stage.look()
    picture, banner, receipt = place(stage.view), stage.child("banner"), stage.window.findChild(Receipt)
    stage.press(Qt.Key_C, Qt.ControlModifier)
    stage.qtbot.waitUntil(receipt.isVisible)
    assert picture.contains(place(receipt))
    stage.window.tell("one thing is wrong")
    stage.window.tell("and another: " + "long " * 100)
    assert any(text.startswith("One thing is wrong\nAnd another") for text in stage.texts())
    stage.qtbot.waitUntil(lambda: place(receipt).top() == place(banner).bottom() + 1 > picture.top() + 60)
    assert place(stage.view) == picture
    stage.window.resize(900, 600)
    stage.qtbot.waitUntil(lambda: banner.width() == stage.view.width() < picture.width())


def test_a_source_name_is_never_taken_for_markup(stage: Stage) -> None:
    stage.start()
    stage.camera.become(source="<b>clip</b>.mp4", activity="opening <b>clip</b>.mp4")
    stage.qtbot.waitUntil(lambda: "Opening <b>clip</b>.mp4…" in stage.texts())
    labels = [label for label in stage.window.findChildren(QLabel) if "<b>clip" in label.text()]
    assert labels
    assert all(label.textFormat() == Qt.PlainText for label in labels)


@pytest.mark.parametrize(("width", "height"), [(1024, 640), (1280, 720), (760, 420)])
def test_nothing_is_cut_off_or_overlaps(stage: Stage, width: int, height: int) -> None:
    stage.window.resize(width, height)
    stage.run()
    stage.camera.become(source="a very long name of a clip " * 20 + ".mp4", drops={"analysis too slow": 12345})
    stage.qtbot.waitUntil(lambda: any(t.startswith("a very long") for t in stage.texts()))
    stage.qtbot.waitUntil(lambda: stage.window.width() == width)
    bar = stage.child("statusBar")
    labels = [label for label in bar.findChildren(QLabel) if label.isVisible()]
    places = [QRect(label.mapTo(bar, QPoint()), label.size()) for label in labels]
    assert all(bar.rect().contains(place) for place in places)
    assert not any(one.intersects(other) for one, other in combinations(places, 2))
    header = [w for w in stage.child("header").findChildren(QWidget) if w.isVisible()]
    assert max(w.geometry().right() for w in header) < width


@pytest.mark.parametrize("width", [760, 1280])
def test_the_card_lies_within_the_stage(stage: Stage, width: int) -> None:
    stage.window.resize(width, 420)
    stage.start()
    stage.camera.become(state=CameraState.FAILED, error=SourceRefusedError("no " * 60))
    stage.wait_for(CameraState.FAILED)
    stage.qtbot.waitUntil(lambda: stage.window.width() == width)
    stage.click("Edit…")
    assert stage.view.rect().contains(stage.child("notice").geometry())


def test_controls_have_names_for_screen_readers(stage: Stage) -> None:
    for button in (b for b in stage.window.findChildren(QAbstractButton) if b.isVisible()):
        assert button.text() or button.accessibleName() or button.objectName() == "primary"
    assert stage.child("statusBar").findChild(QLabel).accessibleName() == "State"


def test_drops_are_told_by_cause() -> None:
    assert describe_drops({}) == "0"
    assert describe_drops({"analysis too slow": 3, "corrupt data": 1}) == "3 analysis too slow, 1 corrupt data"


def test_return_presses_the_button_that_has_the_keyboard(stage: Stage) -> None:
    stage.start()
    stage.camera.become(state=CameraState.FAILED, error=SourceRefusedError("no"))
    stage.wait_for(CameraState.FAILED)
    stage.press(Qt.Key_Return)
    stage.qtbot.waitUntil(lambda: len(stage.cameras) == 2 and stage.camera.started == 1)


def test_what_is_being_edited_cannot_be_retried_as_it_was(stage: Stage) -> None:
    stage.start()
    stage.camera.become(state=CameraState.FAILED, error=SourceAuthError("wrong password"))
    stage.wait_for(CameraState.FAILED)
    assert "Open" in stage.texts()
    assert "Retry" not in stage.texts()


def test_a_frame_that_comes_after_the_news_of_the_loss_is_grey_too(stage: Stage) -> None:
    stage.run()
    stage.camera.become(state=CameraState.FAILED, error=SourceRefusedError("gone"))
    stage.wait_for(CameraState.FAILED)
    with stage.qtbot.waitSignal(stage.session.frame_ready):
        stage.camera.viewer.put(make_result((200, 120, 40)))
        stage.camera.become(frames=2)
    image = stage.look()[:, : stage.view.width()]
    assert not near(image, (40, 120, 200)).any()
