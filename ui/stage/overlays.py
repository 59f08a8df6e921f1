"""Which overlays are on. Needs nothing loaded."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Overlays:
    """What the user wants to see over the picture.

    Attributes:
        box: the box with the track's id or name.
        points: the 106 landmarks as dots.
        contours: the 106 landmarks as lines.
        indices: the number of each landmark.
        raw: the landmarks before smoothing, as crosses.
        keypoints: the five points a detector gives.
        axes: the head's axes.
        arrow: where the head looks.
        angles: pitch, yaw and roll in degrees, as measured in the frame.
        trail: where the face has been.
        timings: milliseconds per stage of the analysis.
    """

    box: bool = True
    points: bool = True
    contours: bool = False
    indices: bool = False
    raw: bool = False
    keypoints: bool = False
    axes: bool = True
    arrow: bool = False
    angles: bool = True
    trail: bool = False
    timings: bool = False
