"""How faces are followed between detections, and how their points are found and steadied."""

from __future__ import annotations

from typing import Final

from PyQt5.QtWidgets import QWidget

from ui.pages.base import PageContext
from ui.settings_form import sections_page

SECTIONS: Final = ("tracking", "smoothing", "landmarks")
"""Sections of the configuration on this page."""


def make_page(context: PageContext) -> QWidget:
    """Make the page."""
    return sections_page(context, SECTIONS)
