"""Colours, type and the style sheet: the only place that decides how the application looks.

Every text colour has a contrast of at least 4.5:1 on the surfaces it is used on (WCAG 2.2 AA); a test checks it.
Track colours are the set of Okabe & Ito, "Color Universal Design" (2008): told apart by colour-blind eyes.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final

from PyQt5.QtGui import QColor, QPalette
from PyQt5.QtWidgets import QApplication


@dataclass(frozen=True, slots=True)
class Theme:
    """One set of colours.

    Attributes:
        stage: behind the picture.
        surface: bars and the inspector.
        raised: cards, fields and buttons.
        line: borders.
        text: what is to be read.
        muted: captions and what is less important.
        accent: what is chosen, and the keyboard's place.
        on_accent: text on ``accent``.
        good: a light that says all is well.
        warning: a sentence that something is missing.
        bad: a failure.
    """

    stage: QColor
    surface: QColor
    raised: QColor
    line: QColor
    text: QColor
    muted: QColor
    accent: QColor
    on_accent: QColor
    good: QColor
    warning: QColor
    bad: QColor


DARK: Final = Theme(
    stage=QColor("#0c0e12"),
    surface=QColor("#15181e"),
    raised=QColor("#1f242c"),
    line=QColor("#323945"),
    text=QColor("#e9ecf1"),
    muted=QColor("#a1abb8"),
    accent=QColor("#56b4e9"),
    on_accent=QColor("#08131b"),
    good=QColor("#4cc9a0"),
    warning=QColor("#f0c05a"),
    bad=QColor("#ff8f7a"),
)

LIGHT: Final = Theme(
    stage=QColor("#e3e6eb"),
    surface=QColor("#f4f6f8"),
    raised=QColor("#ffffff"),
    line=QColor("#c3cad3"),
    text=QColor("#1b2027"),
    muted=QColor("#525c69"),
    accent=QColor("#075e96"),
    on_accent=QColor("#ffffff"),
    good=QColor("#08614a"),
    warning=QColor("#704b00"),
    bad=QColor("#a8231b"),
)

THEMES: Final = {"dark": DARK, "light": LIGHT}
"""The themes by the name they are remembered under."""

TRACKS: Final = tuple(
    QColor(name) for name in ("#56b4e9", "#e69f00", "#009e73", "#f0e442", "#cc79a7", "#d55e00", "#0072b2")
)
"""Colours of faces, taken in turn by track id."""

AXES: Final = (QColor("#d55e00"), QColor("#f0e442"), QColor("#56b4e9"))
"""Colours of the head's axes: to its image-right side, up, and out of the nose."""

_current = DARK


def current() -> Theme:
    """The theme the application wears."""
    return _current


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


def apply(app: QApplication, theme: Theme) -> None:
    """Give the application its look; the system's font and size stay.

    Widgets that paint colours of their own hear of it by ``QEvent.StyleChange`` and ask ``current``.
    """
    global _current
    _current = theme
    app.setStyle("Fusion")
    palette = QPalette()
    for role, color in (
        (QPalette.Window, theme.surface),
        (QPalette.WindowText, theme.text),
        (QPalette.Base, theme.raised),
        (QPalette.AlternateBase, theme.surface),
        (QPalette.Text, theme.text),
        (QPalette.Button, theme.raised),
        (QPalette.ButtonText, theme.text),
        (QPalette.Highlight, theme.accent),
        (QPalette.HighlightedText, theme.on_accent),
        (QPalette.Link, theme.accent),
        (QPalette.ToolTipBase, theme.raised),
        (QPalette.ToolTipText, theme.text),
        (QPalette.PlaceholderText, theme.muted),
    ):
        palette.setColor(role, color)
    for role in (QPalette.WindowText, QPalette.Text, QPalette.ButtonText):
        palette.setColor(QPalette.Disabled, role, theme.muted)
    app.setPalette(palette)
    app.setStyleSheet(_style_sheet(theme))


def _luminance(color: QColor) -> float:
    def linear(channel: float) -> float:
        return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4

    return 0.2126 * linear(color.redF()) + 0.7152 * linear(color.greenF()) + 0.0722 * linear(color.blueF())


def _style_sheet(theme: Theme) -> str:
    sheet = _TEMPLATE
    for field in fields(theme):
        sheet = sheet.replace(f"@{field.name};", f"{getattr(theme, field.name).name()};")
    return sheet


# Sizes are in points or in the font's own heights where text decides them, so that the system's font size is respected.
_TEMPLATE: Final = """
#header { background: @surface; border-bottom: 1px solid @line; }
#statusBar { background: @surface; border-top: 1px solid @line; }
#playbackBar { background: @surface; border-top: 1px solid @line; }
#live { font-weight: 600; }
#recordingLight { font-weight: 600; background: @surface; border-radius: 6px; padding: 3px 8px; }
#dropHint { background: @surface; border: 2px dashed @accent; border-radius: 12px; }
#dropHint { font-weight: 600; padding: 26px 44px; }
#inspector { background: @surface; border-left: 1px solid @line; }
#inspector QWidget#page { background: @surface; }
#rail { background: @surface; border-left: 1px solid @line; }
#caption { color: @muted; }
#heading { font-weight: 600; }
#fieldError, #loading { color: @warning; }
#banner { background: @raised; border-bottom: 1px solid @line; }
#bannerText { color: @warning; }
#notice { background: @raised; border: 1px solid @line; border-radius: 12px; }
#noticeTitle { font-weight: 600; }
#noticeText { color: @muted; }

QMenuBar { background: @surface; color: @text; border-bottom: 1px solid @line; padding: 1px 8px; }
QMenuBar::item { background: transparent; padding: 4px 9px; border-radius: 4px; }
QMenuBar::item:selected { background: @raised; color: @accent; }
QMenu { background: @raised; color: @text; border: 1px solid @line; padding: 4px; }
QMenu::item { padding: 5px 24px 5px 26px; border-radius: 4px; }
QMenu::item:selected { background: @accent; color: @on_accent; }
QMenu::item:disabled { color: @muted; }
QMenu::separator { height: 1px; background: @line; margin: 4px 8px; }
QMenu::indicator { width: 13px; height: 13px; left: 7px; }

QPushButton, QToolButton {
    background: @raised; color: @text; border: 1px solid @line; border-radius: 6px;
    padding: 5px 14px; min-height: 18px;
}
QToolButton { padding: 5px 7px; }
QPushButton:hover, QToolButton:hover { border-color: @muted; }
QPushButton:pressed, QToolButton:pressed { background: @stage; }
QPushButton:checked, QToolButton:checked { color: @accent; border-color: @accent; font-weight: 600; }
#hiddenOverlay:checked { color: @muted; border: 1px dashed @muted; font-weight: 400; }
QPushButton:focus, QToolButton:focus, #hiddenOverlay:focus { border: 2px solid @accent; padding: 4px 13px; }
QToolButton:focus { padding: 4px 6px; }
QPushButton:disabled, QToolButton:disabled { color: @muted; }
QPushButton::menu-indicator { subcontrol-position: right center; right: 8px; }
QPushButton#primary { background: @accent; color: @on_accent; border-color: @accent; font-weight: 600; }
QPushButton#primary:focus { border: 2px solid @text; padding: 4px 13px; }
QPushButton#source { font-weight: 600; }
#rail QToolButton { border-radius: 6px; padding: 7px 6px; background: transparent; border: 1px solid transparent; }
#rail QToolButton:hover { background: @raised; }
#rail QToolButton:checked { background: @raised; color: @accent; border-color: @line; }
#rail QToolButton:focus { border: 2px solid @accent; padding: 6px 5px; }

QLineEdit, QComboBox, QSpinBox, QDoubleSpinBox, QPlainTextEdit {
    background: @raised; border: 1px solid @line; border-radius: 6px;
    padding: 5px 10px; min-height: 18px; selection-background-color: @accent; selection-color: @on_accent;
}
QLineEdit:focus, QComboBox:focus, QSpinBox:focus, QDoubleSpinBox:focus, QPlainTextEdit:focus {
    border: 2px solid @accent; padding: 4px 9px;
}
#notice QLineEdit { background: @surface; }
#notice QPushButton:checked { font-weight: 400; }
#reset, #link { color: @accent; background: transparent; border-color: transparent; padding: 1px 8px; min-height: 0; }
#reset:hover, #link:hover { border-color: @line; }
#reset:focus, #link:focus { border: 2px solid @accent; padding: 0px 7px; }
#statusBar #link { border: none; padding: 0 8px; }
#statusBar #link:focus { background: @accent; color: @on_accent; border-radius: 4px; }
QComboBox { combobox-popup: 0; }
QComboBox QAbstractItemView { background: @raised; border: 1px solid @line; }
QComboBox QAbstractItemView::item { padding: 3px 8px; }
QComboBox::drop-down { border: none; width: 18px; }
QSlider { border: 2px solid transparent; border-radius: 8px; min-height: 20px; }
QSlider:focus { border-color: @accent; }
QSlider::groove:horizontal { background: @line; height: 4px; border-radius: 2px; }
QSlider::sub-page:horizontal { background: @accent; height: 4px; border-radius: 2px; }
QSlider::handle:horizontal { background: @text; width: 14px; height: 14px; margin: -5px 0; border-radius: 7px; }

#keys { font-weight: 600; }
QScrollArea { background: transparent; border: none; }
QScrollBar:vertical { background: @surface; width: 10px; margin: 0; }
QScrollBar::handle:vertical { background: @line; border-radius: 4px; min-height: 24px; margin: 1px; }
QScrollBar::handle:vertical:hover { background: @muted; }
QScrollBar:horizontal { background: @surface; height: 10px; margin: 0; }
QScrollBar::handle:horizontal { background: @line; border-radius: 4px; min-width: 24px; margin: 1px; }
QScrollBar::handle:horizontal:hover { background: @muted; }
QScrollBar::add-page, QScrollBar::sub-page { background: none; }
QScrollBar::add-line, QScrollBar::sub-line { background: none; width: 0; height: 0; }
QAbstractScrollArea::corner { background: transparent; border: none; }
QDialogButtonBox { dialogbuttonbox-buttons-have-icons: 0; }
QSplitter::handle { background: @line; }

QProgressBar { background: @line; border: none; border-radius: 2px; max-height: 4px; min-height: 4px; }
QProgressBar::chunk { background: @accent; border-radius: 2px; }
QToolTip { background: @raised; color: @text; border: 1px solid @line; padding: 4px; }
"""
