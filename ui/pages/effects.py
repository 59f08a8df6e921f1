"""What is done to the picture people see: presets, and every effect there is with its settings.

Made from the effects' classes: a new effect, or a new setting of one, needs nothing here.
"""

from __future__ import annotations

import math
from typing import Any, Final

from PyQt5.QtCore import Qt, QTimer
from PyQt5.QtGui import QHideEvent, QShowEvent
from PyQt5.QtWidgets import QToolButton, QVBoxLayout, QWidget

from streamer.effects.base import Effect, Phase
from streamer.effects.registry import all_effects
from streamer.errors import ConfigError
from streamer.types import FrameResult
from ui.effects.cover_line import CoverLine
from ui.effects.group import Group
from ui.effects.mix import Mix, Presets
from ui.effects.preset_bar import PresetBar
from ui.effects.row import EffectRow
from ui.effects.search import SearchField
from ui.flow_layout import FlowLayout
from ui.pages.base import PageContext
from ui.widgets import action_button, make_label

GROUPS: Final = {
    Phase.SKIN: "Skin",
    Phase.MAKEUP: "Make-up",
    Phase.SHAPE: "Shape",
    Phase.STYLE: "Style",
    Phase.SWAP: "Swap",
    Phase.STICKER: "Stickers",
    Phase.PRIVACY: "Privacy",
}
"""Headings from top to bottom."""

_LEAST_FACES: Final = {Phase.SWAP: 2}  # in the picture for effects of this kind to be seen
_ABOUT: Final = "effects page"


def make_page(context: PageContext) -> QWidget:
    """Make the page."""
    return EffectsPage(context)


class EffectsPage(QWidget):
    """Shows the look that applies, and changes it."""

    def __init__(self, context: PageContext) -> None:
        super().__init__()
        self._context, self._look = context, context.look
        self._presets = Presets()
        self._mix = Mix(self._presets)
        self._shown: str | None = None  # the look that the page shows
        self._faces = 0  # in the picture
        self._following = False
        self._rows: dict[str, EffectRow] = {}
        self._groups = [
            Group(title, effects, self._make_row)
            for phase, title in GROUPS.items()
            if (effects := [effect for effect in all_effects().values() if effect.phase is phase])
        ]
        self._bar = PresetBar(self._presets, self._mix)
        self._cover_line = CoverLine()
        self._clean_line = make_label("caption")
        policy = self._clean_line.sizePolicy()
        policy.setRetainSizeWhenHidden(True)  # nothing moves under the pointer that has just switched an effect on
        self._clean_line.setSizePolicy(policy)
        self._search = SearchField("Search effects")
        self._search.textChanged.connect(self._find)
        self._nothing = make_label("caption", "No effect is called that.", wrap=True)
        self._lay_out()
        self._connect()
        self._presets.read()
        self._bar.show_presets()
        self._show_look(self._look.text)
        self._unfold_what_is_on()

    def _make_row(self, effect: type[Effect]) -> EffectRow:
        row = self._rows[effect.name()] = EffectRow(effect)
        row.switched.connect(self._switch)
        row.changed.connect(self._change)
        row.reset.connect(self._reset)
        row.taken.connect(self._look.end_step)
        self._show_row(effect.name())
        return row

    def _lay_out(self) -> None:
        actions = self._context.actions
        hold = QToolButton()
        hold.setText("Hold: before")
        hold.setToolTip(actions["compare.before"].toolTip())
        hold.setFocusPolicy(Qt.StrongFocus)
        hold.pressed.connect(lambda: actions["compare.before"].setChecked(True))
        hold.released.connect(lambda: actions["compare.before"].setChecked(False))
        tools = QWidget()
        flow = FlowLayout(across=4, down=6)
        flow.setContentsMargins(0, 0, 0, 0)
        tools.setLayout(flow)
        for name in ("look.undo", "look.redo"):
            flow.addWidget(action_button(actions[name]))
        flow.addWidget(hold)
        for name in ("compare.split", "clean.picture"):
            flow.addWidget(action_button(actions[name]))
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 14, 16, 14)
        column.setSpacing(10)
        column.addWidget(self._cover_line)
        column.addWidget(self._bar)
        column.addWidget(tools)
        column.addWidget(self._clean_line)
        column.addWidget(self._search)
        column.addWidget(self._nothing)
        self._order = QVBoxLayout()
        self._order.setSpacing(column.spacing())
        for group in self._groups:
            self._order.addWidget(group)
        column.addLayout(self._order)
        column.addStretch()
        self._nothing.hide()

    def _connect(self) -> None:
        self._bar.chosen.connect(self._choose)
        self._bar.saved.connect(self._be_saved)
        self._bar.removed.connect(self._be_removed)
        self._bar.reread.connect(self._read_again)
        self._bar.told.connect(self._tell)
        self._cover_line.wanted.connect(self._show_covers)
        self._look.changed.connect(self._show_look)
        self._look.covers_wanted.connect(self._show_covers)
        self._context.actions.on("clean.picture", self._tell_clean)
        self._tell_clean(self._context.actions["clean.picture"].isChecked())

    # ---- what applies ------------------------------------------------------------------------------------------

    def _show_look(self, text: str) -> None:
        """Show what others have set: undo, the settings page, the command line."""
        if text == self._shown:
            return
        try:
            self._mix.take(text)
        except ConfigError as error:
            self._tell(str(error))
        else:
            self._tell("")
        self._shown = text
        self._show_all()

    def _show_all(self) -> None:
        for name in self._rows:
            self._show_row(name)
        self._show_head()

    def _show_row(self, name: str) -> None:
        mix = self._mix
        self._rows[name].show_effect(mix.effect(name), on=name in mix, differs=mix.differs(name))

    def _show_head(self) -> None:
        self._bar.show_mix()
        self._cover_line.show_covers(tuple(sorted(effect.title for effect in self._mix.effects if effect.covers)))
        for group in self._groups:
            on = self._on_in(group)
            least = max((_LEAST_FACES.get(effect.phase, 0) for effect in group.effects), default=0)
            group.show_count(on, f"needs {least} faces" if on and self._faces < least else "")

    def _on_in(self, group: Group) -> int:
        return sum(effect.name() in self._mix for effect in group.effects)

    def _unfold_what_is_on(self) -> None:
        """Show where something is on, and the first group: nobody should have to search for what to do here."""
        for number, group in enumerate(self._groups):
            if number == 0 or self._on_in(group):
                group.unfold()

    def _show_covers(self) -> None:
        """Bring the group of what covers faces into view, with the keyboard on the one that does, or on the first."""
        (group,) = (group for group in self._groups if group.effects[0].phase is Phase.PRIVACY)
        self._search.clear()
        group.unfold()
        on = [effect.name() for effect in group.effects if effect.name() in self._mix]
        row = self._rows[on[0] if on else group.effects[0].name()]
        QTimer.singleShot(0, row.take_keyboard)  # when it has its place: the inspector scrolls to it

    def _tell_clean(self, clean: bool) -> None:
        key = self._context.actions["clean.picture"].shortcut().toString()
        self._clean_line.setText(f"Overlays are hidden; {key} shows them.")
        self._clean_line.setVisible(clean)

    # ---- what is wanted ----------------------------------------------------------------------------------------

    def _switch(self, name: str, on: bool) -> None:
        self._mix.switch(name, on)
        self._want_row(name)

    def _change(self, name: str, setting: str, value: Any) -> None:
        try:
            self._mix.change(name, {setting: value})
        except ConfigError as error:
            self._rows[name].show_error(setting, str(error))
        else:
            self._want_row(name, f"{name}.{setting}")

    def _reset(self, name: str) -> None:
        self._mix.reset(name)
        self._want_row(name)

    def _choose(self, preset: str) -> None:
        self._mix.choose(preset)
        self._want()
        self._unfold_what_is_on()

    def _be_saved(self, name: str) -> None:
        self._presets.read()
        self._mix.preset = name
        self._bar.show_presets()
        self._tell("")
        self._want()

    def _be_removed(self, name: str) -> None:
        self._presets.read()
        if self._mix.preset == name:
            self._mix.preset = ""
        self._bar.show_presets()
        self._want()

    def _read_again(self) -> None:
        """Take over what the preset's file says now."""
        before, preset = self._mix.effects, self._mix.preset
        if preset and preset not in self._presets.paths:
            self._tell(f"There is no preset {preset} any more; its effects stay as they are.")
            self._be_removed(preset)
            return
        try:
            self._mix.take(self._look.text)
        except ConfigError as error:
            self._tell(str(error))
        if self._mix.effects != before:  # under the same text, which nobody would read again
            self._shown = self._mix.plain_text()
            self._look.want(self._shown)
        self._show_all()

    def _want_row(self, name: str, about: str = "") -> None:
        self._send(about)
        self._show_row(name)
        self._show_head()

    def _want(self) -> None:
        self._send("")
        self._show_all()

    def _send(self, about: str) -> None:
        self._shown = self._mix.text()
        self._look.want(self._shown, about)

    def _tell(self, text: str) -> None:
        """Tell over the picture what cannot be done, in place of what was told before: here nothing may move for it."""
        self._context.tell(text, _ABOUT)

    def _count_faces(self, result: FrameResult) -> None:
        if len(result.faces) != self._faces:
            self._faces = len(result.faces)
            self._show_head()

    def showEvent(self, event: QShowEvent) -> None:
        """Offer presets that have come in the meantime, and follow the picture."""
        super().showEvent(event)
        self._presets.read()
        self._bar.show_presets()
        self._following = True
        self._context.session.frame_ready.connect(self._count_faces)
        if self._context.session.result is not None:
            self._count_faces(self._context.session.result)

    def hideEvent(self, event: QHideEvent) -> None:
        """Stop following; Qt also tells a page that was hidden already with all of the inspector."""
        super().hideEvent(event)
        if self._following:
            self._following = False
            self._context.session.frame_ready.disconnect(self._count_faces)

    def _find(self, text: str) -> None:
        words = text.lower().split()
        far = {group: group.search(words) for group in self._groups}
        for group in sorted(self._groups, key=far.__getitem__):  # the nearest on top
            self._order.removeWidget(group)
            self._order.addWidget(group)
        self._nothing.setVisible(min(far.values()) == math.inf)
