"""Turns frames into faces: detect (seldom), follow by landmarks (always), judge presence, smooth."""

from __future__ import annotations

import math
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass
from numbers import Real

import cv2
import numpy as np

from streamer.config import Config, DetectorConfig
from streamer.detectors import Detector, load_detector
from streamer.detectors.base import as_bgr
from streamer.detectors.registry import DETECTORS
from streamer.detectors.rotation import UPRIGHT, TurnedSearch, detect_any_rotation, join, settle
from streamer.landmarks import LandmarkBatch, LandmarkPredictor, load_predictor
from streamer.pipeline.faces import still_face, tracked_faces
from streamer.pipeline.hidden import HiddenPlaces, still_places
from streamer.pipeline.lookout import Known, Lookout
from streamer.pipeline.metrics import Stopwatch
from streamer.pipeline.schedule import DetectionSchedule
from streamer.types import NO_BOXES, Detections, Face, FloatArray, Image, boxes_of
from trackers import FaceSmoother, MultiFaceTracker, Track, TrackState
from trackers.association import pair_followed
from trackers.multi_face import MAX_GAP


@dataclass(frozen=True, slots=True)
class Models:
    """The networks of one process; sessions may be shared by several cameras."""

    detector: Detector
    predictor: LandmarkPredictor


@dataclass(frozen=True, slots=True)
class Start:
    """A track whose landmarks begin, or begin again, from a detection.

    Attributes:
        track: the track.
        box: ``(4,)`` xyxy of the detection.
        keypoints: ``(5, 2)`` of the detection.
        settled: whether the face's orientation was determined with care.
    """

    track: Track
    box: FloatArray
    keypoints: FloatArray
    settled: bool


_MOST_SETTLED = 2  # starting faces whose orientation is settled in one frame: bounds what a frame can cost


def load_models(config: Config) -> Models:
    """Load the configured networks.

    Raises:
        WeightsError: a weights file is missing, damaged or of another network.
        DeviceError: CUDA was asked for and is not there.
    """
    d, m, r = config.detector, config.landmarks, config.runtime
    # OpenCV's own pool makes small resizes wait for a second core that is busy decoding: p50 per frame doubled.
    cv2.setNumThreads(r.threads)
    detector = load_detector(
        d.name,
        max_side=d.max_side,
        score=d.score,
        nms=d.nms,
        min_face=d.min_face,
        weights=d.weights,
        structure=d.structure,
        device=r.device,
        threads=r.threads,
    )
    return Models(detector, load_predictor(m.weights, device=r.device, threads=r.threads))


def tuned(detector: Detector, config: DetectorConfig) -> Detector:
    """The same network with the thresholds and the input size of a configuration."""
    entry, other = DETECTORS[detector.name], copy(detector)
    other.max_side, other.min_face = config.max_side, config.min_face
    other.score = entry.score if config.score is None else config.score
    other.nms = entry.nms if config.nms is None else config.nms
    return other


class FaceAnalyzer:
    """Finds faces in single images and follows them through one stream.

    Not for use from several threads at once: one analyzer belongs to one stream.

    Example:
        >>> import numpy as np
        >>> from streamer import FaceAnalyzer, load_config
        >>> FaceAnalyzer(load_config()).analyze(np.zeros((48, 64, 3), np.uint8))
        ()

    Attributes:
        stages: milliseconds per stage of the latest call; a stage that did not run is absent. ``search`` runs beside
            the others: what it took longer than they did.
        hidden: ``(n, 4)`` float32 xyxy after a call: every place where a face may be that is not, or no longer, among
            the returned ones. What is to hide faces covers these too.
        appeared: ``(n, 4)`` likewise after :meth:`track`: what may be a face in this frame and was not known from the
            one before.
        vigilant: whether every frame is searched, for doubtful faces too; for streams whose faces must not be seen.
            A stream's search of the whole picture takes some frames: ``Hindsight`` brings what it finds into those
            before.
    """

    def __init__(self, config: Config, *, models: Models | None = None) -> None:
        """Load the networks (or take shared ones) and start with no tracks.

        Raises:
            WeightsError: a weights file is missing, damaged or of another network.
            DeviceError: CUDA was asked for and is not there.
        """
        self._start_clock()
        self._config = config
        models = models or load_models(config)
        self._detector, self._predictor = models.detector, models.predictor
        self.vigilant = False
        self.reset()

    def reset(self) -> None:
        """Forget every track: the next frame belongs to another stream. Ids begin at 1 again."""
        t, s = self._config.tracking, self._config.smoothing
        self._tracker = MultiFaceTracker(
            max_faces=t.max_faces,
            confirm_hits=t.confirm_hits,
            max_lost=t.max_lost,
            presence=self._config.landmarks.presence,
        )
        self._smoother = FaceSmoother(s.kind, s.strength)
        self._pts: float | None = None
        self._known: list[Track] = []
        self._jumped = False
        self._places = HiddenPlaces()
        self._finds = self.hidden = self.appeared = NO_BOXES
        self._lookout = Lookout(self._detector)
        self._look_anew()

    def configure(self, config: Config, models: Models | None = None) -> None:
        """Go on under another configuration; faces that are being followed keep their ids.

        Args:
            config: all of it applies from the next frame on, except for what decides which networks run.
            models: networks for it, where those are to change.
        """
        if models is not None:
            self._detector, self._predictor = models.detector, models.predictor
            self._lookout = Lookout(self._detector)
        self._detector = tuned(self._detector, config.detector)
        t, s = config.tracking, config.smoothing
        self._tracker.max_faces, self._tracker.max_lost = t.max_faces, t.max_lost
        self._tracker.presence = config.landmarks.presence
        if s != self._config.smoothing:
            self._smoother = FaceSmoother(s.kind, s.strength)
        self._config = config
        self._look_anew()

    def jump(self, seconds: float) -> None:
        """The next frame lies elsewhere in the video: all following starts over, with a detection.

        Args:
            seconds: how far. A face that is in its place after a short jump keeps its id; ids go on counting otherwise.
        """
        near = self._pts is not None and abs(seconds) <= max(self._config.tracking.max_lost, MAX_GAP)
        self._known = self._tracker.visible() if near else []
        if not near:
            self._places.forget()
        self._lookout.forget()
        self._jumped = True
        self._tracker.reset()
        self._smoother.reset()
        self._look_anew()

    def track_again(self, bgr: Image) -> tuple[Face, ...]:
        """Look afresh at the frame of the latest :meth:`track`, under a configuration that has changed; ids stay.

        Args:
            bgr: the same picture, uint8 ``(H, W, 3)``.

        Returns:
            Faces, best score first; unconfirmed ones too, because no further frame comes that could confirm them.
        """
        self.jump(0.0)
        return self.track(bgr, 0.0 if self._pts is None else self._pts, standing=True)

    def _look_anew(self) -> None:
        """Detect in the next frame, whatever has been seen so far."""
        t = self._config.tracking
        self._schedule = DetectionSchedule(t.detect_every, t.steady_interval)
        self._turned = TurnedSearch(self._detector) if self._config.detector.rotations else None

    def analyze(self, bgr: Image) -> tuple[Face, ...]:
        """Find the faces of one independent image; tracks are neither used nor changed.

        Args:
            bgr: uint8 ``(H, W, 3)``.

        Returns:
            Faces with a real presence, best score first, at most ``tracking.max_faces``.

        Raises:
            ImageError: not a picture that can be analysed.
        """
        bgr, clock = as_bgr(bgr), self._start_clock()
        found = self._detect_still(bgr)
        clock.lap("detect")
        self._lookout.forget()
        doubtful = self._lookout.search_all(bgr, still=True) if self.vigilant else NO_BOXES
        clock.lap("search")
        batch = self._predictor.from_detections(bgr, found.boxes, found.keypoints, passes=self._config.landmarks.passes)
        clock.lap("landmark")
        there = np.flatnonzero(batch.presence >= self._config.landmarks.presence)[: self._config.tracking.max_faces]
        self.hidden = still_places(found.boxes, there, doubtful)
        return tuple(still_face(found, batch, i) for i in there)

    def track(self, bgr: Image, pts: float, *, standing: bool = False) -> tuple[Face, ...]:
        """Follow faces into the next frame of a stream.

        Args:
            bgr: uint8 ``(H, W, 3)``.
            pts: presentation time in seconds; a step back or a jump of over 1 s restarts the filters.
            standing: the picture stands still after this one, so that no later one can confirm a new face or show
                one that is turned: new faces are shown at once, after a thorough search.

        Returns:
            Confirmed faces, best score first.

        Raises:
            ImageError: not a picture that can be analysed.
            ValueError: ``pts`` is no finite number.
        """
        bgr, clock = as_bgr(bgr), self._start_clock()
        if not isinstance(pts, Real) or not math.isfinite(pts):
            raise ValueError(f"pts is {pts!r}: give the frame's time in seconds, such as its number divided by the fps")
        self._pts, self._finds = pts, NO_BOXES
        # Behind a jump, too, faces are shown at once: a film that loops must not flicker at its seam.
        self._tracker.confirm_hits = 1 if standing or self._jumped else self._config.tracking.confirm_hits
        self._tracker.predict(pts)
        due = self._schedule.due(bgr, self._tracker, pts)
        search = self._begin_search(bgr, thorough=standing)
        try:
            starts = self._detect(bgr, thorough=standing) if due else []
            self._recall([start.track for start in starts])
            self._landmark(bgr, pts, starts)
            faces = tracked_faces(self._tracker.visible(), self._smoother, pts)
            clock.lap("smooth")
        finally:
            doubtful = search()
        if self.vigilant:
            clock.lap("search")
        self.hidden = self._places.update(bgr, pts, self._tracker.tracks, self._finds, doubtful)
        self.appeared = self._places.appeared
        clock.lap("smooth")
        return faces

    def search_again(self, bgr: Image) -> FloatArray:
        """Search all of the frame of the latest :meth:`track`, because no further one follows.

        Args:
            bgr: the same picture.

        Returns:
            ``(n, 4)`` xyxy of what may be a face besides those that are followed.
        """
        return self._lookout.search_all(bgr, Known.of(self._tracker.followed()))

    # ---- the steps of one frame --------------------------------------------------------------------------------

    def _detect_still(self, bgr: Image) -> Detections:
        if self._config.detector.rotations:
            return detect_any_rotation(self._detector, bgr)
        return self._detector.detect(bgr)

    def _begin_search(self, bgr: Image, *, thorough: bool) -> Callable[[], FloatArray]:
        """Look for places to hide, beside the frame's own analysis; what is returned waits for them."""
        self._clock.lap("track")
        if not self.vigilant:
            return lambda: NO_BOXES
        known = Known.of(self._tracker.followed())
        if not thorough:
            return self._lookout.begin(bgr, known).result
        found = self._lookout.search_all(bgr, known, still=True)
        self._clock.lap("search")
        return lambda: found

    def _detect(self, bgr: Image, *, thorough: bool) -> list[Start]:
        """One detection round; returns the tracks whose crop must start from a detection."""
        found = self._detect_still(bgr) if thorough else self._detector.detect(bgr)
        upright = 0 if thorough else len(found)
        if not thorough and self._turned is not None and self._schedule.may_turn(self._tracker):
            known = boxes_of(self._tracker.followed())
            found = join([found, self._turned.next(bgr, known)])
        self._clock.lap("detect")
        self._finds = found.boxes
        matched = self._tracker.match(found.boxes, found.scores, found.keypoints)
        return [Start(track, found.boxes[i], found.keypoints[i], settled=i >= upright) for track, i in matched]

    def _landmark(self, bgr: Image, pts: float, starts: list[Start]) -> None:
        """Run the landmark network: from detections for starting tracks, from their last points for the others."""
        starting = {id(start.track) for start in starts}
        followed = [track for track in self._tracker.followed() if id(track) not in starting]
        guesses = self._tracker.guesses(followed)
        self._clock.lap("track")
        if followed:
            batch = self._predictor.from_landmarks(bgr, guesses)
            self._clock.lap("landmark")
            self._observe(followed, batch, pts)
        if starts:
            batch = self._begin(bgr, starts)
            self._observe([start.track for start in starts], batch, pts)

    def _begin(self, bgr: Image, starts: list[Start]) -> LandmarkBatch:
        """First landmarks of starting tracks; faces that turn out not to be upright are detected more carefully."""
        batch = self._from_detections(bgr, starts)
        if self._turned is None:
            return batch
        sure = batch.presence >= self._config.landmarks.presence
        tilted = np.flatnonzero(sure & (np.abs(batch.pose[:, 1]) > UPRIGHT))
        careless = [i for i in tilted.tolist() if not starts[i].settled][:_MOST_SETTLED]
        if not careless:
            return batch
        for i in careless:
            face = settle(self._detector, bgr, starts[i].box)
            if len(face):
                starts[i] = Start(starts[i].track, face.boxes[0], face.keypoints[0], settled=True)
        self._clock.lap("detect")
        return self._from_detections(bgr, starts)

    def _from_detections(self, bgr: Image, starts: list[Start]) -> LandmarkBatch:
        boxes = np.stack([start.box for start in starts])
        keypoints = np.stack([start.keypoints for start in starts])
        batch = self._predictor.from_detections(bgr, boxes, keypoints, passes=self._config.landmarks.passes)
        self._clock.lap("landmark")
        return batch

    def _observe(self, tracks: list[Track], batch: LandmarkBatch, pts: float) -> None:
        self._tracker.observe(tracks, batch.landmarks, batch.pose, batch.presence, pts)
        self._clock.lap("track")

    def _recall(self, new: list[Track]) -> None:
        """Right after a jump, take new tracks for the known faces in whose place they are: they come back to them."""
        known, self._known, self._jumped = self._known, [], False
        if known and new:
            before, here = (np.array([track.box for track in tracks], np.float32) for tracks in (known, new))
            for old, i in pair_followed(before, here, self._tracker.match_iou):
                track = new[i]
                track.state, track.track_id, track.first_seen = (
                    TrackState.LOST,
                    known[old].track_id,
                    known[old].first_seen,
                )
                track.seen_box = track.box.copy()

    def _start_clock(self) -> Stopwatch:
        self._clock = Stopwatch()
        self.stages = self._clock.stages
        return self._clock
