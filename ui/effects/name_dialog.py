"""Asks for the name of a preset, and stays until it is saved: what cannot be is told beside the name."""

from __future__ import annotations

import threading

from PyQt5.QtCore import Qt, pyqtSignal
from PyQt5.QtWidgets import QDialog, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from streamer.effects.base import Effect
from streamer.effects.presets import save_preset
from streamer.errors import FacestreamError
from ui.widgets import make_button, make_label, sentence

_WIDTH = 420  # logical pixels


class NameDialog(QDialog):
    """Saves effects as a preset.

    Signals:
        saved: the preset's name.
    """

    saved = pyqtSignal(str)
    _written = pyqtSignal(str)
    _refused = pyqtSignal(str)

    def __init__(self, effects: tuple[Effect, ...], name: str, parent: QWidget) -> None:
        """Ask, beginning with ``name``."""
        super().__init__(parent)
        self.setAttribute(Qt.WA_DeleteOnClose)
        self.setWindowTitle("Save as my preset – facestream")
        self._effects = effects
        self._name = QLineEdit(name)
        self._name.setAccessibleName("Name of the preset")
        self._name.selectAll()
        self._name.textChanged.connect(self._follow)
        self._problem = make_label("fieldError", "", wrap=True)
        self._problem.setMinimumHeight(2 * self._problem.fontMetrics().lineSpacing())  # nothing moves for a sentence
        self._save = make_button("Save", self._begin, name="primary")
        self._save.setDefault(True)
        self._refused.connect(self._tell)
        self._written.connect(self._finish)
        buttons = QHBoxLayout()
        buttons.addStretch()
        buttons.addWidget(make_button("Cancel", self.reject))
        buttons.addWidget(self._save)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 18, 20, 16)
        column.setSpacing(8)
        column.addWidget(
            make_label("caption", "Name of the preset; one of yours with this name is replaced.", wrap=True)
        )
        column.addWidget(self._name)
        column.addWidget(self._problem)
        column.addLayout(buttons)
        self.resize(_WIDTH, self.sizeHint().height())
        self._follow()

    def _follow(self) -> None:
        self._save.setEnabled(bool(self._name.text().strip()))
        self._problem.setText("")

    def _begin(self) -> None:
        """Write behind the window: a disk may be slow."""
        name = self._name.text().strip()
        self._save.setEnabled(False)
        threading.Thread(target=self._write, args=(name,), name="save-preset").start()

    def _write(self, name: str) -> None:
        try:
            save_preset(name, self._effects)
        except FacestreamError as error:
            self._refused.emit(str(error))
        else:
            self._written.emit(name)

    def _finish(self, name: str) -> None:
        """Tell of it, then close: closed first, the dialog might be gone before all had heard of it."""
        self.saved.emit(name)
        self.accept()

    def _tell(self, text: str) -> None:
        self._save.setEnabled(True)
        self._problem.setText(f"⚠ {sentence(text)}")
        self._name.setFocus()
        self._name.selectAll()
