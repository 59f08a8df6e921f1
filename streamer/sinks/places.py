"""Where recordings and snapshots go, and what they are called, when nobody says so."""

from __future__ import annotations

import datetime
from pathlib import Path

import platformdirs

from streamer.config import Config, OutputConfig


def recording_path(config: Config) -> Path:
    """A new file for a recording: in ``output.folder`` where that was changed, else with the user's videos."""
    return _named_by_date(config, platformdirs.user_videos_path(), ".mp4")


def snapshot_path(config: Config, suffix: str = ".png") -> Path:
    """A new file for a snapshot: in ``output.folder`` where that was changed, else with the user's pictures."""
    return _named_by_date(config, platformdirs.user_pictures_path(), suffix)


def unused(path: Path) -> Path:
    """The path, or the first of ``name-2``, ``name-3``, … that is not there yet."""
    number, candidate = 1, path
    while candidate.exists():
        number += 1
        candidate = path.with_stem(f"{path.stem}-{number}")
    return candidate


def _named_by_date(config: Config, personal: Path, suffix: str) -> Path:
    chosen = config.output.folder
    folder = personal / "facestream" if chosen == OutputConfig().folder else chosen
    return unused(folder / f"facestream {datetime.datetime.now():%Y-%m-%d %H-%M-%S}{suffix}")
