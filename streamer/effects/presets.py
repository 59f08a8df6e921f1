"""Effects as text and as files: what ``--effects`` takes, presets, and the sentences for what is wrong in them.

A preset is a YAML file; its name is the file's::

    effects:
      skin: 0.6                                    # a number is the strength
      lipstick: {strength: 0.5, colour: "#a8324a"}

The built-in ones lie beside this file, the user's own in ``~/.config/facestream/effects``.
"""

from __future__ import annotations

import difflib
import json
import logging
import os
import re
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import platformdirs
import yaml
from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from streamer.effects.base import Effect
from streamer.effects.registry import all_effects
from streamer.errors import ConfigError, OutputError
from streamer.schema import allowed, shown, typed_value
from streamer.sinks.base import replace_text
from streamer.yaml_text import YamlError, read_yaml

log = logging.getLogger(__name__)

BUILT_IN: Final = Path(__file__).with_name("presets")
"""The folder of the presets that facestream brings."""

_SUFFIXES: Final = (".yaml", ".yml")
_NAME: Final = re.compile(r"[^\W\d_]([\w -]*[\w-])?")
_LONGEST: Final = 60  # letters of a name: a file's name has 255 bytes at most, a letter up to four
_RESERVED: Final = "none"  # what the window calls having no preset
_ITEM: Final = re.compile(r""",(?!\s*\d)(?=(?:[^"]*"[^"]*")*[^"]*$)""")
"""What parts a text: a comma, but none before a number ("id 1,4") and none in quotation marks."""


def user_folder() -> Path:
    """Where the user's presets lie."""
    return platformdirs.user_config_path("facestream") / "effects"


def preset_paths() -> dict[str, Path]:
    """Every preset's file by its name, the built-in ones first.

    A file of the user's whose name cannot be a preset's stands under its whole name, so that it is seen in every list;
    what reads it says why it cannot be used.
    """
    found = {path.stem: path for path in sorted(BUILT_IN.glob("*.yaml"))}
    for path in _own_files():
        found[path.name if _refusal(path.stem) else path.stem] = path
    return found


def _own_files() -> list[Path]:
    """The user's files, but none that is hidden, or being written at this moment."""
    try:
        names = sorted(os.listdir(user_folder()))
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        _warn_once(f"cannot read your presets in {user_folder()}: {error.strerror}; check its permissions")
        return []
    own = (user_folder() / name for name in names if not name.startswith("."))
    return [path for path in own if path.suffix.lower() in _SUFFIXES]


@lru_cache(maxsize=8)
def _warn_once(sentence: str) -> None:
    log.warning("%s", sentence)


def load_preset(preset: str | Path) -> tuple[Effect, ...]:
    """The effects of a preset.

    Args:
        preset: a name, or a YAML file.

    Raises:
        ConfigError: no such preset, or something in it is wrong: says which key and what is allowed.
    """
    many = re.search("[,=]", str(preset)) and not os.path.exists(preset) and preset not in preset_paths()
    if many or preset in all_effects():
        raise ConfigError(f"{preset!r} is no preset but a look; Effects.parse({preset!r}) takes it")
    return _load(_find(preset))


def _find(preset: str | Path) -> Path:
    """The file that is meant.

    Raises:
        ConfigError: there is none that could be.
    """
    path, paths = Path(os.path.expanduser(preset)), preset_paths()
    if path.suffix.lower() in _SUFFIXES and (os.path.exists(path) or str(preset) not in paths):
        return path
    if isinstance(preset, Path) and os.path.exists(preset):
        raise ConfigError(f"{preset} is no preset; name a YAML file, such as {preset.stem}.yaml")
    if str(preset) not in paths:
        raise ConfigError(_unknown(str(preset), {}))
    path = paths[str(preset)]
    if path.parent != BUILT_IN and (reason := _refusal(path.stem)):
        raise ConfigError(f"the preset {path} cannot be used: {reason}; rename the file")
    return path


def _refusal(name: str) -> str | None:
    """Why the user can have no preset of a name, ``None`` where he can."""
    if not _NAME.fullmatch(name):
        return f"{name!r} cannot name a preset: letters, digits, spaces, - and _ can, a letter first"
    if len(name) > _LONGEST:
        return f"{name[:20]}… is {len(name)} letters long; a preset's name has {_LONGEST} at most"
    if name in all_effects() or name.lower() == _RESERVED or (BUILT_IN / f"{name}.yaml").exists():
        return f"the name {name} is taken by facestream itself"
    if all(os.path.exists(user_folder() / f"{name}{suffix}") for suffix in _SUFFIXES):
        return f"there are two files of the name {name}"
    return None


def _load(path: Path) -> tuple[Effect, ...]:
    try:
        state = path.stat()
        return _read(path, (state.st_mtime_ns, state.st_size, state.st_ino))
    except OSError as error:
        raise ConfigError(f"cannot read the preset {path}: {error.strerror}; check the path") from None


@lru_cache(maxsize=32)
def _read(path: Path, state: tuple[int, ...]) -> tuple[Effect, ...]:
    """The effects of a file in one state: a slider that is dragged asks for them dozens of times a second."""
    try:
        data = read_yaml(path)
    except YamlError as error:
        example = BUILT_IN / "glam.yaml"
        raise ConfigError(f"the preset {path} is not valid YAML ({error}); write it like {example}") from None
    try:
        return _from_mapping(data)
    except ConfigError as error:
        raise ConfigError(f"the preset {path}: {error}") from None


def save_preset(name: str, effects: Iterable[Effect]) -> Path:
    """Keep effects as a preset of the user's, in place of one of that name.

    Raises:
        ConfigError: the name is taken by a built-in preset or an effect, or cannot be a file's, or there are no
            effects.
        OutputError: the file cannot be written; the one before is still there.
    """
    name = name.strip()
    if reason := _refusal(name):
        raise ConfigError(f"{reason}; choose another name")
    effects = tuple(effects)
    if not effects:
        raise ConfigError("there is no effect to keep; add one first")
    path = _own_path(name)
    replace_text(path, "# A preset of effects, written by facestream's window.\n" + to_yaml(effects))
    return path


def delete_preset(name: str) -> None:
    """Remove a preset of the user's.

    Raises:
        OutputError: the file cannot be removed.
    """
    path = _own_path(name)
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(f"cannot delete {path}: {error.strerror}") from error


def _own_path(name: str) -> Path:
    """The user's own file of a preset, where there is one or would be."""
    known = preset_paths().get(name)
    return known if known is not None and known.parent != BUILT_IN else user_folder() / f"{name}.yaml"


def to_yaml(effects: Iterable[Effect]) -> str:
    """Effects as a preset's text; settings that are at their defaults are left out."""
    data = {effect.name(): {"strength": effect.strength, **_changes(effect)} for effect in effects}
    return yaml.safe_dump({"effects": data}, sort_keys=False, allow_unicode=True)


def parse_effects(text: str) -> tuple[Effect, ...]:
    """The effects that a text names, such as ``glam, lipstick=0.3, lipstick.colour=#b03050, pixelate``.

    Args:
        text: any number of parts, with commas between them: the name of a preset or its file, the name of an effect, an
            effect and its strength, or one of its settings and a value (in double quotes if it has a comma).
            What comes later counts; empty means none.

    Raises:
        ConfigError: names the wrong part and what is allowed.
    """
    chosen: dict[str, dict[str, Any]] = {}
    for item in filter(None, (part.strip(" ,") for part in _ITEM.split(text))):
        if item.startswith('"'):  # a preset's file
            chosen |= _by_name(_load(_find(str(typed_value(item, None)))))
            continue
        key, equals, value = (part.strip() for part in item.partition("="))
        name, dot, field = key.partition(".")
        if name in all_effects() and (equals or not dot):
            values = chosen.setdefault(name, {})
            if equals:
                field = field if dot else "strength"
                values[field] = typed_value(value, all_effects()[name].model_fields.get(field))
        elif equals or (dot and name in preset_paths() and f".{field}" not in _SUFFIXES):
            raise ConfigError(_no_effect(key, name))
        elif dot and name in all_effects() and f".{field}" not in _SUFFIXES:
            raise ConfigError(f"{key} has no value; write '{key}=' and one ({_settings(all_effects()[name], field)})")
        else:
            chosen |= _by_name(_load(_find(key)))
    return tuple(make_effect(name, values) for name, values in chosen.items())


def _by_name(effects: Iterable[Effect]) -> dict[str, dict[str, Any]]:
    return {effect.name(): dict(effect) for effect in effects}


def to_text(effects: Iterable[Effect], preset: str | None = None) -> str:
    """The text that :func:`parse_effects` makes the same effects of.

    Args:
        effects: what to name.
        preset: name them by what differs from this preset.
    """
    base = {effect.name(): effect for effect in (load_preset(preset) if preset else ())}
    wanted = {effect.name(): effect for effect in effects}
    parts = [preset] if preset else []
    for name, effect in wanted.items():
        before = base.get(name)
        if before is None:
            parts.append(f"{name}={effect.strength:g}")
        start = before or type(effect)(strength=effect.strength)
        for field, value in effect:
            if value != getattr(start, field):
                wanted_text = f"{value:g}" if field == "strength" else _text(value, type(effect).model_fields[field])
                parts.append(f"{name}={wanted_text}" if field == "strength" else f"{name}.{field}={wanted_text}")
    parts += [f"{name}=0" for name in base if name not in wanted]
    return ", ".join(parts)


def make_effect(name: str, values: dict[str, Any]) -> Effect:
    """An effect with some of its settings given.

    Raises:
        ConfigError: names the effect, key or value that is wrong, and what is allowed.
    """
    kind = all_effects().get(name)
    if kind is None:
        raise ConfigError(_unknown(name, all_effects()))
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        raise ConfigError("; ".join(_explain(kind, detail) for detail in error.errors())) from None


def _from_mapping(data: Any) -> tuple[Effect, ...]:
    effects = data.get("effects") if isinstance(data, dict) else None
    if not isinstance(effects, dict) or not effects or set(data) != {"effects"}:
        raise ConfigError("it must hold one section 'effects:' with lines such as 'skin: 0.6'")
    made = []
    for name, values in effects.items():
        if isinstance(values, int | float) and not isinstance(values, bool):
            values = {"strength": values}
        if not isinstance(values, dict):
            given = "has no value" if values is None else f"is {shown(values)}"
            raise ConfigError(f"{name} {given}; allowed: a strength from 0 to 1, or settings by name")
        made.append(make_effect(str(name), values))
    return tuple(made)


def _changes(effect: Effect) -> dict[str, Any]:
    """The settings besides the strength that are not at their defaults."""
    fields = type(effect).model_fields
    return {
        key: str(value) if isinstance(value, Path) else value
        for key, value in effect
        if key != "strength" and value != fields[key].default
    }


def _text(value: Any, field: FieldInfo) -> str:
    """A value as :func:`parse_effects` reads it back."""
    if isinstance(value, bool | int | float):
        return str(value).lower()
    text = str(value)
    plain = re.fullmatch(r"#\w+|[\w./~ -]+(, *\d+)*", text) and typed_value(text, field) == text
    return text if plain else json.dumps(text, ensure_ascii=False)


def _no_effect(key: str, name: str) -> str:
    """The sentence for a value that is given to what is no effect."""
    if key in preset_paths() or Path(key).suffix in _SUFFIXES:
        return f"{key} is a preset and takes no strength; its effects do: '{key}, skin=0.3'"
    if name in preset_paths():
        return f"{name} is a preset; what it holds is changed behind a comma: '{name}, skin=0.3'"
    return _unknown(name, all_effects())


def _unknown(name: str, among: Iterable[str]) -> str:
    """The sentence for a name that is neither preset nor effect."""
    presets, effects = list(preset_paths()), list(all_effects())
    close = difflib.get_close_matches(name, [*among] or [*presets, *effects], 1)
    hint = f"; did you mean {close[0]}?" if close else ""
    known = f"presets: {', '.join(presets)}; `facestream effects` lists the effects"
    return f"there is no effect or preset {shown(name)}{hint} ({known})"


def _settings(kind: type[Effect], field: str) -> str:
    """What may stand for a setting, or which settings there are."""
    known = kind.model_fields.get(field)
    return f"allowed: {allowed(known)}" if known else f"settings of {kind.name()}: {', '.join(kind.model_fields)}"


def _explain(kind: type[Effect], detail: ErrorDetails) -> str:
    key = ".".join((kind.name(), *(str(part) for part in detail["loc"])))
    field = kind.model_fields.get(str(detail["loc"][0])) if detail["loc"] else None
    if field is None:
        return f"{key} is no setting of {kind.name()} (allowed: {', '.join(kind.model_fields)})"
    if detail["type"] == "value_error":
        return f"{key}: {detail['ctx']['error']}"
    if detail["input"] is None:
        return f"{key} has no value; allowed: {allowed(field)} (in a file, a colour needs quotation marks)"
    return f"{key} is {shown(detail['input'])}; allowed: {allowed(field)}"
