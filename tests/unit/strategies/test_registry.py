from __future__ import annotations

import numpy as np
import pytest
from tests.builders import BTC, MINUTE, candles_of, random_walk

from vela.domain.candles import Candles
from vela.domain.errors import StrategyError
from vela.domain.regime import MarketRegime
from vela.domain.signal import Signals
from vela.strategies.base import Strategy
from vela.strategies.registry import SHIPPED, create_strategy

DEFAULTS = {
    "SmaCrossover": {"fast": 10, "slow": 30},
    "RsiMeanReversion": {"period": 14, "oversold": 30, "overbought": 70},
    "EmaTripleCross": {"fast": 5, "medium": 20, "slow": 50},
    "BollingerBreakout": {"period": 20, "num_std": 2},
    "KeltnerChannels": {"ema_period": 20, "atr_period": 10, "atr_multiplier": 2},
    "IchimokuCloud": {"tenkan_period": 9, "kijun_period": 26, "senkou_b_period": 52},
    "MacdStrategy": {"fast": 12, "slow": 26, "signal": 9},
    "AdxTrendFilter": {"adx_period": 14, "adx_threshold": 25},
    "VolumeProfile": {"lookback_period": 100, "num_bins": 20, "poc_proximity_pct": 0.5},
}
# Seeds, then (1 - 2/(n+1))^k or (1 - 1/n)^k below 1e-16, of two smoothings together; and one where rows are compared.
WARMUPS = {
    "SmaCrossover": 31,
    "RsiMeanReversion": 14 + 498,
    "EmaTripleCross": 50 + 921 + 1,
    "BollingerBreakout": 21,
    "KeltnerChannels": 20 + 369 + 1,
    "IchimokuCloud": 52 + 26 + 1,
    "MacdStrategy": 26 + 8 + 484 + 1,
    "AdxTrendFilter": 28 + 547,
    "VolumeProfile": 101,
}
VARIANTS = [
    *((name, {}) for name in SHIPPED),
    ("SmaCrossover", {"fast": 5, "slow": 20}),
    ("SmaCrossover", {"fast": 50, "slow": 200}),
    ("RsiMeanReversion", {"period": 5}),
    ("RsiMeanReversion", {"period": 50, "oversold": 45, "overbought": 55}),
    ("EmaTripleCross", {"fast": 2, "medium": 5, "slow": 10}),
    ("EmaTripleCross", {"fast": 5, "medium": 50, "slow": 120}),
    ("BollingerBreakout", {"period": 5, "num_std": 1.0}),
    ("BollingerBreakout", {"period": 200}),
    ("KeltnerChannels", {"ema_period": 5, "atr_period": 50, "atr_multiplier": 1.0}),
    ("KeltnerChannels", {"ema_period": 100, "atr_period": 5, "atr_multiplier": 1.0}),
    ("IchimokuCloud", {"tenkan_period": 3, "kijun_period": 5, "senkou_b_period": 10}),
    ("IchimokuCloud", {"tenkan_period": 50, "kijun_period": 100, "senkou_b_period": 200}),
    ("MacdStrategy", {"fast": 2, "slow": 5, "signal": 2}),
    ("MacdStrategy", {"fast": 30, "slow": 60, "signal": 50}),
    ("AdxTrendFilter", {"adx_period": 5, "adx_threshold": 60}),
    ("AdxTrendFilter", {"adx_period": 30, "adx_threshold": 10}),
    ("VolumeProfile", {"lookback_period": 20, "num_bins": 5}),
    ("VolumeProfile", {"lookback_period": 200, "num_bins": 100}),
]
every_variant = pytest.mark.parametrize(("name", "values"), VARIANTS)
every_strategy = pytest.mark.parametrize("name", SHIPPED)


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


def test_the_warmups_of_the_defaults():
    assert {name: create_strategy(name).warmup for name in SHIPPED} == WARMUPS


@pytest.mark.parametrize("name", ["", "smacrossover", "Strategy", "x" * 1_000])
def test_an_unknown_name_is_refused_with_those_that_exist(name: str):
    with pytest.raises(StrategyError, match=f"is unknown; accepted: {', '.join(DEFAULTS)}$") as refusal:
        create_strategy(name)
    assert len(str(refusal.value)) < 300


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
    for count in (0, 1, 2, 20, 29, 30, 31, *range(50, 900, 17)):
        assert same(strategy.analyze(BTC, candles.slice(0, count)), whole, count), count


@every_variant
def test_the_same_candles_give_the_same_signals_and_stay_as_they_were(name: str, values):
    strategy, candles = create_strategy(name, **values), market(600, seed=3)
    before = candles.rows()
    first = strategy.analyze(BTC, candles)
    strategy.analyze(BTC, market(300, seed=4))
    assert same(first, strategy.analyze(BTC, candles), 600)
    assert candles.rows() == before


def assert_windows_say_the_same(strategy: Strategy, candles: Candles, ends: range) -> None:
    whole, length = strategy.analyze(BTC, candles), strategy.warmup
    for end in ends:
        part = strategy.analyze(BTC, candles.slice(end - length, end))
        found = {name: column[-1] for name, column in rows(part).items()}
        expected = {name: column[end - 1] for name, column in rows(whole).items()}
        assert found == pytest.approx(expected, rel=1e-12, abs=1e-14 * candles.close[end - 1], nan_ok=True), end


@every_variant
def test_a_window_of_the_warmup_is_as_good_as_a_long_history(name: str, values):
    strategy = create_strategy(name, **values)
    assert_windows_say_the_same(strategy, market(5_000, seed=5), range(max(strategy.warmup, 2_500), 5_000, 7))


@every_strategy
def test_a_window_of_the_warmup_is_as_good_on_recorded_candles(name: str, recorded: Candles):
    assert_windows_say_the_same(create_strategy(name), recorded, range(1_000, 3_000, 10))


@every_variant
def test_with_one_candle_less_than_the_warmup_something_could_be_missing(name: str, values):
    strategy = create_strategy(name, **values)
    assert strategy.warmup > max(value for value in strategy.settings.values() if isinstance(value, int))


@every_strategy
@pytest.mark.parametrize("count", [0, 1, 2])
def test_hardly_any_candles_give_no_signal(name: str, count: int):
    signals = create_strategy(name).analyze(BTC, market(2, seed=6).slice(0, count))
    assert {len(column) for column in rows(signals).values()} == {count}
    assert not signals.buy.any()
    assert not signals.sell.any()


# The RSI of prices that never moved is 0 by TA-Lib's definition, and its level is a signal.
with_nothing_to_say = pytest.mark.parametrize("name", [name for name in SHIPPED if name != "RsiMeanReversion"])


@with_nothing_to_say
@pytest.mark.parametrize("price", [1e-5, 0.1, 100.0, 63_123.45])
def test_a_market_that_stands_still_gives_no_signal(name: str, price: float):
    signals = create_strategy(name).analyze(BTC, candles_of([price] * 1_500))
    assert not signals.buy.any()
    assert not signals.sell.any()


def interrupted(still: int) -> Candles:
    """A market that stands still for a while; recursive averages meet in it, but for their last digits."""
    before, after = random_walk(1_200, seed=7), random_walk(600, seed=8)
    scale = before.close[-1] / 100.0
    candles = [*before.rows(), *candles_of([before.close[-1]] * still).rows(), *after.rows()]
    table = np.array([(c.open, c.high, c.low, c.close, c.volume) for c in candles]).T
    table[:4, 1_200 + still :] *= scale
    return Candles.from_columns(np.arange(len(candles)) * MINUTE, *table)


@with_nothing_to_say
def test_a_market_that_came_to_rest_gives_no_signal(name: str):
    signals = create_strategy(name).analyze(BTC, interrupted(1_500))
    assert not signals.buy[2_000:2_700].any()
    assert not signals.sell[2_000:2_700].any()


# What Wilder's directional ratios were before the rest comes back with the next candle that moves.
@pytest.mark.parametrize("name", [name for name in SHIPPED if name not in {"RsiMeanReversion", "AdxTrendFilter"}])
def test_after_a_rest_a_window_still_says_what_a_long_history_says(name: str):
    strategy, candles = create_strategy(name), interrupted(1_500)
    whole = strategy.analyze(BTC, candles)
    for end in range(2_690, 3_300):
        part = strategy.analyze(BTC, candles.slice(end - strategy.warmup, end))
        assert (part.buy[-1], part.sell[-1]) == (whole.buy[end - 1], whole.sell[end - 1]), end


@pytest.mark.parametrize(("name", "parameter"), [(name, key) for name in SHIPPED for key in SHIPPED[name].parameters])
def test_values_beyond_a_parameters_range_are_refused(name: str, parameter: str):
    accepted = SHIPPED[name].parameters[parameter]
    assert accepted.low < accepted.default < accepted.high
    step = 1 if isinstance(accepted.default, int) else 0.01
    for value in (accepted.low - step, accepted.high + step, float("nan"), True):
        with pytest.raises(StrategyError, match=rf"^{name}\.{parameter} was .*; accepted: a (whole )?number from"):
            create_strategy(name, **{parameter: value})


def test_every_shipped_strategy_is_at_home_somewhere():
    home = {regime: {name for name, one in SHIPPED.items() if regime in one.suits} for regime in MarketRegime}
    assert set().union(*home.values()) == set(SHIPPED)
    # Nothing shipped is made for a market in which stops fail, or one that is not known yet.
    assert home[MarketRegime.HIGH_VOLATILITY] == home[MarketRegime.UNKNOWN] == set()
