"""The inspector's pages: one file each, listed here and nowhere else.

A page is a ``QWidget`` made from a :class:`~ui.pages.base.PageContext` when it is first opened; its file is imported
then, so that a page costs the start nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

from ui.pages.base import PageContext, PageSpec

if TYPE_CHECKING:
    from PyQt5.QtWidgets import QWidget

PAGES: Final = (
    PageSpec("view", "View", "What is shown over the picture, and how"),
    PageSpec("faces", "Faces", "The faces in the picture"),
    PageSpec("effects", "Effects", "Beauty, make-up, stickers, and covers for faces"),
    PageSpec("tracking", "Tracking", "How faces are followed and steadied"),
    PageSpec("detector", "Detector", "How faces are found"),
    PageSpec("settings", "Settings", "Source, output and all other settings"),
)
"""The pages from top to bottom; ``ui/pages/<name>.py`` holds a ``make_page(context) -> QWidget``."""


def make_page(spec: PageSpec, context: PageContext) -> QWidget:
    """Make a page."""
    page: QWidget = import_module(f"ui.pages.{spec.name}").make_page(context)
    page.setObjectName("page")
    page.setAccessibleName(spec.title)
    return page
