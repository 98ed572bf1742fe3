from __future__ import annotations

import numpy as np
import pytest
from tests.builders import BTC, random_walk

from vela.domain.candles import Candles
from vela.domain.errors import StrategyError
from vela.domain.regime import MarketRegime
from vela.domain.signal import Signals
from vela.engine.decide import decide
from vela.strategies.base import Strategy
from vela.strategies.registry import SHIPPED, create_strategy

DEFAULTS = {
    "SmaCrossover": {"fast": 10, "slow": 30},
    "RsiMeanReversion": {"period": 14, "oversold": 30, "overbought": 70},
}
VARIANTS = [
    *((name, {}) for name in SHIPPED),
    ("SmaCrossover", {"fast": 5, "slow": 20}),
    ("SmaCrossover", {"fast": 50, "slow": 200}),
    ("RsiMeanReversion", {"period": 5}),
    ("RsiMeanReversion", {"period": 50, "oversold": 45, "overbought": 55}),
]
every_variant = pytest.mark.parametrize(("name", "values"), VARIANTS)


def market(count: int, seed: int) -> Candles:
    """Candles on a coarse grid: averages and closes are often exactly equal, where rounding would show."""
    walk = random_walk(count, seed)
    grid = [np.maximum(np.round(column, 1), 0.1) for column in (walk.open, walk.high, walk.low, walk.close)]
    return Candles.from_columns(walk.open_time, grid[0], grid[1], grid[2], grid[3], walk.volume)


def rows(signals: Signals) -> dict[str, list[float]]:
    confidence = {} if signals.confidence is None else {"confidence": signals.confidence}
    columns = {"buy": signals.buy, "sell": signals.sell, **confidence, **signals.series}
    return {name: column.tolist() for name, column in columns.items()}


def same(first: Signals, second: Signals, count: int) -> bool:
    one, two = rows(first), rows(second)
    return one.keys() == two.keys() and all(np.array_equal(one[n][:count], two[n][:count], equal_nan=True) for n in one)


def test_the_shipped_strategies_have_the_promised_defaults():
    assert {name: create_strategy(name).settings for name in SHIPPED} == DEFAULTS
    assert {name: strategy.__name__ for name, strategy in SHIPPED.items()} == {name: name for name in SHIPPED}


@pytest.mark.parametrize("name", ["", "smacrossover", "Strategy", "x" * 1_000])
def test_an_unknown_name_is_refused_with_those_that_exist(name: str):
    with pytest.raises(StrategyError, match=r"is unknown; accepted: SmaCrossover, RsiMeanReversion$") as refusal:
        create_strategy(name)
    assert len(str(refusal.value)) < 200


def test_values_reach_the_strategy():
    assert create_strategy("SmaCrossover", fast=7).settings == {"fast": 7, "slow": 30}
    with pytest.raises(StrategyError, match="has no parameter"):
        create_strategy("SmaCrossover", period=7)


@every_variant
def test_signals_have_a_row_per_candle(name: str, values):
    signals = create_strategy(name, **values).analyze(BTC, market(700, seed=1))
    assert signals.buy.dtype == signals.sell.dtype == np.bool_
    assert {len(column) for column in rows(signals).values()} == {700}
    assert signals.buy.any()
    assert signals.sell.any()
    assert not (signals.buy & signals.sell).any()


@every_variant
def test_the_future_changes_nothing(name: str, values):
    strategy, candles = create_strategy(name, **values), market(900, seed=2)
    whole = strategy.analyze(BTC, candles)
    for count in (1, 2, 20, 29, 30, 31, *range(50, 900, 37)):
        assert same(strategy.analyze(BTC, candles.slice(0, count)), whole, count), count


@every_variant
def test_the_same_candles_give_the_same_signals_and_stay_as_they_were(name: str, values):
    strategy, candles = create_strategy(name, **values), market(600, seed=3)
    before = candles.rows()
    first = strategy.analyze(BTC, candles)
    strategy.analyze(BTC, market(300, seed=4))
    assert same(first, strategy.analyze(BTC, candles), 600)
    assert candles.rows() == before


def last(strategy: Strategy, candles: Candles) -> tuple[object, list[float]]:
    decision = decide(strategy, BTC, candles, MarketRegime.UNKNOWN)
    return decision.action, list(decision.indicators.values())


@every_variant
def test_a_window_of_the_warmup_is_as_good_as_a_long_history(name: str, values):
    strategy, candles = create_strategy(name, **values), market(5_000, seed=5)
    length = strategy.warmup
    for end in range(max(length, 2_500), 5_000, 7):
        action, indicators = last(strategy, candles.slice(end - length, end))
        expected_action, expected = last(strategy, candles.slice(0, end))
        assert action is expected_action, end
        assert indicators == pytest.approx(expected, rel=1e-12), end


@every_variant
def test_with_one_candle_less_than_the_warmup_something_could_be_missing(name: str, values):
    strategy = create_strategy(name, **values)
    assert strategy.warmup > max(value for value in strategy.settings.values() if isinstance(value, int))
