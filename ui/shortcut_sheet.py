"""Every key of the window on one sheet, made from its actions."""

from __future__ import annotations

from typing import Final

from PyQt5.QtCore import QSize, Qt
from PyQt5.QtGui import QKeySequence
from PyQt5.QtWidgets import QDialog, QDialogButtonBox, QGridLayout, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from ui.actions import MENUS, Actions
from ui.widgets import make_label

MOUSE = (
    ("Wheel", "Zoom about the pointer"),
    ("Drag", "Move the picture"),
    ("Drag the line", "Compare before and after"),
    ("Click", "Choose a face"),
    ("Double click", "Full screen"),
)
"""What the mouse does on the picture: the sheet tells that, too."""

_BOTH: Final = {
    "run.start_stop": "Start or stop",
    "playback.play": "Play or pause",
    "compare.before": "Before, while held",
}
"""What the keys do whose label in the menu follows what goes on."""

_COLUMNS: Final = 3

_Group = tuple[str, list[tuple[str, str]]]
"""A title with keys and what they do."""


class ShortcutSheet(QDialog):
    """The sheet; Esc closes it."""

    def __init__(self, actions: Actions, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keyboard shortcuts – facestream")
        self.setAttribute(Qt.WA_DeleteOnClose)
        columns = QHBoxLayout()
        columns.setSpacing(32)
        for part in _columns([*_groups(actions), ("Mouse on the picture", list(MOUSE))]):
            column = QVBoxLayout()
            column.setSpacing(6)
            for title, rows in part:
                column.addWidget(make_label("heading", title))
                column.addLayout(_table(rows))
                column.addSpacing(12)
            column.addStretch(1)
            columns.addLayout(column)
        sheet = QWidget()
        sheet.setLayout(columns)
        area = QScrollArea()
        area.setWidget(sheet)
        area.setWidgetResizable(True)
        buttons = QDialogButtonBox()
        buttons.addButton("Close", QDialogButtonBox.RejectRole)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addWidget(area)
        layout.addWidget(buttons)
        room = QSize(48, 80)  # margins, scroll bar and button
        self.resize((sheet.sizeHint() + room).boundedTo(parent.size() * 0.95))


def _columns(groups: list[_Group]) -> list[list[_Group]]:
    """Groups in their order, in columns of about the same height: on most screens nothing has to be scrolled."""
    columns: list[list[_Group]] = [[] for _ in range(_COLUMNS)]
    heights = [len(rows) + 2 for _, rows in groups]  # a title and a gap
    for number, group in enumerate(groups):
        middle = sum(heights[:number]) + heights[number] / 2
        columns[int(_COLUMNS * middle / sum(heights))].append(group)
    return columns


def _groups(actions: Actions) -> list[_Group]:
    """Menu titles with the keys and labels of their commands."""
    groups = []
    for title in MENUS:
        rows = [
            (
                " or ".join(key.toString(QKeySequence.NativeText) for key in action.shortcuts()),
                _BOTH.get(command.name, command.text),
            )
            for command, action in actions
            if command.menu == title and command.keys
        ]
        if rows:
            groups.append((title.replace("&", ""), rows))
    return groups


def _table(rows: list[tuple[str, str]]) -> QGridLayout:
    grid = QGridLayout()
    grid.setHorizontalSpacing(20)
    grid.setVerticalSpacing(3)
    for number, (keys, text) in enumerate(rows):
        grid.addWidget(make_label("keys", keys), number, 0)
        grid.addWidget(make_label("caption", text), number, 1)
    grid.setColumnStretch(1, 1)
    return grid
