"""``python -m streamer`` is the ``facestream`` command."""

from streamer.cli import main

main()
