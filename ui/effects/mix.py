"""The effects that are on, and the preset they came from: what the page changes, as values without widgets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from streamer.effects.base import Effect
from streamer.effects.presets import BUILT_IN, load_preset, make_effect, parse_effects, preset_paths, to_text
from streamer.effects.registry import all_effects
from streamer.errors import ConfigError


class Presets:
    """The presets there are, as they were when they were last read."""

    def __init__(self) -> None:
        self.paths: dict[str, Path] = {}
        self.effects: dict[str, dict[str, Effect]] = {}
        self.errors: dict[str, str] = {}

    def read(self) -> None:
        """Read all of them; what is wrong with a file is in ``errors``, by the preset's name."""
        self.paths, self.effects, self.errors = preset_paths(), {}, {}
        for name in self.paths:
            try:
                self.effects[name] = _by_name(load_preset(name))
            except ConfigError as error:
                self.errors[name] = str(error)

    def names(self) -> list[str]:
        """Every preset's name, the built-in ones first, also of those that cannot be used."""
        return sorted(self.paths, key=self.is_own)

    def is_own(self, name: str) -> bool:
        """Whether a preset is the user's own, and so can be removed."""
        return name in self.paths and self.paths[name].parent != BUILT_IN


class Mix:
    """A look as people change it: effect by effect.

    An effect of strength 0 counts as none. Effects that were switched off come back as they were.

    Attributes:
        preset: the name of the preset it began with; empty for none.
    """

    def __init__(self, presets: Presets) -> None:
        self.preset = ""
        self._presets = presets
        self._effects: dict[str, Effect] = {}
        self._kept: dict[str, Effect] = {}

    def take(self, text: str) -> None:
        """Show what a look holds.

        Raises:
            ConfigError: it cannot be had; what was shown stays.
        """
        effects = _by_name(parse_effects(text))
        first = text.partition(",")[0].strip()
        self.preset = first if first in self._presets.effects else self._preset_of(effects)
        self._effects = effects

    def text(self) -> str:
        """The look as the configuration holds it: by what differs from its preset, if that can still be read."""
        if self.preset in self._presets.effects:
            try:
                return to_text(self._effects.values(), self.preset)
            except ConfigError:  # the file has been changed or removed behind the window
                self.preset = ""
        return self.plain_text()

    def plain_text(self) -> str:
        """The look without the name of a preset."""
        return to_text(self._effects.values())

    @property
    def changed(self) -> bool:
        """Whether it differs from its preset."""
        return self._effects != self._base

    @property
    def effects(self) -> tuple[Effect, ...]:
        """The effects that are on."""
        return tuple(self._effects.values())

    def __contains__(self, name: str) -> bool:
        return name in self._effects

    def effect(self, name: str) -> Effect:
        """An effect that is on, or as it would be were it switched on."""
        known = (where.get(name) for where in (self._effects, self._kept, self._base))
        return next((effect for effect in known if effect is not None), None) or all_effects()[name]()

    def differs(self, name: str) -> bool:
        """Whether an effect is not as the preset has it."""
        return self._effects.get(name) != self._base.get(name)

    def choose(self, preset: str) -> None:
        """Have the effects of a preset, or none."""
        self.preset = preset
        self._effects = dict(self._base)

    def change(self, name: str, values: Mapping[str, Any]) -> None:
        """Change settings of an effect, which switches it on; strength 0 switches it off.

        Raises:
            ConfigError: a value is wrong: says what is allowed.
        """
        effect = make_effect(name, {**dict(self.effect(name)), **values})
        if effect.strength > 0:
            self._effects[name] = effect
        else:  # on its way down a slider has left next to nothing of the strength to come back to
            self._kept[name] = effect.model_copy(update={"strength": all_effects()[name]().strength})
            self._effects.pop(name, None)

    def switch(self, name: str, on: bool) -> None:
        """Switch an effect on as it was, or off."""
        if on:
            self._effects[name] = self.effect(name)
        else:
            self._kept[name] = self._effects.pop(name, self.effect(name))

    def reset(self, name: str) -> None:
        """Have an effect as the preset has it."""
        self._kept.pop(name, None)
        self._effects.pop(name, None)
        if name in self._base:
            self._effects[name] = self._base[name]

    @property
    def _base(self) -> dict[str, Effect]:
        return self._presets.effects.get(self.preset, {})

    def _preset_of(self, effects: dict[str, Effect]) -> str:
        """The preset that holds exactly these effects; empty if there is none."""
        same = (name for name, preset in self._presets.effects.items() if preset == effects)
        return next(same, "") if effects else ""


def _by_name(effects: Iterable[Effect]) -> dict[str, Effect]:
    return {effect.name(): effect for effect in effects if effect.strength > 0}
