"""What people get of a frame's analysis: faces, made from tracks, or from detections in a single picture."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from streamer.landmarks import LandmarkBatch
from streamer.landmarks.topology import keypoints_from_landmarks
from streamer.types import Detections, Face, Pose, freeze
from trackers import FaceSmoother, Track


def tracked_faces(tracks: Sequence[Track], smoother: FaceSmoother, pts: float) -> tuple[Face, ...]:
    """The faces of confirmed tracks at a time in seconds, smoothed, best score first."""
    # Confirmed tracks have all of these; the checks tell the type checker.
    shown = [
        (t, t.track_id, t.landmarks, t.pose)
        for t in tracks
        if t.track_id is not None and t.landmarks is not None and t.pose is not None
    ]
    if not shown:
        return ()
    followed, ids, landmarks, poses = zip(*shown, strict=True)
    raw = np.array(landmarks, np.float32)
    smooth, pose = smoother.smooth(ids, raw, np.array(poses), pts)
    keypoints = freeze(keypoints_from_landmarks(smooth))
    freeze(raw)
    freeze(smooth)
    faces = [
        Face(
            box=freeze(t.box.copy()),
            score=t.score,
            keypoints=keypoints[i],
            landmarks=smooth[i],
            pose=Pose(*pose[i].tolist()),
            presence=t.presence,
            raw_landmarks=raw[i],
            track_id=t.track_id,
            age=pts - t.first_seen,
        )
        for i, t in enumerate(followed)
    ]
    return tuple(sorted(faces, key=lambda face: -face.score))


def still_face(found: Detections, batch: LandmarkBatch, i: int) -> Face:
    """One of the faces that were detected in a single picture."""
    landmarks = freeze(batch.landmarks[i].copy())
    return Face(
        box=freeze(found.boxes[i].copy()),
        score=float(found.scores[i]),
        keypoints=freeze(found.keypoints[i].copy()),
        landmarks=landmarks,
        pose=Pose(*batch.pose[i].tolist()),
        presence=float(batch.presence[i]),
        raw_landmarks=landmarks,
    )
