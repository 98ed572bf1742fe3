from __future__ import annotations

import numpy as np
import pytest

from vela.indicators.rolling import window_deviations, window_means

VALUES = np.random.default_rng(5).normal(100, 7, 3_000)


@pytest.mark.parametrize("period", [1, 2, 7, 30, 200, 3_000])
@pytest.mark.parametrize("count", [3_000, 1_537, 5])
def test_every_window_is_added_up_oldest_value_first(period: int, count: int) -> None:
    values = VALUES[:count]
    expected = [float("nan")] * min(period - 1, count)
    for start in range(count - period + 1):
        total = 0.0
        for value in values[start : start + period].tolist():
            total += value
        expected.append(total / period)
    assert np.array_equal(window_means(values, period), expected, equal_nan=True)


def test_a_window_gives_what_a_long_history_gives() -> None:
    long = window_means(VALUES, 30)
    assert all(window_means(VALUES[end - 31 : end], 30)[-1] == long[end - 1] for end in range(31, 3_001, 13))


def test_deviations_are_those_of_each_window() -> None:
    deviations = window_deviations(VALUES, window_means(VALUES, 20), 20)
    assert np.isnan(deviations[:19]).all()
    for end in range(20, 3_001, 97):
        assert deviations[end - 1] == pytest.approx(VALUES[end - 20 : end].std(), rel=1e-12)
