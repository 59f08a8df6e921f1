"""Options that several commands have in common."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

import typer

from streamer.config import Config, load_config

log = logging.getLogger(__name__)

ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", help="Configuration file; ./config.yaml is taken when it is there.", show_default=False),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Change one key, e.g. detector.score=0.7; may be repeated."),
]


def user_config(path: Path | None, overrides: list[str]) -> Config:
    """The configuration a user means: the file named, else ``./config.yaml`` if there is one, and the overrides.

    Raises:
        ConfigError: names the wrong key and what is allowed.
    """
    if path is None and Path("config.yaml").is_file():
        path = Path("config.yaml")
    log.info("configuration: %s, overrides: %d", path or "defaults", len(overrides))
    return load_config(path, overrides)
