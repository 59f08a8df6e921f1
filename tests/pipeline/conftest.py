"""Cameras that end with their test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from streamer import load_config
from tests.pipeline.players import Player


@pytest.fixture
def player() -> Iterator[Callable[..., Player]]:
    """Make players: ``player(source, "key=value", …, sinks=…)``; they are closed at the end."""
    players: list[Player] = []

    def make(source: str | Path, *settings: str, **options: Any) -> Player:
        players.append(Player(str(source), load_config(None, settings), **options))
        return players[-1]

    yield make
    for each in players:
        each.camera.close()
