"""What hides faces, and whether a frame shows any: one from before a cover was switched on must not stay on show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from streamer.errors import ConfigError

if TYPE_CHECKING:
    from streamer.config import Config
    from streamer.types import FrameResult


def covers(config: Config) -> tuple[str, ...]:
    """Titles of what hides faces; a look that cannot be had hides none, as whoever applies it tells."""
    if not config.effects.look.strip():
        return ()
    from streamer.effects import Effects

    try:
        return tuple(effect.title for effect in Effects.parse(config.effects.look).active if effect.covers)
    except ConfigError:
        return ()


def is_covered(result: FrameResult) -> bool:
    """Whether a frame's picture was made with covers."""
    return result.shown is not None and result.shown.effects.covers
