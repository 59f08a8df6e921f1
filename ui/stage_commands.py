"""Joins the commands about the picture with the stage, and remembers their state."""

from __future__ import annotations

from dataclasses import fields, replace
from functools import partial

from PyQt5.QtWidgets import QApplication

from ui import theme
from ui.actions import Actions
from ui.settings import Settings
from ui.stage.overlays import Overlays
from ui.stage.view import VideoView, mirrored
from ui.stage.viewport import STEP, Fit

_CLEAN = "overlays/clean"
_NONE = Overlays(**dict.fromkeys((field.name for field in fields(Overlays)), False))


class StageCommands:
    """Overlays, fit, zoom, mirror and colours of one window."""

    def __init__(self, actions: Actions, view: VideoView, settings: Settings) -> None:
        self._actions, self._view, self._settings = actions, view, settings
        self._webcam = False
        self._overlays = self._remembered_overlays()
        self._asked = False  # whether the user has asked for overlays: then they stay, whatever is put on the face
        self._by_itself = False  # whether the picture is clean because of the effects, and not by the user's wish
        self._following = False
        self._restore_choice("fit", "stage/fit", Fit.FIT.value)
        self._restore_choice("theme", "window/theme", "dark")
        for name in (field.name for field in fields(Overlays)):
            actions.on(f"overlay.{name}", partial(self._show_overlay, name))
        for fit in Fit:
            actions.on(f"fit.{fit.value}", partial(self._set_fit, fit))
            actions[f"fit.{fit.value}"].triggered.connect(partial(view.set_fit, fit))  # chosen again: zoom back
        for name in theme.THEMES:
            actions.on(f"theme.{name}", partial(self._set_theme, name))
        actions.on("view.mirror", self._mirror)
        actions.on("zoom.in", partial(view.zoom, STEP))
        actions.on("zoom.out", partial(view.zoom, 1 / STEP))
        actions["clean.picture"].setChecked(settings.get(_CLEAN, False))
        actions.on("clean.picture", self._clean)
        self._paint_overlays()
        self._set_fit(self._chosen_fit(), True)

    def source_is_webcam(self, webcam: bool) -> None:
        """Mirror as the user likes it for this kind of source: people expect to see themselves as in a mirror."""
        self._webcam = webcam
        self._actions["view.mirror"].setChecked(self._settings.get(self._mirror_key, webcam))

    @property
    def _mirror_key(self) -> str:
        return "stage/mirror_webcams" if self._webcam else "stage/mirror_others"

    def follow_effects(self, dressed: bool) -> None:
        """Clear the picture of overlays when the first effect comes, and bring them back when the last one goes."""
        clean = self._actions["clean.picture"]
        due = not self._asked and not clean.isChecked() if dressed else self._by_itself
        if due:
            self._following = True
            clean.setChecked(dressed)
            self._following = False

    def _remembered_overlays(self) -> Overlays:
        defaults = Overlays()
        names = [field.name for field in fields(Overlays)]
        overlays = Overlays(**{name: self._settings.get(f"overlays/{name}", getattr(defaults, name)) for name in names})
        for name in names:
            self._actions[f"overlay.{name}"].setChecked(getattr(overlays, name))
        return overlays

    def _restore_choice(self, area: str, key: str, default: str) -> None:
        name = self._settings.get(key, default)
        known = [action.objectName() for action in self._actions.area(area)]
        wanted = f"{area}.{name}" if f"{area}.{name}" in known else f"{area}.{default}"
        self._actions[wanted].setChecked(True)

    def _chosen_fit(self) -> Fit:
        return next(fit for fit in Fit if self._actions[f"fit.{fit.value}"].isChecked())

    def _show_overlay(self, name: str, shown: bool) -> None:
        clean = self._actions["clean.picture"]
        if clean.isChecked():  # whoever wants to see one thing over the picture does not mean to hide it
            clean.setChecked(False)
            if not shown:
                self._actions[f"overlay.{name}"].setChecked(True)
                return
        self._asked = self._asked or shown
        self._settings.set(f"overlays/{name}", shown)
        self._overlays = replace(self._overlays, **{name: shown})
        self._paint_overlays()

    def _clean(self, wanted: bool) -> None:
        """Hide the overlays or show them; remembered where it is the user's wish."""
        if not self._following:
            self._settings.set(_CLEAN, wanted)
            self._asked = self._asked or not wanted
        self._by_itself = self._following and wanted
        self._paint_overlays()

    def _paint_overlays(self) -> None:
        self._view.set_overlays(_NONE if self._actions["clean.picture"].isChecked() else self._overlays)

    def _set_fit(self, fit: Fit, chosen: bool) -> None:
        if chosen:
            self._settings.set("stage/fit", fit.value)
            self._view.set_fit(fit)

    def _mirror(self, wanted: bool) -> None:
        self._settings.set(self._mirror_key, wanted)
        self._view.set_viewport(mirrored(self._view.viewport, wanted))

    def _set_theme(self, name: str, chosen: bool) -> None:
        app = QApplication.instance()
        if chosen and isinstance(app, QApplication):
            self._settings.set("window/theme", name)
            theme.apply(app, theme.THEMES[name])
