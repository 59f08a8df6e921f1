"""Following faces over time with plain numpy: ids and boxes, and steady landmarks.

Knows nothing of images, networks or the rest of the project.
"""

from trackers.kalman import ConstantVelocityKalman, KalmanBoxes
from trackers.multi_face import MultiFaceTracker
from trackers.one_euro import OneEuroFilter
from trackers.smoothing import FaceSmoother
from trackers.track import Track, TrackState

__all__ = [
    "ConstantVelocityKalman",
    "FaceSmoother",
    "KalmanBoxes",
    "MultiFaceTracker",
    "OneEuroFilter",
    "Track",
    "TrackState",
]
