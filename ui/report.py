"""Reports of what went wrong: a text for a person to pass on, and the window that shows it for internal errors.

Whatever is raised where nobody expects it, in a slot, in Qt's own calls or in any thread, ends here: it is logged,
shown once, and the application goes on. Reports never hold credentials.
"""

from __future__ import annotations

import logging
import os
import platform
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final, Protocol

from PyQt5.QtCore import PYQT_VERSION_STR, QObject, Qt, pyqtSignal, qVersion
from PyQt5.QtGui import QFontDatabase, QGuiApplication, QShowEvent
from PyQt5.QtWidgets import QApplication, QDialog, QHBoxLayout, QPlainTextEdit, QVBoxLayout, QWidget

from streamer.version import __version__
from ui.widgets import copy_text, make_button, make_label, make_title, sentence

if TYPE_CHECKING:
    from streamer.config import Config
    from streamer.pipeline.status import CameraStatus

log = logging.getLogger(__name__)

_LINES: Final = 60  # of the log
_SIZE: Final = (720, 480)  # of the window in logical pixels, where the screen has room
_MESSAGE: Final = 600  # letters of an error's message over the report, which holds all of it


class Subject(Protocol):
    """What a report is about: a session."""

    @property
    def status(self) -> CameraStatus:
        """How it goes."""

    @property
    def config(self) -> Config:
        """What applies."""

    def start(self) -> None:
        """Show the same source again."""


class _RecentLog(logging.Handler):
    """Keeps the last lines of the log: they tell what a thread of the engine ran into."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: deque[str] = deque(maxlen=_LINES)
        self.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(threadName)s %(name)s: %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record."""
        self.lines.append(self.format(record))


_recent = _RecentLog()


def report_text(subject: Subject, error: BaseException | None = None) -> str:
    """All that helps to understand what went wrong, without credentials.

    Args:
        subject: what it happened to.
        error: what was raised; without one, what ended the source counts.
    """
    status = subject.status
    parts = [
        f"facestream {__version__}, {time.strftime('%Y-%m-%d %H:%M:%S %z')}",
        f"Python {platform.python_version()}, Qt {qVersion()}, PyQt {PYQT_VERSION_STR}, "
        f"{platform.platform()}, {os.cpu_count()} processors, {QGuiApplication.platformName()}",
        f"Source: {status.source or 'none'}; {status.state.value}, {status.activity}; {status.frames} frames analysed"
        f"{f', {status.size[0]} x {status.size[1]}' if status.size else ''}",
        *(f"Warning: {warning}" for warning in status.warnings),
    ]
    error = error or status.error
    if error is not None:
        parts.append("\n" + "".join(traceback.format_exception(error)).rstrip())
    parts += ["\nSettings that differ from the defaults:", _settings(subject.config) or "none"]
    if _recent.lines:
        parts += ["\nLog:", *_recent.lines]
    return _without_secrets("\n".join(parts), subject.config)


def _settings(config: Config) -> str:
    from streamer.settings import differing_yaml, with_values

    return differing_yaml(with_values(config, {"source.username": None})).rstrip()


def _without_secrets(text: str, config: Config) -> str:
    """A text with neither the addresses' credentials nor the configured ones."""
    from streamer.sources.urls import redact

    password = config.source.password
    secrets = [password.get_secret_value() if password else "", os.environ.get("FACESTREAM_PASSWORD", "")]
    text = redact(text)
    for secret in filter(None, secrets):
        text = text.replace(secret, "***")
    return text


class Reports(QObject):
    """Shows what goes wrong inside the program while ``caught`` is entered.

    Thread contract: errors come from any thread and are shown on the GUI's.

    Signals:
        told: a sentence on an error that has been shown before.

    Attributes:
        count: errors so far.
    """

    told = pyqtSignal(str)
    _raised = pyqtSignal(object)

    def __init__(self, subject: Subject, window: QWidget) -> None:
        super().__init__(window)
        self.count = 0
        self._subject, self._window = subject, window
        self._logged: set[str] = set()
        self._shown: set[str] = set()
        self._raised.connect(self._show, Qt.QueuedConnection)  # type: ignore[call-arg]  # never out of the middle of a paint event

    @contextmanager
    def caught(self) -> Iterator[None]:
        """Take what nobody else catches, in every thread, until the block is left."""

        def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
            self._take(error.with_traceback(trace))

        def thread_hook(arguments: threading.ExceptHookArgs) -> None:
            if arguments.exc_value is not None:
                self._take(arguments.exc_value)

        before = sys.excepthook, threading.excepthook
        sys.excepthook, threading.excepthook = hook, thread_hook
        logging.getLogger().addHandler(_recent)
        try:
            yield
        finally:
            logging.getLogger().removeHandler(_recent)
            sys.excepthook, threading.excepthook = before

    def _take(self, error: BaseException) -> None:
        self.count += 1
        place = _place(error)
        if place not in self._logged:  # a broken overlay fails thirty times a second
            self._logged.add(place)
            log.error("internal error", exc_info=error)
        self._raised.emit(error)

    def _show(self, error: BaseException) -> None:
        place, shown = _place(error), self._window.findChild(ReportWindow)
        if shown is not None and shown.isVisible():
            shown.add(self.count)
        elif place not in self._shown:
            self._shown.add(place)
            ReportWindow(self._subject, error, self._window).show()
        else:  # a window that came back thirty times a second could not be worked beside
            self.told.emit(f"The internal error in {place} has happened again: what you see may be incomplete.")


def _place(error: BaseException) -> str:
    """Where an error was raised, to tell one from the next."""
    frames = traceback.extract_tb(error.__traceback__)
    name = type(error).__name__
    return f"{Path(frames[-1].filename).name}, line {frames[-1].lineno} ({name})" if frames else name


class ReportWindow(QDialog):
    """Tells of an internal error; the rest of the application can be used beside it."""

    def __init__(self, subject: Subject, error: BaseException, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Internal error – facestream")
        self.setAttribute(Qt.WA_DeleteOnClose)
        text = report_text(subject, error)
        self._more = make_label("caption", wrap=True)
        self._more.hide()
        self._copied = make_label("caption")
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 22, 24, 20)
        column.setSpacing(10)
        column.addWidget(make_title("Something went wrong inside facestream"))
        column.addWidget(make_label("noticeText", _advice(error), wrap=True))
        column.addWidget(self._more)
        column.addWidget(report_view(text), 1)
        buttons = QHBoxLayout()
        buttons.addWidget(make_button("Copy report", lambda: self._copy(text)))
        buttons.addWidget(self._copied, 1)
        buttons.addWidget(make_button("Quit", parent.close))
        buttons.addWidget(make_button("Start source again", lambda: self._again(subject)))
        go_on = make_button("Go on", self.close, name="primary")
        go_on.setDefault(True)
        buttons.addWidget(go_on)
        column.addLayout(buttons)
        screen = parent.screen().availableGeometry()
        self.resize(min(_SIZE[0], screen.width()), min(_SIZE[1], screen.height()))
        if QApplication.activeModalWidget() is not None:  # it would keep mouse and keyboard from a window beside it
            self.setWindowModality(Qt.ApplicationModal)
        go_on.setFocus()

    def showEvent(self, event: QShowEvent) -> None:
        """Have the keyboard, so that Return and Escape close it."""
        super().showEvent(event)
        self.raise_()
        self.activateWindow()

    def add(self, count: int) -> None:
        """Tell that there have been further errors."""
        self._more.setText(f"{count} internal errors so far; the first one is below.")
        self._more.show()

    def _copy(self, text: str) -> None:
        copy_text(text)
        self._copied.setText("✓ Copied")

    def _again(self, subject: Subject) -> None:
        self.close()
        subject.start()


def report_view(text: str) -> QPlainTextEdit:
    """A field that shows a report and lets it be selected; Tab leaves it."""
    view = QPlainTextEdit(text)
    view.setReadOnly(True)
    view.setTabChangesFocus(True)
    view.setAccessibleName("Report")
    view.setFont(QFontDatabase.systemFont(QFontDatabase.FixedFont))
    view.setLineWrapMode(QPlainTextEdit.NoWrap)
    return view


def _advice(error: BaseException) -> str:
    from streamer.sources.urls import redact

    what = redact(f"{type(error).__name__}: {error}".rstrip(": "))
    what = what if len(what) <= _MESSAGE else f"{what[:_MESSAGE]}…"
    return sentence(
        f"{what}. The application goes on. If the picture stands still, start the source again; if it happens again, "
        "please report it with the text below, which holds no passwords."
    )
