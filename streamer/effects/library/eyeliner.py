"""Eyeliner."""

from __future__ import annotations

from typing import ClassVar, Final

import numpy as np

from streamer.effects.base import FaceEffect, Phase, colour, strength
from streamer.effects.makeup import Eye, Patch, eyes
from streamer.effects.pigments import paint, pigment
from streamer.effects.ramps import ramp
from streamer.effects.region import FaceRegion
from streamer.types import FloatArray


class Eyeliner(FaceEffect):
    """Draws a line along the upper lashes that grows towards a small wing at the outer corner."""

    title: ClassVar[str] = "Eyeliner"
    phase: ClassVar[Phase] = Phase.MAKEUP

    strength: float = strength(0.5)
    colour: str = colour("#1c1414", "colour of the line")

    def paint(self, face: FaceRegion) -> None:
        """Fill a thin crescent on the lid of each eye the camera sees."""
        for eye in eyes(face):
            line = _line(face, eye, 0.55 + 0.45 * self.strength)
            patch = Patch(face, line, _ROOM)
            if patch:
                soft = patch.steady(patch.fill_fine(line), _SOFT)
                colours = pigment(self.colour, 110.0, cover=0.9, contrast=0.5, shine=0.3)
                paint(patch.picture, soft, colours, min(0.85, 1.2 * self.strength) * eye.seen * eye.sure)


def _line(face: FaceRegion, eye: Eye, weight: float) -> FloatArray:
    """A closed crescent over the upper lid's edge, ``(n, 2)``."""
    along = eye.upper[-1] - eye.upper[0]
    up = np.array((along[1], -along[0]), np.float32)
    up *= np.sign(up @ -face.down) / max(float(np.linalg.norm(up)), 1e-6)
    thickness = face.unit * weight * _THICKNESS
    top = eye.upper + up * thickness
    bottom = eye.upper - up * thickness * 0.25
    height = float(np.abs((eye.upper[8] - eye.upper[0]) @ up)) / max(float(np.linalg.norm(along)), 1e-6)
    wing = 1 - ramp(height, *_STEEP)  # out of a lid that comes down steeply it would stand up like a hook
    tip = eye.upper[0] + wing * (up * 0.035 * face.unit - along * 0.11)
    return np.concatenate([top, bottom[::-1], tip[None]]).astype(np.float32)


_THICKNESS: Final = np.linspace(1, 0.2, 17, dtype=np.float32)[:, None] * 0.019
_STEEP: Final = (0.36, 0.52)  # of the lid, height over width: with a wing, without
_SOFT: Final = 0.007
_ROOM: Final = 0.04
