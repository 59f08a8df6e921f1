"""All effects and presets as a table and as ``docs/effects.md`` (``python -m streamer.effects``)."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import groupby

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from streamer.effects.base import Effect
from streamer.effects.presets import load_preset, preset_paths, to_text
from streamer.effects.registry import all_effects
from streamer.errors import ConfigError
from streamer.schema import allowed
from streamer.settings import Setting, describe_section

_OWN_PRESETS = """\
A preset of your own is a file `NAME.yaml` (or `.yml`) in `~/.config/facestream/effects`, and `--effects NAME` means it.
Names are letters, digits, spaces, `-` and `_`, a letter first; those of effects, of the presets above and `None` are
taken.
A file elsewhere is named by its path: `--effects "natural, looks/evening.yaml"`. The window's page *Effects* writes
presets, too.

```yaml
effects:
  skin: 0.6                                                       # a number is the strength
  lipstick: {strength: 0.5, colour: "#a8324a", finish: gloss}     # a colour needs the quotation marks
```
"""


_EXAMPLES = """\
Commas between, and what comes later counts:
  facestream run --effects glam
  facestream run --effects 'glam, blush=0, lipstick.colour=crimson, hat'
  facestream run street.mp4 --effects 'pixelate.faces=not id 2' --record out.mp4
  facestream image photo.jpg --effects natural --save FOLDER"""


def print_effects() -> None:
    """Print the effects with their settings, and the presets."""
    console = Console()
    table = Table("effect", "what it does", "settings (default)", title="Effects", title_justify="left")
    for _, group in groupby(all_effects().values(), key=lambda effect: effect.phase):
        table.add_section()
        for effect in group:
            table.add_row(effect.name(), summary(effect), escape("\n".join(_settings(effect))))
    console.print(table)
    presets = Table("preset", "effects", title="Presets", title_justify="left")
    for name in preset_paths():
        presets.add_row(name, escape(_contents(name)))
    console.print(presets)
    console.print(_EXAMPLES, highlight=False)


def as_markdown() -> str:
    """What ``docs/effects.md`` holds."""
    lines = [
        "# Effects",
        "",
        "Written by `python -m streamer.effects`. Use them with `facestream run --effects LOOK`,",
        "`facestream image --effects LOOK --save FOLDER`, the key `effects.look` of the configuration, or the",
        "window's page *Effects*. A look is any number of presets, effects, strengths and settings with commas",
        "between: what comes later counts.",
        "",
        "| part of a look | means |",
        "| --- | --- |",
        "| `glam` | all effects of the preset |",
        "| `lipstick` | the effect at its default strength |",
        "| `lipstick=0.3` | at this strength, from 0 (off, covers too) to 1 |",
        "| `lipstick.colour=#b03050` | one of its settings; colours are also `#b35`, or named as in CSS: `crimson` |",
        '| `sticker.file="my, heart.png"` | a value with a comma in it |',
        "| `looks/evening.yaml` | the effects of a preset's file |",
        "",
        "`glam, blush=0, lipstick=0.3` is glam without blush and with less lipstick.",
        "",
    ]
    for phase, group in groupby(all_effects().values(), key=lambda effect: effect.phase):
        lines += [f"## {phase.name.capitalize()}", "", "| effect | what it does | settings |", "| --- | --- | --- |"]
        lines += [f"| `{e.name()}` | {summary(e)} | {'<br>'.join(_settings(e))} |" for e in group]
        lines.append("")
    for effect in all_effects().values():
        if more := _more(effect):
            lines += [f"### More on `{effect.name()}`", "", more, ""]
    lines += ["## Presets", "", "| preset | effects |", "| --- | --- |"]
    lines += [f"| `{name}` | {_contents(name)} |" for name in preset_paths() if _built_in(name)]
    return "\n".join([*lines, "", _OWN_PRESETS])


def summary(effect: type[Effect]) -> str:
    """One line: what an effect does."""
    return (effect.__doc__ or "").strip().splitlines()[0]


def _more(effect: type[Effect]) -> str:
    """What an effect's file says beyond its first line."""
    text = (sys.modules[effect.__module__].__doc__ or "").strip().partition("\n")[2].strip()
    return text.replace("``", "`").replace("::\n", ":\n")


def _settings(effect: type[Effect]) -> Iterator[str]:
    for setting in describe_section(effect.name(), effect):
        yield f"{setting.name}: {setting.help} [{allowed(effect.model_fields[setting.name])}] ({_default(setting)})"


def _default(setting: Setting) -> str:
    default = setting.default
    return "none" if default is None else str(default).lower() if isinstance(default, bool) else f"{default}"


def _built_in(name: str) -> bool:
    from streamer.effects.presets import BUILT_IN

    return preset_paths()[name].parent == BUILT_IN


def _contents(name: str) -> str:
    try:
        return to_text(load_preset(name))
    except ConfigError as error:
        return f"broken: {error}"
