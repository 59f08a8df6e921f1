"""What people see of a frame: the effects carried out once, by whoever asks first."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from streamer.effects.chain import Effects
    from streamer.effects.memory import Moment
    from streamer.types import Face, FloatArray, Image


def is_look(effects: Effects) -> bool:
    """Whether there is a look, even one of strength 0 all through: then nothing is drawn over the picture."""
    return bool(effects.effects)


class Shown:
    """A frame's picture with effects, made when a consumer first asks for it, on his thread, for all of them.

    A frame that nobody looks at costs nothing; all who look see the same.

    Attributes:
        ms: milliseconds the effects took; ``None`` while they have not been carried out.
    """

    def __init__(
        self,
        effects: Effects,
        image: Image,
        faces: Sequence[Face],
        hidden: FloatArray,
        moment: Moment | None = None,
        took: Callable[[float], None] = lambda ms: None,
    ) -> None:
        """Nothing is done yet.

        Args:
            effects: what to do.
            image: the frame; for it and the next three see :meth:`Effects.apply`.
            faces: of the frame.
            hidden: further places.
            moment: of the frame.
            took: told the milliseconds, on the thread that did the work.
        """
        self._effects, self._image, self._faces, self._hidden = effects, image, faces, hidden
        self._moment = moment
        self._took = took
        self._lock = threading.Lock()
        self.ms: float | None = None
        self._picture: Image | None = None
        self._before: Image | None = None

    @property
    def effects(self) -> Effects:
        """What is done to the picture."""
        return self._effects

    @property
    def picture(self) -> Image:
        """With all effects; read-only."""
        with self._lock:
            if self._picture is None:
                began = time.perf_counter()
                picture = self._apply(self._effects)
                self.ms = (time.perf_counter() - began) * 1e3
                self._picture = picture
                self._took(self.ms)
            return self._picture

    @property
    def ready(self) -> Image | None:
        """The picture if it has been made: for those who must not wait."""
        return self._picture

    @property
    def before(self) -> Image:
        """To compare with: without the effects, but what hides faces hides them here, too; read-only."""
        if not self._effects.covers:
            return self._image
        with self._lock:
            if self._before is None:
                self._before = self._apply(self._effects.covering())
            return self._before

    def _apply(self, effects: Effects) -> Image:
        """Carry effects out. An internal error is raised once; then frames go on without them, or dark under covers."""
        if self._effects.failed:
            return np.zeros_like(self._image) if self._effects.covers else self._image
        if not effects:
            return self._image
        try:
            picture = effects.apply(self._image, self._faces, self._hidden, self._moment)
        except Exception:
            self._effects.failed = True
            raise
        picture.setflags(write=False)
        return picture
