"""Whether a frame shows faces that are to be hidden: one from before a cover was switched on must not stay on show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from streamer.errors import ConfigError

if TYPE_CHECKING:
    from streamer.config import Config
    from streamer.types import FrameResult


def hides_faces(config: Config) -> bool:
    """Whether the look has covers; one that cannot be had hides none, as whoever applies it tells."""
    if not config.effects.look.strip():
        return False
    from streamer.effects import Effects

    try:
        return Effects.parse(config.effects.look).covers
    except ConfigError:
        return False


def is_covered(result: FrameResult) -> bool:
    """Whether a frame's picture was made with covers."""
    return result.shown is not None and result.shown.effects.covers
