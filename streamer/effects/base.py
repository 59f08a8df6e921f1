"""What an effect is: its settings, checked and documented, and one way to change a picture.

An effect is one file in :mod:`streamer.effects.library` with one class; the file's name is the effect's name. Its
fields are its settings, made by :func:`strength`, :func:`colour` and :func:`streamer.schema.key`: presets, the command
line, the window's panel and ``docs/effects.md`` are made from them.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import ValidationInfo, field_validator

from streamer.effects.colours import as_hex
from streamer.effects.region import FaceRegion
from streamer.schema import Section, key, kind_of
from streamer.types import Face, FloatArray, Image

if TYPE_CHECKING:
    from streamer.effects.warp import Warp


class Phase(IntEnum):
    """When an effect runs; within a phase, effects run in the order of their names.

    Colours come before shapes, so that what is painted is bent with the face; what is laid over the face comes after,
    so that it is not; what hides a face comes last, so that nothing can show it again.
    """

    SWAP = 0
    SKIN = 1
    MAKEUP = 2
    SHAPE = 3
    STYLE = 4
    STICKER = 5
    PRIVACY = 6


def strength(default: float, description: str = "how much") -> Any:
    """The strength every effect has: 0 changes nothing, 1 is the most that still looks meant."""
    return key(default, description, ge=0, le=1, step=0.05)


def colour(default: str, description: str) -> Any:
    """A colour, kept as ``#b03050``, red first, in whatever way it is given; :func:`bgr_of` reads it."""
    return key(default, description, kind="colour", pattern="^#[0-9a-fA-F]{6}$")


def bgr_of(hex_colour: str) -> tuple[int, int, int]:
    """The BGR values, 0..255, of a colour such as ``#b03050``."""
    red, green, blue = bytes.fromhex(hex_colour[1:])
    return blue, green, red


@dataclass(frozen=True, slots=True)
class Canvas:
    """A picture while effects work on it.

    Attributes:
        picture: BGR uint8 ``(H, W, 3)``, to be changed in place.
        source: the picture before the first effect, read-only.
        regions: the faces that effects can work on, best first.
        faces: all faces, those without usable landmarks included.
        hidden: ``(n, 4)`` xyxy: places where a face may be that is not, or no longer, among ``faces``.
    """

    picture: Image
    source: Image
    regions: Sequence[FaceRegion]
    faces: Sequence[Face]
    hidden: FloatArray


class Effect(Section):
    """One effect with its settings; immutable. Derive from one of the three classes below.

    Attributes:
        title: what people call it.
        phase: when it runs.
        covers: whether it is there to hide faces: then it must see every place a face may be.
        strength: 0..1; at 0 the effect is not run at all.
    """

    title: ClassVar[str]
    phase: ClassVar[Phase]
    covers: ClassVar[bool] = False

    strength: float = strength(0.5)

    @field_validator("*", mode="before")
    @classmethod
    def _in_one_form(cls, value: Any, info: ValidationInfo) -> Any:
        return as_hex(value) if kind_of(cls.model_fields[str(info.field_name)]) == "colour" else value

    @classmethod
    def name(cls) -> str:
        """The effect's name in presets and on the command line: that of its file."""
        return cls.__module__.rpartition(".")[2]


class FaceEffect(Effect):
    """An effect on the pixels of one face at a time."""

    @abstractmethod
    def paint(self, face: FaceRegion) -> None:
        """Change ``face.picture`` in place; pixels outside the parts it means stay bit-identical."""


class ShapeEffect(Effect):
    """An effect that moves parts of a face; all of a face's are carried out by one warp."""

    phase: ClassVar[Phase] = Phase.SHAPE

    @abstractmethod
    def displace(self, face: FaceRegion, warp: Warp) -> None:
        """Add this effect's movement to ``warp``."""


class PictureEffect(Effect):
    """An effect that needs more than one face's pixels: stickers, swaps, covers."""

    @abstractmethod
    def draw(self, canvas: Canvas) -> None:
        """Change ``canvas.picture`` in place."""
