"""A form for settings, generated from the typed configuration: a new key needs nothing here.

The form shows what ``Session.config`` says and sends what the user changes to ``Session.configure``, which applies it
to the running stream. What cannot be applied is told at its field, and the setting stays as it was.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from itertools import groupby
from typing import Any, Final

from PyQt5.QtCore import QTimer, pyqtSignal
from PyQt5.QtGui import QHideEvent, QResizeEvent
from PyQt5.QtWidgets import QDoubleSpinBox, QHBoxLayout, QProgressBar, QVBoxLayout, QWidget

from streamer.config import Config
from streamer.errors import ConfigError
from streamer.pipeline.status import CameraStatus
from streamer.settings import Setting, describe, get_value, section_help, with_values
from ui.pages.base import PageContext
from ui.session import Session
from ui.setting_editors import make_editor
from ui.widgets import ElidedLabel, action_button, make_button, make_label, sentence

_DEBOUNCE: Final = 150  # ms; a slider that is dragged asks for dozens of values a second

_MARGINS: Final = (16, 14, 16, 14)  # of a page

_APPLIES: Final = {
    "live": "",
    "load": "",
    "next": "Applies to the next file that is written.",
    "restart": "Applies when the source is started again.",
}
"""What has to be said about when a change takes effect."""


class Row(QWidget):
    """One setting: its name, its control, a way back to the default, and one line of help.

    Signals:
        changed: the key, and the value the user wants.
        taken: the user has taken hold of the control.
    """

    changed = pyqtSignal(str, object)
    taken = pyqtSignal()

    def __init__(self, setting: Setting) -> None:
        super().__init__()
        self.setting = setting
        self.setObjectName(setting.key)
        self._editor = make_editor(setting)
        self._editor.changed.connect(self._tell)
        self._editor.taken.connect(self.taken)
        self._reset = make_button("Default", self._to_default, name="reset", tip=f"Back to {_in_words(setting)}")
        self._reset.setAccessibleName(f"{setting.title}, back to {_in_words(setting)}")
        policy = self._reset.sizePolicy()
        policy.setRetainSizeWhenHidden(True)  # nothing jumps under the pointer
        self._reset.setSizePolicy(policy)
        self._error = make_label("fieldError", wrap=True)
        self._error.hide()
        head = QHBoxLayout()
        head.addWidget(make_label("settingTitle", setting.title, wrap=True), 1)
        head.addWidget(self._reset)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(head)
        column.addWidget(self._editor)
        column.addWidget(self._error)
        column.addWidget(make_label("caption", _help(setting), wrap=True))

    def show_value(self, value: Any) -> None:
        """Show the value that applies."""
        self._editor.show_value(value)
        self._reset.setVisible(value != self.setting.default)

    def show_error(self, text: str) -> None:
        """Tell why the value that is shown does not apply; an empty text takes that back."""
        self._error.setText(f"⚠ {text}")
        self._error.setVisible(bool(text))

    def _tell(self, value: Any) -> None:
        self._reset.setVisible(value != self.setting.default)
        self.changed.emit(self.setting.key, value)

    def _to_default(self) -> None:
        self.show_value(self.setting.default)
        self._editor.setFocus()  # the button that had the keyboard has gone
        self.changed.emit(self.setting.key, self.setting.default)


class SettingsForm(QWidget):
    """Rows for settings, grouped by section."""

    def __init__(self, session: Session, settings: Iterable[Setting]) -> None:
        super().__init__()
        self._session = session
        self._wanted: dict[str, Any] = {}
        self._rows: dict[str, Row] = {}
        self._debounce = QTimer(self)
        self._debounce.setSingleShot(True)
        self._debounce.setInterval(_DEBOUNCE)
        self._debounce.timeout.connect(self._apply)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(14)
        for section, group in groupby(settings, lambda setting: setting.section):
            self._add_section(section, group)
        self._align_numbers()
        self._show_config(session.config)
        session.configured.connect(self._show_config)

    def _add_section(self, section: str, settings: Iterable[Setting]) -> None:
        self._column.addWidget(make_label("heading", section.replace("_", " ").capitalize()))
        self._column.addWidget(make_label("caption", section_help(section), wrap=True))
        for setting in settings:
            row = self._rows[setting.key] = Row(setting)
            row.changed.connect(self._want)
            self._column.addWidget(row)
        self._column.addSpacing(8)

    def _align_numbers(self) -> None:
        """Give every number the room of the longest one, so that sliders end below each other."""
        fields = self.findChildren(QDoubleSpinBox)
        for field in fields:
            field.setFixedWidth(max(other.maximumWidth() for other in fields))

    def _show_config(self, config: Config) -> None:
        for key, row in self._rows.items():
            if key not in self._wanted:
                row.show_value(get_value(config, key))

    def _want(self, key: str, value: Any) -> None:
        self._wanted[key] = value
        self._debounce.start()

    def _apply(self) -> None:
        """Send what is wanted; one wrong value keeps back none but itself."""
        config, wanted, self._wanted = self._session.config, self._wanted, {}
        for key, value in wanted.items():
            try:
                config = with_values(config, {key: value})
            except ConfigError as error:
                self._rows[key].show_error(sentence(str(error)))
            else:
                self._rows[key].show_error("")
        self._session.configure(config)

    def hideEvent(self, event: QHideEvent) -> None:
        """Apply at once what is still waiting."""
        super().hideEvent(event)
        if self._debounce.isActive():
            self._debounce.stop()
            self._apply()


class Progress(QWidget):
    """Tells that another network is being loaded behind the running one; a failure is told over the picture."""

    def __init__(self, session: Session, parent: QWidget) -> None:
        super().__init__(parent)
        self._session = session
        self._bar = QProgressBar()
        self._bar.setRange(0, 0)
        self._bar.setTextVisible(False)
        self._bar.setAccessibleName("Loading")
        self._text = ElidedLabel("loading")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._text)
        column.addWidget(self._bar)
        self._show(session.status)
        session.status_changed.connect(self._show)

    def _show(self, status: CameraStatus) -> None:
        self._text.setText(f"{sentence(status.loading)}…" if status.loading else "")
        self.resize(self.width(), self.sizeHint().height())  # an empty line is lower
        self.setVisible(bool(status.loading))


class SettingsPage(QWidget):
    """A page of the inspector with a form; see ``sections_page``."""

    def __init__(self, context: PageContext, settings: Iterable[Setting]) -> None:
        super().__init__()
        column = QVBoxLayout(self)
        column.setContentsMargins(*_MARGINS)
        column.setSpacing(10)
        column.addWidget(SettingsForm(context.session, settings))
        column.addWidget(make_label("caption", "All settings, on every page:"))
        for action in context.actions.area("settings"):
            column.addWidget(action_button(action))
        column.addStretch()
        self._progress = Progress(context.session, self)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the progress beside the first heading, where it moves nothing that is about to be clicked."""
        super().resizeEvent(event)
        left, top, right, _ = _MARGINS
        half = (self.width() - left - right) // 2
        self._progress.setGeometry(left + half, top, half, self._progress.sizeHint().height())


def sections_page(context: PageContext, sections: Collection[str]) -> QWidget:
    """A page with the settings of some sections, in the order of ``config.yaml``."""
    return SettingsPage(context, (setting for setting in describe() if setting.section in sections))


def _help(setting: Setting) -> str:
    """The line under a setting; ``null`` is what files call a value that forms call automatic or empty."""
    word = "auto" if setting.kind in ("int", "float") else "empty"
    text = sentence(setting.help.replace("null", word))
    return " ".join(filter(None, (f"{text}.", _APPLIES[setting.applies])))


def _in_words(setting: Setting) -> str:
    """The default as people call it."""
    if setting.default is None:
        return "automatic" if setting.kind in ("int", "float") else "none"
    if isinstance(setting.default, bool):
        return "on" if setting.default else "off"
    return f"{setting.default} {setting.unit}".strip()
