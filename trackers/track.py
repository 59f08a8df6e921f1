"""One followed face and the states it passes through."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trackers.geometry import TYPICAL_MARGINS, FaceFrame, Margins

FloatArray = NDArray[np.floating[Any]]

_DOUBT_MISSES = 2  # detection rounds in a row that may miss a face before it is doubted
_LOSE_MISSES = 4  # ... before it is given up, unless the landmark network is sure of it
_GIVE_UP_MISSES = 12  # ... before it is given up whatever the landmark network says
_SURE_PRESENCE = 0.8
_UPRIGHT = 0.82  # cosine of 35 degrees: faces tilted further may escape a detector for upright ones


class TrackState(Enum):
    """Life of a track: ``TENTATIVE`` -> ``CONFIRMED`` <-> ``LOST``.

    ``TENTATIVE`` was detected but not seen often enough to be shown; ``CONFIRMED`` is shown and has an id;
    ``LOST`` is hidden for the moment, not shown, and keeps its id in case it comes back.
    """

    TENTATIVE = "tentative"
    CONFIRMED = "confirmed"
    LOST = "lost"


@dataclass(slots=True, eq=False)
class Track:
    """One face over time. The tracker writes it; readers take what they need before the next frame.

    Attributes:
        track_id: unique within one tracker, counting from 1 and never reused; ``None`` until confirmed.
        state: see :class:`TrackState`.
        box: ``(4,)`` float32 ``xyxy``: where the face is now, as the detector would frame it.
        score: detector's score when the face was last detected.
        keypoints: ``(5, 2)`` of the last detection.
        landmarks: ``(106, 2)`` last trusted raw landmarks; ``None`` until the first.
        pose: ``(3,)`` pitch, roll, yaw in degrees of the last trusted landmarks.
        presence: probability in 0..1 of the last look that a face was there.
        first_seen: pts in seconds of the detection that began the track.
        last_seen: pts in seconds when the face was last certainly there.
        hits: how often it was.
        misses: detection rounds in a row that did not find it.
        doubtful: the track may have lost its face: a detection should check it now.
    """

    box: FloatArray
    score: float
    keypoints: FloatArray
    first_seen: float
    last_seen: float
    track_id: int | None = None
    state: TrackState = TrackState.TENTATIVE
    landmarks: FloatArray | None = None
    pose: FloatArray | None = None
    presence: float = 0.0
    hits: int = 0
    misses: int = 0
    doubtful: bool = False
    seen_box: FloatArray = field(default_factory=lambda: np.zeros(4, np.float32))
    """Box when the landmarks were last trusted: guesses are shifted from here."""
    frame: FaceFrame | None = None
    """Where the last trusted landmarks lie."""
    checked_frame: FaceFrame | None = None
    """The same when a detection last looked: landmarks that drift off their face squeeze or swell."""
    detected_box: FloatArray | None = None
    """Detection of this very frame ``xyxy``, from which the next observation learns the margins."""
    margins: Margins = TYPICAL_MARGINS
    """What turns this face's landmark box into the detector's box."""
    detections: int = 0
    """How many detections the margins were learned from."""

    @property
    def tilted(self) -> bool:
        """Whether the face lies so far on its side that a detector for upright faces may well not see it."""
        return self.frame is not None and self.frame.cos < _UPRIGHT

    @property
    def unseen(self) -> bool:
        """Whether detection rounds have missed the face and the landmark network is not sure of it either."""
        return self.misses >= _DOUBT_MISSES and self.presence < _SURE_PRESENCE

    def missed(self, presence: float) -> bool:
        """Note a detection round that did not find the face.

        Args:
            presence: probability of a face below which a look is not believed.

        Returns:
            Whether the face is to be given up.
        """
        self.checked_frame = self.frame
        if self.tilted:
            return False
        self.misses += 1
        sure = self.presence >= _SURE_PRESENCE
        if self.presence < presence or self.misses >= (_GIVE_UP_MISSES if sure else _LOSE_MISSES):
            return True
        self.doubtful = self.doubtful or self.unseen
        return False
