"""A line that tells whether faces are covered, and by what, with the way to what covers them."""

from __future__ import annotations

from PyQt5.QtCore import pyqtSignal
from PyQt5.QtWidgets import QHBoxLayout, QWidget

from ui.widgets import ElidedLabel, make_button, make_label


class CoverLine(QWidget):
    """Is always there, so that nothing moves when the first cover comes.

    Signals:
        wanted: the user wants to see the covers.
    """

    wanted = pyqtSignal()

    def __init__(self) -> None:
        super().__init__()
        self._covers = ElidedLabel("value")
        self._covers.setAccessibleName("Faces covered")
        show = make_button("Show", self.wanted.emit, name="link", tip="Go to what covers faces")
        show.setAccessibleName("Show what covers faces")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(make_label("caption", "Faces covered"))
        row.addWidget(self._covers, 1)
        row.addWidget(show)
        self.show_covers(())

    def show_covers(self, covers: tuple[str, ...]) -> None:
        """Show what covers faces, by its titles."""
        self._covers.setText(", ".join(covers) or "no")
