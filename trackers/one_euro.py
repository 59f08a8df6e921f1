"""The One-Euro filter: a low-pass filter that gets out of the way when the signal moves.

Casiez, Roussel, Vogel: *1€ Filter: A Simple Speed-based Low-pass Filter for Noisy Input in Interactive
Systems*, CHI 2012. A slow signal is smoothed with ``min_cutoff``, a fast one with a cutoff raised by ``beta`` times its
speed: still things do not tremble, moving things do not lag.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

MAX_GAP = 1.0
"""Seconds between samples above which a filter starts over."""


def smoothing_factor(cutoff: Any, dt: float) -> Any:
    """Weight of a new sample in a first-order low-pass filter.

    Args:
        cutoff: cutoff frequency in Hz, a number or an array.
        dt: time since the previous sample in seconds, > 0.

    Returns:
        Weight in 0..1, of the shape of ``cutoff``.

    >>> round(smoothing_factor(1.0, 1 / 30), 4)
    0.1732
    """
    rate = 2.0 * math.pi * dt * cutoff
    return rate / (rate + 1.0)


class OneEuroFilter:
    """Filters a number or an array of numbers over time, each element on its own.

    The first sample, one whose time does not advance, and one that comes more than :data:`MAX_GAP` after its
    predecessor pass unchanged and start the filter over.

    Args:
        min_cutoff: cutoff at rest in Hz; lower is steadier.
        beta: cutoff gained per unit of speed, Hz per (unit/s); higher lags less.
        d_cutoff: cutoff in Hz for the speed itself.

    >>> smooth = OneEuroFilter(min_cutoff=1.0, beta=0.0)
    >>> [round(float(smooth(x, i / 30)), 3) for i, x in enumerate([0.0, 1.0, 1.0])]
    [0.0, 0.173, 0.316]
    """

    def __init__(self, min_cutoff: float = 1.0, beta: float = 0.0, d_cutoff: float = 1.0) -> None:
        self.min_cutoff = min_cutoff
        self.beta = beta
        self.d_cutoff = d_cutoff
        self._time: float | None = None
        self._value: NDArray[np.float64] = np.zeros(0)
        self._speed: NDArray[np.float64] = np.zeros(0)

    def reset(self) -> None:
        """Forget the past."""
        self._time = None

    def __call__(self, x: ArrayLike, t: float) -> NDArray[np.float64]:
        """Filter one sample.

        Args:
            x: the sample; every call with the same shape.
            t: its time in seconds.

        Returns:
            The filtered sample, a new array of the same shape.
        """
        sample = np.asarray(x, np.float64)
        dt = math.inf if self._time is None else t - self._time
        self._time = t
        if not 0.0 < dt <= MAX_GAP or sample.shape != self._value.shape:
            self._value = sample
            self._speed = np.zeros_like(sample)
            return sample.copy()
        speed = (sample - self._value) / dt
        self._speed = self._speed + smoothing_factor(self.d_cutoff, dt) * (speed - self._speed)
        cutoff = self.min_cutoff + self.beta * np.abs(self._speed)
        self._value = self._value + smoothing_factor(cutoff, dt) * (sample - self._value)
        return self._value.copy()
