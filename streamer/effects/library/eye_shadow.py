"""Eye shadow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

import numpy as np

from streamer.effects.base import FaceEffect, Phase, colour, strength
from streamer.effects.makeup import Eye, Patch, eyes, redness, skin_bounds, skin_redness, smooth_line, soft_step, times
from streamer.effects.pigments import tint
from streamer.effects.region import FaceRegion, Mask
from streamer.types import FloatArray


class EyeShadow(FaceEffect):
    """Colours the upper lids, deepest at the lashes and fading towards the brows."""

    title: ClassVar[str] = "Eye shadow"
    phase: ClassVar[Phase] = Phase.MAKEUP

    strength: float = strength(0.4)
    colour: str = colour("#6b4a6e", "colour of the shadow")

    def paint(self, face: FaceRegion) -> None:
        """Tint the lids of the eyes the camera sees, where they are skin."""
        found = eyes(face)
        if not found:
            return
        upper, brow = np.stack([eye.upper for eye in found]), np.stack([eye.brow for eye in found])
        to_brow = np.asarray(smooth_line(brow) - upper, np.float32)
        patch = Patch(face, np.concatenate([upper, upper + _STRIPS[0][1] * to_brow]).reshape(-1, 2), _ROOM)
        if not patch:
            return
        mask = _lids(patch, found, upper, to_brow)
        bare = soft_step(redness(patch.picture), *skin_bounds(skin_redness(face)))
        mask = patch.soften(times(mask, bare), _SOFT)
        patch.draw(mask, np.stack([eye.opening for eye in found]), [0] * len(found))
        tint(patch.picture, mask, self.colour, self.strength)


def _lids(patch: Patch, found: Sequence[Eye], upper: FloatArray, to_brow: FloatArray) -> Mask:
    """Strips over the lids, the lower the deeper, less on an eye that is turned away or none.

    Args:
        patch: where.
        found: the eyes.
        upper: ``(n, 17, 2)`` their upper lids.
        to_brow: ``(n, 17, 2)`` the way from there to the brows.
    """
    mask: Mask = np.zeros(patch.picture.shape[:2], np.uint8)
    lids, ways = upper[:, None], to_brow[:, None]
    tops = lids + ways * (_HEIGHTS * _DOME)
    tips = lids[..., :1, :] + (lids[..., :1, :] - lids[..., -1:, :]) * (_OUT * _HEIGHTS) + ways[..., :1, :] * _TIP
    strips = np.concatenate([np.broadcast_to(lids, tops.shape), tops[..., ::-1, :], tips], axis=2)
    depths = [round(depth * eye.seen * eye.sure) for eye in found for depth, _ in _STRIPS]
    patch.draw(mask, strips.reshape(-1, *strips.shape[2:]), depths)
    return mask


_STRIPS: Final = ((64, 0.7), (128, 0.55), (191, 0.4), (255, 0.25))  # depth, and how far up to the brow
_DOME: Final = np.sin(np.linspace(0.25, 1, 17, dtype=np.float32)[:, None] * np.pi) * 0.4 + 0.6
_HEIGHTS: Final = np.array([height for _, height in _STRIPS], np.float32)[:, None, None]
_OUT: Final = 0.18  # beyond the outer corner, in widths of the eye
_TIP: Final = np.float32(0.3)  # up to the brow
_SOFT: Final = 0.05
_ROOM: Final = 0.09
