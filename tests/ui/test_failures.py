"""Failures: what happened, the next step, details on demand; on real RTSP servers that refuse, hang and die."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import cast

import av
import numpy as np
import pytest
from PyQt5.QtCore import Qt, QTimer
from PyQt5.QtWidgets import QApplication, QLineEdit, QMenu, QPlainTextEdit
from pytestqt.qtbot import QtBot

from streamer import errors
from streamer.config import Config
from streamer.pipeline.camera import Camera
from streamer.pipeline.status import CameraState, PlaybackStatus
from streamer.settings import with_values
from tests.servers import refusing_port, rtsp_server, silent_server
from tests.ui.fakes import make_result
from tests.ui.stage import Stage
from ui import messages
from ui.session import Run
from ui.source_editor import corrected

SECRET = "s3/cr@t"
PATIENCE = 30_000  # ms; a hang guard for a crowded machine


def fail(stage: Stage, error: errors.FacestreamError) -> None:
    stage.start()
    stage.camera.become(state=CameraState.FAILED, error=error)
    stage.wait_for(CameraState.FAILED)


def field(stage: Stage, name: str) -> QLineEdit:
    fields = stage.child("notice").findChildren(QLineEdit)
    return next(field for field in fields if field.accessibleName() == name)


def fill(stage: Stage, **values: str) -> None:
    for name, value in values.items():
        line = field(stage, name.replace("_", " ").capitalize())
        line.clear()
        stage.qtbot.keyClicks(line, value)
    stage.click("Open")


# ---- what the card says ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "title"),
    [
        (errors.SourceNotFoundError, "Not found"),
        (errors.SourceRefusedError, "Connection refused"),
        (errors.SourceTimeoutError, "No answer"),
        (errors.SourceLostError, "Connection lost"),
        (errors.UndecodableError, "No video that can be read"),
        (errors.WebcamBusyError, "The webcam is in use"),
        (errors.WeightsError, "A network cannot be loaded"),
    ],
)
def test_a_failure_has_a_name_a_sentence_and_next_steps(
    stage: Stage, kind: type[errors.FacestreamError], title: str
) -> None:
    fail(stage, kind("the camera did not want to; do this"))
    assert {title, "The camera did not want to; do this", "Retry", "Edit…", "Choose another…", "Details"} <= set(
        stage.texts()
    )
    assert stage.window.focusWidget() is stage.button("Retry")


def test_every_error_of_the_engine_has_a_name() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and kind.__module__ == errors.__name__]
    known = tuple(kind for kind, _ in messages._TITLES)
    unknown = {kind.__name__ for kind in kinds if not issubclass(kind, known)}
    assert unknown == {"FacestreamError", "ImageError", "DisplayError"}  # neither of the last two ends a source


def test_a_picture_that_stopped_is_told_apart_from_no_answer(stage: Stage) -> None:
    stage.run()
    stage.camera.become(state=CameraState.FAILED, error=errors.SourceTimeoutError("silent for 5 s"))
    stage.qtbot.waitUntil(lambda: "The picture has stopped" in stage.texts())


def test_details_are_there_on_demand_and_can_be_copied(stage: Stage) -> None:
    stage.session.start("rtsp://me:s3cret@cam/live")
    stage.qtbot.waitUntil(lambda: bool(stage.cameras) and stage.camera.started == 1)
    cause = OSError("errno 5 at rtsp://me:s3cret@cam/live")
    error = errors.SourceLostError("the camera broke off")
    error.__cause__ = cause
    stage.camera.become(state=CameraState.FAILED, error=error, source="rtsp://cam/live")
    stage.wait_for(CameraState.FAILED)
    assert "Copy details" not in stage.texts()
    stage.click("Details")
    stage.click("Copy details")
    clipboard = QApplication.clipboard()
    assert clipboard is not None
    assert "OSError: errno 5 at rtsp://cam/live" in clipboard.text()
    view = stage.child("notice").findChild(QPlainTextEdit)
    assert view is not None
    assert "s3cret" not in view.toPlainText() + clipboard.text() + "".join(stage.texts())
    assert stage.view.rect().contains(stage.child("notice").geometry())


def test_a_card_stays_in_the_stage_however_long_a_word_it_holds(stage: Stage) -> None:
    stage.window.resize(1024, 640)
    text = f"cannot open /clips/{300 * 'x'}.mp4: no such file"
    fail(stage, errors.SourceNotFoundError(text))
    assert stage.view.rect().contains(stage.child("notice").geometry())
    assert any(text[1:] in shown for shown in stage.texts())


def test_another_source_is_chosen_from_the_menu(stage: Stage) -> None:
    fail(stage, errors.SourceRefusedError("no"))
    chosen: list[bool] = []

    def choose_demo() -> None:
        menu = QApplication.activePopupWidget()
        assert isinstance(menu, QMenu)
        chosen.append(True)
        next(action for action in menu.actions() if action.text() == "Demo").trigger()
        menu.close()

    QTimer.singleShot(300, choose_demo)
    stage.click("Choose another…")  # opens the menu, and comes back when it is closed
    stage.qtbot.waitUntil(lambda: len(stage.cameras) == 2)
    assert chosen
    assert stage.camera.status().source == "demo"


def test_what_was_shown_before_is_a_click_away(stage: Stage) -> None:
    stage.run()
    stage.session.start("/tmp/letter.txt")
    stage.qtbot.waitUntil(lambda: len(stage.cameras) == 2 and stage.camera.started == 1)
    stage.camera.become(state=CameraState.FAILED, error=errors.UndecodableError("letter.txt is no video"))
    stage.wait_for(CameraState.FAILED)
    stage.click("Back to fake")
    stage.qtbot.waitUntil(lambda: len(stage.cameras) == 3 and stage.camera.started == 1)
    assert stage.camera.status().source == "fake"
    stage.camera.show(make_result())
    stage.wait_for(CameraState.RUNNING)
    stage.camera.become(state=CameraState.FAILED, error=errors.SourceLostError("gone"))
    stage.wait_for(CameraState.FAILED)
    assert not any(text.startswith("Back to") for text in stage.texts())  # that is what Retry does


def test_waiting_tells_how_long_and_how_to_end_it() -> None:
    assert messages.waiting(0.5) == ""
    assert "4 s" in messages.waiting(4.2)
    assert "Cancel" in messages.waiting(4.2)


def test_a_live_picture_that_stands_still_is_told(stage: Stage) -> None:
    stage.run()
    status = stage.session.status
    stage.camera.become(playback=PlaybackStatus(live=True), source="cam")
    stage.qtbot.waitUntil(lambda: stage.session.status.playback.live is True)
    assert "3 s" in messages.silence(stage.session.status, 3.4)
    assert messages.silence(stage.session.status, 1.0) == ""
    assert messages.silence(status, 60.0) == ""  # a file may be paused
    stage.window._frame_at -= 3
    stage.qtbot.waitUntil(lambda: any("has sent no picture" in text for text in stage.texts()))
    stage.camera.show(make_result())
    stage.qtbot.waitUntil(lambda: not any("has sent no picture" in text for text in stage.texts()))


# ---- editing a source ------------------------------------------------------------------------------------------

OLD = "rtsp://me:pass%2Fword@cam/liv"


@pytest.mark.parametrize(
    ("text", "user", "password", "expected"),
    [
        ("rtsp://cam/liv", "", "", OLD),
        ("rtsp://cam/live", "", "", "rtsp://me:pass%2Fword@cam/live"),
        ("rtsp://cam/liv", "", "new", "rtsp://me:new@cam/liv"),
        ("rtsp://cam/liv", "you", "a@b/c", "rtsp://you:a%40b%2Fc@cam/liv"),
        ("rtsp://cam/liv", "you", "", "rtsp://you:@cam/liv"),  # another user's password is not ours to keep
        ("rtsp://elsewhere/liv", "", "", "rtsp://elsewhere/liv"),  # nor to be sent to another host
        ("rtsp://cam:8554/liv", "", "", "rtsp://cam:8554/liv"),
        ("rtsp://whole:typed@cam/x", "", "", "rtsp://whole:typed@cam/x"),
        ("clip.mp4", "", "", "clip.mp4"),
    ],
)
def test_a_corrected_address_keeps_what_was_not_corrected(text: str, user: str, password: str, expected: str) -> None:
    assert corrected(OLD, "rtsp://cam/liv", text, user, password) == expected


def test_a_wrong_password_asks_for_another_and_shows_neither(stage: Stage) -> None:
    stage.session.start("rtsp://me:wrong1@cam/live")
    stage.qtbot.waitUntil(lambda: bool(stage.cameras) and stage.camera.started == 1)
    refused = errors.SourceAuthError("cam refuses the password. Give another one on the command line.")
    stage.camera.become(state=CameraState.FAILED, error=refused, source="rtsp://cam/live")
    stage.wait_for(CameraState.FAILED)
    assert "Cam refuses the password. Enter the right ones here." in stage.texts()
    assert stage.window.focusWidget() is field(stage, "User name")
    assert field(stage, "Source").text() == "rtsp://cam/live"
    assert field(stage, "Password").echoMode() == QLineEdit.Password
    fill(stage, password="right2")
    stage.qtbot.waitUntil(lambda: len(stage.cameras) == 2)
    assert stage.camera.status().source == "rtsp://me:right2@cam/live"
    stage.camera.become(source="rtsp://cam/live")
    stage.click("Cancel")
    seen = stage.texts() + [line.text() for line in stage.window.findChildren(QLineEdit)]
    assert not any(secret in text for text in seen for secret in ("wrong1", "right2"))
    assert "right2" not in str(stage.settings.get("sources/recent", list[str]()))


def test_a_hidden_token_has_to_be_typed_again(stage: Stage) -> None:
    stage.session.start("http://cam/x?token=abc")
    stage.qtbot.waitUntil(lambda: bool(stage.cameras) and stage.camera.started == 1)
    stage.camera.become(state=CameraState.FAILED, error=errors.SourceNotFoundError("no such path"))
    stage.wait_for(CameraState.FAILED)
    stage.click("Edit…")
    assert "abc" not in field(stage, "Source").text()
    fill(stage, source="http://cam/y?token=***")
    assert any("Replace ***" in text for text in stage.texts())
    assert len(stage.cameras) == 1
    fill(stage, source="http://cam/y?token=abc")
    stage.qtbot.waitUntil(lambda: len(stage.cameras) == 2)


def test_a_file_has_no_login(stage: Stage) -> None:
    fail(stage, errors.SourceNotFoundError("no such file"))
    stage.click("Edit…")
    assert not field(stage, "Password").isVisible()
    assert stage.window.focusWidget() is field(stage, "Source")


# ---- real cameras ----------------------------------------------------------------------------------------------


class LiveStage(Stage):
    """A window that shows real sources."""

    def __init__(self, qtbot: QtBot, settings: Path) -> None:
        super().__init__(qtbot, settings)
        limits = {"source.connect_timeout": 3.0, "source.read_timeout": 3.0}
        self.session.configure(with_values(Config(), limits))

    def _prepare(self, source: str, config: Config) -> Run:
        camera = Camera(source, config, hold=True)
        self.cameras.append(camera)  # type: ignore[arg-type]
        return Run(camera, ExitStack())

    def open(self, source: str) -> None:
        self.session.start(source)

    def wait_for(self, state: CameraState) -> None:
        self.qtbot.waitUntil(lambda: self.session.status.state is state, timeout=PATIENCE)


@pytest.fixture
def live(qtbot: QtBot, tmp_path: Path) -> Iterator[LiveStage]:
    stage = LiveStage(qtbot, tmp_path / "window.ini")
    yield stage
    stage.close()


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory, astronaut: np.ndarray) -> Path:
    """Four seconds of H.264 in which a face moves."""
    path = tmp_path_factory.mktemp("clip") / "face.mp4"
    with av.open(str(path), "w") as container:
        stream = cast(av.VideoStream, container.add_stream("libx264", rate=25))
        stream.width, stream.height, stream.pix_fmt = 384, 288, "yuv420p"
        stream.options = {"g": "12", "tune": "zerolatency"}
        for number in range(100):
            image = np.ascontiguousarray(np.roll(astronaut, number, axis=1)[:288, 64:448])
            for packet in stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")):
                container.mux(packet)
        for packet in stream.encode(None):
            container.mux(packet)
    return path


def test_nobody_listens(live: LiveStage) -> None:
    live.open(f"rtsp://127.0.0.1:{refusing_port()}/live")
    live.wait_for(CameraState.FAILED)
    assert "Connection refused" in live.texts()
    assert live.window.focusWidget() is live.button("Retry")


def test_a_server_that_never_answers_can_be_left_at_once(live: LiveStage) -> None:
    with silent_server() as port:
        live.open(f"rtsp://127.0.0.1:{port}/live")
        live.qtbot.waitUntil(lambda: any("Waiting for" in text for text in live.texts()), timeout=PATIENCE)
        live.click("Cancel")
        assert live.session.status.state is CameraState.CLOSED
        assert {"Stopped", "Start"} <= set(live.texts())
        live.session.close()


def test_a_server_that_never_answers_is_given_up(live: LiveStage) -> None:
    with silent_server() as port:
        live.open(f"rtsp://127.0.0.1:{port}/live")
        live.wait_for(CameraState.FAILED)
        assert {"No answer", "Retry"} <= set(live.texts())
        live.session.close()


def test_the_right_password_after_the_wrong_one(live: LiveStage, clip: Path) -> None:
    with rtsp_server(clip, "me", SECRET) as server:
        live.open(server.url.replace("rtsp://", "rtsp://me:wrong@"))
        live.wait_for(CameraState.FAILED)
        assert "User name or password refused" in live.texts()
        fill(live, password=SECRET)
        live.wait_for(CameraState.RUNNING)
        assert SECRET not in " ".join(live.texts()) + live.window.windowTitle()
        live.session.close()


def test_a_server_that_dies_and_comes_back(live: LiveStage, clip: Path) -> None:
    with rtsp_server(clip) as server:
        live.open(server.url)
        live.wait_for(CameraState.RUNNING)
        server.kill()
        live.wait_for(CameraState.FAILED)
    assert {"Retry", "Edit…", "Choose another…"} <= set(live.texts())
    assert not live.child("notice").isHidden()
    live.click("Retry")  # too early
    live.wait_for(CameraState.FAILED)
    assert "Connection refused" in live.texts()
    with rtsp_server(clip, port=server.port):
        live.click("Retry")
        live.wait_for(CameraState.RUNNING)
        assert not live.child("notice").isVisible()
        live.session.close()


def test_a_camera_that_falls_silent_is_told_before_it_is_given_up(live: LiveStage, clip: Path) -> None:
    with rtsp_server(clip) as server:
        live.open(server.url)
        live.wait_for(CameraState.RUNNING)
        server.freeze()
        told = live.qtbot.waitUntil
        told(lambda: any("what you see is the last one" in text for text in live.texts()), timeout=PATIENCE)
        live.wait_for(CameraState.FAILED)
        assert "The picture has stopped" in live.texts()
        assert not any("what you see is the last one" in text for text in live.texts())
        live.session.close()


def test_a_typing_error_in_an_address_is_corrected_on_the_card(live: LiveStage, clip: Path) -> None:
    with rtsp_server(clip) as server:
        live.open(server.url + "x")
        live.wait_for(CameraState.FAILED)
        assert "Not found" in live.texts()
        live.click("Edit…")
        line = field(live, "Source")
        live.qtbot.keyClick(line, Qt.Key_End)
        live.qtbot.keyClick(line, Qt.Key_Backspace)
        live.qtbot.keyClick(line, Qt.Key_Return)
        live.wait_for(CameraState.RUNNING)
        live.session.close()


def test_a_file_that_is_no_video(live: LiveStage, tmp_path: Path) -> None:
    (tmp_path / "letter.mp4").write_text("Dear Sir or Madam")
    live.open(str(tmp_path / "letter.mp4"))
    live.wait_for(CameraState.FAILED)
    assert any("letter.mp4" in text for text in live.texts())
