"""The card in the middle of the stage: what is going on while there is no live picture, and what to do next."""

from __future__ import annotations

from dataclasses import dataclass

from PyQt5.QtCore import pyqtSignal
from PyQt5.QtWidgets import QFrame, QHBoxLayout, QLineEdit, QProgressBar, QVBoxLayout, QWidget

from streamer.pipeline.status import CameraState, CameraStatus
from ui.widgets import make_button, make_label

_WIDTH = 460
_MARGIN = 12  # left free of a stage that is narrower than the card


@dataclass(frozen=True, slots=True)
class Message:
    """What the card says.

    Attributes:
        title: a few words.
        text: one sentence: what happened and the remedy.
        busy: whether something is under way.
        again: label of the button that starts the source once more; empty for none.
    """

    title: str
    text: str = ""
    busy: bool = False
    again: str = ""


def message_for(status: CameraStatus) -> Message | None:
    """What to tell about a status; ``None`` while the picture speaks for itself."""
    if status.on_show:
        return None
    match status.state:
        case CameraState.IDLE | CameraState.CONNECTING:
            return Message("Getting ready", _sentence(status.activity) + "…", busy=True)
        case CameraState.FAILED:
            return Message("This source cannot be shown", _sentence(str(status.error)), again="Retry")
        case CameraState.ENDED:
            return Message("The video has ended", status.source, again="Play again")
        case CameraState.CLOSED:
            return Message("Stopped", status.source, again="Start")
    return None


class Notice(QFrame):
    """Shows a ``Message`` with the next steps as buttons.

    Signals:
        again: the user wants the same source once more.
        chosen: the user has entered another source.
        cancelled: the user does not want to wait.
    """

    again = pyqtSignal()
    chosen = pyqtSignal(str)
    cancelled = pyqtSignal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("notice")
        self._message: Message | None = None
        self._title = make_label("noticeTitle", wrap=True)
        self._text = make_label("noticeText", wrap=True)
        self._progress = QProgressBar()
        self._progress.setTextVisible(False)
        self._progress.setRange(0, 0)
        self._again = make_button("", lambda: self.again.emit(), name="primary")
        self._other = make_button("Choose another…", self._ask)
        self._cancel = make_button("Cancel", lambda: self.cancelled.emit())
        self._field = QLineEdit()
        self._field.setPlaceholderText("Webcam number, file, folder, URL or demo")
        self._field.setAccessibleName("Source")
        self._field.returnPressed.connect(self._choose)
        self._open = make_button("Open", self._choose)
        self._lay_out()

    def show_message(self, message: Message | None) -> None:
        """Show a message, or hide the card; the same message again changes nothing the user is typing."""
        if message == self._message:
            return
        changed_kind = self._message is None or message is None or message.again != self._message.again
        self._message = message
        self.setVisible(message is not None)
        if message is None:
            return
        self._title.setText(message.title)
        self._text.setText(message.text)
        self._text.setVisible(bool(message.text))
        self._progress.setVisible(message.busy)
        self._cancel.setVisible(message.busy)
        self._again.setText(message.again)
        self._again.setVisible(bool(message.again))
        if changed_kind:
            self._show_field(False)
            self._other.setVisible(bool(message.again))
            (self._again if message.again else self._cancel).setFocus()
        self._fit()

    def _lay_out(self) -> None:
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addStretch()
        for button in (self._other, self._cancel, self._again):
            buttons.addWidget(button)
        entry = QHBoxLayout()
        entry.setSpacing(8)
        entry.addWidget(self._field, 1)
        entry.addWidget(self._open)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 22, 24, 20)
        column.setSpacing(8)
        column.addWidget(self._title)
        column.addWidget(self._text)
        column.addSpacing(6)
        column.addWidget(self._progress)
        column.addLayout(entry)
        column.addSpacing(4)
        column.addLayout(buttons)

    def _ask(self) -> None:
        self._show_field(True)
        self._other.hide()
        self._field.setFocus()
        self._fit()

    def _choose(self) -> None:
        if source := self._field.text().strip():
            self._field.clear()
            self.chosen.emit(source)

    def _show_field(self, visible: bool) -> None:
        self._field.setVisible(visible)
        self._open.setVisible(visible)

    def _fit(self) -> None:
        """Take the height the text needs, centred on the stage."""
        layout, parent = self.layout(), self.parentWidget()
        assert layout is not None
        layout.activate()
        width = _WIDTH if parent is None else min(_WIDTH, parent.width() - 2 * _MARGIN)
        self.setFixedSize(width, layout.totalHeightForWidth(width))
        if parent is not None:
            self.move(parent.rect().center() - self.rect().center())

    def recentre(self) -> None:
        """Come back to the middle after the stage has changed its size."""
        self._fit()


def _sentence(text: str) -> str:
    """``text`` with a capital letter, unless it starts with a name: a path or URL stays as it is."""
    first = text.partition(" ")[0]
    return text[:1].upper() + text[1:] if first.isalpha() else text
