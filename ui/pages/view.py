"""What is drawn over the picture, how the picture lies on the stage, and the colours of the window."""

from __future__ import annotations

from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import QGridLayout, QHBoxLayout, QToolButton, QVBoxLayout, QWidget

from ui.actions import Actions
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
    overlays = _Overlays(actions)
    column.addWidget(overlays)
    column.addSpacing(8)
    for title, group in (
        ("Picture", [*actions.area("fit"), actions["view.mirror"], *actions.area("zoom"), actions["view.full_screen"]]),
        ("Colours", actions.area("theme")),
    ):
        column.addWidget(make_label("heading", title))
        column.addLayout(_grid([action_button(action) for action in group]))
        column.addSpacing(8)
    column.addStretch()
    return page


class _Overlays(QWidget):
    """The switches of the overlays; while all are hidden, those that are on are dashed, and a line says why."""

    def __init__(self, actions: Actions) -> None:
        super().__init__()
        self._clean = actions["clean.picture"]
        self._hidden = make_label("caption")
        self._hidden.setAlignment(Qt.AlignRight | Qt.AlignVCenter)
        self._switches = [action_button(action) for action in actions.area("overlay")]
        head = QHBoxLayout()
        head.addWidget(make_label("heading", "Overlays"))
        head.addWidget(self._hidden, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addLayout(head)
        column.addLayout(_grid([*self._switches, action_button(self._clean)]))
        self._clean.toggled.connect(self._show_hidden)
        self._show_hidden(self._clean.isChecked())

    def _show_hidden(self, hidden: bool) -> None:
        self._hidden.setText(f"hidden; {self._clean.shortcut().toString()} shows them" if hidden else "")
        for switch in self._switches:
            switch.setObjectName("hiddenOverlay" if hidden else "")
            switch.setAccessibleDescription("Hidden by Clean picture" if hidden else "")
            if (style := switch.style()) is not None:
                style.polish(switch)


def _grid(buttons: list[QToolButton]) -> QGridLayout:
    grid = QGridLayout()
    grid.setSpacing(6)
    for number, button in enumerate(buttons):
        grid.addWidget(button, number // _COLUMNS, number % _COLUMNS)
    return grid
