"""The published model cards' output format, so that their users switch by changing one line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

from streamer.types import Face


class ModelScopeFaces(TypedDict):
    """The dictionary the ModelScope face cards return; plain lists, one entry a face.

    ``boxes`` are ``[x1, y1, x2, y2]``, ``keypoints`` are the 106 landmarks as ``[x, y]`` pairs,
    ``poses`` are ``[pitch, roll, yaw]`` in degrees.
    """

    scores: list[float]
    boxes: list[list[float]]
    keypoints: list[list[list[float]]]
    poses: list[list[float]]


def to_modelscope(faces: Sequence[Face]) -> ModelScopeFaces:
    """Convert faces to the model cards' dictionary (``scores, boxes, keypoints, poses``)."""
    return {
        "scores": [float(face.score) for face in faces],
        "boxes": [face.box.tolist() for face in faces],
        "keypoints": [face.landmarks.tolist() for face in faces],
        "poses": [[face.pose.pitch, face.pose.roll, face.pose.yaw] for face in faces],
    }
