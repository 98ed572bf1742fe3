# mypy: disable-error-code="comparison-overlap"
# A Decimal equals the int of the same value.
from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.builders import BTC, instrument

from vela.domain.errors import ConfigurationError
from vela.domain.instrument import Instrument

GRIDS = ("1E-8", "0.00001", "0.01", "0.05", "0.25", "1", "10")


@pytest.mark.parametrize("name", ["tick", "step"])
@pytest.mark.parametrize("value", ["0", "-0.01", "NaN", "Infinity"])
def test_a_grid_must_be_above_zero(name: str, value: str):
    grid: dict[str, Any] = {"tick": Decimal(1), "step": Decimal(1), name: Decimal(value)}
    with pytest.raises(ConfigurationError, match=f"{name} of BTC was .*; accepted: a number above 0"):
        Instrument(BTC, **grid)


@pytest.mark.parametrize("name", ["min_notional", "min_quantity"])
@pytest.mark.parametrize("value", ["-1", "NaN", "Infinity"])
def test_a_minimum_must_not_be_below_zero(name: str, value: str):
    minimum: dict[str, Any] = {name: Decimal(value)}
    with pytest.raises(ConfigurationError, match=f"{name} of BTC was .*; accepted: 0 or more"):
        Instrument(BTC, Decimal(1), Decimal(1), **minimum)


def test_without_metadata_the_grid_is_fine_and_there_is_no_minimum():
    raw = Instrument.raw(BTC)
    assert (raw.tick, raw.step, raw.min_notional, raw.min_quantity) == (Decimal("1e-8"), Decimal("1e-8"), 0, 0)


@pytest.mark.parametrize(
    ("price", "ticks"),
    [(100.0, 10_000), (100.004, 10_000), (100.006, 10_001), (0.1 + 0.2, 30), (Decimal("12.34"), 1_234), (1e-9, 0)],
)
def test_a_market_price_is_the_nearest_tick(price: float | Decimal, ticks: int):
    assert instrument().price_ticks(price) == ticks


@given(st.integers(1, 10**13), st.sampled_from(GRIDS))
def test_ticks_and_steps_survive_the_way_through_a_price(count: int, grid: str):
    fine = Instrument(BTC, Decimal(grid), Decimal(grid))
    assert Fraction(fine.price(count)) == count * Fraction(grid)
    assert fine.price_ticks(fine.price(count)) == count
    assert fine.quantity_steps(fine.quantity(count)) == count
    assert Fraction(fine.quantity(count)) == count * Fraction(grid)


@given(st.integers(1, 10**9))
def test_a_price_that_was_a_float_on_the_way_keeps_its_tick(count: int):
    btc = instrument()
    assert btc.price_ticks(float(btc.price(count))) == count


@given(st.decimals("0", "1e6", places=9), st.sampled_from(GRIDS))
def test_only_whole_steps_count(quantity: Decimal, grid: str):
    coarse = Instrument(BTC, Decimal(1), Decimal(grid))
    steps = coarse.quantity_steps(quantity)
    assert coarse.quantity(steps) <= quantity < coarse.quantity(steps + 1)


@pytest.mark.parametrize(
    ("price", "quantity", "passes"),
    [
        ("100", "0.05", True),
        ("99.99", "0.05", False),
        ("100", "0.04999", False),
        ("1000000", "0.00001", True),
        ("1000000", "0.000009", False),
        ("100", "0", False),
        ("100", "-1", False),
    ],
)
def test_minimums_at_both_sides_of_their_boundaries(price: str, quantity: str, passes: bool):
    assert instrument(notional="5").is_orderable(Decimal(price), Decimal(quantity)) is passes


def test_nothing_can_be_ordered_as_nothing():
    assert not Instrument.raw(BTC).is_orderable(Decimal(100), Decimal(0))
    assert Instrument.raw(BTC).is_orderable(Decimal("1e-8"), Decimal("1e-8"))


@pytest.mark.parametrize(
    ("notional", "quantity", "value", "steps"),
    [("0", "0", 0, 0), ("5", "0.9", 17, 3), ("5.1", "0.91", 17, 4), ("5.11", "0.1", 18, 1)],
)
def test_minimums_are_counted_in_whole_units_rounded_up(notional: str, quantity: str, value: int, steps: int):
    # A tick of 1 and a step of 0.3: a unit of value is 0.3.
    rules = Instrument(BTC, Decimal(1), Decimal("0.3"), Decimal(notional), Decimal(quantity))
    assert (rules.min_value, rules.min_steps) == (value, steps)
