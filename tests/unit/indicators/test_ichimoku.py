from __future__ import annotations

import numpy as np
import pytest
from tests.builders import random_walk

from vela.indicators.ichimoku import DISPLACEMENT, ichimoku


def test_lines_by_hand():
    high = np.array([3.0, 5.0, 4.0, 9.0, 6.0])
    low = np.array([1.0, 2.0, 2.0, 4.0, 5.0])
    lines = ichimoku(high, low, 2, 3, 4)
    np.testing.assert_array_equal(lines.tenkan, [np.nan, 3.0, 3.5, 5.5, 6.5])
    np.testing.assert_array_equal(lines.kijun, [np.nan, np.nan, 3.0, 5.5, 5.5])
    assert np.isnan(lines.cloud_top).all()


def test_the_cloud_by_hand():
    # As above: span A 3.25, 5.5, 6.0 from the third candle on, span B (9 + 1) / 2 and (9 + 2) / 2 from the fourth.
    after = np.full(DISPLACEMENT, 50.0)
    high, low = np.array([3.0, 5.0, 4.0, 9.0, 6.0]), np.array([1.0, 2.0, 2.0, 4.0, 5.0])
    lines = ichimoku(np.concatenate((high, after)), np.concatenate((low, after)), 2, 3, 4)
    np.testing.assert_array_equal(lines.cloud_top[-5:], [np.nan, np.nan, np.nan, 5.5, 6.0])
    np.testing.assert_array_equal(lines.cloud_bottom[-5:], [np.nan, np.nan, np.nan, 5.0, 5.5])


def test_a_straight_line_by_hand():
    # At candle t the midpoint of p candles of the line t ± 1 is t - (p - 1) / 2.
    line = 200.0 + np.arange(120.0)
    lines = ichimoku(line + 1, line - 1, 9, 26, 52)
    np.testing.assert_array_equal(lines.tenkan[8:], line[8:] - 4)
    np.testing.assert_array_equal(lines.kijun[25:], line[25:] - 12.5)
    np.testing.assert_array_equal(lines.cloud_top[77:], line[77:] - 26 - 8.25)
    np.testing.assert_array_equal(lines.cloud_bottom[77:], line[77:] - 26 - 25.5)
    assert np.isnan(lines.cloud_top[:77]).all()
    assert np.isnan(lines.cloud_bottom[:77]).all()


def test_the_cloud_knows_nothing_of_the_newest_26_candles():
    c = random_walk(300, seed=1)
    changed = c.high.copy()
    changed[-DISPLACEMENT:] *= 3
    before, after = (ichimoku(high, c.low, 9, 26, 52) for high in (c.high, changed))
    np.testing.assert_array_equal(after.cloud_top, before.cloud_top)
    np.testing.assert_array_equal(after.cloud_bottom, before.cloud_bottom)
    changed[-DISPLACEMENT - 1] *= 3
    assert ichimoku(changed, c.low, 9, 26, 52).cloud_top[-1] > before.cloud_top[-1]


@pytest.mark.parametrize("count", [0, 1, 8, 77])
def test_too_few_candles_leave_the_cloud_undefined(count: int):
    c = random_walk(80, seed=2).slice(0, count)
    lines = ichimoku(c.high, c.low, 9, 26, 52)
    assert [line.shape for line in lines] == [(count,)] * 4
    assert np.isnan(lines.cloud_top).all()
    assert np.isnan(lines.tenkan[:8]).all()
