from __future__ import annotations

import numpy as np
import pytest

from trackers import OneEuroFilter


def test_follows_the_paper_sample_by_sample() -> None:
    """Algorithm 1 of Casiez et al. 2012, written out with plain numbers."""
    rng = np.random.default_rng(0)
    samples, times = rng.normal(0, 1, 50).cumsum(), np.cumsum(rng.uniform(0.02, 0.06, 50))
    smooth = OneEuroFilter(min_cutoff=1.2, beta=0.4, d_cutoff=1.5)
    value, speed = samples[0], 0.0
    assert smooth(samples[0], times[0]) == samples[0]
    for i in range(1, 50):
        dt = times[i] - times[i - 1]
        alpha = lambda cutoff, dt=dt: 1.0 / (1.0 + 1.0 / (2 * np.pi * cutoff * dt))  # noqa: E731
        speed += alpha(1.5) * ((samples[i] - value) / dt - speed)
        value += alpha(1.2 + 0.4 * abs(speed)) * (samples[i] - value)
        assert float(smooth(samples[i], times[i])) == pytest.approx(value, abs=1e-12)


def test_arrays_are_filtered_element_by_element_and_never_shared() -> None:
    both, first = OneEuroFilter(1.0, 0.5), OneEuroFilter(1.0, 0.5)
    for i, sample in enumerate(np.random.default_rng(1).normal(0, 1, (20, 2, 3))):
        result = both(sample, i / 30)
        np.testing.assert_allclose(result[1, 2], first(sample[1, 2], i / 30))
        result[:] = np.nan


@pytest.mark.parametrize("when", [0.5, 0.4, 2.0])
def test_time_that_does_not_advance_or_jumps_starts_over(when: float) -> None:
    smooth = OneEuroFilter(min_cutoff=0.1)
    smooth(0.0, 0.4)
    assert smooth(10.0, 0.5) < 1.0
    assert smooth(10.0, when) == 10.0


def test_another_shape_and_reset_start_over() -> None:
    smooth = OneEuroFilter(min_cutoff=0.1)
    smooth(0.0, 0.0)
    np.testing.assert_array_equal(smooth([5.0, 6.0], 0.1), [5.0, 6.0])
    smooth.reset()
    np.testing.assert_array_equal(smooth([9.0, 9.0], 0.2), [9.0, 9.0])
