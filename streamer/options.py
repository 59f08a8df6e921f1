"""Options that several commands have in common."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

import typer

from streamer.config import Config, load_config
from streamer.personal import load_defaults
from streamer.settings import changed, given, with_values

log = logging.getLogger(__name__)

ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        help="Configuration file; without it your saved defaults and ./config.yaml count.",
        show_default=False,
    ),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Change one key, e.g. detector.score=0.7; may be repeated."),
]
EffectsOption = Annotated[
    str | None,
    typer.Option(
        metavar="LOOK",
        help="Effects for the picture, e.g. glam or 'natural, lipstick=0.3'; see `facestream effects`. '' = none.",
        show_default=False,
    ),
]


def user_config(path: Path | None, overrides: list[str], effects: str | None = None) -> Config:
    """The configuration a user means.

    A file that is named counts alone. Otherwise the user's own defaults count, over them what ``./config.yaml``
    changes, if there is one (a key that repeats the built-in default changes nothing), and over all the overrides.
    ``effects``, where given, takes the place of ``effects.look``.

    Raises:
        ConfigError: names the wrong key and what is allowed.
    """
    if effects is not None:
        return with_values(user_config(path, overrides), {"effects.look": effects})
    local = Path("config.yaml") if path is None and Path("config.yaml").is_file() else None
    log.info("configuration: %s, overrides: %d", path or local or "defaults", len(overrides))
    if path is not None:
        return load_config(path, overrides)
    return with_values(load_defaults(), {**changed(load_config(local)), **given(load_config(None, overrides))})
