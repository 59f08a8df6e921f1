"""A line at the picture's upper edge that tells where something was saved, and opens the folder."""

from __future__ import annotations

from pathlib import Path

from PyQt5.QtCore import QTimer, QUrl
from PyQt5.QtGui import QDesktopServices, QHideEvent
from PyQt5.QtWidgets import QFrame, QHBoxLayout

from ui.widgets import ElidedLabel, make_button

_STAY = 8000  # ms: long enough to read a path and reach for the button


class Receipt(QFrame):
    """Tells one result, the newest, for a while."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("banner")
        self._path: Path | None = None
        self._text = ElidedLabel("receiptText")
        self._open = make_button("Open folder", self._open_folder)
        self._leave = QTimer(self)
        self._leave.setSingleShot(True)
        self._leave.setInterval(_STAY)
        self._leave.timeout.connect(self.hide)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 6, 12, 6)
        row.addWidget(self._text, 1)
        row.addWidget(self._open)
        row.addWidget(make_button("Dismiss", self.hide))
        self.hide()

    def tell(self, sentence: str, path: Path | None) -> None:
        """Show what was done, in place of what was told before.

        Args:
            sentence: what is to be read.
            path: the file whose folder a click opens, or ``None``.
        """
        self._path = path
        self._text.setText(sentence)
        self._open.setVisible(path is not None)
        self.show()
        self._leave.start()

    def _open_folder(self) -> None:
        if self._path is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._path.parent)))

    def hideEvent(self, event: QHideEvent) -> None:
        """Stop counting."""
        self._leave.stop()
        super().hideEvent(event)
