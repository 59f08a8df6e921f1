"""The window: a header with the commands, the stage, and a line of figures. It commands and shows a session."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from PyQt5.QtCore import QEvent, QObject, QSize, Qt, QTimer, pyqtSignal
from PyQt5.QtGui import QGuiApplication, QKeySequence, QPaintEvent, QResizeEvent
from PyQt5.QtWidgets import QFrame, QHBoxLayout, QMainWindow, QPushButton, QShortcut, QVBoxLayout, QWidget

from streamer.pipeline.status import CameraState, CameraStatus
from ui.notice import Notice, message_for
from ui.overlay import Landmarks
from ui.session import Session
from ui.status_bar import StatusBar
from ui.video_view import VideoView
from ui.widgets import ElidedLabel, make_button, make_label

if TYPE_CHECKING:
    from streamer.types import FrameResult

_ACTIVE = (CameraState.CONNECTING, CameraState.RUNNING)


class MainWindow(QMainWindow):
    """Shows one session.

    Signals:
        painted: the window is on the screen for the first time; heavy work may begin.
    """

    painted = pyqtSignal()

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._on_screen = False
        self._view = VideoView()
        self._notice = Notice(self._view)
        self._status_bar = StatusBar()
        self._source = ElidedLabel("sourceName")
        self._start_stop = make_button("Start", self._toggle_running, tip="Start or stop (Space)")
        self._warning = make_label("warning", wrap=True)
        self._boxes = self._toggle("Box", "B", "Box and id of each face", self._show_boxes)
        self._landmarks = self._toggle("Points", "L", "106 landmarks: points, contours, off", self._next_landmarks)
        self._pose = self._toggle("Pose", "P", "Head axes, and angles in degrees", self._show_pose)
        self._lay_out()
        self._connect()
        self._show_status(session.status)

    # ---- construction ------------------------------------------------------------------------------------------

    def _toggle(self, text: str, key: str, tip: str, command: Callable[[bool], None]) -> QPushButton:
        button = make_button(text, command, tip=f"{tip} ({key})")
        button.setCheckable(True)
        button.setChecked(True)
        QShortcut(QKeySequence(key), self, button.click)
        return button

    def _lay_out(self) -> None:
        header = QFrame()
        header.setObjectName("header")
        row = QHBoxLayout(header)
        row.setContentsMargins(16, 8, 16, 8)
        row.setSpacing(8)
        row.addWidget(self._source, 1)
        row.addSpacing(16)
        for button in (self._boxes, self._landmarks, self._pose):
            row.addWidget(button)
        row.addSpacing(12)
        row.addWidget(self._start_stop)
        self._landmarks.setMinimumWidth(self._landmarks.fontMetrics().horizontalAdvance("Contours") + 40)
        self._start_stop.setMinimumWidth(84)
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        for widget, stretch in ((header, 0), (self._warning, 0), (self._view, 1), (self._status_bar, 0)):
            column.addWidget(widget, stretch)
        self.setCentralWidget(body)
        self.setMinimumSize(760, 420)
        self.resize(self._comfortable_size())

    def _connect(self) -> None:
        self._session.frame_ready.connect(self._show_result)
        self._session.status_changed.connect(self._show_status)
        self._notice.again.connect(lambda: self._session.start())
        self._notice.chosen.connect(self._session.start)
        self._notice.cancelled.connect(self._session.stop)
        self._view.installEventFilter(self)
        QShortcut(QKeySequence(Qt.Key_Space), self, self._press)
        QShortcut(QKeySequence.Quit, self).activated.connect(self.close)

    def _comfortable_size(self) -> QSize:
        screen = QGuiApplication.primaryScreen()
        wanted = QSize(1280, 720)
        return wanted if screen is None else wanted.boundedTo(screen.availableSize())

    # ---- what is shown -----------------------------------------------------------------------------------------

    def _show_result(self, result: FrameResult) -> None:
        self._view.show_result(result)

    def _show_status(self, status: CameraStatus) -> None:
        self._status_bar.show_status(status)
        message = message_for(status)
        if message is None and self._notice.isVisible():
            self._view.setFocus()  # before the card takes the keyboard with it
        self._notice.show_message(message)
        if status.source:
            self._source.setText(status.source)
            self.setWindowTitle(f"{status.source} – facestream")
        elif not self.windowTitle():
            self.setWindowTitle("facestream")
        self._start_stop.setText("Stop" if status.state in _ACTIVE else "Start")
        self._warning.setText("\n".join(str(warning) for warning in status.warnings))
        self._warning.setVisible(bool(status.warnings))
        if not status.on_show:
            self._view.dim()

    # ---- commands ----------------------------------------------------------------------------------------------

    def _toggle_running(self) -> None:
        if self._session.status.state in _ACTIVE:
            self._session.stop()
        else:
            self._session.start()

    def _press(self) -> None:
        """Space presses the button that has the keyboard; on the picture it starts and stops."""
        focused = self.focusWidget()
        (focused if isinstance(focused, QPushButton) else self._start_stop).click()

    def _show_boxes(self, wanted: bool) -> None:
        self._view.set_options(replace(self._view.options, boxes=wanted))

    def _show_pose(self, wanted: bool) -> None:
        self._view.set_options(replace(self._view.options, pose=wanted))

    def _next_landmarks(self, _: bool) -> None:
        style = self._view.options.landmarks.next
        self._view.set_options(replace(self._view.options, landmarks=style))
        self._landmarks.setChecked(style is not Landmarks.OFF)
        self._landmarks.setText("Points" if style is Landmarks.OFF else style.value.capitalize())

    # ---- Qt ----------------------------------------------------------------------------------------------------

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Keep the card in the middle of the stage."""
        if watched is self._view and isinstance(event, QResizeEvent):
            self._notice.recentre()
        return super().eventFilter(watched, event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Tell once that the window is on the screen."""
        super().paintEvent(event)
        if not self._on_screen:
            self._on_screen = True
            QTimer.singleShot(0, self.painted.emit)
