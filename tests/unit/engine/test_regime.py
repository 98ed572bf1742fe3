from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tests.builders import MINUTE, candles_of, random_walk

from vela.domain.candles import COLUMNS, Candles
from vela.domain.regime import MarketRegime
from vela.engine.regime import REGIMES, RegimeTracker, classify, classify_all

R = MarketRegime


@pytest.mark.parametrize(
    ("close", "average", "strength", "true_range", "regime"),
    [
        (100.0, 90.0, 25.0, 8.0, R.BULL_TREND),
        (100.0, 90.0, 24.999, 8.0, R.SIDEWAYS_RANGE),
        (100.0, 110.0, 25.0, 8.0, R.BEAR_TREND),
        (100.0, 110.0, 24.999, 8.0, R.SIDEWAYS_RANGE),
        (100.0, 100.0, 90.0, 8.0, R.SIDEWAYS_RANGE),
        (100.0, 90.0, 25.0, 8.0001, R.HIGH_VOLATILITY),
        (100.0, 110.0, 90.0, 8.0001, R.HIGH_VOLATILITY),
        (100.0, 90.0, 0.0, 50.0, R.HIGH_VOLATILITY),
        (100.0, 90.0, 0.0, 0.0, R.SIDEWAYS_RANGE),
    ],
)
def test_the_rule_at_its_boundaries_high_volatility_first(close, average, strength, true_range, regime):
    assert REGIMES[classify(close, average, strength, true_range)] is regime


def told(candles: Candles) -> list[MarketRegime]:
    return [REGIMES[number] for number in classify_all(candles)]


def tracked(candles: Candles) -> list[MarketRegime]:
    tracker = RegimeTracker()
    return [tracker.update(candle) for candle in candles.rows()]


@pytest.mark.parametrize("volatility", [0.001, 0.01, 0.03, 0.06, 0.1])
@pytest.mark.parametrize("seed", range(4))
def test_following_candle_by_candle_says_the_same_as_all_at_once(seed: int, volatility: float):
    candles = random_walk(1_500, seed, volatility)
    assert tracked(candles) == told(candles)


def test_random_walks_reach_every_regime():
    seen = {regime for volatility in (0.01, 0.045, 0.1) for regime in told(random_walk(1_500, 1, volatility))}
    assert seen == set(R)


def test_following_real_candles_says_the_same_as_all_at_once(shared_data: Path):
    table = pl.read_parquet(shared_data / "candles" / "binance" / "BTCUSDT" / "5m.parquet").head(30_000)
    columns = (table[name].to_numpy().copy() for name in ("open_time", *COLUMNS))
    candles = Candles.from_columns(*columns)
    regimes = told(candles)
    assert tracked(candles) == regimes
    assert set(regimes) >= {R.UNKNOWN, R.BULL_TREND, R.BEAR_TREND, R.SIDEWAYS_RANGE}


@pytest.mark.parametrize("count", [0, 1, 14, 199, 200, 201, 202])
def test_unknown_under_200_candles_and_not_from_there_on(count: int):
    candles = random_walk(202, seed=3).slice(0, count)
    regimes = told(candles)
    assert regimes == tracked(candles)
    assert [regime is R.UNKNOWN for regime in regimes] == [index < 199 for index in range(count)]


@pytest.mark.parametrize(("step", "regime"), [(1.0, R.BULL_TREND), (-1.0, R.BEAR_TREND)])
def test_a_long_straight_move_is_a_trend(step: float, regime: MarketRegime):
    candles = candles_of(500.0 + step * np.arange(300))
    assert set(told(candles)[199:]) == {regime}


def test_a_market_that_stands_still_is_a_range():
    assert set(told(candles_of([100.0] * 300))[199:]) == {R.SIDEWAYS_RANGE}


def test_wild_candles_are_high_volatility_even_in_a_trend():
    close = 500.0 + np.arange(300.0)
    times = np.arange(300, dtype=np.int64) * MINUTE
    candles = Candles.from_columns(times, close, close * 1.05, close * 0.95, close, close)
    assert set(told(candles)[199:]) == {R.HIGH_VOLATILITY}
    assert tracked(candles) == told(candles)


def test_a_tracker_remembers_its_newest_regime():
    tracker = RegimeTracker()
    assert tracker.regime.value == "unknown"
    for candle in candles_of(500.0 + np.arange(250)).rows():
        assert tracker.update(candle) is tracker.regime
    assert tracker.regime.value == "bull_trend"


def test_the_future_changes_no_regime():
    candles = random_walk(600, seed=9, volatility=0.04)
    whole = told(candles)
    for count in (200, 201, 350, 599):
        assert told(candles.slice(0, count)) == whole[:count]
