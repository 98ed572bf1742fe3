from __future__ import annotations

import math
from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vela.adapters.exchanges.unified.reading import MessageError, market_number, moment, money, quantity, text

ANYTHING = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(),
    st.lists(st.integers()),
    st.dictionaries(st.text(), st.none()),
)


def test_a_time_is_in_ms():
    assert moment({"T": 1_700_000_000_000}, "T") == 1_700_000_000_000


@pytest.mark.parametrize(
    "value", [1_700_000_000, 1_700_000_000_000_000, 1.7e12, "1700000000000", True, None, -1], ids=str
)
def test_a_time_in_another_unit_is_none(value):
    with pytest.raises(MessageError, match="ms since 1970"):
        moment({"T": value}, "T")


def test_numbers_of_the_market_are_finite_and_not_below_zero():
    assert market_number({"p": "0.01"}, "p") == 0.01
    assert market_number({"p": 5}, "p") == 5.0
    value: object
    for value in ("NaN", "Infinity", "-1", "1e999", math.nan, None, "", "x", []):
        with pytest.raises(MessageError):
            market_number({"p": value}, "p")
    with pytest.raises(MessageError):
        market_number({}, "p")


def test_money_keeps_every_digit_and_may_be_below_zero():
    assert money({"n": "-0.000000010"}, "n") == Decimal("-0.000000010")
    assert quantity({"z": "123456789.123456789123456789"}, "z") == Decimal("123456789.123456789123456789")
    with pytest.raises(MessageError, match="0 or more"):
        quantity({"z": "-1"}, "z")


@pytest.mark.parametrize("value", ["NaN", "Infinity", "sNaN", 0.1, None, "", "1,5", True], ids=str)
def test_what_is_not_exact_is_no_money(value):
    with pytest.raises(MessageError):
        money({"n": value}, "n")


def test_text_is_not_empty():
    assert text({"i": 42}, "i") == "42"
    assert text({"i": "a"}, "i") == "a"
    value: object
    for value in ("", None, 1.5, True, {}):
        with pytest.raises(MessageError):
            text({"i": value}, "i")


@given(ANYTHING)
def test_whatever_comes_is_a_value_or_that_error(value):
    for read in (moment, market_number, money, quantity, text):
        with suppress(MessageError):
            read({"x": value}, "x")


def test_an_error_does_not_repeat_a_long_value():
    with pytest.raises(MessageError) as problem:
        money({"x": "9" * 100_000 + "x"}, "x")
    assert len(str(problem.value)) < 150
