"""A line at the picture's upper edge that tells what went wrong beside it."""

from __future__ import annotations

from PyQt5.QtWidgets import QFrame, QHBoxLayout

from ui.widgets import make_button, make_label, sentence


class Banner(QFrame):
    """Shows sentences until they are dismissed, those of the source also no longer than they hold."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("banner")
        self._told: dict[str, str] = {}  # by what they are about
        self._standing: list[str] = []
        self._dismissed: set[str] = set()
        self._passing = ""
        self._text = make_label("bannerText", wrap=True)
        self._dismiss = make_button("Dismiss", self._forget)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 6, 12, 6)
        row.addWidget(self._text, 1)
        row.addWidget(self._dismiss)
        self._show()

    def tell(self, text: str, about: str = "") -> None:
        """Add a sentence that stays until it is dismissed.

        Args:
            text: the sentence; empty to take back what was told about the same thing.
            about: what it is about, of which only the newest sentence holds; empty for a sentence on its own.
        """
        text = sentence(text)
        self._dismissed.discard(text)
        if text:
            self._told[about or text] = text
        else:
            self._told.pop(about, None)
        self._show()

    def show_standing(self, texts: list[str], passing: str) -> None:
        """Show what holds now, in place of what held before; what was dismissed comes back when it holds anew.

        Args:
            texts: what can be dismissed.
            passing: what changes by the second and goes by itself; empty for nothing.
        """
        standing = [sentence(text) for text in texts]
        if (standing, passing) != (self._standing, self._passing):
            self._standing, self._passing = standing, passing
            self._dismissed &= set(standing)
            self._show()

    def _forget(self) -> None:
        self._told.clear()
        self._dismissed |= set(self._standing)
        self._show()

    def _show(self) -> None:
        told = dict.fromkeys([*self._standing, *self._told.values()])  # a failed recording is told by both
        sentences = [text for text in told if text not in self._dismissed]
        self._dismiss.setVisible(bool(sentences))
        self._text.setText("\n".join(filter(None, [self._passing, *sentences])))
        self.setVisible(bool(self._text.text()))
