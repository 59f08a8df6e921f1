"""The card in the middle of the stage: what is going on while there is no live picture, and what to do next."""

from __future__ import annotations

import time
from collections.abc import Callable

from PyQt5.QtCore import QTimer, pyqtSignal
from PyQt5.QtGui import QHideEvent, QShowEvent
from PyQt5.QtWidgets import QFrame, QHBoxLayout, QProgressBar, QPushButton, QVBoxLayout, QWidget

from ui.messages import Message, waiting
from ui.report import report_view
from ui.source_editor import SourceEditor
from ui.widgets import copy_text, make_button, make_label, make_title

_LETTERS = 62  # in a line of the card
_MARGIN = 12  # left free of a stage that is narrower than the card
_NAME = 32  # letters of a source's name on a button
_DETAILS = 150  # height of the details


class Notice(QFrame):
    """Shows a ``Message`` with the next steps as buttons.

    Signals:
        again: the user wants the same source once more.
        chosen: the user has entered another source.
        other: the user wants to choose another source.
        cancelled: the user does not want to wait.
    """

    again = pyqtSignal()
    chosen = pyqtSignal(str)
    other = pyqtSignal()
    cancelled = pyqtSignal()

    def __init__(
        self,
        parent: QWidget,
        source: Callable[[], str],
        details: Callable[[], str],
        before: Callable[[], tuple[str, str]],
    ) -> None:
        """Make the card, hidden.

        Args:
            parent: the stage.
            source: tells what failed, with its credentials.
            details: tells all there is to know about it, without.
            before: tells what was shown before it, with its credentials, and what that is called; both may be empty.
        """
        super().__init__(parent)
        self.setObjectName("notice")
        self._source, self._make_details, self._before = source, details, before
        self._message: Message | None = None
        self._busy_since = 0.0
        self._title = make_title()
        self._text = make_label("noticeText", wrap=True)
        self._waiting = make_label("caption", wrap=True)
        self._progress = QProgressBar()
        self._progress.setTextVisible(False)
        self._progress.setRange(0, 0)
        self._progress.setAccessibleName("In progress")
        self._editor = SourceEditor()
        self._editor.chosen.connect(self.chosen)
        self._details = report_view("")
        self._details.setFixedHeight(_DETAILS)
        self._copy = make_button("Copy details", lambda: copy_text(self._details.toPlainText()))
        self._expand = make_button("Details", self._show_details)
        self._expand.setCheckable(True)
        self._again = make_button("", lambda: self.again.emit(), name="primary")
        self._edit = make_button("Edit…", self._begin_edit)
        self._other = make_button("Choose another…", lambda: self.other.emit())
        self._back = make_button("", lambda: self.chosen.emit(self._before()[0]), tip="Show what was shown before")
        self._cancel = make_button("Cancel", lambda: self.cancelled.emit())
        self._clock = QTimer(self)
        self._clock.setInterval(500)
        self._clock.timeout.connect(self._show_waiting)
        self._lay_out()
        self.hide()

    def show_message(self, message: Message | None) -> None:
        """Show a message, or hide the card; the same message again changes nothing the user is typing."""
        if message == self._message:
            return
        before, self._message = self._message, message
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
        if not (message.busy and before is not None and before.busy):
            self._busy_since = time.monotonic()
            self._begin(message)
        self._show_waiting()
        self._follow_clock()
        self._fit()

    def _begin(self, message: Message) -> None:
        """Offer the steps of a new situation, the most promising one at hand."""
        self._editor.hide()
        self._expand.setChecked(False)
        self._show_details(False)
        self._expand.setVisible(message.failed)
        self._edit.setVisible(message.failed)
        self._other.setVisible(bool(message.again))
        before = self._before()[1] if message.failed else ""
        self._back.setText(f"Back to {_short(before)}")
        self._back.setVisible(bool(before))
        if message.login:
            self._begin_edit()
        else:
            (self._again if message.again else self._cancel).setFocus()

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 22, 24, 20)
        column.setSpacing(8)
        for widget in (self._title, self._text, self._waiting, self._progress, self._editor):
            column.addWidget(widget)
        column.addSpacing(6)
        column.addLayout(_row(self._expand, None, self._other, self._edit, self._cancel, self._again))
        column.addLayout(_row(None, self._back))
        column.addWidget(self._details)
        column.addLayout(_row(self._copy, None))

    # ---- steps -------------------------------------------------------------------------------------------------

    def _begin_edit(self) -> None:
        self._editor.show()
        self._edit.hide()
        self._again.hide()  # it would try once more what is wrong, and leave out what is being typed
        self._editor.edit(self._source(), login=self._message is not None and self._message.login)
        self._fit()

    def _show_details(self, wanted: bool) -> None:
        if wanted:
            self._details.setPlainText(self._make_details())
        self._details.setVisible(wanted)
        self._copy.setVisible(wanted)
        self._fit()

    # ---- waiting -----------------------------------------------------------------------------------------------

    def _show_waiting(self) -> None:
        """Show that time passes: a card that stands still looks as dead as the server it waits for."""
        busy = self._message is not None and self._message.busy
        text = waiting(time.monotonic() - self._busy_since) if busy else ""
        shown = bool(text) is not self._waiting.isHidden()
        self._waiting.setText(text)
        self._waiting.setVisible(bool(text))
        if not shown:
            self._fit()

    def _follow_clock(self) -> None:
        if self.isVisible() and self._message is not None and self._message.busy:
            self._clock.start()
        else:
            self._clock.stop()

    def showEvent(self, event: QShowEvent) -> None:
        """Let the time run."""
        super().showEvent(event)
        self._follow_clock()

    def hideEvent(self, event: QHideEvent) -> None:
        """Stop it."""
        super().hideEvent(event)
        self._clock.stop()

    # ---- place -------------------------------------------------------------------------------------------------

    def _fit(self) -> None:
        """Take the height the text needs, centred on the stage."""
        layout, parent = self.layout(), self.parentWidget()
        assert layout is not None
        assert parent is not None
        layout.activate()
        width = min(self.fontMetrics().averageCharWidth() * _LETTERS, parent.width() - 2 * _MARGIN)
        width = max(width, layout.minimumSize().width())
        self.setFixedSize(width, min(layout.totalHeightForWidth(width), parent.height() - 2))
        self.move(parent.rect().center() - self.rect().center())

    def recentre(self) -> None:
        """Come back to the middle after the stage has changed its size."""
        self._fit()


def _short(name: str) -> str:
    """A name that leaves the card its width."""
    return name if len(name) <= _NAME else f"{name[: _NAME // 2]}…{name[-_NAME // 2 :]}"


def _row(*buttons: QPushButton | None) -> QHBoxLayout:
    """Buttons in a row, with room to spare where one is missing."""
    row = QHBoxLayout()
    row.setSpacing(8)
    for button in buttons:
        if button is None:
            row.addStretch()
        else:
            row.addWidget(button)
    return row
