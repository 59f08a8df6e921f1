"""A head in space: where a mean head's points are in the picture, from the landmarks, steadier than the pose alone.

The frame of reference ("head units"): one unit is the distance of the outer eye corners; x to image-right, y down, z
away from the camera, on a face that looks straight into it with a pose of zero; the origin is the mean shape's.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from streamer.effects.region import FaceRegion
from streamer.landmarks.topology import GROUPS, LEFT_OUTER_CORNER, MEAN_SHAPE_3D, POINTS, RIGHT_OUTER_CORNER
from streamer.types import FloatArray, Pose

Points = NDArray[np.floating[Any]]

EYES: Final = (LEFT_OUTER_CORNER, 70, 75, RIGHT_OUTER_CORNER)
"""The eye corners: of all points the ones that blinking and talking move least."""

STEADY: Final = (*EYES, *range(51, 66))
"""Eye corners and nose: what the trembling of single points moves least together."""

_STOOP: Final = 12.3
"""Degrees by which the mean shape looks down where the pose is 0: median over ten clips of different people."""

_STEPS: Final = 5  # of the fit, at most
_FITTED: Final = 5e-4  # radians, and parts of the size: a shorter step is the last one
_DAMPING: Final = 1e-6  # against landmarks that all lie in one place


@dataclass(frozen=True, slots=True)
class Head:
    """A weak-perspective camera's view of one head.

    Attributes:
        scale: pixels per head unit.
        rotation: ``(3, 3)`` from head units to the camera's axes (x right, y down, z away).
        origin: ``(2,)`` where the head's origin is, in pixels of the whole picture.
    """

    scale: float
    rotation: Points
    origin: Points

    @classmethod
    def of(cls, face: FaceRegion) -> Head:
        """The head whose mean points lie closest to a face's landmarks, wherever shape effects have put them.

        Scaled orthographic projection, least squares by Gauss and Newton's steps from the network's pose; found once.
        """
        return face.once("head", lambda: cls._fitted(face))

    @classmethod
    def _fitted(cls, face: FaceRegion) -> Head:
        seen = (face.points + np.array(face.rect[:2], np.float32)).astype(np.float64)
        middle = _WEIGHTS @ seen
        centred = seen - middle
        rotation, scale = rotation_of(face.face.pose), face.unit
        for _ in range(_STEPS):
            x, y, z = rotation @ _CENTRED.T
            none = np.zeros_like(x)
            # how the points move: by turning about x, y and z, and by growing
            moves = np.stack([(none, -z), (z, none), (-y, x), (x, y)]) * scale
            missing = centred.T - scale * np.stack([x, y])
            weighted = (moves * _WEIGHTS).reshape(4, -1)
            step = np.linalg.solve(
                weighted @ moves.reshape(4, -1).T + _DAMPING * scale**2 * np.eye(4), weighted @ missing.ravel()
            )
            step = np.clip(step, -1.0, 1.0)  # landmarks that are no face must not throw it out of the picture
            rotation = cv2.Rodrigues(step[:3])[0] @ rotation
            scale *= math.exp(step[3])
            if np.abs(step).max() < _FITTED:
                break
        return cls(scale, rotation, middle - scale * (rotation[:2] @ _MIDDLE))

    @property
    def yaw(self) -> float:
        """Degrees, positive when the nose points to image-right."""
        return math.degrees(math.asin(max(-1.0, min(1.0, float(self.rotation[2, 0])))))

    @property
    def pitch(self) -> float:
        """Degrees, positive when the nose points up."""
        return math.degrees(math.atan2(-self.rotation[2, 1], self.rotation[2, 2]))

    def project(self, points: Points) -> Points:
        """Where points ``(..., 3)`` in head units are: ``(..., 3)`` x, y in the picture and depth, all in pixels."""
        seen: Points = self.scale * (points @ self.rotation.T)
        seen[..., :2] += self.origin
        return seen

    def pinned(self, face: FaceRegion, indices: Sequence[int]) -> Head:
        """The same head, moved so that the middle of some landmarks is where this person has it."""
        here = (face.points[list(indices)] + np.array(face.rect[:2], np.float32)).mean(0)
        return replace(self, origin=self.origin + here - self.project(MODEL[list(indices)]).mean(0)[:2])

    def plane(self, corner: Points, across: Points, along: Points) -> Points:
        """The affine map of a flat piece into the picture.

        Args:
            corner: ``(3,)`` head units: where the piece's (0, 0) is.
            across: ``(3,)`` head units: what one step in the piece's x is.
            along: ``(3,)`` the same in its y.

        Returns:
            ``(2, 3)``.
        """
        linear = self.scale * (self.rotation[:2] @ np.stack([across, along], axis=1))
        return np.concatenate([linear, self.project(np.asarray(corner))[:2, None]], axis=1)


def rotation_of(pose: Pose) -> Points:
    """The rotation ``(3, 3)`` of a pose; its signs are those of :class:`streamer.types.Pose`."""
    (cp, sp), (cy, sy), (cr, sr) = (
        (math.cos(a), math.sin(a)) for a in map(math.radians, (pose.pitch, pose.yaw, pose.roll))
    )
    about_x = np.array(((1, 0, 0), (0, cp, sp), (0, -sp, cp)))
    about_y = np.array(((cy, 0, -sy), (0, 1, 0), (sy, 0, cy)))
    return np.asarray(np.array(((cr, -sr, 0), (sr, cr, 0), (0, 0, 1))) @ about_y @ about_x)


def _weights() -> Points:
    """How far each point can be trusted: bone over what talking moves; the jaw's middle slides with the view."""
    weights = np.zeros(POINTS)
    for part, weight in (
        ("brow_left", 0.3),
        ("brow_right", 0.3),
        ("nose_ridge", 1.0),
        ("nose", 1.0),
        ("lip_outer", 0.15),
    ):
        weights[GROUPS[part]] = weight
    weights[list(EYES)] = 3.0
    weights[0:8] = weights[25:33] = 0.15
    return np.asarray(weights / weights.sum())


MODEL: Final[Points] = MEAN_SHAPE_3D.astype(np.float64) @ rotation_of(Pose(_STOOP, 0.0, 0.0)).T
"""``(106, 3)`` the mean face's points in head units."""

_WEIGHTS: Final = _weights()
_MIDDLE: Final = _WEIGHTS @ MODEL
_CENTRED: Final = MODEL - _MIDDLE


def trust(value: float, full: float, none: float) -> float:
    """1 up to ``full``, 0 from ``none`` on, smooth in between: for what fades as a head turns."""
    t = max(0.0, min(1.0, (none - value) / (none - full)))
    return t * t * (3 - 2 * t)


def light_on(face: FaceRegion) -> FloatArray:
    """How bright the face is lit, per BGR channel about 1: what is laid over it takes on the same light.

    Returns:
        ``(3,)``; of a well lit face close to 1, in the dark down to 0.3.
    """
    return face.once("light", lambda: _light_on(face))


def _light_on(face: FaceRegion) -> FloatArray:
    rows, columns = face.source.shape[:2]
    step = max(1, min(rows, columns) // 48)
    x, y = face.points[51:84].mean(0)  # nose and eyes
    reach = 0.9 * face.unit
    left, right = (int(np.clip(v, 0, columns - 1)) for v in (x - reach, x + reach))
    top, bottom = (int(np.clip(v, 0, rows - 1)) for v in (y - reach / 2, y + reach))
    mean = face.source[top : bottom + 1 : step, left : right + 1 : step].reshape(-1, 3).mean(0)
    level = float(mean @ (0.114, 0.587, 0.299))
    cast = 1 + 0.15 * (mean / max(level, 1.0) - _SKIN_CAST)
    return np.asarray(np.clip(0.4 + 0.6 * level / 130, 0.3, 1.08) * cast, np.float32)


_SKIN_CAST: Final = np.array((0.80, 0.94, 1.19))  # BGR of skin in white light, over its luminance
