from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from vela.backtest import wide

words = st.integers(0, 2**63 - 1)
amounts = st.integers(0, 2**124)


def pair(value: int):
    high, low = divmod(value, 2**64)
    return np.int64(high), np.uint64(low)


def whole(value) -> int:
    return int(value[0]) * 2**64 + int(value[1])


@given(words, words)
def test_product_is_exact(a, b):
    assert whole(wide.product(np.int64(a), np.int64(b))) == a * b


@given(st.integers(0, 2**90), st.integers(0, 2**36))
def test_times_is_exact(a, factor):
    assert whole(wide.times(pair(a), np.int64(factor))) == a * factor


@given(amounts, amounts)
def test_sum_difference_and_order_are_exact(a, b):
    assert whole(wide.add(pair(a), pair(b))) == a + b
    assert whole(wide.subtract(pair(a), pair(b))) == a - b
    assert wide.is_less(pair(a), pair(b)) == (a < b)


@given(amounts, amounts, amounts)
def test_a_balance_below_zero_comes_back(a, b, c):
    high, low = wide.subtract(pair(a), pair(a + b))
    assert whole(wide.add((np.int64(high), np.uint64(low)), pair(b + c))) == c


@given(st.integers(0, 2**61), st.integers(1, 2**62), st.integers(0, 2**62))
def test_quotient_is_the_floor(count, unit, rest):
    value = count * unit + min(rest, unit - 1)
    assert wide.quotient(pair(value), pair(unit)) == count


@given(amounts)
def test_approximate_is_near(a):
    assert abs(wide.approximate(pair(a)) - a) <= a * 2**-51
