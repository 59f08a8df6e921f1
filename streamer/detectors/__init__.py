"""Face detectors behind one interface; :func:`load_detector` is the door."""

from __future__ import annotations

from streamer.detectors.base import Detector
from streamer.detectors.registry import DETECTORS, load_detector

__all__ = ["DETECTORS", "Detector", "load_detector"]
