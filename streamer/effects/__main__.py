"""Prints ``docs/effects.md``: ``python -m streamer.effects > docs/effects.md``."""

import sys

from streamer.effects.listing import as_markdown

sys.stdout.write(as_markdown())
