"""Everything that is written in the window can be read, as it is rendered, whatever its control does just then."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from PyQt5.QtCore import QMimeData, QPoint, Qt, QUrl
from PyQt5.QtGui import QDragEnterEvent, QKeySequence
from PyQt5.QtWidgets import (
    QApplication,
    QComboBox,
    QDialog,
    QLabel,
    QLineEdit,
    QMenu,
    QMenuBar,
    QPushButton,
    QToolTip,
    QVBoxLayout,
    QWidget,
)
from pytestqt.qtbot import QtBot

from streamer.errors import SourceAuthError, SourceNotFoundError
from streamer.pipeline.status import CameraState, PlaybackStatus, RecordingStatus
from streamer.settings import with_values
from tests.ui.contrast import LEAST, Text, read, read_in_every_state, read_list, read_menu, read_menu_bar
from tests.ui.fakes import make_face, make_result
from tests.ui.stage import Stage
from ui import theme
from ui.actions import MENUS
from ui.effects.group import Group
from ui.effects.row import EffectRow
from ui.faces.row import FaceRow
from ui.inspector import Inspector
from ui.pages import PAGES
from ui.place import Place
from ui.report import ReportWindow
from ui.settings_form import Row


class Reader:
    """Reads what is in a window, and keeps what is hard to read."""

    def __init__(self, stage: Stage, colors: theme.Theme) -> None:
        self.stage = stage
        self._colors = colors
        self._read: set[str] = set()
        self._hard: set[str] = set()

    def put_on(self) -> None:
        """Give all that is there the colours, after the other ones: nothing may keep those."""
        others = [colors for colors in theme.THEMES.values() if colors is not self._colors]
        for colors in (*others, self._colors):
            if theme.current() is not colors:
                theme.apply(application(), colors)
        self.stage.look()

    def take(self, texts: Iterable[tuple[str, Text]]) -> None:
        for state, text in texts:
            self._read.add(text.text)
            if text.ratio < LEAST:
                self._hard.add(f"{state}: {text}")

    def part(self, kind: type[QWidget] | str) -> None:
        """Read a part of the window that is there, by its class or its name."""
        widgets = self.stage.window.findChildren(*((QWidget, kind) if isinstance(kind, str) else (kind,)))
        (part,) = (widget for widget in widgets if widget.isVisible())
        self.take(read_in_every_state(part))

    def dialog(self, *written: str) -> None:
        """Read the dialog that comes, and close it."""
        qtbot, window = self.stage.qtbot, self.stage.window

        def shown() -> list[QDialog]:
            return [dialog for dialog in window.findChildren(QDialog) if dialog.isVisible()]

        qtbot.waitUntil(lambda: len(shown()) == 1)
        (dialog,) = shown()
        with qtbot.waitActive(dialog):
            dialog.activateWindow()
        self.put_on()
        self.take(read_in_every_state(dialog))
        self.sum_up(*written)
        dialog.close()
        qtbot.waitUntil(lambda: not shown())

    def sum_up(self, *written: str) -> None:
        """Everything that was read is easy to read, and this was among it."""
        read = "\n".join(self._read)
        assert [text for text in written if text not in read] == []
        assert not self._hard, "\n".join(sorted(self._hard))


def application() -> QApplication:
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    return app


@pytest.fixture(params=theme.THEMES)
def reader(request: pytest.FixtureRequest, stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Reader:
    """Somebody who reads a window that shows two faces, in one of the themes."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setattr(Place, "_come_back", lambda _: None)  # a page is longer than the screen it would be fitted to
    stage.run(make_face(), make_face((500, 180), track_id=2))
    return Reader(stage, theme.THEMES[request.param])


# ---- pages -----------------------------------------------------------------------------------------------------


def open_view(stage: Stage) -> None:
    stage.window.commands["clean.picture"].setChecked(True)


def open_faces(stage: Stage) -> None:
    stage.window.findChildren(FaceRow)[0].click()
    stage.camera.show(make_result(faces=(make_face(),), index=5))
    stage.qtbot.waitUntil(lambda: "gone" in stage.texts())


def open_effects(stage: Stage) -> None:
    for group in stage.window.findChildren(Group):
        group.unfold()
    stage.session.configure(with_values(stage.session.config, {"effects.look": "glam,blur,face_swap"}))
    stage.window.findChild(EffectRow, "lipstick").findChildren(QWidget, "heading")[0].setChecked(True)


def open_detector(stage: Stage) -> None:
    stage.camera.become(loading="loading mtcnn")
    stage.window.findChildren(Row)[0].show_error("This cannot be had.")


OPENED: dict[str, tuple[Callable[[Stage], object], tuple[str, ...]]] = {
    "view": (open_view, ("Box and id", "Full screen", "Light")),
    "faces": (open_faces, ("#1", "gone", "pitch", "±15°")),
    "effects": (open_effects, ("glam", "changed", "Lipstick", "Search effects", "Reset")),
    "tracking": (Stage.look, ("Smoothing", "frames")),
    "detector": (open_detector, ("Loading mtcnn…", "This cannot be had.")),
    "settings": (Stage.look, ("Not set",)),
}
"""How there is more to read on a page, and some of what is read, so that nobody reads an empty one."""


@pytest.mark.parametrize("page", [spec.name for spec in PAGES])
def test_pages_can_be_read(reader: Reader, page: str) -> None:
    open_more, written = OPENED[page]
    reader.stage.window.commands[f"page.{page}"].setChecked(True)
    open_more(reader.stage)
    reader.stage.look()
    inspector = reader.stage.window.findChild(Inspector)
    inside = max(page.sizeHint().height() for page in inspector.findChildren(QWidget, "page") if page.isVisible())
    reader.stage.window.resize(1280, inside + 250)  # so that nothing has to be scrolled to
    reader.put_on()
    reader.part(Inspector)
    reader.sum_up(*written)


# ---- around and over the picture -------------------------------------------------------------------------------


def test_bars_and_lines_can_be_read(reader: Reader) -> None:
    stage = reader.stage
    stage.window.tell("Something is wrong.")
    stage.window.commands["settings.reset"].trigger()  # of which there is nothing to do, as it tells
    playback = PlaybackStatus(live=False, at_end=True, seekable=True, position=10.0, duration=10.0)
    recording = RecordingStatus(Path("clip.mp4"), 3.0, 90, finishing=False)
    stage.camera.become(playback=playback, recording=recording, drops={"busy": 3}, source_fps=30.0, analysed_fps=30.0)
    stage.qtbot.waitUntil(lambda: stage.session.status.playback.at_end)
    reader.put_on()
    for part in ("header", "rail", "playbackBar", "statusBar"):
        reader.part(part)
    for line in (line for line in stage.window.findChildren(QWidget, "banner") if line.isVisible()):
        reader.take(read_in_every_state(line))
    (bar,) = stage.window.findChildren(QMenuBar)
    reader.take(read_menu_bar(bar))
    reader.sum_up("fake", "Stop", "Effects", "0:10.00", "REC", "3 busy", "Something is wrong.", "has ended",
                  "nothing to reset", *(title.strip("&")[-3:] for title in MENUS))  # fmt: skip


STATES = {
    CameraState.CONNECTING: (None, ("Connecting", "Getting ready", "Cancel")),
    CameraState.FAILED: (SourceNotFoundError("There is none."), ("Failed", "Not found", "There is none.", "Details")),
    CameraState.ENDED: (None, ("Ended", "The video has ended", "Play again")),
    CameraState.CLOSED: (None, ("Stopped", "Choose another…")),
}


@pytest.mark.parametrize("state", STATES)
def test_every_state_can_be_read(reader: Reader, state: CameraState) -> None:
    stage = reader.stage
    error, written = STATES[state]
    stage.camera.show(make_result(index=1))  # of a single picture the end is nothing
    stage.camera.become(state=state, error=error, activity="connecting to fake")
    stage.wait_for(state)
    reader.put_on()
    reader.part("notice")
    reader.part("statusBar")
    reader.sum_up("latency", *written)


def test_the_card_can_be_read_with_its_fields_and_its_details(reader: Reader) -> None:
    stage = reader.stage
    stage.camera.become(state=CameraState.FAILED, error=SourceAuthError("The camera wants a password. Give one."))
    stage.wait_for(CameraState.FAILED)
    stage.click("Details")
    reader.put_on()
    reader.part("notice")
    reader.sum_up("User name or password refused", "User name", "facestream")


def test_the_hint_for_a_drop_can_be_read(reader: Reader) -> None:
    window, mime = reader.stage.window, QMimeData()
    mime.setUrls([QUrl("http://127.0.0.1/live")])
    enter = QDragEnterEvent(QPoint(400, 300), Qt.CopyAction, mime, Qt.LeftButton, Qt.NoModifier)
    reader.put_on()
    application().sendEvent(window, enter)  # last: the hint goes when the pointer that lies here comes back
    reader.part("dropHint")
    reader.sum_up("Drop it here to show it")


# ---- what comes up ---------------------------------------------------------------------------------------------


def test_every_menu_can_be_read(reader: Reader) -> None:
    stage = reader.stage
    stage.settings.set("sources/recent", ["rtsp://door.local/live"])
    reader.put_on()
    (bar,) = stage.window.findChildren(QMenuBar)
    menus = [menu for action in bar.actions() if (menu := action.menu()) is not None]
    assert len(menus) == len(MENUS)
    source = next(menu for menu in stage.child("header").findChildren(QMenu))
    field = QLineEdit("an address", stage.window)
    edit = field.createStandardContextMenu()
    assert edit is not None
    for menu in (*menus, source, edit):
        menu.popup(stage.window.mapToGlobal(QPoint(50, 60)))
        stage.qtbot.waitUntil(menu.isVisible)
        reader.take(read_menu(menu))
        menu.close()
    reader.sum_up("Open file", "Recor", "Contours", "before", "rtsp://door.local/live", "No webcam", "Select All")


def test_lists_and_tips_can_be_read(reader: Reader) -> None:
    stage = reader.stage
    reader.put_on()
    for page in ("effects", "detector"):
        stage.window.commands[f"page.{page}"].setChecked(True)
        stage.look()
        box = next(box for box in stage.window.findChildren(QComboBox) if box.isVisible() and box.count() > 2)
        reader.take(read_list(box))
    QToolTip.showText(stage.window.mapToGlobal(QPoint(50, 60)), "What this is for", stage.window)
    (tip,) = (widget for widget in application().topLevelWidgets() if isinstance(widget, QLabel))
    stage.qtbot.waitUntil(tip.isVisible)
    reader.take(("a tip", text) for text in read(tip))
    tip.hide()
    reader.sum_up("privacy", "retinaface", "What this is for")


def test_every_dialog_can_be_read(reader: Reader) -> None:
    stage = reader.stage
    commands = stage.window.commands
    commands["source.url"].trigger()
    reader.dialog("Address of a stream", "Open", "Cancel")
    commands["source.file"].trigger()
    reader.dialog("Look in:", "Open")
    commands["help.shortcuts"].trigger()
    reader.dialog("Playback", QKeySequence("Ctrl+Return").toString(QKeySequence.NativeText), "Start or stop")
    commands["page.effects"].setChecked(True)
    stage.session.configure(with_values(stage.session.config, {"effects.look": "tone=0.5"}))
    commands["settings.reset"].trigger()
    reader.dialog("Set 1 changed setting back", "Reset all")
    stage.click("Save as…")
    reader.dialog("Name of the preset", "Save")
    ReportWindow(stage.session, ZeroDivisionError("nothing to divide by"), stage.window).show()
    reader.dialog("Something went wrong", "Start source again", "ZeroDivisionError")


# ---- the reading itself ----------------------------------------------------------------------------------------


class Sample(QWidget):
    """A window with one label and one button."""

    def __init__(self, sheet: str) -> None:
        super().__init__()
        self.setStyleSheet(f"QWidget {{ background: #ffffff; color: #000000; }} {sheet}")
        self.setFocusPolicy(Qt.StrongFocus)
        column = QVBoxLayout(self)
        column.addWidget(QLabel("written"))
        button = QPushButton("pressed")
        button.setCheckable(True)
        column.addWidget(button)


@pytest.mark.parametrize(
    ("sheet", "state"),
    [
        ("QLabel { color: #777777; }", "at rest"),
        ("QLabel { background: #747474; }", "at rest"),
        ("QLabel { color: rgba(0, 0, 0, 0.5); }", "at rest"),
        ("QPushButton:hover { color: #a0a0a0; }", "under the pointer"),
        ("QPushButton:pressed { background: #333333; }", "held"),
        ("QPushButton:checked { color: #a0a0a0; }", "switched"),
        ("QPushButton:checked:pressed { color: #a0a0a0; }", "switched and held"),
        ("QPushButton:focus { color: #a0a0a0; }", "with the keyboard"),
    ],
)
def test_what_is_hard_to_read_is_found(qtbot: QtBot, sheet: str, state: str) -> None:
    sample = Sample(sheet)
    qtbot.addWidget(sample)
    with qtbot.waitActive(sample):
        sample.show()
        sample.activateWindow()
    sample.setFocus()
    found = {each: text for each, text in read_in_every_state(sample) if text.ratio < LEAST}
    assert state in found
    assert ("at rest" in found) == (state == "at rest")
    assert {text.text for text in found.values()} == {"written" if "QLabel" in sheet else "pressed"}


def test_colours_are_read_as_they_are(qtbot: QtBot) -> None:
    sample = Sample("QLabel { color: #204060; background: #f0e0d0; }")
    qtbot.addWidget(sample)
    with qtbot.waitExposed(sample):
        sample.show()
    (label, _) = read(sample)
    assert (label.text, label.color.name(), label.background.name()) == ("written", "#204060", "#f0e0d0")
    assert label.ratio == pytest.approx(8.1, abs=0.2)
