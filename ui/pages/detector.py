"""Which network finds faces, how, and where the networks run."""

from __future__ import annotations

from typing import Final

from PyQt5.QtWidgets import QWidget

from ui.pages.base import PageContext
from ui.settings_form import sections_page

SECTIONS: Final = ("detector", "runtime")
"""Sections of the configuration on this page."""


def make_page(context: PageContext) -> QWidget:
    """Make the page."""
    return sections_page(context, SECTIONS)
