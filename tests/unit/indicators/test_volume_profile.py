from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.builders import random_walk

from vela.domain.candles import Candles
from vela.indicators.volume_profile import volume_profile

Row = tuple[int, int, int]
rows = st.tuples(st.integers(1, 30), st.integers(0, 12), st.integers(0, 5)).map(lambda r: (r[0], r[0] + r[1], r[2]))


def of(candles: list[Row], lookback: int, bins: int, tick: float = 1.0) -> list[list[float]]:
    low, high, volume = np.array(candles, dtype=np.float64).reshape(-1, 3).T
    profile = volume_profile(high * tick, low * tick, volume, lookback, bins)
    return [list(row) for row in zip(*(series.tolist() for series in profile), strict=True)]


def exact(candles: list[Row], bins: int) -> list[Fraction] | None:
    """Point of control and value area of one window, in exact arithmetic."""
    bottom, top = min(low for low, _, _ in candles), max(high for _, high, _ in candles)
    total = sum(volume for _, _, volume in candles)
    if top == bottom or total == 0:
        return None
    height, filled = Fraction(top - bottom, bins), [Fraction(0)] * bins
    for low, high, volume in candles:
        first, last = (min((price - bottom) // height, bins - 1) for price in (low, high))
        for place in range(first, last + 1):
            filled[place] += Fraction(volume, last - first + 1)
    poc = low_bin = high_bin = filled.index(max(filled))
    while sum(filled[low_bin : high_bin + 1]) < Fraction(7, 10) * total:
        below = filled[low_bin - 1] if low_bin > 0 else -1
        above = filled[high_bin + 1] if high_bin < bins - 1 else -1
        low_bin, high_bin = (low_bin - 1, high_bin) if below >= above else (low_bin, high_bin + 1)
    return [bottom + place * height for place in (poc + Fraction(1, 2), low_bin, high_bin + 1)]


@pytest.mark.parametrize(
    ("candles", "expected"),
    [
        # 2 in each of four bins; 3 in bins 1 and 2, whose lower edge the high meets; 4 in bin 3: 2, 5, 5, 6 of 18.
        # From 6 down to 11 and 16, more than 12.6.
        ([(10, 14, 8), (11, 12, 6), (13, 13, 4)], [13.5, 11.0, 14.0]),
        # 2, 2, 2, 2: the lowest is the point of control, and the area holds 6 of 8 with two more.
        ([(10, 14, 8), (10, 14, 0), (10, 14, 0)], [10.5, 10.0, 13.0]),
        # 1, 4, 10, 4 of 19: with the lower of two equal neighbours 14, enough for 13.3.
        ([(10, 14, 4), (11, 13, 9), (12, 12, 6)], [12.5, 11.0, 13.0]),
        # All in one bin.
        ([(10, 10, 5), (14, 14, 0), (10, 10, 5)], [10.5, 10.0, 11.0]),
        # The highest price belongs to the last bin.
        ([(10, 10, 1), (14, 14, 9), (10, 10, 1)], [13.5, 13.0, 14.0]),
    ],
)
def test_by_hand(candles: list[Row], expected: list[float]):
    assert of(candles, 3, 4)[-1] == expected


def test_bins_that_are_equal_on_paper_are_equal():
    # 0.1 + 0.2 is more than 0.3 by a last digit; the lower bin is the point of control nevertheless.
    price, volume = np.array([10.0, 14.0, 14.0]), np.array([0.3, 0.1, 0.2])
    poc, bottom, top = volume_profile(price, price, volume, 3, 4)
    assert (poc[-1], bottom[-1], top[-1]) == (10.5, 10.0, 14.0)


@given(st.lists(rows, min_size=1, max_size=12), st.integers(2, 6), st.integers(1, 9))
def test_every_row_is_what_exact_arithmetic_gives(candles: list[Row], lookback: int, bins: int):
    for tick in (1.0, 0.1):
        for end, found in enumerate(of(candles, lookback, bins, tick), start=1):
            window = exact(candles[end - lookback : end], bins) if end >= lookback else None
            if window is None:
                assert np.isnan(found).all()
            else:
                assert found == pytest.approx([float(value) * tick for value in window], rel=1e-12)


def test_long_and_short_arrays_agree_to_the_last_bit():
    c = random_walk(1_500, seed=1)
    whole = np.array(volume_profile(c.high, c.low, c.volume, 100, 20))
    for end in range(100, 1_500, 13):
        part = volume_profile(c.high[end - 100 : end], c.low[end - 100 : end], c.volume[end - 100 : end], 100, 20)
        assert [series[-1] for series in part] == whole[:, end - 1].tolist()


def test_the_value_area_holds_the_point_of_control():
    c: Candles = random_walk(1_000, seed=2)
    poc, bottom, top = volume_profile(c.high, c.low, c.volume, 50, 10)
    assert np.isnan([poc[:49], bottom[:49], top[:49]]).all()
    assert (bottom[49:] < poc[49:]).all()
    assert (poc[49:] < top[49:]).all()


@pytest.mark.parametrize("candles", [[], [(10, 12, 1)], [(10, 12, 1)] * 4])
def test_too_few_candles_leave_it_undefined(candles: list[Row]):
    assert np.isnan(of(candles, 5, 4)).all()


@pytest.mark.parametrize("candle", [(10, 10, 5), (10, 14, 0)])
def test_a_range_without_height_and_a_market_without_volume_leave_it_undefined(candle: Row):
    assert np.isnan(of([candle] * 8, 5, 4)).all()
