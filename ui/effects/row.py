"""One effect on the Effects page: a switch, its strength, and its other settings folded away."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from PyQt5.QtCore import pyqtSignal
from PyQt5.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from streamer.effects.base import Effect
from streamer.effects.listing import summary
from streamer.settings import describe_section
from ui.controls import Fold, Switch
from ui.setting_editors import make_editor
from ui.settings_form import Row
from ui.widgets import make_button, make_label, sentence

_INDENT = 22  # of what is folded, in logical pixels


class EffectRow(QWidget):
    """Shows and changes one effect; made from its class, so that a new effect needs nothing here.

    Signals:
        switched: its name, and whether it is wanted.
        changed: its name, a setting's, and the value the user wants.
        reset: its name; the user wants it as the preset has it.
        taken: the user has taken hold of a control.
    """

    switched = pyqtSignal(str, bool)
    changed = pyqtSignal(str, str, object)
    reset = pyqtSignal(str)
    taken = pyqtSignal()

    def __init__(self, effect: type[Effect]) -> None:
        super().__init__()
        self.setObjectName(effect.name())
        self._effect = effect
        self._help = summary(effect)
        strength, *self._others = describe_section(effect.name(), effect)
        self._rows: dict[str, Row] = {}
        self._shown: Effect | None = None
        self._switch = Switch(effect.title)
        self._switch.setToolTip(self._help)
        self._switch.setAccessibleDescription(self._help)
        self._switch.clicked.connect(lambda on: self.switched.emit(effect.name(), on))
        self._reset = make_button("Reset", self._ask_reset, name="reset", tip="As the preset has it")
        self._reset.setAccessibleName(f"{effect.title}, reset")
        policy = self._reset.sizePolicy()
        policy.setRetainSizeWhenHidden(True)  # nothing jumps under the pointer
        self._reset.setSizePolicy(policy)
        self._fold = Fold()
        self._fold.setAccessibleName(f"{effect.title}, more")
        self._fold.setToolTip("What it does, and its other settings" if self._others else "What it does")
        self._fold.toggled.connect(self._show_more)
        self._strength = make_editor(replace(strength, title=f"{effect.title}, strength"))
        self._strength.setToolTip(strength.help)
        self._strength.changed.connect(lambda value: self._tell("strength", value))
        self._strength.taken.connect(self.taken)
        self._more: QWidget | None = None
        self._lay_out()

    def show_effect(self, effect: Effect, *, on: bool, differs: bool) -> None:
        """Show the settings an effect has, or would have were it on."""
        self._shown = effect
        self._switch.setChecked(on)
        self._strength.show_value(effect.strength if on else 0.0)
        self._reset.setVisible(differs)
        for name, row in self._rows.items():
            row.show_value(getattr(effect, name))
            row.show_error("")

    def show_error(self, setting: str, text: str) -> None:
        """Tell at a setting why what was wanted does not apply."""
        self._rows[setting].show_error(sentence(text))

    def take_keyboard(self) -> None:
        """Be what the keyboard commands."""
        self._switch.setFocus()

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(2)
        head.addWidget(self._switch)
        head.addStretch()
        head.addWidget(self._reset)
        head.addWidget(self._fold)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 6)
        self._column.setSpacing(2)
        self._column.addLayout(head)
        self._column.addWidget(self._strength)

    def _show_more(self, shown: bool) -> None:
        if self._more is None:
            self._more = self._make_more()
            self._column.addWidget(self._more)
        self._more.setVisible(shown)

    def _make_more(self) -> QWidget:
        """The other settings, made when they are first asked for: most never are."""
        more = QWidget()
        more.setAccessibleName(self._effect.title)
        column = QVBoxLayout(more)
        column.setContentsMargins(_INDENT, 2, 0, 8)
        column.setSpacing(8)
        column.addWidget(make_label("caption", self._help, wrap=True))
        for setting in self._others:
            row = self._rows[setting.name] = Row(setting)
            row.changed.connect(lambda key, value: self._tell(key.partition(".")[2], value))
            row.taken.connect(self.taken)
            if self._shown is not None:
                row.show_value(getattr(self._shown, setting.name))
            column.addWidget(row)
        return more

    def _ask_reset(self) -> None:
        self._switch.setFocus()  # the button that has the keyboard goes
        self.reset.emit(self._effect.name())

    def _tell(self, setting: str, value: Any) -> None:
        self.changed.emit(self._effect.name(), setting, value)
