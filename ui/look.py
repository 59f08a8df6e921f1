"""The look: the text of effects that applies, changed live, and taken back step by step.

``effects.look`` of the configuration is the only truth; this sends it there, and remembers what it was before. Names
presets and effects only by the text, so that a window without effects loads nothing for them.
"""

from __future__ import annotations

from typing import Final

from PyQt5.QtCore import QObject, QTimer, pyqtSignal
from PyQt5.QtGui import QGuiApplication

from streamer.config import Config
from streamer.errors import ConfigError
from streamer.settings import with_values
from ui.actions import Actions
from ui.session import Session
from ui.widgets import sentence

_PACE: Final = 50  # ms between two looks that are sent: a slider that is dragged asks for more than anybody sees
_REST: Final = 1000  # ms without a change after which the next one of the same setting is a step of its own
_KEY: Final = "config key 'effects.look': "  # people have set no key here, but moved a slider
_MOST: Final = 200  # steps that can be taken back


class Look(QObject):
    """Changes the look of a session; carries out the commands of the area ``look``.

    Signals:
        changed: the text that applies from now on.
        dressed: whether it changes pictures at all, when that changes.
        failed: a sentence on why a look cannot be had; the one before stays.
        covers_wanted: somebody wants to see what covers faces.
    """

    changed = pyqtSignal(str)
    dressed = pyqtSignal(bool)
    failed = pyqtSignal(str)
    covers_wanted = pyqtSignal()

    def __init__(self, actions: Actions, session: Session, parent: QObject) -> None:
        super().__init__(parent)
        self._actions, self._session = actions, session
        self._applied = self._text = session.config.effects.look
        self._undo: list[str] = []
        self._redo: list[str] = []
        self._about = ""
        self.active = _is_active(self._text)
        self._pace, self._rest = QTimer(self), QTimer(self)
        for timer, interval, slot in ((self._pace, _PACE, self._send), (self._rest, _REST, self._end_step)):
            timer.setSingleShot(True)
            timer.setInterval(interval)
            timer.timeout.connect(slot)
        actions.on("look.undo", self._take_back)
        actions.on("look.redo", self._make_again)
        session.configured.connect(self._follow)
        self._enable()

    @property
    def text(self) -> str:
        """The look that is wanted."""
        return self._text

    def want(self, text: str, about: str = "") -> None:
        """Change the look, at once or within a moment.

        Args:
            text: the look, see ``streamer.effects.presets.parse_effects``.
            about: which setting it is about: changes of one setting in a row are taken back together.
        """
        if text == self._text:
            return
        if not about or about != self._about:
            self._remember(self._undo)
        self._redo.clear()
        self._text, self._about = text, about
        self._rest.start()
        self._enable()
        if not self._pace.isActive():
            self._send()

    def end_step(self) -> None:
        """Let the next change be a step of its own: a control has been taken hold of anew."""
        self._about = ""

    def close(self) -> None:
        """Wait for nothing any more."""
        self._pace.stop()
        self._rest.stop()

    def _end_step(self) -> None:
        if int(QGuiApplication.mouseButtons()):  # the slider is still held
            self._rest.start()
        else:
            self.end_step()

    def _remember(self, steps: list[str]) -> None:
        steps.append(self._text)
        del steps[:-_MOST]

    def _send(self) -> None:
        """Apply what is wanted, unless that is done; whatever comes within a moment waits for its end."""
        if self._text == self._applied:
            return
        self._pace.start()
        try:
            config = with_values(self._session.config, {"effects.look": self._text})
        except ConfigError as error:
            self._text = self._applied
            self.failed.emit(sentence(str(error).removeprefix(_KEY)))
            self.changed.emit(self._text)
        else:
            self._applied = self._text
            self._session.configure(config)
            self._tell()

    def _follow(self, config: Config) -> None:
        """Take over what others have set: the settings page, or a reset of everything."""
        if config.effects.look != self._applied:
            self._remember(self._undo)
            self._redo.clear()
            self._about = ""
            self._applied = self._text = config.effects.look
            self._tell()

    def _tell(self) -> None:
        self._enable()
        self.changed.emit(self._applied)
        if (active := _is_active(self._applied)) != self.active:
            self.active = active
            self.dressed.emit(active)

    # ---- steps -------------------------------------------------------------------------------------------------

    def _take_back(self) -> None:
        self._step(self._undo, self._redo)

    def _make_again(self) -> None:
        self._step(self._redo, self._undo)

    def _step(self, source: list[str], target: list[str]) -> None:
        if source:
            self._remember(target)
            self._text = source.pop()
            self.end_step()
            self._pace.stop()
            self._send()
            self._enable()

    def _enable(self) -> None:
        self._actions["look.undo"].setEnabled(bool(self._undo))
        self._actions["look.redo"].setEnabled(bool(self._redo))


def _is_active(text: str) -> bool:
    """Whether a look changes pictures; one that cannot be had does not."""
    if not text.strip():
        return False
    from streamer.effects import Effects

    try:
        return bool(Effects.parse(text))
    except ConfigError:  # told by whoever applies it
        return False
