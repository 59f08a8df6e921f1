"""The user's own defaults: one file per user, written from the window and read at every start."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any, Final

import platformdirs

from streamer.config import Config
from streamer.errors import ConfigError
from streamer.settings import differing_yaml, with_values
from streamer.sinks.base import replace_text
from streamer.yaml_text import YamlError, read_yaml

log = logging.getLogger(__name__)

notices: Final[list[str]] = []
"""What was wrong with the file when it was read: sentences for a window to show once; they are logged, too."""


def defaults_path() -> Path:
    """Where the file lies: ``~/.config/facestream/config.yaml`` on Linux."""
    return platformdirs.user_config_path("facestream") / "config.yaml"


def load_defaults() -> Config:
    """The built-in defaults with the user's own changes.

    Nothing that is wrong with the file keeps the program from starting: a file that is no YAML is set aside as
    ``config.damaged.yaml``, and keys and values of another version are passed over; ``notices`` tells.
    """
    path = defaults_path()
    try:
        data = read_yaml(path) or {}
    except FileNotFoundError:
        return Config()
    except OSError as error:
        _tell(f"cannot read your defaults {path}: {error.strerror}; the built-in ones apply")
        return Config()
    except YamlError:
        data = None
    # An emptied section ("detector:" with every key deleted) means its defaults.
    if not isinstance(data, dict) or not all(isinstance(keys, dict | None) for keys in data.values()):
        _set_aside(path)
        return Config()
    return _apply({section: keys or {} for section, keys in data.items()}, path)


def save_defaults(config: Config) -> Path:
    """Make a configuration the user's defaults: its differing keys, without secrets, in place of the file before.

    Raises:
        OutputError: the file cannot be written; the one before is still there.
    """
    path = defaults_path()
    text = "# facestream's defaults of this user, written by the window; the rest is as built in.\n"
    replace_text(path, text + differing_yaml(config))
    return path


def _apply(data: dict[str, dict[str, Any]], path: Path) -> Config:
    """The defaults with every key that this version takes."""
    config, ignored = Config(), []
    for section, keys in data.items():
        for name, value in keys.items():
            try:
                config = with_values(config, {f"{section}.{name}": value})
            except ConfigError as error:
                log.info("%s", error)
                ignored.append(f"{section}.{name}")
    if ignored:
        _tell(f"{path} holds what this version does not take: {', '.join(ignored)}; saving your defaults removes it")
    return config


def _set_aside(path: Path) -> None:
    aside = path.with_name("config.damaged.yaml")
    try:
        path.replace(aside)
    except OSError as error:
        _tell(f"your defaults {path} are damaged and cannot be moved ({error.strerror}); the built-in ones apply")
    else:
        _tell(f"your defaults were damaged and are now {aside}; the built-in ones apply")


def _tell(sentence: str) -> None:
    log.warning("%s", sentence)
    notices.append(sentence)
