"""The window: the source above, the picture as the stage, the inspector beside it, a line of figures below."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from PyQt5.QtCore import QEvent, QObject, Qt, QTimer, pyqtSignal
from PyQt5.QtGui import QCloseEvent, QKeyEvent, QPaintEvent, QResizeEvent
from PyQt5.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QComboBox,
    QHBoxLayout,
    QLineEdit,
    QMainWindow,
    QPlainTextEdit,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from streamer.pipeline.status import CameraState, CameraStatus
from ui.actions import COMMANDS, Actions
from ui.banner import Banner
from ui.capture import Capture
from ui.compare_commands import CompareCommands
from ui.drops import DropTarget
from ui.end_line import EndLine
from ui.exposure import covers
from ui.inspector import Inspector, Rail, page_commands
from ui.look import Look
from ui.messages import message_for, silence
from ui.notice import Notice
from ui.pages.base import PageContext
from ui.place import Place
from ui.playback_bar import PlaybackBar
from ui.receipt import Receipt
from ui.recording_light import RecordingLight
from ui.report import report_text
from ui.selection import Selection
from ui.session import Session
from ui.settings import Settings
from ui.settings_commands import SettingsCommands
from ui.shortcut_sheet import ShortcutSheet
from ui.source_bar import SourceBar
from ui.stage.view import VideoView
from ui.stage_commands import StageCommands
from ui.status_bar import StatusBar
from ui.top_edge import TopEdge
from ui.webcam_watch import WebcamWatch

if TYPE_CHECKING:
    from streamer.config import Config

_ACTIVE = (CameraState.CONNECTING, CameraState.RUNNING)
_LIGHT_MARGIN = 12  # logical pixels between the recording light and the corner of a full screen
_ARROWS = (Qt.Key_Left, Qt.Key_Right, Qt.Key_Up, Qt.Key_Down, Qt.Key_Home, Qt.Key_End)
_USES_ARROWS = (QAbstractSlider, QAbstractSpinBox, QComboBox, QAbstractItemView, QLineEdit, QPlainTextEdit)


class MainWindow(QMainWindow):
    """Shows and commands one session.

    Signals:
        painted: the window is on the screen for the first time; heavy work may begin.

    Attributes:
        commands: every command as an action.
        view: the stage.
    """

    painted = pyqtSignal()

    def __init__(self, session: Session, settings: Settings) -> None:
        super().__init__()
        self._session, self._settings = session, settings
        self._on_screen = self._was_maximised = False
        self._state = session.status.state
        self._frame_at = time.monotonic()
        self._place = Place(self, settings)
        self.commands = Actions((*COMMANDS, *page_commands()), self)
        self._selection = Selection(self)
        self.view = VideoView()
        self._shown_source = "", ""  # what has last been seen, as it was given and as it is called
        self._notice = Notice(self.view, lambda: session.source, lambda: report_text(session), self._source_before)
        self._banner = Banner()
        self._receipt = Receipt()
        self._end_line = EndLine(self.commands)
        self._edge = TopEdge(self.view, self._banner, self._end_line, self._receipt)
        self._playback_bar = PlaybackBar(self.commands, session)
        self._capture = Capture(self.commands, session, self.view)
        self._recording_light = RecordingLight(self.view)
        self._recording_light.allow(False)
        self._drops = DropTarget(self, self.view)
        self._status_bar = StatusBar()
        self._source_bar = SourceBar(self.commands, settings)
        self._look = Look(self.commands, session, self)
        context = PageContext(session, self.commands, self._selection, settings, self._look, self._banner.tell)
        self._inspector = Inspector(context)
        self._rail = Rail(self.commands)
        self._splitter = QSplitter(Qt.Horizontal)
        self._stage_commands = StageCommands(self.commands, self.view, settings)
        self._stage_commands.follow_effects(self._look.active)
        self._compare_commands = CompareCommands(self.commands, self.view)
        self._settings_commands = SettingsCommands(self.commands, session, self)
        self._webcam_watch = WebcamWatch(session, self)
        self._lay_out()
        self._connect()
        self._show_status(session.status)
        self._show_covers(session.config)
        self._banner.tell(settings.problem)

    # ---- construction ------------------------------------------------------------------------------------------

    def _lay_out(self) -> None:
        bar = self.menuBar()
        assert bar is not None
        self.commands.fill(bar)
        self._splitter.addWidget(self.view)
        self._splitter.addWidget(self._inspector)
        self._splitter.setStretchFactor(0, 1)
        self._splitter.setStretchFactor(1, 0)
        self._splitter.setChildrenCollapsible(False)
        self._splitter.setHandleWidth(1)
        middle = QHBoxLayout()
        middle.setSpacing(0)
        middle.addWidget(self._splitter, 1)
        middle.addWidget(self._rail)
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._source_bar)
        column.addLayout(middle, 1)
        column.addWidget(self._playback_bar)
        column.addWidget(self._status_bar)
        self.setCentralWidget(body)
        self.commands["view.leave"].setEnabled(False)
        self.setMinimumSize(760, 420)
        self._place.take()
        self._splitter.restoreState(self._settings.get("inspector/split", b""))

    def _connect(self) -> None:
        self._session.frame_ready.connect(self.view.show_result)
        self._session.frame_ready.connect(self._note_frame)
        self._session.status_changed.connect(self._show_status)
        self._session.configured.connect(self._show_covers)
        self._session.source_changed.connect(self._stage_commands.source_is_webcam)
        self._session.status_changed.connect(self._recording_light.show_status)
        self._capture.done.connect(self._receipt.tell)
        self._capture.failed.connect(self._banner.tell)
        self._drops.dropped.connect(self._start)
        self._drops.told.connect(lambda text: self._receipt.tell(text, None))
        self._source_bar.chosen.connect(self._start)
        self._notice.again.connect(lambda: self._session.start())
        self._notice.chosen.connect(self._start)
        self._notice.other.connect(self.commands["source.choose"].trigger)
        self._notice.cancelled.connect(self._session.stop)
        self._settings.told.connect(self._banner.tell)
        self._status_bar.covers_wanted.connect(self._open_covers)
        self._look.dressed.connect(self._stage_commands.follow_effects)
        self._look.failed.connect(self._banner.tell)
        self._settings_commands.done.connect(self._receipt.tell)
        self._settings_commands.failed.connect(self._banner.tell)
        self._selection.changed.connect(self.view.choose)
        self.view.face_clicked.connect(self._selection.choose)
        self.view.double_clicked.connect(self.commands["view.full_screen"].toggle)
        for widget in (self.view, self._edge):
            widget.installEventFilter(self)
        self.commands.on("run.start_stop", self._toggle_running)
        self.commands.on("view.full_screen", self._ask_full_screen)
        self.commands.on("view.leave", lambda: self.commands["view.full_screen"].setChecked(False))
        self.commands.on("help.shortcuts", lambda: ShortcutSheet(self.commands, self).open())
        self.commands.on("app.quit", self.close)

    # ---- what is shown -----------------------------------------------------------------------------------------

    def tell(self, sentence: str) -> None:
        """Show a sentence at the picture's upper edge until the user dismisses it."""
        self._banner.tell(sentence)

    def _show_status(self, status: CameraStatus) -> None:
        self._status_bar.show_status(status)
        self._source_bar.show_status(status)
        self._end_line.show_status(status)
        if status.state is CameraState.RUNNING:
            self._shown_source = self._session.source, status.source
            if self._state is not CameraState.RUNNING and self._shown_source == ("auto", "demo"):
                self._receipt.tell("There is no webcam, so this is the demo.", None)
        message = message_for(status, awaited=self._webcam_watch.show_status(status))
        if message is None and self._notice.isVisible():
            self.view.setFocus()  # before the card takes the keyboard with it
        self._notice.show_message(message)
        if status.source:
            self.setWindowTitle(f"{status.source} – facestream")
        elif not self.windowTitle():
            self.setWindowTitle("facestream")
        quiet = silence(status, time.monotonic() - self._frame_at)
        self._banner.show_standing([*map(str, status.warnings)], quiet)
        if status.state is not self._state and not status.on_show:
            self.view.dim()  # once: what comes from now on, such as a first frame while models load, is live again
        self._state = status.state

    def _source_before(self) -> tuple[str, str]:
        """What could be seen before a source that failed, and its name; empty where that is none other."""
        return self._shown_source if self._shown_source[0] != self._session.source else ("", "")

    def _show_covers(self, config: Config) -> None:
        """Tell what covers faces, and take away a picture without the covers that apply by now."""
        self._status_bar.show_covers(covers(config))
        if (scene := self.view.scene()) is not None and self._session.exposes(scene.result):
            self.view.clear()
            self._capture.show_status(self._session.status)

    def _note_frame(self) -> None:
        self._frame_at = time.monotonic()
        status = self._session.status
        if status.state.final and not status.on_show:
            self.view.dim()  # the last frame of a lost source may come after the news of the loss

    def _open_covers(self) -> None:
        self.commands["page.effects"].setChecked(True)  # makes the page, which listens
        self._look.covers_wanted.emit()

    # ---- commands ----------------------------------------------------------------------------------------------

    def _start(self, source: str) -> None:
        self._source_bar.remember(source)
        self._session.start(source)

    def _toggle_running(self) -> None:
        if self._session.status.state in _ACTIVE:
            self._session.stop()
        else:
            self._session.start()

    def _ask_full_screen(self, wanted: bool) -> None:
        """Leave only the picture, or bring the rest back; a maximised window is one again."""
        if wanted == self.isFullScreen():
            return
        if wanted:
            self._was_maximised = self.isMaximized()
            self.setWindowState(Qt.WindowFullScreen)
        else:
            self.setWindowState(Qt.WindowMaximized if self._was_maximised else Qt.WindowNoState)

    def _follow_window_state(self) -> None:
        """Show what belongs to the state the window has, which the desktop may change without being asked."""
        full = self.isFullScreen()
        bar = self.menuBar()
        assert bar is not None
        for widget in (bar, self._source_bar, self._rail, self._playback_bar, self._status_bar):
            widget.setVisible(not full)
        self._recording_light.allow(full)
        self._inspector.setVisible(not full and bool(self._inspector.page))
        self.commands["view.leave"].setEnabled(full)
        self.commands["view.full_screen"].setChecked(full)

    # ---- Qt ----------------------------------------------------------------------------------------------------

    def event(self, event: QEvent) -> bool:
        """Leave the focused control the keys it lives by, before they are taken for shortcuts."""
        if event.type() == QEvent.ShortcutOverride and isinstance(event, QKeyEvent) and self._is_own_key(event):
            event.accept()
            return True
        return super().event(event)

    def _is_own_key(self, event: QKeyEvent) -> bool:
        focused = self.focusWidget()
        if event.modifiers() & ~Qt.KeypadModifier:
            return False
        if event.key() == Qt.Key_Space:
            return isinstance(focused, (QAbstractButton, QComboBox, QAbstractItemView))
        return event.key() in _ARROWS and isinstance(focused, _USES_ARROWS)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Keep the card in the middle of the stage, and the light below what is told."""
        if watched in (self.view, self._edge) and isinstance(event, QResizeEvent):
            self._notice.recentre()
            self._recording_light.move(_LIGHT_MARGIN, self._edge.height() + _LIGHT_MARGIN)
        return super().eventFilter(watched, event)

    def changeEvent(self, event: QEvent) -> None:
        """Follow the desktop, where it enters or leaves the full screen."""
        super().changeEvent(event)
        if event.type() == QEvent.WindowStateChange:
            self._follow_window_state()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Tell once that the window is on the screen."""
        super().paintEvent(event)
        if not self._on_screen:
            self._on_screen = True
            QTimer.singleShot(0, self.painted.emit)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Remember where everything was, and end the stage's thread."""
        self._webcam_watch.close()
        self._place.close(maximised=self._was_maximised if self.isFullScreen() else self.isMaximized())
        self._settings.set("inspector/split", bytes(self._splitter.saveState()))
        self._settings.save()
        self._capture.close()
        self._look.close()
        self.view.close()
        super().closeEvent(event)
