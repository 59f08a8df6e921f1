"""Which preset the effects come from, and the user's own presets: saved, removed, read again."""

from __future__ import annotations

from PyQt5.QtCore import Qt, pyqtSignal
from PyQt5.QtWidgets import QHBoxLayout, QMessageBox, QVBoxLayout, QWidget

from streamer.effects.presets import delete_preset, user_folder
from streamer.errors import OutputError
from ui.controls import ComboBox
from ui.effects.mix import Mix, Presets
from ui.effects.name_dialog import NameDialog
from ui.flow_layout import FlowLayout
from ui.widgets import make_button, make_label

_NONE = "None"
_OWN = "Own mix"  # of effects that come from no preset


class PresetBar(QWidget):
    """Chooses, saves and removes presets.

    Signals:
        chosen: a preset that can be used; empty for none.
        saved: the effects are the user's own preset of this name from now on.
        removed: the user's own preset of this name is no more.
        reread: the files have been read again.
        told: a sentence on what cannot be done; empty when that holds no longer.
    """

    chosen = pyqtSignal(str)
    saved = pyqtSignal(str)
    removed = pyqtSignal(str)
    reread = pyqtSignal()
    told = pyqtSignal(str)

    def __init__(self, presets: Presets, mix: Mix) -> None:
        super().__init__()
        self._presets, self._mix = presets, mix
        self._box = ComboBox()
        self._box.setSizeAdjustPolicy(ComboBox.AdjustToMinimumContentsLengthWithIcon)
        self._box.setMinimumContentsLength(8)
        self._box.setPlaceholderText(_OWN)
        self._box.activated.connect(self._choose)
        self._changed = make_label("caption", "changed")
        self._save = make_button("Save as…", self._ask_name, tip="Keep these effects as a preset of your own")
        self._delete = make_button("Delete", self._ask_delete, tip="Remove this preset of yours")
        self._reload = make_button("Reload", self._reread, tip=f"Read the presets in {user_folder()} again")
        self._lay_out()

    def show_presets(self) -> None:
        """Offer the presets there are."""
        self._box.clear()
        self._box.addItem(_NONE, "")
        for name in self._presets.names():
            broken = name in self._presets.errors
            self._box.addItem(f"⚠ {name}" if broken else name, name)
        self.show_mix()

    def show_mix(self) -> None:
        """Show which preset it is, and whether it has been changed."""
        mix = self._mix
        changed = mix.changed and bool(mix.preset)
        self._box.setCurrentIndex(-1 if mix.effects and not mix.preset else self._box.findData(mix.preset))
        self._changed.setVisible(changed)
        self._box.setAccessibleName("Preset, changed" if changed else "Preset")
        self._save.setEnabled(bool(mix.effects))
        self._delete.setEnabled(self._presets.is_own(mix.preset))

    def _lay_out(self) -> None:
        choice = QHBoxLayout()
        choice.addWidget(self._box, 1)
        choice.addWidget(self._changed)
        policy = self._changed.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self._changed.setSizePolicy(policy)
        buttons = QWidget()
        flow = FlowLayout(across=6, down=6)
        flow.setContentsMargins(0, 0, 0, 0)
        buttons.setLayout(flow)
        for button in (self._save, self._delete, self._reload):
            flow.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(make_label("heading", "Preset"))
        column.addLayout(choice)
        column.addWidget(buttons)

    # ---- what the user wants -----------------------------------------------------------------------------------

    def _choose(self, index: int) -> None:
        name = self._box.itemData(index)
        self._presets.read()  # as it is now: a preset may be mended, or broken, beside the running window
        if name in self._presets.errors:
            self.told.emit(self._presets.errors[name])
            self.show_mix()
        else:
            self.told.emit("")
            self.chosen.emit(name)

    def _reread(self) -> None:
        self._presets.read()
        self.show_presets()
        self.told.emit("; ".join(self._presets.errors.values()))
        self.reread.emit()

    def _ask_name(self) -> None:
        name = self._mix.preset if self._presets.is_own(self._mix.preset) else ""
        dialog = NameDialog(self._mix.effects, name, self.window())
        dialog.saved.connect(self.saved)
        dialog.open()

    def _ask_delete(self) -> None:
        name = self._mix.preset
        box = QMessageBox(self.window())
        box.setAttribute(Qt.WA_DeleteOnClose)
        box.setIcon(QMessageBox.Question)
        box.setWindowTitle("Delete preset – facestream")
        box.setText(f"Delete your preset {name}? The effects stay as they are now.")
        box.addButton("Delete", QMessageBox.AcceptRole)
        box.setEscapeButton(box.addButton("Cancel", QMessageBox.RejectRole))
        box.accepted.connect(lambda: self._remove(name))
        box.open()

    def _remove(self, name: str) -> None:
        try:
            delete_preset(name)
        except OutputError as error:
            self.told.emit(str(error))
        else:
            self.removed.emit(name)
