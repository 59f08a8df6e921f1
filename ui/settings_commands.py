"""Commands about all settings at once: copy them as YAML, keep them as one's own defaults, go back to the built-in."""

from __future__ import annotations

import threading

from PyQt5.QtCore import QObject, Qt, pyqtSignal
from PyQt5.QtWidgets import QMessageBox, QWidget

from streamer.config import Config
from streamer.errors import OutputError
from streamer.settings import changed, differing_yaml
from ui.actions import Actions
from ui.session import Session
from ui.widgets import copy_text


class SettingsCommands(QObject):
    """Carries out the commands of one window.

    Signals:
        done: a sentence on what has been done, and the file that was written or ``None``.
        failed: a sentence on what could not be done.
    """

    done = pyqtSignal(str, object)
    failed = pyqtSignal(str)

    def __init__(self, actions: Actions, session: Session, window: QWidget) -> None:
        super().__init__(window)
        self._session, self._window = session, window
        actions.on("settings.copy", self._copy)
        actions.on("settings.save", self._save)
        actions.on("settings.reset", self._ask_reset)

    def _copy(self) -> None:
        text = differing_yaml(self._session.config)
        if text:
            copy_text(text)
            self.done.emit("What differs from the defaults is in the clipboard, as YAML for config.yaml.", None)
        else:
            self.done.emit("There is nothing to copy: every setting has its default.", None)

    def _save(self) -> None:
        """Write behind the window: a disk may be slow."""
        config = self._session.config
        threading.Thread(target=self._write, args=(config,), name="save-defaults").start()

    def _write(self, config: Config) -> None:
        from streamer.personal import save_defaults

        try:
            path = save_defaults(config)
        except OutputError as error:
            self.failed.emit(str(error))
        else:
            self.done.emit(f"From now on facestream starts with these settings: {path}", path)

    def _ask_reset(self) -> None:
        count = len(changed(self._session.config))
        if not count:
            self.done.emit("There is nothing to reset: every setting has its default.", None)
            return
        box = QMessageBox(self._window)
        box.setAttribute(Qt.WA_DeleteOnClose)
        box.setIcon(QMessageBox.Question)
        box.setWindowTitle("Reset all settings – facestream")
        box.setText(f"Set {count} changed setting{'s' if count > 1 else ''} back to the built-in default?")
        box.addButton("Reset all", QMessageBox.AcceptRole)
        box.setEscapeButton(box.addButton("Cancel", QMessageBox.RejectRole))
        box.accepted.connect(lambda: self._session.configure(Config()))
        box.open()
