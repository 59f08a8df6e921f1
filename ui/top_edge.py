"""The strip over the stage's upper edge where lines of text come and go, so that the picture never moves for them."""

from __future__ import annotations

from PyQt5.QtCore import QEvent, QObject, Qt
from PyQt5.QtWidgets import QVBoxLayout, QWidget


class TopEdge(QWidget):
    """As wide as the stage and as high as what it holds; nothing of the stage is covered while that is hidden."""

    def __init__(self, stage: QWidget, *lines: QWidget) -> None:
        """Put ``lines`` below each other over the upper edge of ``stage``."""
        super().__init__(stage)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        for line in lines:
            line.setAttribute(Qt.WA_NoMousePropagation)  # a click beside a button is not meant for the picture
            line.installEventFilter(self)
            column.addWidget(line)
        stage.installEventFilter(self)

    def event(self, event: QEvent) -> bool:
        """Fit when a line goes, or breaks anew."""
        if event.type() == QEvent.LayoutRequest:
            self._fit()
        return super().event(event)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Stay as wide as the stage, and fit at once when a line comes, so that it can be clicked."""
        if event.type() == (QEvent.Resize if watched is self.parent() else QEvent.ShowToParent):
            self._fit()
        return super().eventFilter(watched, event)

    def _fit(self) -> None:
        stage, column = self.parentWidget(), self.layout()
        assert stage is not None
        assert column is not None
        width = stage.width()
        broken = column.hasHeightForWidth()  # of several lines, some of which may break
        self.setGeometry(0, 0, width, column.totalHeightForWidth(width) if broken else column.totalSizeHint().height())
