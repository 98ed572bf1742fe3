from __future__ import annotations

import numpy as np
import pytest

from vela.indicators.rolling import window_squares, window_sums

VALUES = np.random.default_rng(5).normal(100, 7, 3_000)


@pytest.mark.parametrize("period", [1, 2, 7, 30, 200, 3_000])
@pytest.mark.parametrize("count", [3_000, 1_537])
def test_every_sum_is_added_up_oldest_value_first(period: int, count: int) -> None:
    values = VALUES[:count]
    if period > count:
        return
    expected = []
    for start in range(count - period + 1):
        total = 0.0
        for value in values[start : start + period].tolist():
            total += value
        expected.append(total)
    assert window_sums(values, period).tolist() == expected


def test_a_window_gives_what_a_long_history_gives() -> None:
    long = window_sums(VALUES, 30)
    assert all(window_sums(VALUES[end - 31 : end], 30)[-1] == long[end - 30] for end in range(31, 3_001, 13))


def test_squares_are_of_the_distance_from_the_windows_mean() -> None:
    means = window_sums(VALUES, 20) / 20
    squares = window_squares(VALUES, means, 20)
    for start in range(0, len(means), 97):
        window = VALUES[start : start + 20]
        assert squares[start] == pytest.approx(20 * window.var(), rel=1e-10)
