"""The choice of what is traded."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vela.domain.assets import QuoteCurrency
from vela.domain.errors import ConfigurationError
from vela.domain.trading_symbol import TradingSymbol
from vela.engine.universe import Activity, UniverseRules, choose

BTC, ETH, SOL, XRP = (TradingSymbol.from_str(name) for name in ("BTC", "ETH", "SOL", "XRP"))
Symbols = tuple[TradingSymbol, ...]
TOP_2 = UniverseRules(size=2)


def chosen(*activities: Activity, rules: UniverseRules = TOP_2, held: Symbols = ()) -> tuple[Symbols, Symbols]:
    universe = choose(activities, rules, QuoteCurrency.USDT, held)
    return universe.chosen, universe.kept


def test_the_busiest_come_first_and_no_more_than_asked_for() -> None:
    three = Activity(BTC, 90e6, 2.0), Activity(ETH, 300e6, 2.0), Activity(SOL, 200e6, -2.0)
    assert chosen(*three) == ((ETH, SOL), ())


@pytest.mark.parametrize(
    ("volume", "change", "is_in"),
    [
        (50e6, 1.5, True),
        (50e6, -1.5, True),
        (49.9e6, 9.0, False),
        (900e6, 1.49, False),
        (900e6, -1.49, False),
        (math.nan, 9.0, False),
        (math.inf, 9.0, False),
        (900e6, math.nan, False),
    ],
)
def test_only_those_that_are_busy_and_move(volume: float, change: float, is_in: bool) -> None:
    assert chosen(Activity(BTC, volume, change)) == ((BTC,) if is_in else (), ())


@pytest.mark.parametrize("text", ["USDC/USDT", "FDUSD/USDT", "ETH/BTC", "BTC/USDC"])
def test_money_and_other_quotes_are_left_out(text: str) -> None:
    assert chosen(Activity(TradingSymbol.from_str(text), 900e6, 9.0)) == ((), ())


def test_a_position_keeps_its_symbol() -> None:
    assert chosen(Activity(BTC, 90e6, 2.0), Activity(ETH, 1e6, 2.0), held=(XRP, ETH)) == ((BTC,), (ETH, XRP))
    assert chosen(Activity(BTC, 90e6, 2.0), held=(BTC,)) == ((BTC,), ())


@pytest.mark.parametrize(
    "wrong",
    [{"size": 0}, {"size": 5, "min_quote_volume": math.nan}, {"size": 5, "min_move_pct": -1.0}],
)
def test_rules_that_make_no_sense(wrong: dict[str, float]) -> None:
    with pytest.raises(ConfigurationError, match=r"universe .* accepted"):
        UniverseRules(**wrong)  # type: ignore[arg-type]


@given(
    st.permutations([Activity(BTC, 90e6, 2.0), Activity(ETH, 90e6, 3.0), Activity(SOL, 90e6, 4.0)]),
    st.sets(st.sampled_from([BTC, ETH, SOL, XRP])),
)
def test_order_of_figures_does_not_matter_and_nobody_is_twice(
    activities: list[Activity], held: set[TradingSymbol]
) -> None:
    universe = choose(activities, TOP_2, QuoteCurrency.USDT, held)
    assert universe.chosen == (BTC, ETH)
    assert held <= set(universe.symbols)
    assert len(set(universe.symbols)) == len(universe.symbols)
