"""The effects, one file each; :mod:`streamer.effects.registry` finds them."""
