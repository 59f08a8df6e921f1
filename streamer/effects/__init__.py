"""Beauty, make-up, stickers and covers, drawn into pictures from landmarks."""

from streamer.effects.chain import Effects
from streamer.effects.memory import Memory

__all__ = ["Effects", "Memory"]
