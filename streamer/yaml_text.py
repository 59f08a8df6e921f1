"""YAML as people write it: whatever is wrong with it is one kind of error, which says where."""

from __future__ import annotations

import re
from collections.abc import Hashable
from pathlib import Path
from typing import Any, Final

import yaml

_DEEPEST: Final = 50
"""Levels that are taken; LibYAML's reader crashes the program from some ten thousand on."""

_LARGEST: Final = 1 << 20  # bytes: a device that never ends must not fill the memory

_BARE_COLOUR: Final = re.compile(r":\s+#[0-9a-fA-F]{6}\b")

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # LibYAML, where PyYAML has been built with it


class YamlError(ValueError):
    """A text is no YAML, or none that can be meant; in a few words, with the line."""


class _Loader(_LOADER):  # type: ignore[misc]
    """Refuses a key that is given twice, of which PyYAML silently takes the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    raise YamlError(f"line {key.start_mark.line + 1}: {key.value} is there twice")
                seen.add(key.value)
        mapping: dict[Hashable, Any] = super().construct_mapping(node, deep=deep)
        return mapping


def parse_yaml(text: str | bytes) -> Any:
    """What a YAML text holds, as plain values.

    Args:
        text: text, or UTF-8.

    Raises:
        YamlError: in a few words, such as ``line 3: tabs cannot indent, use spaces``.
    """
    try:
        text = text if isinstance(text, str) else text.decode("utf-8-sig")
        _refuse_depth(text)
        return yaml.load(text, Loader=_Loader)
    except YamlError:
        raise
    except UnicodeDecodeError:
        raise YamlError("it is no UTF-8 text") from None
    except yaml.YAMLError as error:
        raise YamlError(_in_words(error, str(text))) from None
    except (ValueError, AttributeError):  # what PyYAML lets through of a date in month 13, a number of 5000 digits
        raise YamlError("it holds a number or date that cannot be") from None


def read_yaml(path: Path) -> Any:
    """What a YAML file holds; see :func:`parse_yaml`.

    Raises:
        OSError: it cannot be read.
        YamlError: it is no YAML, or too large to be written by people.
    """
    with path.open("rb") as file:
        data = file.read(_LARGEST + 1)
    if len(data) > _LARGEST:
        raise YamlError(f"it is larger than {_LARGEST >> 20} megabyte")
    return parse_yaml(data)


def _refuse_depth(text: str) -> None:
    depth = 0
    for event in yaml.parse(text, Loader=_LOADER):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            raise YamlError("it is nested too deeply")


def _in_words(error: yaml.YAMLError, text: str) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = str(getattr(error, "problem", None) or "it holds characters that no text has")
    if mark is None:
        return problem
    lines = text.splitlines()
    if mark.line < len(lines) and lines[mark.line][mark.column :].startswith("\t"):
        problem = "tabs cannot indent, use spaces"
    for number in range(max(0, mark.line - 1), min(mark.line + 1, len(lines))):
        if _BARE_COLOUR.search(lines[number]):
            return f"line {number + 1}: a colour needs quotation marks, for # begins a comment"
    return f"line {min(mark.line + 1, len(lines))}: {problem}"
