"""Colours, type and the style sheet: the only place that decides how the application looks.

Every text colour has a contrast of at least 4.5:1 on the surfaces it is used on (WCAG 2.2 AA); a test checks it.
Track colours are the set of Okabe & Ito, "Color Universal Design" (2008): told apart by colour-blind eyes.
"""

from __future__ import annotations

from typing import Final

from PyQt5.QtGui import QColor, QPalette
from PyQt5.QtWidgets import QApplication

STAGE: Final = QColor("#0c0e12")
"""Behind the picture."""
SURFACE: Final = QColor("#15181e")
"""Bars."""
RAISED: Final = QColor("#1f242c")
"""Cards, fields and buttons."""
LINE: Final = QColor("#323945")
"""Borders."""
TEXT: Final = QColor("#e9ecf1")
MUTED: Final = QColor("#a1abb8")
ACCENT: Final = QColor("#56b4e9")
ON_ACCENT: Final = QColor("#08131b")
GOOD: Final = QColor("#4cc9a0")
WARNING: Final = QColor("#f0c05a")
BAD: Final = QColor("#ff8f7a")

TRACKS: Final = tuple(
    QColor(name) for name in ("#56b4e9", "#e69f00", "#009e73", "#f0e442", "#cc79a7", "#d55e00", "#0072b2")
)
"""Colours of faces, taken in turn by track id."""

AXES: Final = (QColor("#d55e00"), QColor("#f0e442"), QColor("#56b4e9"))
"""Colours of the head's axes: to its image-right side, up, and out of the nose."""


def track_color(track_id: int | None) -> QColor:
    """The colour of a track; the first one for a face without an id."""
    return TRACKS[((track_id or 1) - 1) % len(TRACKS)]


def text_on(background: QColor) -> QColor:
    """Black or white, whichever is easier to read on ``background``."""
    return max((QColor("black"), QColor("white")), key=lambda text: contrast(text, background))


def contrast(one: QColor, other: QColor) -> float:
    """Contrast ratio of two colours, 1..21, as WCAG 2.2 defines it."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def apply(app: QApplication) -> None:
    """Give the application its look; the system's font and size stay."""
    app.setStyle("Fusion")
    palette = QPalette()
    for role, color in (
        (QPalette.Window, SURFACE),
        (QPalette.WindowText, TEXT),
        (QPalette.Base, RAISED),
        (QPalette.Text, TEXT),
        (QPalette.Button, RAISED),
        (QPalette.ButtonText, TEXT),
        (QPalette.Highlight, ACCENT),
        (QPalette.HighlightedText, ON_ACCENT),
        (QPalette.ToolTipBase, RAISED),
        (QPalette.ToolTipText, TEXT),
        (QPalette.PlaceholderText, MUTED),
    ):
        palette.setColor(role, color)
    app.setPalette(palette)
    app.setStyleSheet(_style_sheet())


def _luminance(color: QColor) -> float:
    def linear(channel: float) -> float:
        return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4

    return 0.2126 * linear(color.redF()) + 0.7152 * linear(color.greenF()) + 0.0722 * linear(color.blueF())


def _style_sheet() -> str:
    names = {
        "surface": SURFACE, "raised": RAISED, "line": LINE, "text": TEXT, "muted": MUTED,
        "accent": ACCENT, "on_accent": ON_ACCENT, "warning": WARNING,
    }  # fmt: skip
    sheet = _TEMPLATE
    for name, color in names.items():
        sheet = sheet.replace(f"@{name};", f"{color.name()};")
    return sheet


_TEMPLATE: Final = """
#header { background: @surface; border-bottom: 1px solid @line; }
#statusBar { background: @surface; border-top: 1px solid @line; }
#sourceName { font-weight: 600; }
#caption { color: @muted; }
#warning { color: @warning; background: @raised; padding: 6px 16px; }
#notice { background: @raised; border: 1px solid @line; border-radius: 12px; }
#noticeTitle { font-weight: 600; font-size: 13pt; }
#noticeText { color: @muted; }

QPushButton {
    background: @raised; color: @text; border: 1px solid @line; border-radius: 6px;
    padding: 5px 14px; min-height: 18px;
}
QPushButton:hover { border-color: @muted; }
QPushButton:focus { border: 1px solid @accent; }
QPushButton:pressed { background: @line; }
QPushButton:checked { color: @accent; border-color: @accent; }
QPushButton:disabled { color: @muted; }
QPushButton#primary { background: @accent; color: @on_accent; border-color: @accent; font-weight: 600; }
QPushButton#primary:focus { border: 2px solid @text; padding: 4px 13px; }

QLineEdit {
    background: @surface; color: @text; border: 1px solid @line; border-radius: 6px;
    padding: 5px 10px; min-height: 18px; selection-background-color: @accent; selection-color: @on_accent;
}
QLineEdit:focus { border-color: @accent; }

QProgressBar { background: @line; border: none; border-radius: 2px; max-height: 4px; min-height: 4px; }
QProgressBar::chunk { background: @accent; border-radius: 2px; }
QToolTip { background: @raised; color: @text; border: 1px solid @line; padding: 4px; }
"""
