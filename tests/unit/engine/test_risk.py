from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.builders import instrument

from vela.domain.regime import MarketRegime
from vela.engine.risk import Approved, EntryContext, Refusal, Refused, entry_cost, gate_entry
from vela.engine.rules import TradingRules

RULES = TradingRules(max_positions=2, cooldown_ms=600_000, regime_filter=True)
GOOD = EntryContext(
    now=10_000_000,
    last_entry=None,
    has_position=False,
    open_positions=0,
    regime=MarketRegime.SIDEWAYS_RANGE,
    free=Decimal(1000),
    price=Decimal(100),
    quantity=Decimal("0.5"),
)
# Each refuses by its rule; in the order of the rules.
FAULTS: dict[Refusal, dict[str, Any]] = {
    Refusal.POSITION_OPEN: {"has_position": True},
    Refusal.REGIME: {"regime": MarketRegime.BEAR_TREND},
    Refusal.COOLDOWN: {"last_entry": 9_999_999},
    Refusal.MAX_POSITIONS: {"open_positions": 2},
    Refusal.MIN_NOTIONAL: {"quantity": Decimal("0.04")},
    Refusal.BALANCE: {"free": Decimal(1)},
}


def gate(rules: TradingRules = RULES, **changes) -> Refusal | None:
    verdict = gate_entry(msgspec.structs.replace(GOOD, **changes), rules, instrument(notional="5"))
    return verdict.reason if isinstance(verdict, Refused) else None


def test_a_good_entry_passes_with_what_it_may_cost():
    assert gate_entry(GOOD, RULES, instrument()) == Approved(Decimal("50.05"))


@pytest.mark.parametrize("reason", FAULTS)
def test_each_rule_alone(reason: Refusal):
    assert gate(**FAULTS[reason]) is reason


@pytest.mark.parametrize("position", range(len(FAULTS)))
def test_the_first_rule_against_it_is_named(position: int):
    expected = list(FAULTS)[position]
    together = {name: value for fault in list(FAULTS.values())[position:] for name, value in fault.items()}
    assert gate(**together) is expected


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"last_entry": 9_400_001}, Refusal.COOLDOWN),
        ({"last_entry": 9_400_000}, None),
        ({"last_entry": 0}, None),
        ({"open_positions": 1}, None),
        ({"open_positions": 3}, Refusal.MAX_POSITIONS),
        ({"quantity": Decimal("0.05108")}, None),
        ({"quantity": Decimal("0.05107")}, Refusal.MIN_NOTIONAL),
        ({"free": Decimal("50.05")}, None),
        ({"free": Decimal("50.049999999999")}, Refusal.BALANCE),
        ({"free": Decimal(0)}, Refusal.BALANCE),
        ({"free": Decimal(0), "quantity": Decimal(0)}, Refusal.BALANCE),
        ({"free": Decimal("0.0009"), "quantity": Decimal(0)}, Refusal.BALANCE),
        ({"free": Decimal(1000), "quantity": Decimal(0)}, Refusal.MIN_NOTIONAL),
    ],
)
def test_both_sides_of_each_boundary(changes, reason: Refusal | None):
    assert gate(**changes) is reason


@pytest.mark.parametrize("regime", MarketRegime)
def test_only_the_filter_looks_at_the_regime(regime: MarketRegime):
    unsuitable = regime in {MarketRegime.BEAR_TREND, MarketRegime.HIGH_VOLATILITY}
    assert gate(regime=regime) is (Refusal.REGIME if unsuitable else None)
    assert gate(msgspec.structs.replace(RULES, regime_filter=False), regime=regime) is None


def test_no_cooldown_lets_an_entry_follow_at_once():
    assert gate(msgspec.structs.replace(RULES, cooldown_ms=0), last_entry=GOOD.now) is None


amounts = st.decimals("1e-8", "1e7", places=8)


@given(amounts, amounts, st.decimals("0", "0.01", places=5))
def test_the_cost_of_an_entry_is_exact(price: Decimal, quantity: Decimal, fee_rate: Decimal):
    expected = Fraction(price) * Fraction(quantity) * (1 + Fraction(fee_rate))
    assert Fraction(entry_cost(price, quantity, fee_rate)) == expected


@given(amounts, amounts, st.decimals("0", "1e9", places=8))
def test_what_passes_can_be_paid(price: Decimal, quantity: Decimal, free: Decimal):
    context = msgspec.structs.replace(GOOD, price=price, quantity=quantity, free=free)
    verdict = gate_entry(context, RULES, instrument())
    if isinstance(verdict, Approved):
        assert verdict.value == entry_cost(price, quantity, RULES.fee_rate) <= free
        assert price * quantity >= 5
    else:
        assert verdict.reason in {Refusal.BALANCE, Refusal.MIN_NOTIONAL}


@pytest.mark.parametrize(
    ("rules", "least"),
    [
        (TradingRules(stop_loss_ppm=0, fee_rate=Decimal(0)), "0.05"),
        (TradingRules(stop_loss_ppm=0, fee_rate=Decimal("0.001")), "0.05006"),
        (TradingRules(stop_loss_ppm=50_000, fee_rate=Decimal(0)), "0.05264"),
        (TradingRules(stop_loss_ppm=50_000, trailing_ppm=10_000, fee_rate=Decimal(0)), "0.05264"),
        (TradingRules(stop_loss_ppm=0, trailing_ppm=50_000, fee_rate=Decimal(0)), "0.05264"),
    ],
)
def test_an_entry_is_so_large_that_its_stop_reaches_the_minimum_too(rules: TradingRules, least: str):
    assert gate(rules, quantity=Decimal(least)) is None
    assert gate(rules, quantity=Decimal(least) - Decimal("0.00001")) is Refusal.MIN_NOTIONAL
