"""Finds the effects: every file of :mod:`streamer.effects.library` is one, and nothing else lists them."""

from __future__ import annotations

import pkgutil
import traceback
from functools import cache
from importlib import import_module
from pathlib import Path

from streamer.effects import library
from streamer.effects.base import Effect
from streamer.errors import EffectError


@cache
def all_effects() -> dict[str, type[Effect]]:
    """Every effect's class by its name, in the order effects run.

    Raises:
        EffectError: a file of the library is no effect: says which, and why.
    """
    found = [_class_of(module.name) for module in pkgutil.iter_modules(library.__path__)]
    return {effect.name(): effect for effect in sorted(found, key=lambda effect: (effect.phase, effect.name()))}


def _class_of(name: str) -> type[Effect]:
    path = Path(library.__path__[0], f"{name}.py")
    try:
        module = import_module(f"{library.__name__}.{name}")
    except Exception as error:  # whatever somebody else's file may raise
        raise EffectError(f"the effect {path} cannot be imported: {_reason(error, path)}; correct it") from error
    own = [
        kind
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, Effect) and kind.__module__ == module.__name__
    ]
    if len(own) != 1:
        raise EffectError(f"the effect {path} must hold one class derived from Effect, not {len(own)}; correct it")
    lacking = [what for what in ("title", "phase", "__doc__") if getattr(own[0], what, None) in (None, "")]
    if lacking:
        raise EffectError(f"the effect {path} lacks {', '.join(lacking)} in its class; write it as in skin.py")
    return own[0]


def _reason(error: Exception, path: Path) -> str:
    """The error in one line, with the place in the file where that is known."""
    if isinstance(error, SyntaxError) and error.filename == str(path):
        return f"{error.msg} (line {error.lineno})"
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    text = " ".join(f"{type(error).__name__}: {error}".split())
    return f"{text} (line {lines[-1]})" if lines else text
