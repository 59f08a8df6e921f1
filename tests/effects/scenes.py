"""Pictures with the faces found in them, and the same ones moved, turned, mirrored, enlarged or cut."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import av
import cv2
import numpy as np

from streamer import FaceAnalyzer
from streamer.effects.region import FaceRegion, face_unit
from streamer.landmarks.topology import MIRROR, keypoints_from_landmarks
from streamer.types import Face, Image, Pose, freeze

NOTHING = np.zeros((0, 2), np.float32)
"""Landmarks of a face for which there are none."""


@dataclass(frozen=True)
class Scene:
    """A picture, read-only, and its faces."""

    name: str
    picture: Image
    faces: tuple[Face, ...]

    def __post_init__(self) -> None:
        self.picture.setflags(write=False)

    def __str__(self) -> str:
        return self.name

    @property
    def face_height(self) -> float:
        """Height in pixels of the first face's box."""
        return float(self.faces[0].box[3] - self.faces[0].box[1])

    def enlarged(self, face_height: float) -> Scene:
        """Scaled so that the first face's box has this height in pixels."""
        return self.scaled(face_height / self.face_height)

    def scaled(self, factor: float) -> Scene:
        """So much larger."""
        how = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
        size = [max(1, round(side * factor)) for side in self.picture.shape[1::-1]]
        picture = cv2.resize(self.picture, size, interpolation=how)
        return self._moved(picture, lambda points: (points + 0.5) * factor - 0.5)

    def cut(self, x1: int, y1: int, x2: int, y2: int) -> Scene:
        """The part of the picture between these edges; the faces reach over them."""
        x1, y1 = max(0, x1), max(0, y1)
        corner = np.array((x1, y1), np.float32)
        return self._moved(self.picture[y1:y2, x1:x2].copy(), lambda points: points - corner)

    def turned(self, quarters: int) -> Scene:
        """Turned clockwise by so many right angles, without a new pixel."""
        scene = self
        for _ in range(quarters % 4):
            height = scene.picture.shape[0]

            def turn(points: np.ndarray, height: int = height) -> np.ndarray:
                return np.stack([height - 1 - points[:, 1], points[:, 0]], axis=1)

            picture = np.ascontiguousarray(np.rot90(scene.picture, -1))
            scene = scene._moved(picture, turn, lambda pose: replace(pose, roll=(pose.roll + 270) % 360 - 180))
        return scene

    def mirrored(self) -> Scene:
        """Seen in a mirror."""
        width = self.picture.shape[1]

        def flip(points: np.ndarray) -> np.ndarray:
            points = points[MIRROR] if len(points) == len(MIRROR) else points
            return points * (-1, 1) + (width - 1, 0)

        picture = np.ascontiguousarray(self.picture[:, ::-1])
        return self._moved(picture, flip, lambda pose: Pose(pose.pitch, -pose.roll, -pose.yaw))

    def trembling(self, amount: float, rng: np.random.Generator) -> Scene:
        """The same picture; the landmarks off by so many units (the face's size)."""
        return replace(self, faces=tuple(_trembling(face, amount, rng) for face in self.faces))

    def _moved(
        self,
        picture: Image,
        move: Callable[[np.ndarray], np.ndarray],
        turn: Callable[[Pose], Pose] = lambda pose: pose,
    ) -> Scene:
        return replace(self, picture=picture, faces=tuple(_moved(face, move, turn) for face in self.faces))


def _moved(face: Face, move: Callable[[np.ndarray], np.ndarray], turn: Callable[[Pose], Pose]) -> Face:
    corners = move(face.box.reshape(2, 2))
    landmarks = freeze(move(face.landmarks).astype(np.float32))
    return replace(
        face,
        box=freeze(np.concatenate([corners.min(axis=0), corners.max(axis=0)]).astype(np.float32)),
        keypoints=freeze(keypoints_from_landmarks(landmarks[None])[0]),
        landmarks=landmarks,
        raw_landmarks=landmarks,
        pose=turn(face.pose),
    )


def _trembling(face: Face, amount: float, rng: np.random.Generator) -> Face:
    size = amount * face_unit(face.landmarks)
    off = rng.normal(0, size, face.landmarks.shape).astype(np.float32)
    pitch, roll, yaw = rng.normal(0, amount * 60, 3).tolist()  # a unit is about a radian of the head's surface
    pose = Pose(face.pose.pitch + pitch, face.pose.roll + roll, face.pose.yaw + yaw)
    return replace(face, landmarks=freeze(face.landmarks + off), pose=pose)


def without_landmarks(face: Face, landmarks: np.ndarray = NOTHING) -> Face:
    """A face that was found, but not its points."""
    return replace(face, landmarks=freeze(landmarks), raw_landmarks=freeze(landmarks))


def shifted(face: Face, dx: float, dy: float) -> Face:
    """A face elsewhere."""
    return _moved(face, lambda points: points + np.array((dx, dy), np.float32), lambda pose: pose)


def follow(analyzer: FaceAnalyzer, clip: Path, first: int, count: int) -> list[Scene]:
    """Frames of a clip with their smoothed faces, as the product shows them.

    Args:
        analyzer: a fresh one.
        clip: the file.
        first: number of the first frame wanted; the faces are followed from six frames before it.
        count: how many.
    """
    scenes = []
    with av.open(str(clip)) as container:
        for number, frame in enumerate(container.decode(video=0)):
            if number < first - 6:
                continue
            picture = frame.to_ndarray(format="bgr24")
            faces = analyzer.track(picture, float(frame.time))
            if number >= first:
                scenes.append(Scene(f"{clip.stem}-{number}", picture, faces))
            if len(scenes) == count:
                break
    assert all(scene.faces for scene in scenes), f"no face in {clip} around frame {first}"
    return scenes


def far_from(scene: Scene, reach: float) -> np.ndarray:
    """Where no effect may be: ``(H, W)`` bool, further than ``reach`` units from every face's box and hull."""
    far = np.ones(scene.picture.shape[:2], bool)
    for face in scene.faces:
        region = FaceRegion.of(scene.picture, scene.picture, face)
        inside = np.zeros(far.shape, np.uint8)
        if region is not None:
            hull = cv2.convexHull(np.concatenate([region.points, region.outline])) + region.rect[:2]
            cv2.fillConvexPoly(inside, np.round(hull).astype(np.int32), 1)
        x1, y1, x2, y2 = face.box.round().astype(int).tolist()
        inside[max(0, y1) : max(0, y2), max(0, x1) : max(0, x2)] = 1
        side = 2 * round(reach * face_unit(face.landmarks) + 2) + 1
        far &= cv2.dilate(inside, np.ones((side, side), np.uint8)) == 0
    return far
