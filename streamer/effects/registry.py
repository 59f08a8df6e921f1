"""Finds the effects: every file of :mod:`streamer.effects.library` is one, and nothing else lists them."""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module

from streamer.effects import library
from streamer.effects.base import Effect


@cache
def all_effects() -> dict[str, type[Effect]]:
    """Every effect's class by its name, in the order effects run."""
    found = [_class_of(module.name) for module in pkgutil.iter_modules(library.__path__)]
    return {effect.name(): effect for effect in sorted(found, key=lambda effect: (effect.phase, effect.name()))}


def _class_of(name: str) -> type[Effect]:
    module = import_module(f"{library.__name__}.{name}")
    own = [
        kind
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, Effect) and kind.__module__ == module.__name__
    ]
    if len(own) != 1:
        raise TypeError(f"{module.__file__} must hold one effect class, not {len(own)}")
    return own[0]
