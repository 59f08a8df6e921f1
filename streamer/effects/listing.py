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
A preset of your own is a YAML file in `~/.config/facestream/effects`, named as the preset is called (or anywhere:
`--effects path/to/evening.yaml`). The window's page *Effects* writes such files, too.

```yaml
effects:
  skin: 0.6                                                       # a number is the strength
  lipstick: {strength: 0.5, colour: "#a8324a", finish: gloss}     # a colour needs the quotation marks
```
"""


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
    console.print("facestream run --effects 'glam, lipstick.colour=#b03050, blush=0'", highlight=False)


def as_markdown() -> str:
    """What ``docs/effects.md`` holds."""
    lines = [
        "# Effects",
        "",
        "Written by `python -m streamer.effects`. Use them with `facestream run --effects LOOK`,",
        "`facestream image --effects LOOK --save FOLDER`, the key `effects.look` of the configuration, or the",
        "window's page *Effects*. A look is any number of presets, effects, strengths and settings with commas",
        "between, such as `glam, lipstick.colour=#b03050, blush=0`: what comes later counts. Every effect has a",
        "`strength` from 0 to 1; at 0 it is off, covers too.",
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
    return "none" if setting.default is None else f"{setting.default}"


def _built_in(name: str) -> bool:
    from streamer.effects.presets import BUILT_IN

    return preset_paths()[name].parent == BUILT_IN


def _contents(name: str) -> str:
    try:
        return to_text(load_preset(name))
    except ConfigError as error:
        return f"broken: {error}"
