"""Controls for single settings: one for each kind that ``streamer.settings.describe`` knows."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from PyQt5.QtCore import QEvent, QObject, Qt, pyqtSignal
from PyQt5.QtGui import QColor
from PyQt5.QtWidgets import (
    QAbstractSpinBox,
    QColorDialog,
    QDoubleSpinBox,
    QFileDialog,
    QHBoxLayout,
    QLineEdit,
    QSizePolicy,
    QSlider,
    QWidget,
)

from streamer.settings import Kind, Setting
from ui.controls import ComboBox, Swatch, Switch
from ui.widgets import make_button

_UNBOUNDED: Final = 1e9  # what a control without a limit accepts
_STEPS: Final = 10_000  # of a slider at most; a longer range is typed


class Editor(QWidget):
    """Shows and changes the value of one setting.

    Signals:
        changed: the user wants another value.
        taken: the user has taken hold of the control: what it says until it is let go is one change.
    """

    changed = pyqtSignal(object)
    taken = pyqtSignal()

    def __init__(self, setting: Setting) -> None:
        super().__init__()
        self.setting = setting
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(8)

    def show_value(self, value: Any) -> None:
        """Show a value without telling of it."""
        raise NotImplementedError

    def _add(self, control: QWidget, *, stretch: int = 0, part: str = "") -> None:
        """Add a control that is called what the setting is called."""
        control.setAccessibleName(f"{self.setting.title}, {part}" if part else self.setting.title)
        control.setAccessibleDescription(self.setting.help)
        control.setFocusPolicy(Qt.StrongFocus)
        control.installEventFilter(self)
        self._row.addWidget(control, stretch)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Let the wheel scroll the page, unless the control has the keyboard: passing over it must change nothing."""
        if event.type() == QEvent.Wheel and isinstance(watched, QWidget) and not watched.hasFocus():
            event.ignore()
            return True
        return super().eventFilter(watched, event)


class ChoiceEditor(Editor):
    """A list that opens."""

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        self._box = ComboBox()
        self._box.addItems(setting.choices)
        self._box.setSizePolicy(QSizePolicy.Ignored, QSizePolicy.Fixed)
        self._box.activated[str].connect(lambda text: self.changed.emit(text))
        self._add(self._box, stretch=1)

    def show_value(self, value: Any) -> None:
        """See ``Editor``."""
        self._box.setCurrentText(value)


class SwitchEditor(Editor):
    """A switch, with its state in words."""

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        self._switch = Switch()
        self._switch.clicked.connect(self._tell)
        self._add(self._switch)
        self._row.addStretch()

    def show_value(self, value: Any) -> None:
        """See ``Editor``."""
        self._switch.setChecked(value)
        self._switch.setText("On" if value else "Off")
        self._switch.updateGeometry()

    def _tell(self, on: bool) -> None:
        self.show_value(on)
        self.changed.emit(on)


class _SpinBox(QDoubleSpinBox):
    """Writes numbers as people do, without trailing zeros."""

    def textFromValue(self, value: float) -> str:
        """See Qt."""
        return f"{value:.{self.decimals()}f}".rstrip("0").rstrip(".") if self.decimals() else f"{value:.0f}"


class NumberEditor(Editor):
    """A slider for what lies between two limits, and a field for exact values with the unit.

    A setting that may be left to the program has a switch for that, too; while it is on, there is no number.
    """

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        self._lowest = -_UNBOUNDED if setting.minimum is None else setting.minimum
        self._highest = _UNBOUNDED if setting.maximum is None else setting.maximum
        self._step = setting.step or (1.0 if setting.kind == "int" else 0.1)
        self._automatic = self._make_automatic()
        self._slider = self._make_slider()
        self._field = self._make_field()

    def show_value(self, value: Any) -> None:
        """See ``Editor``."""
        if self._automatic is not None:
            self._automatic.setChecked(value is None)
        for control in filter(None, (self._slider, self._field)):
            control.setVisible(value is not None)
        if value is not None:
            self._show_number(value)

    def _make_automatic(self) -> Switch | None:
        if not self.setting.nullable:
            return None
        switch = Switch("Auto")
        switch.clicked.connect(self._choose_automatic)
        self._add(switch, part="automatic")
        return switch

    def _make_slider(self) -> QSlider | None:
        steps = (self._highest - self._lowest) / self._step
        if steps > _STEPS:
            self._row.addStretch(1)
            return None
        slider = QSlider(Qt.Horizontal)
        slider.setRange(0, math.ceil(steps - 1e-6))
        slider.setPageStep(max(round(steps / 10), 1))
        slider.setMinimumWidth(40)
        slider.valueChanged.connect(self._slide)
        slider.sliderPressed.connect(self.taken)
        self._add(slider, stretch=1, part="slider")
        return slider

    def _make_field(self) -> _SpinBox:
        field = _SpinBox()
        field.setDecimals(0 if self.setting.kind == "int" else 1 - math.floor(math.log10(self._step)))
        field.setRange(self._lowest, self._highest)
        field.setSingleStep(self._step)
        field.setSuffix(f" {self.setting.unit}" if self.setting.unit else "")
        field.setKeyboardTracking(False)  # a number half typed is not meant
        field.setButtonSymbols(QAbstractSpinBox.NoButtons)  # arrow keys step it
        # A field asks for room for its longest number, which one without limits never holds.
        widest = f"{min(self._highest, 9999):g}{field.suffix()}" + "0" * field.decimals()
        field.setFixedWidth(field.fontMetrics().horizontalAdvance(widest) + 34)
        field.valueChanged.connect(self._tell)
        policy = field.sizePolicy()
        policy.setRetainSizeWhenHidden(True)  # nothing below it jumps
        field.setSizePolicy(policy)
        self._add(field)
        return field

    def _show_number(self, value: float) -> None:
        self._field.blockSignals(True)
        self._field.setRange(min(self._lowest, value), max(self._highest, value))  # a file may say what no step reaches
        if self._field.value() != value:  # what is being typed stays as it is
            self._field.setValue(value)
        self._field.blockSignals(False)
        if self._slider is not None:
            self._slider.blockSignals(True)
            self._slider.setValue(round((value - self._lowest) / self._step))
            self._slider.blockSignals(False)

    def _slide(self, position: int) -> None:
        self._tell(min(self._lowest + position * self._step, self._highest))

    def _tell(self, value: float) -> None:
        number = round(value) if self.setting.kind == "int" else round(value, self._field.decimals())
        self._show_number(number)
        self.changed.emit(number)

    def _choose_automatic(self, automatic: bool) -> None:
        self.show_value(None)
        if automatic:
            self.changed.emit(None)
        else:
            self.show_value((self._lowest + self._highest) / 2)  # what the program chose itself is not known here
            self._tell(self._field.value())


class TextEditor(Editor):
    """A line of text; emptied, it means the default."""

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        self._line = QLineEdit()
        self._line.setPlaceholderText("" if setting.default is None else str(setting.default))
        self._line.editingFinished.connect(self._tell)  # a name half typed is not meant
        self._shown = ""
        self._add(self._line, stretch=1)

    def show_value(self, value: Any) -> None:
        """See ``Editor``."""
        self._shown = "" if value is None else str(value)
        self._line.setText(self._shown)
        self._line.setCursorPosition(0)

    def _tell(self) -> None:
        text = self._line.text().strip()
        if text != self._shown:
            self._shown = text
            self.changed.emit(self._value(text))

    def _value(self, text: str) -> Any:
        return text or self.setting.default


class ColourEditor(TextEditor):
    """A button in the colour, which opens a dialog, and a line for it, such as ``#b03050`` or ``red``."""

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        self._swatch = Swatch()
        self._swatch.clicked.connect(self._pick)
        self._add(self._swatch, part="choose")
        self._row.insertWidget(0, self._swatch)
        QWidget.setTabOrder(self._swatch, self._line)

    def show_value(self, value: Any) -> None:
        """See ``Editor``."""
        super().show_value(value)
        self._swatch.show_color(QColor(self._shown))

    def _pick(self) -> None:
        before = self._shown
        dialog = QColorDialog(QColor(before), self.window())
        dialog.setAttribute(Qt.WA_DeleteOnClose)
        dialog.setWindowTitle(f"{self.setting.title} – facestream")
        dialog.setOption(QColorDialog.DontUseNativeDialog)  # a desktop's own does not tell of colours on the way
        self.taken.emit()
        dialog.currentColorChanged.connect(lambda color: self._choose(color.name()))
        dialog.rejected.connect(lambda: self._choose(before))
        dialog.open()

    def _choose(self, colour: str) -> None:
        if colour != self._shown:
            self.show_value(colour)
            self.changed.emit(colour)

    def _value(self, text: str) -> Any:
        named = [QColor(name) for name in (text, f"#{text}") if QColor.isValidColor(name)]
        value = named[0].name() if named else super()._value(text)
        self.show_value(value)
        return value


class PathEditor(TextEditor):
    """A line for a path, and a button that looks for it."""

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        self._folder = setting.default is not None and not Path(setting.default).suffix
        self._add(make_button("Browse…", self._browse), part="browse")

    def _browse(self) -> None:
        dialog = QFileDialog(self.window(), self.setting.title, self._line.text())
        dialog.setAttribute(Qt.WA_DeleteOnClose)
        dialog.setFileMode(QFileDialog.Directory if self._folder else QFileDialog.ExistingFile)
        dialog.setOption(QFileDialog.ShowDirsOnly, self._folder)
        dialog.fileSelected.connect(self._choose)
        dialog.open()

    def _choose(self, path: str) -> None:
        self._line.setText(path)
        self._tell()

    def _value(self, text: str) -> Any:
        return Path(text).expanduser() if text else self.setting.default


class SecretEditor(TextEditor):
    """A line whose text is never shown, also not to whoever asks for it."""

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        self._line.setEchoMode(QLineEdit.Password)

    def show_value(self, value: Any) -> None:
        """Tell whether there is one."""
        super().show_value(None)
        self._line.setPlaceholderText("Set; type to replace it" if value is not None else "Not set")


_EDITORS: Final[dict[Kind, Callable[[Setting], Editor]]] = {
    "choice": ChoiceEditor,
    "bool": SwitchEditor,
    "int": NumberEditor,
    "float": NumberEditor,
    "text": TextEditor,
    "path": PathEditor,
    "secret": SecretEditor,
    "colour": ColourEditor,
}


def make_editor(setting: Setting) -> Editor:
    """The control for a setting, without a value."""
    return _EDITORS[setting.kind](setting)
