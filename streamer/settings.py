"""The configuration as a form shows it: every key described, read, changed, and written as YAML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import yaml
from pydantic import SecretStr, ValidationError
from pydantic.fields import FieldInfo

from streamer.config import Config, explain_all
from streamer.errors import ConfigError
from streamer.schema import Applies, Section, bound, section_type

Kind = Literal["choice", "bool", "int", "float", "text", "path", "secret", "colour"]

_KINDS: dict[object, Kind] = {
    bool: "bool",
    int: "int",
    float: "float",
    str: "text",
    Path: "path",
    SecretStr: "secret",
}


@dataclass(frozen=True, slots=True)
class Setting:
    """One key, as a form shows it.

    Attributes:
        key: such as ``detector.score``.
        section: ``detector``.
        name: ``score``.
        title: what people call it.
        help: one line.
        kind: which control fits.
        choices: values of a ``choice``.
        minimum: smallest value that can be set, ``None`` without a limit. A limit that is not reached itself, such as
            ``above 0``, is moved in by one step.
        maximum: the same at the other end.
        step: what one press of an arrow changes; ``None`` for what is no number.
        unit: shown beside the value; may be empty.
        nullable: ``None`` is a value, too: the key is left to the program.
        default: value unless one is given.
        applies: when a change takes effect.
    """

    key: str
    section: str
    name: str
    title: str
    help: str
    kind: Kind
    choices: tuple[str, ...]
    minimum: float | None
    maximum: float | None
    step: float | None
    unit: str
    nullable: bool
    default: Any
    applies: Applies


def describe(config: type[Config] = Config) -> tuple[Setting, ...]:
    """Every key, in the order of ``config.yaml``."""
    return tuple(
        setting
        for section, group in config.model_fields.items()
        for setting in describe_section(section, section_type(group))
    )


def describe_section(name: str, section: type[Section]) -> tuple[Setting, ...]:
    """Every key of one group, such as one effect's settings, in its order."""
    return tuple(_describe(name, key, field) for key, field in section.model_fields.items())


def section_help(section: str) -> str:
    """One line on a section such as ``detector``."""
    return (section_type(Config.model_fields[section]).__doc__ or "").strip()


def get_value(config: Config, key: str) -> Any:
    """The value of a key such as ``detector.score``."""
    section, _, name = key.partition(".")
    return getattr(getattr(config, section), name)


def values_of(config: Config, *, applies: Applies) -> dict[str, Any]:
    """The values of all keys whose changes take effect in the same way."""
    return {setting.key: get_value(config, setting.key) for setting in _SETTINGS if setting.applies == applies}


def with_values(config: Config, values: Mapping[str, Any]) -> Config:
    """A configuration with some values changed.

    Args:
        config: left as it is.
        values: by keys such as ``detector.score``.

    Raises:
        ConfigError: names the wrong key or value and what is allowed.
    """
    data: dict[str, Any] = {name: dict(getattr(config, name)) for name in Config.model_fields}
    for key, value in values.items():
        section, _, name = key.partition(".")
        data.setdefault(section, {})[name] = value
    try:
        return Config.model_validate(data)
    except ValidationError as error:
        raise ConfigError(explain_all(error)) from None


def changed(config: Config, base: Config | None = None) -> dict[str, Any]:
    """The values that differ from those of ``base`` (the defaults unless given), by key."""
    base = base or Config()
    values = {setting.key: get_value(config, setting.key) for setting in _SETTINGS}
    return {key: value for key, value in values.items() if value != get_value(base, key)}


def given(config: Config) -> dict[str, Any]:
    """The values that were named when the configuration was made, by key, whether they differ or not."""
    keys = (
        f"{section}.{name}" for section in config.model_fields_set for name in getattr(config, section).model_fields_set
    )
    return {key: get_value(config, key) for key in keys}


def differing_yaml(config: Config, base: Config | None = None) -> str:
    """The keys that differ from ``base`` (the defaults unless given) as YAML, without secrets; empty if none do."""
    data: dict[str, dict[str, Any]] = {}
    for key, value in changed(config, base).items():
        section, _, name = key.partition(".")
        if not isinstance(value, SecretStr):
            data.setdefault(section, {})[name] = str(value) if isinstance(value, Path) else value
    return yaml.safe_dump(data, sort_keys=False, allow_unicode=True) if data else ""


def _describe(section: str, name: str, field: FieldInfo) -> Setting:
    given = get_args(field.annotation) or (field.annotation,)
    choice = get_origin(field.annotation) is Literal
    kinds = [kind for kind in given if kind is not type(None)]
    extra: Any = field.json_schema_extra
    kind: Kind = extra.get("kind") or ("choice" if choice else _KINDS[kinds[0]])
    step = extra["step"]
    return Setting(
        key=f"{section}.{name}",
        section=section,
        name=name,
        title=field.title or name.replace("_", " ").capitalize(),
        help=field.description or "",
        kind=kind,
        choices=tuple(kinds) if choice else (),
        minimum=_limit(field, "ge", "gt", step),
        maximum=_limit(field, "le", "lt", None if step is None else -step),
        step=step,
        unit=extra["unit"],
        nullable=type(None) in given,
        default=field.default,
        applies=extra["applies"],
    )


def _limit(field: FieldInfo, closed: str, opened: str, inward: float | None) -> float | None:
    """The last value that can be set in one direction."""
    if (limit := bound(field, closed)) is not None:
        return limit
    limit = bound(field, opened)
    return None if limit is None or inward is None else limit + inward


_SETTINGS = describe()
