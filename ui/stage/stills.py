"""Single pictures of a scene, to be saved or copied. Uses no widgets and no pixmaps, so that it runs on any thread."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

import numpy as np
from PyQt5.QtGui import QImage

from streamer.types import FrameResult
from ui.stage.comparing import NOTHING_COMPARED
from ui.stage.compose import compose
from ui.stage.scene import Scene, frame_size
from ui.stage.viewport import Viewport


def compose_frame(scene: Scene) -> QImage:
    """The whole frame at its own size with its effects and the overlays that are on, however it lies on the stage."""
    size = frame_size(scene.result.frame.image)
    whole = replace(scene, viewport=Viewport(), size=size, ratio=1.0, live=True, compare=NOTHING_COMPARED)
    return compose(whole)


def _as_result(scene: Scene, image: QImage) -> FrameResult:
    """What ``save_snapshot`` writes: the picture in place of the frame."""
    data = image.constBits()
    assert data is not None
    rows = np.asarray(data.asarray(image.sizeInBytes()), np.uint8).reshape(image.height(), image.width(), 4)
    # Without the effects: they are in the picture, and would be carried out on it once more.
    return replace(scene.result, frame=replace(scene.result.frame, image=rows[..., :3].copy()), shown=None)


STILLS: Final[Mapping[str, Callable[[Scene], FrameResult]]] = {
    "plain": lambda scene: scene.result,
    "drawn": lambda scene: _as_result(scene, compose_frame(scene)),
    "shown": lambda scene: _as_result(scene, compose(scene)),
}
"""What a snapshot can be of: the picture alone, the picture with overlays, the stage just as it is."""
