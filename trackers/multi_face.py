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

from trackers.association import pair_followed, pair_lost, pairwise_iou
from trackers.geometry import face_frames
from trackers.kalman import ALL, KalmanBoxes, to_cxcywh
from trackers.look import Look, Rival, judge, losers
from trackers.track import Track, TrackState

FloatArray = NDArray[np.floating[Any]]

MAX_GAP = 1.0
"""Seconds between frames above which velocities mean nothing."""

_STEADY_AFTER = 0.5  # seconds without any event after which a scene is called steady
_LOST_CHECKS = 0.3  # seconds a face that was just lost is looked for in every frame
_DRIFT_IOU = 0.4  # below this overlap of track and detection the crop starts over from the detection


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
        """Whether no face came, went or was doubted for half a second."""
        if self.needs_detection or self._changed_at is None:
            return False
        return pts - self._changed_at >= _STEADY_AFTER

    def guesses(self, tracks: Sequence[Track]) -> NDArray[np.float32]:
        """Where the landmarks of followed tracks should be in the frame last predicted.

        The last landmarks moved with the predicted box: good enough to crop by. They are not scaled: within a frame
        a face hardly grows, and a crop that shrinks because its last one did can lose the face for good.

        Args:
            tracks: any of :meth:`followed`.

        Returns:
            ``(n, 106, 2)`` float32 pixels.
        """
        if not tracks:
            return np.zeros((0, 106, 2), np.float32)
        landmarks = np.array([track.landmarks for track in tracks], np.float32)
        moved = np.array([track.box - track.seen_box for track in tracks])
        landmarks += ((moved[:, :2] + moved[:, 2:]) * 0.5)[:, None]
        return landmarks

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
        self._age(pts)
        self._publish_boxes()

    def match(self, boxes: FloatArray, scores: FloatArray, keypoints: FloatArray) -> list[tuple[Track, int]]:
        """Take in a detection round of the frame last predicted.

        Tracks being followed are matched first, then lost and doubtful ones may claim what is left (by position
        and size, from where they were last seen or would be by now), and the rest begin new tracks.

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
        current = self._kalman.boxes
        pairs = [(active[i], j) for i, j in pair_followed(current[active], boxes, self.match_iou)]
        free = sorted(set(range(len(boxes))) - {j for _, j in pairs})
        astray = self._astray({row for row, _ in pairs})
        pairs += [(astray[i], free[j]) for i, j in self._pair_lost(astray, current, boxes[free])]
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

    # -- detections

    def _astray(self, matched: set[int]) -> list[int]:
        """Rows of unmatched tracks whose face may be elsewhere."""
        return [
            row
            for row, track in enumerate(self.tracks)
            if row not in matched and (track.doubtful or track.state is TrackState.LOST)
        ]

    def _pair_lost(self, lost: list[int], current: FloatArray, boxes: FloatArray) -> list[tuple[int, int]]:
        """Positions in ``lost`` and ``boxes`` of faces that come back."""
        if not lost:
            return []
        now = self._now()
        hidden = np.array([now - self.tracks[row].last_seen for row in lost])
        last = np.array([self.tracks[row].seen_box for row in lost])
        return pair_lost(last, current[lost], hidden, boxes)

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
            self._kalman.place(row, to_cxcywh(box))
        return True

    def _miss(self, rows: list[int]) -> None:
        """Note followed tracks that a detection round did not find."""
        for row in rows:
            track = self.tracks[row]
            if track.missed(self.presence):
                self._lose(track)

    def _begin(
        self, free: list[int], boxes: FloatArray, scores: FloatArray, keypoints: FloatArray
    ) -> list[tuple[Track, int]]:
        """Start tracks for detections nobody claimed."""
        if not free:
            return []
        pts = self._now()
        begun = [
            (Track(boxes[j].copy(), float(scores[j]), keypoints[j], pts, pts, detected_box=boxes[j]), j) for j in free
        ]
        self._kalman.add(to_cxcywh(boxes[free]))
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
        frames = face_frames(landmarks)
        predicted = self._kalman.filter.position[rows].tolist()
        looks = [
            judge(track, predicted[i], frames[i], landmarks[i], pose[i], float(presence[i]), self.presence)
            for i, track in enumerate(tracks)
        ]
        if len(self.tracks) > 1:
            self._resolve_doubles(looks, pts)
        for look in looks:
            look.track.presence = look.presence
            look.track.detected_box = None
            if look.believed:
                self._see(look, pts)
            else:
                self._doubt(look.track)
        self._move([(row, look) for row, look in zip(rows, looks, strict=True) if look.believed])

    def _resolve_doubles(self, looks: list[Look], pts: float) -> None:
        """Let only one track see a face that two landed on; the other one keeps moving on its own path."""
        judged = {id(look.track) for look in looks}
        rivals = [Rival(look.track, look.frame, look) for look in looks if look.believed]
        rivals += [
            Rival(t, t.frame) for t in self.tracks if t.frame is not None and t.last_seen == pts and id(t) not in judged
        ]
        for loser in losers(rivals):
            self._lose(loser.track)
            if loser.look is not None:
                loser.look.believed = False

    def _move(self, seen: list[tuple[int, Look]]) -> None:
        """Correct the boxes of believed looks."""
        if not seen:
            return
        rows = [row for row, _ in seen]
        every = rows == list(range(len(self.tracks)))
        self._kalman.update(np.array([look.box for _, look in seen]), ALL if every else rows)
        self._publish_boxes()
        for _, look in seen:
            look.track.seen_box = look.track.box

    def _see(self, look: Look, pts: float) -> None:
        """A believed look at a track."""
        track = look.track
        track.landmarks, track.pose, track.frame = look.landmarks, look.pose, look.frame
        track.last_seen = pts
        track.hits += 1
        track.doubtful = track.unseen or look.jump >= 1.0 or look.frame.reshaped(track.checked_frame)
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
        elif track.state is TrackState.CONFIRMED and track.misses and not track.tilted:
            self._lose(track)  # the detector had not seen it either

    # -- life cycle

    def _now(self) -> float:
        """Time of the frame last predicted."""
        return 0.0 if self._pts is None else self._pts

    def _lose(self, track: Track) -> None:
        """Hide a confirmed track; an unconfirmed one dies."""
        self._changed_at = self._pts
        if track.state is TrackState.TENTATIVE:
            track.hits = -1
            return
        track.state = TrackState.LOST
        self._kalman.hold_size(self.tracks.index(track))

    def _drop_dead(self) -> None:
        """Remove tracks that were marked by negative hits."""
        if any(track.hits < 0 for track in self.tracks):
            self._keep([row for row, track in enumerate(self.tracks) if track.hits >= 0])

    def _age(self, pts: float) -> None:
        """Search lost tracks less eagerly after a while, and remove those lost for longer than ``max_lost``."""
        for track in self.tracks:
            if track.state is TrackState.LOST:
                hidden = pts - track.last_seen
                track.doubtful = hidden <= _LOST_CHECKS
                if hidden > self.max_lost:
                    track.hits = -1
                    self._changed_at = pts
        self._drop_dead()

    def _keep(self, rows: list[int]) -> None:
        """Keep the tracks of these rows."""
        self._kalman.keep(rows)
        self.tracks = [self.tracks[row] for row in rows]

    def _publish_boxes(self) -> None:
        """Copy the boxes to the tracks."""
        if self.tracks:
            for track, box in zip(self.tracks, self._kalman.boxes, strict=True):
                track.box = box
