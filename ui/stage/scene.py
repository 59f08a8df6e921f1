"""One picture of the stage as a value: everything it shows. Needs nothing heavy loaded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from PyQt5.QtCore import QSizeF
from PyQt5.QtGui import QColor, QFont

from ui.stage.comparing import NOTHING_COMPARED, Compare
from ui.stage.overlays import Overlays
from ui.stage.trails import Trail
from ui.stage.viewport import Placement, Viewport

if TYPE_CHECKING:
    from streamer.types import FrameResult, Image


@dataclass(frozen=True, slots=True)
class Scene:
    """What is to be seen.

    Attributes:
        result: the frame and what was found in it.
        viewport: where the frame lies.
        size: of the stage in logical pixels.
        ratio: device pixels per logical pixel.
        overlays: what is drawn over the frame.
        background: colour of the margins.
        font: of labels.
        trails: where the faces have been, by track id, in frame pixels.
        chosen: id of the track that is marked, or ``None``.
        live: whether the frame is the newest of a running source; else it is grey and without overlays.
        compare: what of it is shown without its effects.
    """

    result: FrameResult
    viewport: Viewport
    size: QSizeF
    ratio: float
    overlays: Overlays
    background: QColor
    font: QFont
    trails: Mapping[int, Trail] = field(default_factory=dict)
    chosen: int | None = None
    live: bool = True
    compare: Compare = NOTHING_COMPARED

    @property
    def placement(self) -> Placement:
        """Where the frame lies on the stage."""
        return self.viewport.place(frame_size(self.result.frame.image), self.size, self.ratio)


def frame_size(image: Image) -> QSizeF:
    """Width and height of a frame."""
    return QSizeF(image.shape[1], image.shape[0])
