"""Figures of a running pipeline in bounded memory: rates, percentiles, drops by cause."""

from __future__ import annotations

import threading
import time
from collections import Counter

import numpy as np

_WINDOW = 4096  # frames kept for percentiles: over two minutes at 30 fps, and memory stays flat for days


class Percentiles:
    """The last few thousand values of one quantity, written by one thread and read by any."""

    def __init__(self) -> None:
        self._values = np.zeros(_WINDOW)
        self._count = 0

    def add(self, value: float) -> None:
        """Record one value."""
        self._values[self._count % _WINDOW] = value
        self._count += 1

    def __len__(self) -> int:
        return self._count

    def median_and_p95(self) -> tuple[float, float]:
        """The 50th and 95th percentile of the values kept; zeros when there are none."""
        kept = self._values[: min(self._count, _WINDOW)]
        if not len(kept):
            return 0.0, 0.0
        p50, p95 = np.percentile(kept, (50, 95))
        return float(p50), float(p95)


class Stopwatch:
    """Shares the time of one frame out among its stages.

    Attributes:
        stages: milliseconds per stage so far.
    """

    def __init__(self) -> None:
        self.stages: dict[str, float] = {}
        self._since = time.perf_counter()

    def lap(self, stage: str) -> None:
        """Add the time since the last lap, or since the start, to a stage."""
        now = time.perf_counter()
        self.stages[stage] = self.stages.get(stage, 0.0) + (now - self._since) * 1e3
        self._since = now


class Rate:
    """Events per second over the last ``span`` seconds."""

    def __init__(self, span: float = 2.0) -> None:
        self._times = np.zeros(256)
        self._count = 0
        self._span = span

    def tick(self) -> None:
        """Record that the event happened now."""
        self._times[self._count % len(self._times)] = time.monotonic()
        self._count += 1

    def value(self) -> float:
        """Events per second; 0 before the second event and once the events have stopped."""
        times = self._times[: min(self._count, len(self._times))]
        recent = np.sort(times[times > time.monotonic() - self._span])
        if len(recent) < 2 or recent[-1] == recent[0]:
            return 0.0
        return float((len(recent) - 1) / (recent[-1] - recent[0]))


class Metrics:
    """Everything measured about one camera.

    Attributes:
        source: rate of decoded frames.
        analysed: rate of analysed frames.
        latency: milliseconds from decode to the end of analysis.
        frames: analysed frames in all.
        playing: seconds from the first analysed frame to the latest, without the pauses.
    """

    def __init__(self) -> None:
        self.source = Rate()
        self.analysed = Rate()
        self.latency = Percentiles()
        self.frames = self._intervals = 0
        self.playing = 0.0
        self._last: float | None = None
        self._stages: dict[str, Percentiles] = {}
        self._tracks = 0
        self._lock = threading.Lock()

    def record(self, latency_ms: float, stages: dict[str, float], track_ids: list[int]) -> None:
        """Record one analysed frame."""
        now = time.monotonic()
        with self._lock:
            if self._last is not None:
                self.playing += now - self._last
                self._intervals += 1
            self._last = now
            self.frames += 1
            self.analysed.tick()
            self.latency.add(latency_ms)
            for stage, ms in stages.items():
                self._stages.setdefault(stage, Percentiles()).add(ms)
            # Ids count up from 1 and are never reused, so the largest is the number of tracks so far.
            self._tracks = max([self._tracks, *track_ids])

    def record_stage(self, stage: str, ms: float) -> None:
        """Record a stage that does not belong to the analysis of its frame."""
        with self._lock:
            self._stages.setdefault(stage, Percentiles()).add(ms)

    def interrupt(self) -> None:
        """Leave the time from the latest frame to the next one out of account: nobody wanted frames."""
        with self._lock:
            self._last = None

    @property
    def tracks(self) -> int:
        """Number of confirmed tracks so far."""
        return self._tracks

    def stages(self) -> dict[str, tuple[int, float, float]]:
        """Per stage: runs, p50 and p95 in milliseconds."""
        with self._lock:
            return {name: (len(p), *p.median_and_p95()) for name, p in self._stages.items()}

    def mean_fps(self) -> float:
        """Analysed frames per second while playing."""
        return self._intervals / self.playing if self.playing > 0 else 0.0


def merge_drops(*parts: dict[str, int]) -> dict[str, int]:
    """Sum drop counters by cause, leaving out causes that did not happen."""
    total: Counter[str] = Counter()
    for part in parts:
        total.update(part)
    return {cause: n for cause, n in total.items() if n}
