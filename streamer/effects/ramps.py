"""Smooth steps: what is decided by one changes gradually, so that nothing pops from frame to frame."""

from __future__ import annotations

import numpy as np

from streamer.types import FloatArray


def ramp(value: float, low: float, high: float) -> float:
    """0 up to ``low``, 1 from ``high``, smooth in between; for a single number quicker than :func:`ramps`."""
    t = min(1.0, max(0.0, (value - low) / (high - low)))
    return t * t * (3 - 2 * t)


def ramps(values: FloatArray, low: FloatArray | float, high: FloatArray | float) -> FloatArray:
    """0 up to ``low``, 1 from ``high``, smooth in between.

    Args:
        values: of any shape.
        low: one for all, or of a shape that broadcasts.
        high: likewise.
    """
    t = np.minimum(np.maximum((values - low) / (high - low), 0), 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)
