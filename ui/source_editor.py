"""Corrects a source that failed: its address, and for network sources user name and password, none of them shown."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote, unquote, urlsplit

from PyQt5.QtCore import pyqtSignal
from PyQt5.QtWidgets import QFormLayout, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from ui.widgets import make_button, make_label

_HIDDEN: Final = "***"  # what stands for a secret in an address that is shown


class SourceEditor(QWidget):
    """Fields for a source.

    Signals:
        chosen: the source to show, with its credentials.
    """

    chosen = pyqtSignal(str)

    def __init__(self) -> None:
        super().__init__()
        self._original = self._shown = ""
        self._address, self._user, self._password = QLineEdit(), QLineEdit(), QLineEdit()
        self._address.setPlaceholderText("Webcam number, file, folder, URL or demo")
        self._password.setEchoMode(QLineEdit.Password)
        self._problem = make_label("fieldError", wrap=True)
        self._login: list[QWidget] = []
        rows = QFormLayout()
        rows.setFieldGrowthPolicy(QFormLayout.AllNonFixedFieldsGrow)
        for name, field in (("Source", self._address), ("User name", self._user), ("Password", self._password)):
            label = make_label("caption", name)
            rows.addRow(label, field)
            field.setAccessibleName(name)
            field.returnPressed.connect(self._choose)
            if field is not self._address:
                self._login += [label, field]
        self._address.textChanged.connect(self._show_login)
        buttons = QHBoxLayout()
        buttons.addWidget(self._problem, 1)
        buttons.addWidget(make_button("Open", self._choose, name="primary"))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(rows)
        column.addLayout(buttons)

    def edit(self, source: str, *, login: bool) -> None:
        """Begin with a source.

        Args:
            source: as it was given; its user name and password stay, unless others are entered or the host changes.
            login: whether these are what is wrong.
        """
        from streamer.sources.urls import without_credentials

        self._original, self._shown = source, without_credentials(source)
        self._address.setText(self._shown)
        kept = "unchanged" if _credentials(source)[0] else ""
        for field in (self._user, self._password):
            field.clear()
            field.setPlaceholderText(kept)
        self._problem.setText("")
        self._show_login()
        (self._user if login else self._address).setFocus()

    def _show_login(self) -> None:
        for widget in self._login:
            widget.setVisible("://" in self._address.text())

    def _choose(self) -> None:
        text = self._address.text().strip()
        if not text:
            return
        user, password = self._user.text(), self._password.text()
        source = corrected(self._original, self._shown, text, user, password)
        if _HIDDEN in source and _HIDDEN not in self._original:
            self._problem.setText(f"⚠ Replace {_HIDDEN} by what stands there.")
            return
        self._password.clear()
        self.chosen.emit(source)


def corrected(original: str, shown: str, text: str, user: str, password: str) -> str:
    """The source to open after ``shown`` has been edited to ``text``.

    Args:
        original: the source with its credentials, of which ``shown`` is the part that may be seen.
        shown: the text before.
        text: the text now.
        user: another user name; empty to keep the one of ``original``.
        password: another password; the same.
    """
    from streamer.sources.urls import host_and_port

    if text == shown and not user and not password:
        return original
    if "://" not in text or re.match(r"[^/]*://[^/?#]*@", text):
        return text  # what has been typed whole says all itself
    if "://" in original and host_and_port(text) == host_and_port(original):
        known_user, known_password = _credentials(original)
        password = password or ("" if user and user != known_user else known_password)
        user = user or known_user
    if not user and not password:
        return text
    scheme, _, rest = text.partition("://")
    return f"{scheme}://{quote(user, safe='')}:{quote(password, safe='')}@{rest}"


def _credentials(source: str) -> tuple[str, str]:
    """User name and password of an address, empty where there are none."""
    from streamer.config import SourceConfig
    from streamer.sources.urls import with_credentials

    if "://" not in source:
        return "", ""
    parts = urlsplit(with_credentials(source, SourceConfig()))  # percent-encodes whatever a password may hold
    return unquote(parts.username or ""), unquote(parts.password or "")
