"""Every command of the window with its menu, key and tool tip: the one table, and the QActions made from it.

Menus, buttons, tool tips and the shortcut sheet are all made from these actions, so that a new command is a line here
and one ``actions.on(name, slot)`` where it is carried out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields
from typing import Final

from PyQt5.QtGui import QKeySequence
from PyQt5.QtWidgets import QAction, QActionGroup, QMenu, QMenuBar, QWidget

from ui.stage.overlays import Overlays


@dataclass(frozen=True, slots=True)
class Command:
    """One thing the user can do.

    Attributes:
        name: ``area.what``; commands of one area stand together in the menu.
        menu: title of the menu it is found in, with its mnemonic.
        text: label in the menu and on buttons.
        keys: shortcuts, the one that is shown first; as ``QKeySequence`` spells them.
        tip: one line of help.
        checked: state at the start of a switch; ``None`` for a plain command.
        choice: whether exactly one or at most one switch of its area may be on; ``None`` for any number.
    """

    name: str
    menu: str
    text: str
    keys: tuple[str, ...] = ()
    tip: str = ""
    checked: bool | None = None
    choice: QActionGroup.ExclusionPolicy | None = None

    @property
    def area(self) -> str:
        """The part of the name before the dot."""
        return self.name.partition(".")[0]


ONE: Final = QActionGroup.ExclusionPolicy.Exclusive
AT_MOST_ONE: Final = QActionGroup.ExclusionPolicy.ExclusiveOptional

_FILE, _PLAY, _CAPTURE, _VIEW = "&Source", "&Playback", "&Capture", "&View"
_OVERLAYS, _EFFECTS, _SETTINGS, _HELP = "&Overlays", "&Effects", "Se&ttings", "&Help"

MENUS: Final = (_FILE, _PLAY, _CAPTURE, _VIEW, _OVERLAYS, _EFFECTS, "&Inspector", _SETTINGS, _HELP)
"""Menus from left to right; one without commands is not shown."""

_REPEATED = ("zoom", "step", "seek", "split")  # areas whose commands go on for as long as a key is held down

_OVERLAY_DEFAULTS = Overlays()


def _overlay(field: str, text: str, key: str, tip: str) -> Command:
    return Command(f"overlay.{field}", _OVERLAYS, text, (key,), tip, getattr(_OVERLAY_DEFAULTS, field))


OVERLAY_COMMANDS: Final = (
    _overlay("box", "Box and id", "B", "Box of each face, with its id"),
    _overlay("points", "Points", "L", "The 106 landmarks as dots"),
    _overlay("contours", "Contours", "C", "The 106 landmarks as lines"),
    _overlay("indices", "Indices", "I", "The number of each landmark"),
    _overlay("raw", "Raw points", "R", "The landmarks before smoothing, as crosses beside the smoothed ones"),
    _overlay("keypoints", "Key points", "K", "The detector's five points: eyes, nose tip, corners of the mouth"),
    _overlay("axes", "Head axes", "P", "The head's side, crown and nose directions"),
    _overlay("arrow", "Direction", "D", "An arrow where the head looks"),
    _overlay("angles", "Angles", "N", "Pitch, yaw and roll in degrees, as measured in the unmirrored picture"),
    _overlay("trail", "Trail", "T", "Where each face has been in the last two seconds"),
    _overlay("timings", "Timings", "G", "Milliseconds per stage of the analysis"),
)

COMMANDS: Final = (
    Command("run.start_stop", _FILE, "Start", ("Ctrl+Return",), "Start or stop the source"),
    Command("source.file", _FILE, "Open file…", ("Ctrl+O",), "Show a video or picture"),
    Command("source.folder", _FILE, "Open folder…", ("Ctrl+Shift+O",), "Show the pictures of a folder"),
    Command("source.url", _FILE, "Open address…", ("Ctrl+U",), "Show a network stream, or whatever you type"),
    Command("source.choose", _FILE, "Choose source…", ("Ctrl+L",), "Webcams, demo and recent sources"),
    Command("app.quit", _FILE, "Quit", ("Ctrl+Q",), "Close the window and end the program"),
    Command("playback.play", _PLAY, "Play", ("Space",), "Play, or stay on this frame; live sources cannot be paused"),
    Command("playback.loop", _PLAY, "Loop", ("Shift+L",), "Begin again at the end of the file", False),
    Command("step.back", _PLAY, "One frame back", (",",), "Pause, and show the frame before"),
    Command("step.next", _PLAY, "One frame on", (".",), "Pause, and show the next frame"),
    Command("seek.back", _PLAY, "5 seconds back", ("Left",), "Show what was 5 seconds ago"),
    Command("seek.forward", _PLAY, "5 seconds on", ("Right",), "Leave 5 seconds out"),
    Command("seek.start", _PLAY, "To the start", ("Home",), "Show the first frame"),
    Command("seek.end", _PLAY, "To the end", ("End",), "Show the last frame"),
    Command("speed.slower", _PLAY, "Slower", ("[",), "Play more slowly, down to a quarter of the speed"),
    Command("speed.faster", _PLAY, "Faster", ("]",), "Play faster, up to four times the speed"),
    Command("capture.snapshot", _CAPTURE, "Snapshot", ("S",), "Save this frame, with the overlays that are on"),
    Command("capture.plain", _CAPTURE, "Snapshot without overlays", ("Shift+S",), "Save this frame with nothing on it"),
    Command("capture.shown", _CAPTURE, "Snapshot as on the screen", ("Ctrl+S",), "Save the stage just as you see it"),
    Command("capture.copy", _CAPTURE, "Copy frame", ("Ctrl+C",), "This frame with its overlays, to paste elsewhere"),
    Command("capture.record", _CAPTURE, "Record", ("Ctrl+R",), "Record the picture into a video file", False),
    Command("fit.fit", _VIEW, "Fit", ("Ctrl+0",), "The whole picture, as large as it fits", True, choice=ONE),
    Command("fit.fill", _VIEW, "Fill", ("Ctrl+9",), "No empty margins; the edges may be cut", False, choice=ONE),
    Command("fit.actual", _VIEW, "1:1", ("Ctrl+1",), "One pixel of the picture per screen pixel", False, choice=ONE),
    Command("zoom.in", _VIEW, "Zoom in", ("Ctrl++", "Ctrl+="), "Larger; the wheel zooms about the pointer"),
    Command("zoom.out", _VIEW, "Zoom out", ("Ctrl+-",), "Smaller; the wheel zooms about the pointer"),
    Command("view.mirror", _VIEW, "Mirror", ("M",), "Left and right swapped; remembered for webcams apart", False),
    Command("view.full_screen", _VIEW, "Full screen", ("F11", "F"), "Only the picture; Esc leaves", False),
    Command("view.leave", _VIEW, "Leave full screen", ("Esc",), "Back to the window"),
    Command("theme.dark", _VIEW, "Dark", (), "Dark colours", True, choice=ONE),
    Command("theme.light", _VIEW, "Light", (), "Light colours", False, choice=ONE),
    *OVERLAY_COMMANDS,
    Command("clean.picture", _OVERLAYS, "Clean picture", ("H",), "No overlays; any overlay's key ends it", False),
    Command("look.undo", _EFFECTS, "Undo", ("Ctrl+Z",), "Take the last change of the effects back"),
    Command("look.redo", _EFFECTS, "Redo", ("Ctrl+Shift+Z", "Ctrl+Y"), "Make the change again that was taken back"),
    Command("compare.before", _EFFECTS, "Show before", ("V",), "Hold the key: the picture without its effects", False),
    Command("compare.split", _EFFECTS, "Before and after", ("Shift+V",), "A line to drag across the picture", False),
    Command("split.left", _EFFECTS, "Line to the left", ("Shift+Left",), "See more of the picture with effects"),
    Command("split.right", _EFFECTS, "Line to the right", ("Shift+Right",), "See more of the picture before"),
    Command("inspector.fold", "&Inspector", "Show inspector", ("Ctrl+I",), "The pages beside the picture", True),
    Command("settings.copy", _SETTINGS, "Copy as YAML", (), "What differs from the defaults, for config.yaml or --set"),
    Command("settings.save", _SETTINGS, "Save as my defaults", (), "facestream starts with these settings from now on"),
    Command("settings.reset", _SETTINGS, "Reset all…", (), "Every setting back to its built-in default"),
    Command("help.shortcuts", _HELP, "Keyboard shortcuts", ("?", "F1"), "Every key on one sheet"),
)  # fmt: skip

assert {c.name.partition(".")[2] for c in OVERLAY_COMMANDS} == {f.name for f in fields(Overlays)}


class Actions:
    """The QActions of a window by name."""

    def __init__(self, commands: Iterable[Command], window: QWidget) -> None:
        """Make the actions; their keys work wherever the keyboard is in ``window``."""
        self._commands = tuple(commands)
        self._actions: dict[str, QAction] = {}
        self._groups: dict[str, QActionGroup] = {}
        for command in self._commands:
            self._actions[command.name] = self._make(command, window)

    def __getitem__(self, name: str) -> QAction:
        return self._actions[name]

    def __iter__(self) -> Iterator[tuple[Command, QAction]]:
        """Commands with their actions, in the order of the table."""
        return ((command, self._actions[command.name]) for command in self._commands)

    def area(self, area: str) -> list[QAction]:
        """The actions whose names begin with ``area.``."""
        return [action for command, action in self if command.area == area]

    def on(self, name: str, slot: Callable[..., object]) -> None:
        """Carry a command out: a switch calls with its new state, a plain command with nothing."""
        action = self._actions[name]
        if action.isCheckable():
            action.toggled.connect(slot)
        else:
            action.triggered.connect(lambda _: slot())

    def fill(self, bar: QMenuBar) -> None:
        """Put the menus into a menu bar."""
        for title in MENUS:
            commands = [command for command in self._commands if command.menu == title]
            if commands:
                menu = bar.addMenu(title)
                assert menu is not None
                self._fill_menu(menu, commands)

    def _fill_menu(self, menu: QMenu, commands: list[Command]) -> None:
        menu.setToolTipsVisible(True)
        area = commands[0].area
        for command in commands:
            if command.area != area:
                menu.addSeparator()
                area = command.area
            menu.addAction(self._actions[command.name])

    def _make(self, command: Command, window: QWidget) -> QAction:
        action = QAction(command.text, window)
        action.setObjectName(command.name)
        action.setShortcuts([QKeySequence(key) for key in command.keys])
        keys = action.shortcut().toString(QKeySequence.NativeText)
        action.setToolTip(f"{command.tip} ({keys})" if keys else command.tip)
        action.setAutoRepeat(command.area in _REPEATED)
        if command.checked is not None:
            action.setCheckable(True)
            action.setChecked(command.checked)
        if command.choice is not None:
            if command.area not in self._groups:
                self._groups[command.area] = QActionGroup(window)
                self._groups[command.area].setExclusionPolicy(command.choice)
            self._groups[command.area].addAction(action)
        window.addAction(action)  # menus are hidden in full screen, and their keys with them
        return action
