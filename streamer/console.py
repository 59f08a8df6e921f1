"""Where tables are printed: no figure and no name of theirs is ever cut off."""

from __future__ import annotations

from typing import Final

from rich.console import Console

_LEAST: Final = 80  # columns; on a narrower terminal the lines wrap, which is ugly and loses nothing
_PIPED: Final = 240  # columns where no terminal sets a limit


def open_console(*, stderr: bool = False) -> Console:
    """A console for tables on the standard output, or the standard error."""
    console = Console(stderr=stderr)
    console.width = max(console.width, _LEAST if console.is_terminal else _PIPED)
    return console
