"""Finding effects by the words people have for them."""

from __future__ import annotations

import math
from typing import Final

from PyQt5.QtCore import Qt
from PyQt5.QtGui import QKeyEvent
from PyQt5.QtWidgets import QLineEdit, QToolButton

_SAME: Final = (
    ("colour", "color", "tint", "dye"),
    ("whitening", "whitens", "whiten", "brightens", "bright", "lighten", "lightens", "lightening"),
    ("beauty", "beautify", "retouch", "skin", "make-up", "teeth", "slim"),
    ("smooth", "smoothing", "soften", "acne", "pimples", "wrinkles", "pores"),
    ("lips", "lip", "mouth"),
    ("make-up", "makeup", "cosmetics"),
    ("brow", "eyebrow", "eyebrows"),
    ("eyes", "eye", "iris", "irises"),
    ("cheeks", "cheek", "blush", "rouge"),
    ("moustache", "mustache", "beard"),
    ("glasses", "sunglasses", "spectacles", "shades"),
    ("slimmer", "slim", "thin", "thinner", "narrower", "narrows", "jaw"),
    ("bigger", "larger", "enlarge"),
    ("privacy", "anonymous", "anonymise", "anonymize", "censor", "hide", "hides", "mask", "mosaic", "blur", "pixelate"),
    ("cartoon", "anime", "comic", "drawing", "sketch"),
    ("ears", "cat", "dog", "bunny", "animal"),
    ("sticker", "filter", "png", "image"),
    ("swap", "deepfake", "replace"),
    ("hat", "cap", "crown"),
    ("dark circles", "bags", "under-eye", "eyebags"),
)
"""Words that stand for each other; the effects' own names and help use the first or another one of each row."""

_SHORTEST: Final = 3  # letters from which a word may be one that is still being typed


def meanings(word: str) -> tuple[str, ...]:
    """A word in small letters with those that stand for it; the beginning of a word counts as the word."""
    rows = (row for row in _SAME if len(word) >= _SHORTEST and any(known.startswith(word) for known in row))
    return tuple(dict.fromkeys([word, *(known for row in rows for known in row)]))


def distance(word: str, names: tuple[str, ...], text: str) -> float:
    """How far what a word means is from an effect; all in small letters.

    Returns:
        0: a name begins with it; 1: a name holds it; 2: a name holds another word for it; 3: the text does, or holds
        the word itself; infinite: nothing does.
    """
    if any(name.startswith(word) for name in names):
        return 0
    if any(word in name for name in names):
        return 1
    others = meanings(word)
    if any(other in name for other in others for name in names):
        return 2
    return 3 if any(other in text for other in others) else math.inf


class SearchField(QLineEdit):
    """A line that Esc empties."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.setPlaceholderText(text)
        self.setAccessibleName(text)
        self.setClearButtonEnabled(True)
        for button in self.findChildren(QToolButton):  # Qt's own, which has neither text nor name
            button.setAccessibleName("Clear")

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Take everything back on Esc."""
        if event.key() == Qt.Key_Escape and self.text():
            self.clear()
        else:
            super().keyPressEvent(event)
