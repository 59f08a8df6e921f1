"""Options that several commands have in common."""

from __future__ import annotations

import logging
import os
import re
from pathlib import Path
from typing import Annotated

import typer

from streamer.config import Config, load_config
from streamer.errors import ConfigError
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
MeasuringConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        help="Configuration file; without it the built-in defaults count, so that figures can be compared.",
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


def user_config(
    path: Path | None, overrides: list[str], *, effects: str | None = None, pace: str | None = None
) -> Config:
    """The configuration a user means.

    A file that is named counts alone. Otherwise the user's own defaults count, over them what ``./config.yaml``
    changes, if there is one (a key that repeats the built-in default changes nothing), and over all the overrides.
    ``effects`` and ``pace``, where given, are what ``--effects`` and ``--pace`` say. What measures takes
    :func:`load_config` instead: its figures must be the same for everybody and in every folder.

    Raises:
        ConfigError: names the wrong key or option and what is allowed.
    """
    local = Path("config.yaml") if path is None and os.path.isfile("config.yaml") else None
    log.info("configuration: %s, overrides: %d", path or local or "defaults", len(overrides))
    if path is not None:
        config = load_config(path, overrides)
    else:
        changes = changed(_load_local(local)) | given(load_config(None, overrides))
        config = with_values(load_defaults(), changes)
    return with_option(with_option(config, "--effects", "effects.look", effects), "--pace", "source.pace", pace)


def with_option(config: Config, option: str, key: str, value: str | None) -> Config:
    """A configuration with the value of an option that stands for a key; ``None`` where it was not given.

    Raises:
        ConfigError: names the option, as the user knows nothing of the key.
    """
    try:
        return config if value is None else with_values(config, {key: value})
    except ConfigError as error:
        raise ConfigError(str(error).replace(f"config key '{key}'", option, 1)) from None


def _load_local(path: Path | None) -> Config:
    """The configuration of the working folder, which may belong to another program."""
    try:
        return load_config(path)
    except ConfigError as error:
        if path is None or _has_a_section(path):
            raise
        raise ConfigError(f"{error}; if the file is not meant for facestream, add --config OTHER.yaml") from None


def _has_a_section(path: Path) -> bool:
    """Whether a file looks like one of facestream's, however broken it is."""
    try:
        with path.open(errors="replace") as file:
            text = file.read(100_000)
    except OSError:
        return False
    return any(re.search(rf"^{section}\s*:", text, re.MULTILINE) for section in Config.model_fields)
