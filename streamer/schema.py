"""What settings are made of: groups of keys with bounds, a unit and one line of help, and those in words."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, Literal, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationInfo, field_validator
from pydantic.fields import FieldInfo

from streamer.yaml_text import YamlError, parse_yaml

_LONGEST: Final = 80  # characters of a wrong value that an error repeats


class Section(BaseModel):
    """A group of keys: immutable, unknown keys are errors, ``~`` in a path is the home folder."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True, allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _no_yes_for_a_number(cls, value: Any, info: ValidationInfo) -> Any:
        field = cls.model_fields[str(info.field_name)]
        if isinstance(value, bool) and {int, float} & {field.annotation, *get_args(field.annotation)}:
            raise ValueError(f"it is {str(value).lower()}; allowed: {allowed(field)}")
        return value

    @field_validator("*")
    @classmethod
    def _at_home(cls, value: Any) -> Any:
        try:
            return value.expanduser() if isinstance(value, Path) else value
        except RuntimeError:
            raise ValueError(f"{value}: there is no home folder of that name; write the whole path") from None


Applies = Literal["live", "load", "next", "restart"]
"""When a changed key takes effect: at the next frame; once its network has been loaded behind the running one; with
the next file that is written; when the source is started again."""


def key(
    default: Any,
    description: str,
    *,
    title: str | None = None,
    applies: Applies = "live",
    unit: str = "",
    step: float | None = None,
    kind: str | None = None,
    **bounds: Any,
) -> Any:
    """A key with all that files, help and forms show and need.

    Args:
        default: its value unless one is given.
        description: one line of help.
        title: what a form calls it, where its own name will not do.
        applies: see :data:`Applies`.
        unit: shown beside the value.
        step: what one press of an arrow changes; finer values can be typed.
        kind: which control fits, where the type does not tell.
        **bounds: ``ge``, ``gt``, ``le``, ``lt``, ``pattern``.
    """
    extra: dict[str, Any] = {"applies": applies, "unit": unit, "step": step} | ({"kind": kind} if kind else {})
    return Field(default, title=title, description=description, json_schema_extra=extra, **bounds)


def section_type(field: FieldInfo) -> type[Section]:
    """The schema of a field of :class:`Config`."""
    kind = field.annotation
    if not (isinstance(kind, type) and issubclass(kind, Section)):
        raise TypeError(f"{kind} is no config section")
    return kind


def kind_of(field: FieldInfo) -> Any:
    """Which control was named for a field by :func:`key`, if any."""
    return field.json_schema_extra.get("kind") if isinstance(field.json_schema_extra, dict) else None


def takes_text(field: FieldInfo) -> bool:
    """Whether a field's values are words or paths."""
    return bool({str, Path, SecretStr} & {field.annotation, *get_args(field.annotation)})


def takes_null(field: FieldInfo) -> bool:
    """Whether a field may be left to the program."""
    return type(None) in get_args(field.annotation)


def typed_value(text: str, field: FieldInfo | None) -> Any:
    """What somebody means who types a value for a field on the command line: YAML.

    Words and paths are taken as they stand, unless in quotation marks: a folder ``2024``, a password ``12 #3``, a
    colour ``#b03050``.
    """
    if field is not None and takes_text(field) and text.strip()[:1] not in ('"', "'"):
        return None if text in ("", "null") and takes_null(field) else text
    try:
        return parse_yaml(text)
    except YamlError:
        return text


def shown(value: Any) -> str:
    """A wrong value as an error names it: as it was given, cut short where it is long."""
    text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def allowed(field: FieldInfo) -> str:
    """What a field accepts, in words: choices, type, bounds and unit.

    >>> allowed(DetectorConfig.model_fields["score"])
    'number above 0 and below 1, or null'
    """
    kinds = [kind for kind in (get_args(field.annotation) or (field.annotation,)) if kind is not type(None)]
    if get_origin(field.annotation) is Literal:
        return "one of " + ", ".join(str(choice) for choice in kinds)
    if kind_of(field) == "colour":
        return "a colour such as '#b03050' or crimson"
    names = {
        float: "number",
        int: "whole number",
        bool: "true or false",
        str: "text",
        Path: "path",
        SecretStr: "text",
    }
    words = [names[kinds[0]]]
    signs = (("ge", "from"), ("gt", "above"), ("le", "to"), ("lt", "below"))
    bounds = [f"{word} {value:g}" for sign, word in signs if (value := bound(field, sign)) is not None]
    words.append(" ".join(bounds) if not any(b.startswith("below") for b in bounds) else " and ".join(bounds))
    extra: Any = field.json_schema_extra or {}
    words.append(str(extra.get("unit", "")))
    sentence = " ".join(word for word in words if word)
    return sentence + (", or null" if takes_null(field) else "")


def bound(field: FieldInfo, sign: str) -> float | None:
    """One bound of a number: ``ge``, ``gt``, ``le`` or ``lt``; ``None`` where there is none."""
    return next((getattr(m, sign) for m in field.metadata if hasattr(m, sign)), None)
