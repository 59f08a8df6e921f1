"""The inspector: pages beside the picture that fold away, behind a rail of buttons that stays."""

from __future__ import annotations

from PyQt5.QtCore import QSize, Qt
from PyQt5.QtWidgets import QApplication, QFrame, QScrollArea, QStackedWidget, QVBoxLayout, QWidget

from ui.actions import AT_MOST_ONE, Actions, Command
from ui.pages import PAGES, make_page
from ui.pages.base import PageContext
from ui.widgets import action_button

_WIDTH = 300  # logical pixels of a page, before the user drags its edge
_NARROWEST = 240
_PAGE = "inspector/page"


def page_commands() -> tuple[Command, ...]:
    """A switch per page: ``page.<name>`` opens it, or folds the inspector when it is open already."""
    return tuple(
        Command(f"page.{spec.name}", "&Inspector", spec.title, (f"Alt+{number}",), spec.tip, False, choice=AT_MOST_ONE)
        for number, spec in enumerate(PAGES, 1)
    )


class Rail(QFrame):
    """The buttons that choose a page."""

    def __init__(self, actions: Actions) -> None:
        super().__init__()
        self.setObjectName("rail")
        column = QVBoxLayout(self)
        column.setContentsMargins(6, 10, 6, 10)
        column.setSpacing(4)
        for action in actions.area("page"):
            column.addWidget(action_button(action))
        column.addStretch()


class Inspector(QFrame):
    """Shows one page at a time, or nothing; a page is made when it is first opened."""

    def __init__(self, context: PageContext) -> None:
        super().__init__()
        self.setObjectName("inspector")
        self._context = context
        self._pages: dict[str, QWidget] = {}
        self._stack = QStackedWidget()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._stack)
        self._last = PAGES[0].name
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        app.focusChanged.connect(self._scroll_to)
        context.session.frame_ready.connect(context.poses.take)  # before a page that shows them
        self._connect()

    def sizeHint(self) -> QSize:
        """Wide enough for a form."""
        return QSize(_WIDTH, 400)

    @property
    def page(self) -> str:
        """Name of the page that is open; empty when the inspector is folded."""
        return next((spec.name for spec in PAGES if self._context.actions[f"page.{spec.name}"].isChecked()), "")

    def _connect(self) -> None:
        actions, wanted = self._context.actions, self._context.settings.get(_PAGE, PAGES[0].name)
        for spec in PAGES:
            actions[f"page.{spec.name}"].setChecked(spec.name == wanted)
            actions.on(f"page.{spec.name}", self._follow)
        actions.on("inspector.fold", self._fold)
        self._follow()

    def _follow(self, _: bool = False) -> None:
        """Show what the page switches say."""
        name = self.page
        if name:
            self._last = name
            self._open(name)
        self.setVisible(bool(name))
        self._context.actions["inspector.fold"].setChecked(bool(name))
        self._context.settings.set(_PAGE, name)

    def _fold(self, shown: bool) -> None:
        if shown != bool(self.page):
            self._context.actions[f"page.{self._last}"].setChecked(shown)

    def _open(self, name: str) -> None:
        if name not in self._pages:
            spec = next(spec for spec in PAGES if spec.name == name)
            self._pages[name] = self._scrolled(make_page(spec, self._context))
        self._stack.setCurrentWidget(self._pages[name])

    def _scroll_to(self, before: QWidget | None, focused: QWidget | None) -> None:
        """Show what has the keyboard, also when it comes from outside the page."""
        area = self._stack.currentWidget()
        if isinstance(area, QScrollArea) and focused is not None and area.isAncestorOf(focused):
            area.ensureWidgetVisible(focused)

    def _scrolled(self, page: QWidget) -> QWidget:
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarAlwaysOff)
        area.setFocusPolicy(Qt.NoFocus)
        area.setWidget(page)
        bar = area.verticalScrollBar()
        assert bar is not None
        needed = page.minimumSizeHint().width() + bar.sizeHint().width()  # larger letters need more room
        area.setMinimumWidth(max(needed, _NARROWEST))
        self._stack.addWidget(area)
        return area
