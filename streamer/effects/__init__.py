"""Beauty, make-up, stickers and covers, drawn into pictures from landmarks."""

from streamer.effects.chain import Effects

__all__ = ["Effects"]
