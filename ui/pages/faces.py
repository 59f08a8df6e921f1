"""One row for each face in the picture."""

from __future__ import annotations

from PyQt5.QtWidgets import QVBoxLayout, QWidget

from ui.pages.base import PageContext
from ui.widgets import make_label


def make_page(context: PageContext) -> QWidget:
    """Make the page."""
    page = QWidget()
    column = QVBoxLayout(page)
    column.addWidget(make_label("caption", "One row for each face in the picture.", wrap=True))
    column.addStretch()
    return page
