from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.builders import instrument

from vela.engine.risk import entry_cost
from vela.engine.rules import Stake, TradingRules
from vela.engine.sizing import entry_order, entry_steps

prices = st.decimals("1e-8", "1e6", places=8)
balances = st.decimals("0", "1e9", places=12)
steps = st.sampled_from([Decimal(step) for step in ("1e-8", "0.00001", "0.01", "1", "100")])
fees = st.decimals("0", "0.01", places=5)


def size(stake: str, price: str, free: str = "1000", equity: str = "1000", step: str = "0.001") -> int:
    return entry_steps(
        Stake.from_str(stake), Decimal(price), Decimal(step), Decimal(free), Decimal(equity), Decimal("0.001")
    )


@pytest.mark.parametrize(
    ("stake", "price", "expected"),
    [
        ("50", "100", 500),
        ("50", "100.01", 499),
        ("50", "99.99", 500),
        ("5%", "100", 500),
        ("100%", "100", 10_000),
        ("all", "100", 9_990),  # 9.99 × 100 × 1.001 = 999.999
        ("all", "1000000", 0),
        ("0.09", "100", 0),
        ("0.1", "100", 1),
    ],
)
def test_by_hand(stake: str, price: str, expected: int):
    assert size(stake, price) == expected


def test_a_percentage_is_of_equity_and_a_fixed_stake_of_neither():
    assert size("5%", "100", free="10", equity="2000") == 1_000
    assert size("50", "100", free="10", equity="2000") == 500
    assert size("all", "100", free="100.1", equity="2000") == 1_000


def test_all_at_both_sides_of_its_boundary():
    assert size("all", "100", free="100.1") == 1_000
    assert size("all", "100", free="100.099999999999") == 999


@given(prices, steps, balances, fees)
def test_all_spends_the_balance_to_the_last_step_fee_included_and_never_more(price, step, free, fee_rate):
    count = entry_steps(Stake.from_str("all"), price, step, free, free * 2, fee_rate)
    assert entry_cost(price, count * step, fee_rate) <= free < entry_cost(price, (count + 1) * step, fee_rate)


@given(prices, steps, st.decimals("0.01", "1e6", places=2))
def test_a_fixed_stake_is_spent_to_the_last_step_before_the_fee(price, step, amount):
    count = entry_steps(Stake.from_str(str(amount)), price, step, Decimal(0), Decimal(0), Decimal("0.001"))
    assert price * count * step <= amount < price * (count + 1) * step


@given(prices, steps, st.decimals("0.01", "100", places=2), balances)
def test_a_percentage_is_spent_to_the_last_step_before_the_fee(price, step, percent, equity):
    count = entry_steps(Stake.from_str(f"{percent}%"), price, step, Decimal(0), equity, Decimal("0.001"))
    assert price * count * step <= equity * percent / 100 < price * (count + 1) * step


def test_an_order_that_moves_the_price_is_sized_for_it():
    # 10 at 100 would be 10 of 1,000: a tenth of 1 %, so 100.10 and 9.99000; for those 100.10, rounded up.
    rules = TradingRules(stake=Stake.from_str("1000"), slippage_ppm=0, impact_ppm=10_000)
    price, count = entry_order(rules, instrument(step="0.001"), 10_000, 1_000.0, Decimal(5_000), Decimal(5_000))
    assert (price, count) == (Decimal("100.10"), 9_990)


@given(st.integers(100, 10**7), st.floats(0, 1e6), st.decimals("1", "1e6", places=2), st.integers(0, 500_000))
def test_all_that_is_free_pays_for_the_price_that_it_makes(quote, volume, free, impact):
    rules = TradingRules(stake=Stake.from_str("all"), impact_ppm=impact)
    price, count = entry_order(rules, instrument(), quote, volume, free, free)
    assert entry_cost(price, count * instrument().step, rules.fee_rate) <= free
