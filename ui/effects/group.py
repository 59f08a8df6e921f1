"""The effects of one kind under a heading that folds them away."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from streamer.effects.base import Effect
from streamer.effects.listing import summary
from ui.controls import Fold
from ui.effects.row import EffectRow
from ui.effects.search import distance
from ui.widgets import make_label


class Group(QWidget):
    """A heading with rows; tells beside it how many of them are on.

    Attributes:
        effects: what it has a row for, once it is unfolded.
    """

    def __init__(
        self, title: str, effects: Sequence[type[Effect]], make_row: Callable[[type[Effect]], EffectRow]
    ) -> None:
        """Make the heading.

        Args:
            title: of the kind.
            effects: of this kind, in their order.
            make_row: makes a row that shows what applies; called when it is to be seen for the first time.
        """
        super().__init__()
        self.effects = effects
        self._make_row = make_row
        self._rows: dict[type[Effect], EffectRow] = {}
        self._found = list(effects)
        self._title = title
        self._fold = Fold(title)
        self._count = make_label("caption")
        self._count.setAlignment(Qt.AlignRight | Qt.AlignVCenter)
        self._body = QWidget()
        body = QVBoxLayout(self._body)
        body.setContentsMargins(8, 2, 0, 6)
        body.setSpacing(2)
        head = QHBoxLayout()
        head.setSpacing(4)
        head.addWidget(self._fold, 1)
        head.addWidget(self._count)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(self._body)
        self._body.hide()
        self._before_search: bool | None = None  # whether it was unfolded, while something is searched for
        self._fold.toggled.connect(self._show_body)
        self.show_count(0)

    def unfold(self) -> None:
        """Show the rows."""
        if self._before_search is not None:
            self._before_search = True
        self._fold.setChecked(True)

    def show_count(self, on: int, missing: str = "") -> None:
        """Tell how many of the effects are on, and what is missing for them to be seen."""
        told = f"{on} on, {missing}" if missing else f"{on} on"
        self._count.setText(f"⚠ {told}" if missing else told if on else "")
        self._fold.setAccessibleName(f"{self._title}, {told}")

    def search(self, words: list[str]) -> float:
        """Show only what all the words are in, the nearest first, unfolded; without words everything as it was.

        Returns:
            How far the nearest is, see :func:`ui.effects.search.distance`; infinite where there is none.
        """
        far = {effect: sum(self._distance(effect, word) for word in words) for effect in self.effects}
        self._found = sorted((effect for effect in self.effects if far[effect] < math.inf), key=far.__getitem__)
        if words and self._before_search is None:
            self._before_search = self._fold.isChecked()
        if words:
            self._fold.setChecked(True)
        elif self._before_search is not None:
            self._fold.setChecked(self._before_search)
            self._before_search = None
        self._show_body()
        self.setVisible(bool(self._found))
        return min(far.values())

    def _distance(self, effect: type[Effect], word: str) -> float:
        return distance(word, (effect.title.lower(), effect.name()), f"{summary(effect)} {self._title}".lower())

    def _show_body(self) -> None:
        if self._fold.isChecked():
            self._make_rows()
        self._body.setVisible(self._fold.isChecked() and bool(self._found))

    def _make_rows(self) -> None:
        """Make the rows that are missing, and show those that are searched for, each in its place."""
        body = self._body.layout()
        assert isinstance(body, QVBoxLayout)
        for effect in (*self._found, *(effect for effect in self.effects if effect not in self._found)):
            row = self._rows[effect] = self._rows.get(effect) or self._make_row(effect)
            body.removeWidget(row)
            body.addWidget(row)
            row.setVisible(effect in self._found)
