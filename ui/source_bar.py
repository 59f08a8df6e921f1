"""The bar above the picture: which source, and one button that starts and stops it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from PyQt5.QtCore import Qt, pyqtSignal
from PyQt5.QtWidgets import QAction, QFileDialog, QFrame, QHBoxLayout, QInputDialog, QMenu

from streamer.pipeline.status import CameraState, CameraStatus
from ui.actions import Actions
from ui.settings import Settings
from ui.widgets import ElidedButton, make_button

_ACTIVE = (CameraState.CONNECTING, CameraState.RUNNING)
_RECENT: Final = 8
_KEY: Final = "sources/recent"


class SourceBar(QFrame):
    """Lets the user choose a source.

    Signals:
        chosen: what ``streamer.sources.open_source`` is to open.
    """

    chosen = pyqtSignal(str)

    def __init__(self, actions: Actions, settings: Settings) -> None:
        super().__init__()
        self.setObjectName("header")
        self._actions, self._settings = actions, settings
        self._menu = QMenu(self)
        self._menu.aboutToShow.connect(self._fill)
        self._button = ElidedButton("source")
        self._button.setMenu(self._menu)
        self._button.setToolTip(actions["source.choose"].toolTip())
        self._button.setAccessibleName("Source")
        self._start_stop = make_button("Start", actions["run.start_stop"].trigger, name="primary")
        self._start_stop.setToolTip(actions["run.start_stop"].toolTip())
        self._start_stop.setMinimumWidth(84)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 8, 16, 8)
        row.setSpacing(10)
        row.addWidget(self._button, 1)
        row.addWidget(self._start_stop)
        actions.on("source.choose", self._button.showMenu)
        actions.on("source.file", self._ask_file)
        actions.on("source.folder", self._ask_folder)
        actions.on("source.url", self._ask_address)

    def show_status(self, status: CameraStatus) -> None:
        """Show which source it is, and whether it runs."""
        active = status.state in _ACTIVE
        text = "Stop" if active else "Start"
        if text != self._start_stop.text():
            self._start_stop.setText(text)
            self._actions["run.start_stop"].setText(text)
        if status.source and status.source != self._button.text():
            self._button.setText(status.source)

    def remember(self, source: str) -> None:
        """Put a source on top of the recent ones; without credentials, because the file is not a safe."""
        from streamer.sources.urls import redact

        if source in ("auto", "demo"):
            return
        source = redact(source)
        recent = [source, *(other for other in self.recent() if other != source)]
        self._settings.set(_KEY, recent[:_RECENT])

    def recent(self) -> list[str]:
        """The sources shown lately, the last one first."""
        return self._settings.get(_KEY, list[str]())

    def _fill(self) -> None:
        from streamer.sources.devices import list_webcams

        self._menu.clear()
        webcams = list_webcams()
        for webcam in webcams:
            self._add(f"{webcam.name}  ({webcam.path})", webcam.path)
        if not webcams:
            nothing = self._menu.addAction("No webcam found")
            assert nothing is not None
            nothing.setEnabled(False)
        self._menu.addSeparator()
        self._add("Demo", "demo")
        self._menu.addActions([self._actions[f"source.{what}"] for what in ("file", "folder", "url")])
        if recent := self.recent():
            self._menu.addSeparator()
            for source in recent:
                self._add(_short(source), source)

    def _add(self, text: str, source: str) -> QAction:
        action = self._menu.addAction(text.replace("&", "&&"))
        assert action is not None
        action.triggered.connect(lambda: self.chosen.emit(source))
        return action

    # Dialogs are opened without waiting for them: the picture goes on behind.

    def _ask_file(self) -> None:
        dialog = self._file_dialog("Open a video or picture")
        dialog.setFileMode(QFileDialog.ExistingFile)
        dialog.open()

    def _ask_folder(self) -> None:
        dialog = self._file_dialog("Open a folder of pictures")
        dialog.setFileMode(QFileDialog.Directory)
        dialog.setOption(QFileDialog.ShowDirsOnly)
        dialog.open()

    def _file_dialog(self, title: str) -> QFileDialog:
        dialog = QFileDialog(self.window(), title, self._settings.get("sources/folder", str(Path.home())))
        dialog.setAttribute(Qt.WA_DeleteOnClose)
        dialog.fileSelected.connect(self._choose_path)
        return dialog

    def _choose_path(self, path: str) -> None:
        self._settings.set("sources/folder", str(Path(path).parent))
        self.chosen.emit(path)

    def _ask_address(self) -> None:
        dialog = QInputDialog(self.window())
        dialog.setAttribute(Qt.WA_DeleteOnClose)
        dialog.setWindowTitle("Open address")
        dialog.setLabelText("Address of a stream (rtsp://, http://, …), or any other source:")
        dialog.setOkButtonText("Open")
        dialog.resize(520, dialog.sizeHint().height())
        dialog.textValueSelected.connect(self._choose_text)
        dialog.open()

    def _choose_text(self, text: str) -> None:
        if text.strip():
            self.chosen.emit(text.strip())


def _short(source: str) -> str:
    """A source by its end, which is what tells paths apart."""
    return source if len(source) <= 60 else f"…{source[-59:]}"
