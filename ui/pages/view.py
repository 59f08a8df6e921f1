"""What is drawn over the picture, how the picture lies on the stage, and the colours of the window."""

from __future__ import annotations

from PyQt5.QtWidgets import QAction, QGridLayout, QVBoxLayout, QWidget

from ui.pages.base import PageContext
from ui.widgets import action_button, make_label

_COLUMNS = 2


def make_page(context: PageContext) -> QWidget:
    """Make the page: every switch is an action of the window, so it has a key and is remembered."""
    page = QWidget()
    column = QVBoxLayout(page)
    column.setContentsMargins(16, 14, 16, 14)
    column.setSpacing(8)
    actions = context.actions
    for title, group in (
        ("Overlays", actions.area("overlay")),
        ("Picture", [*actions.area("fit"), actions["view.mirror"], *actions.area("zoom"), actions["view.full_screen"]]),
        ("Colours", actions.area("theme")),
    ):
        column.addWidget(make_label("heading", title))
        column.addLayout(_grid(group))
        column.addSpacing(8)
    column.addStretch()
    return page


def _grid(actions: list[QAction]) -> QGridLayout:
    grid = QGridLayout()
    grid.setSpacing(6)
    for number, action in enumerate(actions):
        grid.addWidget(action_button(action), number // _COLUMNS, number % _COLUMNS)
    return grid
