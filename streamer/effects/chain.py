"""A set of effects, applied to pictures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path

import numpy as np

from streamer.detectors.base import as_bgr
from streamer.effects.base import Canvas, Effect, FaceEffect, Phase, PictureEffect, ShapeEffect
from streamer.effects.memory import Moment
from streamer.effects.region import FaceRegion
from streamer.effects.warp import Warp
from streamer.types import NO_BOXES, Face, FloatArray, Image


class Effects:
    """Any number of effects, one of a kind; usable from several threads at once.

    Attributes:
        failed: whether an internal error has been met, so that a running stream does without them.

    Example:
        >>> import numpy as np
        >>> from streamer.effects import Effects
        >>> Effects.from_preset("glam").apply(np.zeros((48, 64, 3), np.uint8), []).shape
        (48, 64, 3)
    """

    def __init__(self, effects: Iterable[Effect] = ()) -> None:
        """Keep the effects, in the order they run; of two of a kind the later one counts."""
        chosen = {effect.name(): effect for effect in effects}
        self.failed = False
        self._effects = tuple(sorted(chosen.values(), key=lambda effect: (effect.phase, effect.name())))
        active = [effect for effect in self._effects if effect.strength > 0]
        if any(effect.covers for effect in active):  # a swap would carry a covered face to a place that is left open
            active = [effect for effect in active if effect.phase is not Phase.SWAP]
        self._active = tuple(active)

    @classmethod
    def from_preset(cls, preset: str | Path) -> Effects:
        """The effects of a preset.

        Args:
            preset: name of a preset (built in, or the user's own), or a YAML file.

        Raises:
            ConfigError: no such preset, or something in it is wrong: says which key and what is allowed.
        """
        from streamer.effects.presets import load_preset

        return cls(load_preset(preset))

    @classmethod
    def parse(cls, text: str) -> Effects:
        """The effects a text such as ``glam, lipstick.colour=#b03050, blur`` names; see :func:`parse_effects`.

        Raises:
            ConfigError: names the wrong part and what is allowed.
        """
        if not text.strip():
            return cls()
        from streamer.effects.presets import parse_effects

        return cls(parse_effects(text))

    @property
    def effects(self) -> tuple[Effect, ...]:
        """All of them, in the order they run, those of strength 0 included."""
        return self._effects

    @property
    def active(self) -> tuple[Effect, ...]:
        """Those that change pictures, in the order they run."""
        return self._active

    @property
    def covers(self) -> bool:
        """Whether faces are to be hidden."""
        return any(effect.covers for effect in self._active)

    def covering(self) -> Effects:
        """Only what hides faces."""
        return Effects(effect for effect in self._effects if effect.covers)

    def __bool__(self) -> bool:
        """Whether pictures are changed at all."""
        return bool(self._active)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Effects) and self._effects == other._effects

    def __hash__(self) -> int:
        return hash(self._effects)

    def __repr__(self) -> str:
        return f"Effects({list(self._effects)})"

    def apply(
        self, bgr: Image, faces: Sequence[Face], hidden: FloatArray = NO_BOXES, moment: Moment | None = None
    ) -> Image:
        """Carry the effects out.

        Args:
            bgr: uint8 ``(H, W, 3)``, grey ``(H, W)``, or with an alpha channel ``(H, W, 4)``; left as it is.
            faces: the faces of this picture; one without landmarks is left untouched (and covered all the same).
            hidden: ``(n, 4)`` xyxy of further places to cover, such as ``FrameResult.hidden``.
            moment: of a frame of a stream, ``memory.at(pts)``, so that nothing pops as a hand comes before a mouth;
                ``None``: a picture that has to do with no other.

        Returns:
            A new BGR picture ``(H, W, 3)``; of a picture with an alpha channel one with the same ``(H, W, 4)``.

        Raises:
            ImageError: ``bgr`` is no such picture.
        """
        if isinstance(bgr, np.ndarray) and bgr.ndim == 3 and bgr.shape[2] == 4:
            return np.dstack([self.apply(np.ascontiguousarray(bgr[..., :3]), faces, hidden, moment), bgr[..., 3]])
        source = as_bgr(bgr)
        picture = source.copy()
        if not self._active:
            return picture
        made = (FaceRegion.of(picture, source, face, moment) for face in faces)
        regions = [region for region in made if region is not None]
        canvas = Canvas(picture, source, regions, faces, np.asarray(hidden, np.float32).reshape(-1, 4))
        for phase, effects in groupby(self._active, key=lambda effect: effect.phase):
            if phase is Phase.SHAPE:
                _bend(regions, [effect for effect in effects if isinstance(effect, ShapeEffect)])
                continue
            for effect in effects:
                _run(effect, canvas)
        return picture


def _run(effect: Effect, canvas: Canvas) -> None:
    if isinstance(effect, FaceEffect):
        for region in canvas.regions:
            effect.paint(region)
    elif isinstance(effect, PictureEffect):
        effect.draw(canvas)


def _bend(regions: Sequence[FaceRegion], effects: Sequence[ShapeEffect]) -> None:
    for region in regions:
        warp = Warp(region)
        for effect in effects:
            effect.displace(region, warp)
        warp.apply()
