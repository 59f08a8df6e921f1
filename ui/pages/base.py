"""What a page of the inspector is told and given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ui.faces.history import PoseHistories

if TYPE_CHECKING:
    from ui.actions import Actions
    from ui.look import Look
    from ui.selection import Selection
    from ui.session import Session
    from ui.settings import Settings


@dataclass(frozen=True, slots=True)
class PageSpec:
    """A page before it is made.

    Attributes:
        name: of its module in ``ui.pages``; settings are remembered under it, too.
        title: on its button.
        tip: one line of help.
    """

    name: str
    title: str
    tip: str


@dataclass(frozen=True, slots=True)
class PageContext:
    """All a page needs; it commands through these and never reaches into the window.

    Attributes:
        session: what runs: ``frame_ready(FrameResult)``, ``status_changed(CameraStatus)``, and the commands. Connect in
            ``showEvent`` and disconnect in ``hideEvent`` what need not run unseen.
        actions: every command of the window; bind buttons to them with ``ui.widgets.action_button``.
        selection: the chosen face.
        settings: what is remembered; use keys that begin with the page's name and a slash.
        look: the effects that apply.
        tell: shows a sentence over the picture, in place of the one about the same thing (second argument); an empty
            one takes that back.
        poses: how every face has turned, also while no page was looking.
    """

    session: Session
    actions: Actions
    selection: Selection
    settings: Settings
    look: Look
    tell: Callable[[str, str], None]
    poses: PoseHistories = field(default_factory=PoseHistories)
