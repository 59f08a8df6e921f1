"""Follows every face of one stream: ids, life cycle, and the box between detections.

Pure bookkeeping and algebra: this module runs no network. One frame goes::

    tracker.predict(pts)
    if tracker.needs_detection or ...:                          # the caller's schedule
        for track, i in tracker.match(boxes, scores, keypoints):
            ...                                                 # crop around detection i
    crops of the other tracker.followed() come from tracker.guesses(tracks)
    tracker.observe(tracks, landmarks, pose, presence, pts)     # what the landmark network saw
    show(tracker.visible())
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trackers.association import assign, pairwise_iou, pairwise_offset
from trackers.geometry import (
    LEFT_EYE_OUTER,
    RIGHT_EYE_OUTER,
    apply_margins,
    landmark_boxes,
    learn_margins,
    roll_vectors,
)
from trackers.kalman import KalmanBoxes
from trackers.track import Track, TrackState

FloatArray = NDArray[np.floating[Any]]

MAX_GAP = 1.0
"""Seconds between frames above which velocities mean nothing."""

_STEADY_AFTER = 1.0  # seconds without any event after which a scene is called steady
_JUMP = 0.5  # face sizes: landmarks landing this far from the prediction deserve a check
_RESCALE = 1.5  # likewise when the face grew or shrank by this factor within a frame
_DRIFT_IOU = 0.4  # below this overlap of track and detection the crop starts over from the detection
_SAME_FACE_IOU = 0.5  # two landmark boxes overlapping more than this are on one face
_SAME_FACE_DISTANCE = 0.25  # and so are eyes closer than this, in face sizes
_DOUBT_MISSES = 2  # detection rounds in a row that may miss a face before it is doubted
_LOSE_MISSES = 4  # ... before it is given up, unless the landmark network is sure of it
_GIVE_UP_MISSES = 12  # ... before it is given up whatever the landmark network says
_SURE_PRESENCE = 0.8
_TILT = 0.57  # sine of 35 degrees: beyond, an upright detector is no witness
_MARGIN_MEMORY = 8  # detections the learned margins average over


class MultiFaceTracker:
    """Tracks of one stream.

    Args:
        max_faces: most faces followed at once; the largest win.
        confirm_hits: sightings before a face is shown and gets an id.
        max_lost: seconds a hidden face keeps its id.
        presence: probability of a face below which a look is not believed.
        ghost_after: seconds without a believed look after which a face is hidden, when no detection decides sooner.
            One frame may pass on top.
        match_iou: overlap from which a detection belongs to a track at once; pairs that overlap less need to be
            near in position and size.

    Attributes:
        tracks: all tracks in the order they were found, hidden and unconfirmed ones included.
    """

    def __init__(
        self,
        *,
        max_faces: int = 16,
        confirm_hits: int = 3,
        max_lost: float = 1.0,
        presence: float = 0.5,
        ghost_after: float = 0.2,
        match_iou: float = 0.3,
    ) -> None:
        self.max_faces = max_faces
        self.confirm_hits = confirm_hits
        self.max_lost = max_lost
        self.presence = presence
        self.ghost_after = ghost_after
        self.match_iou = match_iou
        self.tracks: list[Track] = []
        self._kalman = KalmanBoxes()
        self._ids = count(1)
        self._pts: float | None = None
        self._changed_at: float | None = None

    def reset(self) -> None:
        """Forget all faces, for example when another source begins. Ids go on counting."""
        self._keep([])
        self._pts = self._changed_at = None

    # -- questions

    def visible(self) -> list[Track]:
        """Confirmed tracks: what a viewer shows."""
        return [track for track in self.tracks if track.state is TrackState.CONFIRMED]

    def followed(self) -> list[Track]:
        """Tracks whose landmarks carry them from frame to frame; observe each of them in every frame."""
        return [t for t in self.tracks if t.state is not TrackState.LOST and t.landmarks is not None]

    @property
    def needs_detection(self) -> bool:
        """Whether any face is new, doubtful or lost, so that a detection should look now."""
        return any(track.doubtful or track.state is not TrackState.CONFIRMED for track in self.tracks)

    def steady(self, pts: float) -> bool:
        """Whether no face came, went or was doubted for a second."""
        if self.needs_detection or self._changed_at is None:
            return False
        return pts - self._changed_at >= _STEADY_AFTER

    def guesses(self, tracks: Sequence[Track]) -> NDArray[np.float32]:
        """Where the landmarks of followed tracks should be in the frame last predicted.

        The last landmarks moved and scaled with the predicted box: good enough to crop by.

        Args:
            tracks: any of :meth:`followed`.

        Returns:
            ``(n, 106, 2)`` float32 pixels.
        """
        if not tracks:
            return np.zeros((0, 106, 2), np.float32)
        landmarks = np.stack([track.landmarks for track in tracks if track.landmarks is not None])
        before = np.stack([track.seen_box for track in tracks])
        now = np.stack([track.box for track in tracks])
        grown = (now[:, 2:] - now[:, :2]) / np.maximum(before[:, 2:] - before[:, :2], 1.0)
        offset = now[:, :2] - before[:, :2] * grown
        return np.asarray(landmarks * grown[:, None] + offset[:, None], np.float32)

    # -- one frame, step by step

    def predict(self, pts: float) -> None:
        """Advance all boxes to a frame's time and let go of faces that stayed lost too long.

        Time that stands still or runs backwards, and gaps over :data:`MAX_GAP`, move nothing and reset all
        velocities; a jump either way that is longer than ``max_lost`` too forgets all faces.

        Args:
            pts: presentation time of the new frame in seconds.
        """
        dt = 0.0 if self._pts is None else pts - self._pts
        self._pts = pts
        if self._changed_at is None or self._changed_at > pts:
            self._changed_at = pts
        if not self.tracks:
            return
        if abs(dt) > max(self.max_lost, MAX_GAP):
            self._keep([])
            self._changed_at = pts
            return
        if 0 < dt <= MAX_GAP:
            self._kalman.predict(dt)
        else:
            self._kalman.stop()
            for track in self.tracks:
                track.last_seen = min(track.last_seen, pts)
                track.first_seen = min(track.first_seen, pts)
        self._forget_expired(pts)
        self._publish_boxes()

    def match(self, boxes: FloatArray, scores: FloatArray, keypoints: FloatArray) -> list[tuple[Track, int]]:
        """Take in a detection round of the frame last predicted.

        Tracks being followed are matched first, then lost ones may claim what is left (by position and size,
        from where they were last seen or would be by now), and the rest begin new tracks.

        Args:
            boxes: ``(n, 4)`` ``xyxy`` pixels.
            scores: ``(n,)``.
            keypoints: ``(n, 5, 2)`` pixels.

        Returns:
            Tracks whose crop must start from the detection with the index beside it: new and revived ones, and
            those which are doubtful or drifted off.
        """
        boxes = np.asarray(boxes, np.float32).reshape(-1, 4)
        active = [i for i, t in enumerate(self.tracks) if t.state is not TrackState.LOST]
        lost = [i for i, t in enumerate(self.tracks) if t.state is TrackState.LOST]
        pairs = self._pair_followed(active, boxes)
        free = sorted(set(range(len(boxes))) - {j for _, j in pairs})
        pairs += self._pair_lost(lost, boxes, free)
        free = sorted(set(free) - {j for _, j in pairs})
        self._miss(sorted(set(active) - {i for i, _ in pairs}))
        restart = []
        for row, j in pairs:
            if self._take_detection(row, boxes[j], float(scores[j]), keypoints[j]):
                restart.append((self.tracks[row], j))
        restart += self._begin(free, boxes, scores, keypoints)
        self._drop_dead()
        self._limit()
        kept = {id(track) for track in self.tracks}
        return [(track, j) for track, j in restart if id(track) in kept]

    def observe(
        self,
        tracks: Sequence[Track],
        landmarks: FloatArray,
        pose: FloatArray,
        presence: FloatArray,
        pts: float,
    ) -> None:
        """Take in what the landmark network saw in the frame last predicted.

        Args:
            tracks: :meth:`followed` tracks and those :meth:`match` returned, each once.
            landmarks: ``(n, 106, 2)`` raw landmarks in frame pixels.
            pose: ``(n, 3)`` pitch, roll, yaw in degrees.
            presence: ``(n,)`` probability that a face is there.
            pts: time of the frame in seconds.
        """
        if len(tracks):
            self._take_landmarks(tracks, landmarks, pose, presence, pts)
        for track in self.tracks:
            if track.state is TrackState.CONFIRMED and pts - track.last_seen > self.ghost_after:
                self._lose(track)
        self._drop_dead()
        self._publish_boxes()

    # -- detections

    def _pair_followed(self, rows: list[int], boxes: FloatArray) -> list[tuple[int, int]]:
        """Rows of followed tracks with their detections."""
        if not rows or not len(boxes):
            return []
        current = self._kalman.boxes[rows]
        iou = pairwise_iou(current, boxes)
        distance, ratio = pairwise_offset(current, boxes)
        allowed = (iou >= self.match_iou) | ((distance < 0.6) & (ratio < 1.8))
        return [(rows[i], j) for i, j in assign(1.0 - iou + distance, allowed)]

    def _pair_lost(self, rows: list[int], boxes: FloatArray, free: list[int]) -> list[tuple[int, int]]:
        """Rows of lost tracks with the free detections they come back in."""
        if not rows or not free or self._pts is None:
            return []
        hidden = np.array([self._pts - self.tracks[row].last_seen for row in rows])
        last = np.stack([self.tracks[row].seen_box for row in rows])
        here, ratio_here = pairwise_offset(last, boxes[free])
        coasted, ratio_coasted = pairwise_offset(self._kalman.boxes[rows], boxes[free])
        distance = np.minimum(here, coasted)
        ratio = np.minimum(ratio_here, ratio_coasted)
        reach = (1.0 + hidden)[:, None]  # a face walks off by about one face size a second
        allowed = (distance < reach) & (ratio < 1.6)
        return [(rows[i], free[j]) for i, j in assign(distance + 0.5 * (ratio - 1.0), allowed)]

    def _take_detection(self, row: int, box: FloatArray, score: float, keypoints: FloatArray) -> bool:
        """Note a detection of a track; True if its crop must start over from it."""
        track = self.tracks[row]
        track.score, track.keypoints, track.misses = score, keypoints, 0
        track.detected_box = box
        lost = track.state is TrackState.LOST
        overlap = float(pairwise_iou(self._kalman.boxes[[row]], box[None])[0, 0])
        if not (lost or track.doubtful or track.landmarks is None or overlap < _DRIFT_IOU):
            return False
        if lost or overlap < _DRIFT_IOU:
            self._kalman.place(row, box)
        return True

    def _miss(self, rows: list[int]) -> None:
        """Note followed tracks that a detection round did not find."""
        for row in rows:
            track = self.tracks[row]
            if _tilted(track):
                continue
            track.misses += 1
            unsure = track.presence < _SURE_PRESENCE
            if track.presence < self.presence or track.misses >= (_LOSE_MISSES if unsure else _GIVE_UP_MISSES):
                self._lose(track)
            elif unsure and track.misses >= _DOUBT_MISSES:
                track.doubtful = True

    def _begin(
        self, free: list[int], boxes: FloatArray, scores: FloatArray, keypoints: FloatArray
    ) -> list[tuple[Track, int]]:
        """Start tracks for detections nobody claimed."""
        if not free:
            return []
        pts = 0.0 if self._pts is None else self._pts
        begun = [
            (Track(boxes[j].copy(), float(scores[j]), keypoints[j], pts, pts, detected_box=boxes[j]), j) for j in free
        ]
        self._kalman.add(boxes[free])
        self.tracks += [track for track, _ in begun]
        self._changed_at = pts
        return begun

    def _limit(self) -> None:
        """Let the smallest faces go when there are more than ``max_faces``; known ones have the better seat."""
        shown = [i for i, t in enumerate(self.tracks) if t.state is not TrackState.LOST]
        if len(shown) <= self.max_faces:
            return
        weight = self._kalman.sizes * [1.3 if t.state is TrackState.CONFIRMED else 1.0 for t in self.tracks]
        out = set(sorted(shown, key=lambda row: -weight[row])[self.max_faces :])
        self._keep([row for row in range(len(self.tracks)) if row not in out])

    # -- landmarks

    def _take_landmarks(
        self,
        tracks: Sequence[Track],
        landmarks: FloatArray,
        pose: FloatArray,
        presence: FloatArray,
        pts: float,
    ) -> None:
        """Believe or doubt each look, and move the boxes of those believed."""
        rows = [self.tracks.index(track) for track in tracks]
        believed = [float(p) >= self.presence for p in presence]
        inner, roll = landmark_boxes(landmarks), roll_vectors(landmarks)
        boxes = self._measured_boxes(tracks, inner, roll, believed)
        plausible, residual = self._plausible(rows, boxes)
        if len(tracks) > 1:
            self._resolve_doubles(tracks, landmarks, inner, residual, believed)
        for i, track in enumerate(tracks):
            track.presence = float(presence[i])
            track.detected_box = None
            if believed[i]:
                self._see(track, landmarks[i], pose[i], pts, plausible[i])
            else:
                self._doubt(track)
        if all(believed) and len(rows) == len(self.tracks) and rows == sorted(rows):
            self._kalman.update(boxes)
            seen = rows
        else:
            seen = [row for row, good in zip(rows, believed, strict=True) if good]
            if seen:
                self._kalman.update(boxes[believed], seen)
        current = self._kalman.boxes
        for row in seen:
            self.tracks[row].seen_box = current[row]

    def _measured_boxes(
        self, tracks: Sequence[Track], inner: FloatArray, roll: FloatArray, believed: list[bool]
    ) -> FloatArray:
        """Detector-like boxes ``(n, 4)`` from landmark boxes; margins are learned where a detection is at hand."""
        for i, track in enumerate(tracks):
            if track.detected_box is not None and (believed[i] or track.margins is None):
                learned = learn_margins(inner[i : i + 1], roll[i : i + 1], track.detected_box[None])[0]
                track.detections = min(track.detections + 1, _MARGIN_MEMORY)
                if track.margins is not None:
                    learned = track.margins + (learned - track.margins) / track.detections
                track.margins = learned
        margins = np.stack([track.margins for track in tracks if track.margins is not None])
        return apply_margins(inner, roll, margins)

    def _plausible(self, rows: list[int], boxes: FloatArray) -> tuple[list[bool], list[float]]:
        """Whether measured boxes are where the prediction has them, and their distance in face sizes."""
        current = self._kalman.boxes[rows]
        sizes = self._kalman.sizes[rows]
        shift = (boxes[:, :2] + boxes[:, 2:] - current[:, :2] - current[:, 2:]) * 0.5
        distance = np.hypot(shift[:, 0], shift[:, 1]) / sizes
        ratio = np.sqrt(np.maximum(np.prod(boxes[:, 2:] - boxes[:, :2], axis=1), 1.0)) / sizes
        plausible = (distance < _JUMP) & (ratio < _RESCALE) & (ratio > 1.0 / _RESCALE)
        return plausible.tolist(), distance.tolist()

    def _resolve_doubles(
        self,
        tracks: Sequence[Track],
        landmarks: FloatArray,
        inner: FloatArray,
        residual: list[float],
        believed: list[bool],
    ) -> None:
        """Let only one track see a face that two landed on.

        An unconfirmed track gives way to a confirmed one; else the one that jumped farther from its own path (the
        landmarks of a hidden face snap to the one in front of it); else the younger. The loser keeps moving on its
        path: it may reappear beyond.
        """
        overlap = pairwise_iou(inner, inner)
        eyes = landmarks[:, [LEFT_EYE_OUTER, RIGHT_EYE_OUTER]].mean(axis=1)
        sizes = np.sqrt(np.prod(inner[:, 2:] - inner[:, :2], axis=1))
        apart = np.linalg.norm(eyes[:, None] - eyes[None], axis=-1) / np.maximum(np.minimum.outer(sizes, sizes), 1.0)
        double = np.triu((overlap > _SAME_FACE_IOU) | (apart < _SAME_FACE_DISTANCE), 1)
        for i, j in np.argwhere(double):
            if believed[i] and believed[j]:
                loser = i if _claim(tracks[i], residual[i]) < _claim(tracks[j], residual[j]) else j
                believed[loser] = False
                self._lose(tracks[loser])

    def _see(self, track: Track, landmarks: FloatArray, pose: FloatArray, pts: float, plausible: bool) -> None:
        """A believed look at a track."""
        track.landmarks, track.pose = landmarks, pose
        track.last_seen = pts
        track.hits += 1
        unseen = track.misses >= _DOUBT_MISSES and track.presence < _SURE_PRESENCE
        track.doubtful = unseen or not plausible
        if track.state is TrackState.LOST and track.track_id is not None:
            track.state, track.doubtful = TrackState.CONFIRMED, False
            self._changed_at = pts
        elif track.state is TrackState.TENTATIVE and track.hits >= self.confirm_hits:
            track.state, track.track_id = TrackState.CONFIRMED, next(self._ids)
            self._changed_at = pts

    def _doubt(self, track: Track) -> None:
        """A look at a track that showed no face, or somebody else's."""
        track.doubtful = True
        self._changed_at = self._pts
        if track.state is TrackState.TENTATIVE:
            track.hits = -1

    # -- life cycle

    def _lose(self, track: Track) -> None:
        """Hide a confirmed track; an unconfirmed one dies."""
        self._changed_at = self._pts
        if track.state is TrackState.TENTATIVE:
            track.hits = -1
        track.state = TrackState.LOST if track.track_id is not None else TrackState.TENTATIVE

    def _drop_dead(self) -> None:
        """Remove unconfirmed tracks that failed."""
        if any(track.hits < 0 for track in self.tracks):
            self._keep([row for row, track in enumerate(self.tracks) if track.hits >= 0])

    def _forget_expired(self, pts: float) -> None:
        """Remove tracks that have been lost for longer than ``max_lost``."""
        expired = [t.state is TrackState.LOST and pts - t.last_seen > self.max_lost for t in self.tracks]
        if any(expired):
            self._changed_at = pts
            self._keep([row for row, gone in enumerate(expired) if not gone])

    def _keep(self, rows: list[int]) -> None:
        """Keep the tracks of these rows."""
        self._kalman.keep(rows)
        self.tracks = [self.tracks[row] for row in rows]

    def _publish_boxes(self) -> None:
        """Copy the boxes to the tracks."""
        if self.tracks:
            for track, box in zip(self.tracks, self._kalman.boxes, strict=True):
                track.box = box


def _tilted(track: Track) -> bool:
    """Whether a face lies so far on its side that a detector for upright faces may well not see it."""
    if track.landmarks is None:
        return False
    return bool(roll_vectors(track.landmarks[None])[0, 0] < np.sqrt(1.0 - _TILT**2))


def _claim(track: Track, residual: float) -> tuple[bool, float, float]:
    """Sort key: how good a track's claim is on a face that another one sees too."""
    return track.state is TrackState.CONFIRMED, -round(residual, 1), -track.first_seen
