"""A line above the picture that tells what went wrong beside it; it covers nothing."""

from __future__ import annotations

from PyQt5.QtWidgets import QFrame, QHBoxLayout

from ui.widgets import make_button, make_label


class Banner(QFrame):
    """Shows sentences: those of the source for as long as they hold, others until they are dismissed."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("banner")
        self._told: list[str] = []
        self._standing: list[str] = []
        self._text = make_label("bannerText", wrap=True)
        self._dismiss = make_button("Dismiss", self._forget)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 6, 12, 6)
        row.addWidget(self._text, 1)
        row.addWidget(self._dismiss)
        self._show()

    def tell(self, sentence: str) -> None:
        """Add a sentence that stays until it is dismissed."""
        if sentence and sentence not in self._told:
            self._told.append(sentence)
            self._show()

    def show_standing(self, sentences: list[str]) -> None:
        """Show what holds now, in place of what held before."""
        if sentences != self._standing:
            self._standing = sentences
            self._show()

    def _forget(self) -> None:
        self._told.clear()
        self._show()

    def _show(self) -> None:
        sentences = list(dict.fromkeys([*self._standing, *self._told]))  # a failed recording is told by both
        self._text.setText("\n".join(sentences))
        self._dismiss.setVisible(bool(self._told))
        self.setVisible(bool(sentences))
