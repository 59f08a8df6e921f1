"""What the window remembers between starts: plain keys in one INI file, and nothing that a start depends on."""

from __future__ import annotations

import enum
import logging
from pathlib import Path
from typing import TypeVar, cast

from platformdirs import user_config_path
from PyQt5.QtCore import QByteArray, QObject, QSettings, pyqtSignal

log = logging.getLogger(__name__)

Value = TypeVar("Value", bool, int, float, str, bytes, "list[str]", enum.Enum)


def settings_path() -> Path:
    """The file of the user who runs the program."""
    return user_config_path("facestream") / "window.ini"


class Settings(QObject):
    """Typed access to the file: the default given decides the type.

    A value nobody can read counts as not being there, so that files of other versions do no harm; a file that is no
    settings file is set aside under the name ``window.ini.broken``.

    Signals:
        told: a sentence the user should read.

    Attributes:
        problem: what was wrong with the file at the start, as a sentence; empty when nothing was.
    """

    told = pyqtSignal(str)

    def __init__(self, path: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._path = path
        self.problem = _set_aside(path) if _is_damaged(path) else ""
        self._store = QSettings(str(path), QSettings.IniFormat)
        self._writable = True

    def get(self, key: str, default: Value) -> Value:
        """The value under ``section/name``, of the type of ``default``, or ``default``."""
        stored = self._store.value(key)
        if stored is None:
            return default
        try:
            return cast(Value, _read(stored, default))
        except (TypeError, ValueError):
            log.warning(
                "%s: %s is %r, which is no %s; %r is used", self._path, key, stored, type(default).__name__, default
            )
            return default

    def set(self, key: str, value: bool | int | float | str | bytes | list[str] | enum.Enum) -> None:
        """Remember a value; it is on the disk by the next event or at the end."""
        if isinstance(value, enum.Enum):
            value = value.value
        self._store.setValue(key, QByteArray(value) if isinstance(value, bytes) else value)

    def save(self) -> None:
        """Write what has changed; a disk that cannot be written to is told once."""
        self._store.sync()
        if self._store.status() != QSettings.NoError and self._writable:
            self._writable = False
            self.told.emit(f"Settings cannot be saved to {self._path}; check the folder's permissions and the disk.")


def _is_damaged(path: Path) -> bool:
    """Whether there is something under the name that is no INI file."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return False
    except (OSError, UnicodeDecodeError):
        return True
    lines = (line.strip() for line in text.splitlines())
    return "\0" in text or any(line and not line.startswith((";", "#", "[")) and "=" not in line for line in lines)


def _set_aside(path: Path) -> str:
    """Rename a damaged file, in place of an earlier one; say so."""
    aside = path.with_name(path.name + ".broken")
    try:
        path.replace(aside)
    except OSError as error:
        return f"The settings in {path} cannot be read ({error.strerror}), so the window starts with its defaults."
    return (
        f"The settings in {path} were damaged: they are kept as {aside.name}, and the window starts with its defaults."
    )


def _read(stored: object, default: object) -> object:
    """Turn what QSettings gives back, mostly text, into the type of ``default``.

    Raises:
        ValueError, TypeError: it is none.
    """
    if isinstance(default, bool):
        return {"true": True, "false": False}[str(stored).lower()] if str(stored).lower() in _TRUTH else _no(stored)
    if isinstance(default, list):
        if isinstance(stored, str):  # so a list of one comes back, and an empty one as no text at all
            return [stored] if stored else []
        return [str(item) for item in cast("list[object]", stored)]
    if isinstance(default, bytes):
        return bytes(stored) if isinstance(stored, QByteArray) else _no(stored)
    if isinstance(default, str) and not isinstance(stored, str):
        return _no(stored)
    return type(default)(stored)  # type: ignore[call-arg]  # int, float, str and enums take one value


_TRUTH = ("true", "false")


def _no(stored: object) -> object:
    raise ValueError(stored)
