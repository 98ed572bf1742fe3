from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from math import ceil, floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vela.domain.execution_rules import fee, limit_fill_ticks, market_fill_ticks, order_slippage_ppm, stop_fill_ticks

ticks = st.integers(1, 10**15)
ppm = st.integers(0, 1_000_000)
moves = st.tuples(ticks, ticks, ticks).map(lambda three: (three[0], min(three), max(three)))


@given(ticks, ppm)
def test_a_market_order_pays_the_exact_slippage_rounded_against_the_trader(price, slippage):
    share = Fraction(slippage, 1_000_000)
    assert market_fill_ticks(price, True, slippage) == ceil(price * (1 + share))
    assert market_fill_ticks(price, False, slippage) == max(1, floor(price * (1 - share)))


@given(ticks, ticks, ppm, st.booleans())
def test_a_market_order_s_price_grows_with_the_market_s(one, other, slippage, is_buy):
    low, high = sorted((one, other))
    assert market_fill_ticks(low, is_buy, slippage) <= market_fill_ticks(high, is_buy, slippage)


@given(ticks, ppm, ppm)
def test_more_slippage_is_never_better(price, one, other):
    less, more = sorted((one, other))
    assert market_fill_ticks(price, True, less) <= market_fill_ticks(price, True, more)
    assert market_fill_ticks(price, False, less) >= market_fill_ticks(price, False, more)


@given(ticks, moves, ppm)
def test_a_stop_is_never_better_than_its_level_and_fills_exactly_when_touched(stop, move, slippage):
    first, low, high = move
    sold = stop_fill_ticks(stop, True, first, low, high, slippage)
    assert (sold > 0) == (low <= stop)
    assert sold <= stop
    bought = stop_fill_ticks(stop, False, first, low, high, slippage)
    assert (bought > 0) == (high >= stop)
    assert bought == 0 or bought >= stop


@given(ticks, moves)
def test_a_limit_is_never_worse_than_its_price_and_lies_inside_the_move(limit, move):
    first, low, high = move
    sold = limit_fill_ticks(limit, True, first, low, high)
    assert (sold > 0) == (high >= limit)
    assert sold == 0 or limit <= sold <= high
    bought = limit_fill_ticks(limit, False, first, low, high)
    assert (bought > 0) == (low <= limit)
    assert bought == 0 or low <= bought <= limit


@pytest.mark.parametrize(
    ("is_sell", "move", "fill"),
    [
        (True, (110, 101, 120), 0),
        (True, (110, 100, 120), 99),  # touched: the level, 1 % less
        (True, (90, 80, 120), 89),  # gapped over: the first price
        (False, (90, 80, 99), 0),
        (False, (90, 80, 100), 101),
        (False, (110, 80, 120), 112),
    ],
)
def test_a_stop_at_100_with_one_per_cent_slippage(is_sell, move, fill):
    first, low, high = move
    assert stop_fill_ticks(100, is_sell, first, low, high, 10_000) == fill


@pytest.mark.parametrize(
    ("is_sell", "move", "fill"),
    [
        (True, (90, 80, 99), 0),
        (True, (90, 80, 100), 100),
        (True, (110, 80, 120), 110),
        (False, (110, 101, 120), 0),
        (False, (110, 100, 120), 100),
        (False, (90, 80, 120), 90),
    ],
)
def test_a_limit_at_100(is_sell, move, fill):
    assert limit_fill_ticks(100, is_sell, *move) == fill


def test_a_price_stays_above_zero():
    assert market_fill_ticks(1, False, 500) == 1


def test_the_fee_is_exact():
    assert fee(Decimal("0.001"), Decimal("97000.01"), Decimal("0.00123")) == Decimal("0.1193100123")


@given(st.decimals(0, 1, places=6), st.decimals(1, 10**6, places=8), st.decimals(1, 10**6, places=8))
def test_the_fee_equals_the_fraction(rate, price, quantity):
    assert Fraction(fee(rate, price, quantity)) == Fraction(rate) * Fraction(price) * Fraction(quantity)


@pytest.mark.parametrize(
    ("steps", "volume", "expected"),
    [
        (0, 100.0, 500),  # nothing moves nothing
        (1_000, 100.0, 2_500),  # 1 of 100: a tenth of 20,000
        (100_000, 100.0, 20_500),
        (900_000, 100.0, 20_500),  # more than there is: no more than the whole
        (1, 0.0, 20_500),
        (3, 0.1, 3_965),  # the root of 0.03 is 0.17320…, 3,464.1 up
    ],
)
def test_an_order_s_impact_by_hand(steps, volume, expected):
    assert order_slippage_ppm(steps, 0.001, volume, 500, 20_000) == expected
    assert order_slippage_ppm(steps, 0.001, volume, 500, 0) == 500


@given(st.integers(0, 10**12), st.integers(0, 10**12), st.floats(0, 1e12), ppm)
def test_a_larger_order_never_loses_less(one, other, volume, impact):
    less, more = sorted((one, other))
    assert 0 <= order_slippage_ppm(less, 0.01, volume, 0, impact) <= order_slippage_ppm(more, 0.01, volume, 0, impact)
    assert order_slippage_ppm(more, 0.01, volume, 0, impact) <= impact
