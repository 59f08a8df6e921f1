"""Every setting that is on no other page, so that a new section of the configuration is found here by itself."""

from __future__ import annotations

from PyQt5.QtWidgets import QWidget

from streamer.settings import describe
from ui.pages import detector, tracking
from ui.pages.base import PageContext
from ui.settings_form import sections_page


def make_page(context: PageContext) -> QWidget:
    """Make the page."""
    elsewhere = (*detector.SECTIONS, *tracking.SECTIONS)
    return sections_page(context, {setting.section for setting in describe()}.difference(elsewhere))
