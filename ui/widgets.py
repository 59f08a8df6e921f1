"""Small pieces the window is built of, each made in one call."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from PyQt5.QtCore import QSize, Qt
from PyQt5.QtGui import QFont, QFontMetrics, QPainter, QPaintEvent, QPalette
from PyQt5.QtWidgets import (
    QAction,
    QApplication,
    QLabel,
    QPushButton,
    QSizePolicy,
    QStyle,
    QStyleOptionButton,
    QStylePainter,
    QToolButton,
    QWidget,
)

_WORD: Final = 40  # letters after which a word may be broken: the name of a preset or a file knows no limit
_BREAK: Final = "\N{ZERO WIDTH SPACE}"


def make_label(name: str, text: str = "", *, wrap: bool = False) -> QLabel:
    """A label of plain text.

    Args:
        name: which rule of the style sheet it follows.
        text: what it says.
        wrap: break long text into lines, and let it be selected and copied.
    """
    label = _WrappingLabel(text) if wrap else QLabel(text)
    label.setObjectName(name)
    label.setTextFormat(Qt.PlainText)
    return label


class _WrappingLabel(QLabel):
    """A label that breaks its text into lines, very long words too: it would be as wide as the longest of them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.setWordWrap(True)
        self.setText(text)

    def setText(self, text: str) -> None:
        """Show another text, to be selected unless the places where words break would be copied with it."""
        broken = re.sub(rf"([^\s/]{{{_WORD}}})(?=[^\s/])", rf"\1{_BREAK}", text)
        self.setTextInteractionFlags(Qt.TextSelectableByMouse if broken == text else Qt.NoTextInteraction)
        super().setText(broken)

    def text(self) -> str:
        """What it was told to show."""
        return super().text().replace(_BREAK, "")


def make_title(text: str = "") -> QLabel:
    """The title of a card: larger than the system's letters, whatever their size."""
    label = make_label("noticeTitle", text, wrap=True)
    font = label.font()
    font.setPointSizeF(1.3 * font.pointSizeF())
    label.setFont(font)
    return label


def make_button(text: str, command: Callable[..., object], *, name: str = "", tip: str = "") -> QPushButton:
    """A button that calls ``command`` with whether it is checked."""
    button = QPushButton(text)
    button.setObjectName(name)
    button.setToolTip(tip)
    button.setAutoDefault(True)  # Return presses it where it is focused, as it does in dialogs
    button.clicked.connect(command)
    return button


class ElidedLabel(QLabel):
    """A label that gives way: it cuts its text with an ellipsis and tells it whole in the tool tip."""

    def __init__(self, name: str, text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self.setObjectName(name)
        self.setTextFormat(Qt.PlainText)
        self.setSizePolicy(QSizePolicy.Expanding, QSizePolicy.Preferred)

    def minimumSizeHint(self) -> QSize:
        """Almost nothing in width."""
        return QSize(24, super().minimumSizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint as much of the text as there is room for."""
        elided = self.fontMetrics().elidedText(self.text(), Qt.ElideMiddle, self.width())
        self.setToolTip(self.text() if elided != self.text() else "")
        painter = QPainter(self)
        painter.setPen(self.palette().color(self.foregroundRole()))
        painter.drawText(self.rect(), int(Qt.AlignVCenter | Qt.AlignLeft), elided)
        painter.end()


class ElidedButton(QPushButton):
    """A button that gives way: it cuts its text with an ellipsis and tells it whole in the tool tip and to readers."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setSizePolicy(QSizePolicy.Expanding, QSizePolicy.Fixed)

    def minimumSizeHint(self) -> QSize:
        """Almost nothing in width."""
        return QSize(80, super().minimumSizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the button, and as much of the text as there is room for."""
        option = QStyleOptionButton()
        self.initStyleOption(option)
        painter = QStylePainter(self)
        painter.drawControl(QStyle.CE_PushButtonBevel, option)
        place = self.rect().adjusted(14, 0, -32, 0)
        painter.setPen(self.palette().color(QPalette.ButtonText))
        text = self.fontMetrics().elidedText(self.text(), Qt.ElideMiddle, place.width())
        painter.drawText(place, int(Qt.AlignVCenter | Qt.AlignLeft), text)
        painter.end()


def sentence(text: str) -> str:
    """``text`` with a capital letter, unless it starts with a name: a path or URL stays as it is."""
    first = text.partition(" ")[0]
    return text[:1].upper() + text[1:] if first.rstrip(":,;").isalpha() else text


def copy_text(text: str) -> None:
    """Put text into the clipboard."""
    clipboard = QApplication.clipboard()
    assert clipboard is not None
    clipboard.setText(text)


class _ActionButton(QToolButton):
    """A button that has room for its label also while it is on, when that is written in bold."""

    def __init__(self) -> None:
        super().__init__()
        self.toggled.connect(self._wipe)

    def _wipe(self) -> None:
        """Paint its surroundings, too: on a screen of 1.25 or 1.5 pixels to one, a line of its border would stay."""
        parent = self.parentWidget()
        if parent is not None:
            parent.update(self.geometry().adjusted(-1, -1, 1, 1))

    def sizeHint(self) -> QSize:
        """The room for the bold label."""
        bold = QFont(self.font())
        bold.setWeight(QFont.DemiBold)
        wider = QFontMetrics(bold).horizontalAdvance(self.text()) - self.fontMetrics().horizontalAdvance(self.text())
        return super().sizeHint() + QSize(max(wider, 0) if self.isCheckable() else 0, 0)


def action_button(action: QAction) -> QToolButton:
    """A button for a command: it shows the command's label, state and help, and sets it off."""
    button = _ActionButton()
    button.setDefaultAction(action)
    button.setToolButtonStyle(Qt.ToolButtonTextOnly)
    button.setSizePolicy(QSizePolicy.Expanding, QSizePolicy.Fixed)
    button.setFocusPolicy(Qt.StrongFocus)
    button.setAccessibleName(action.text())
    return button
