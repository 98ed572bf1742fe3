from __future__ import annotations

import numpy as np
import pytest
from tests.builders import BTC, candles_of, random_walk

from vela.domain.errors import StrategyError
from vela.indicators.momentum import rsi
from vela.strategies.rsi_mean_reversion import RsiMeanReversion


def test_it_buys_below_and_sells_above_its_levels_on_every_candle():
    candles = random_walk(400, seed=8)
    signals, index = RsiMeanReversion().analyze(BTC, candles), rsi(candles.close, 14)
    assert signals.buy.tolist() == [value < 30 for value in index]
    assert signals.sell.tolist() == [value > 70 for value in index]
    np.testing.assert_array_equal(signals.series["rsi"], index)


def test_a_level_that_is_only_reached_is_not_passed():
    # Two gains of 1 and two losses of 1 over a period of 5 with one standing still leave exactly 50.
    closes = [10.0, 11.0, 10.0, 11.0, 10.0, 10.0]
    index = rsi(np.array(closes), 5)
    assert index[-1] == 50.0
    strategy = RsiMeanReversion(period=5, oversold=45, overbought=55)
    signals = strategy.analyze(BTC, candles_of(closes))
    assert not signals.buy.any()
    assert not signals.sell.any()


def test_falling_prices_buy_and_rising_prices_sell():
    assert RsiMeanReversion().analyze(BTC, candles_of(range(100, 50, -1))).buy.tolist() == [False] * 14 + [True] * 36
    assert RsiMeanReversion().analyze(BTC, candles_of(range(50, 100))).sell.tolist() == [False] * 14 + [True] * 36


@pytest.mark.parametrize(
    "values",
    [
        {"period": 4},
        {"period": 51},
        {"oversold": 4.9},
        {"oversold": 45.1},
        {"overbought": 54.9},
        {"overbought": 95.1},
        {"period": 14.0},
    ],
)
def test_the_ranges(values):
    with pytest.raises(StrategyError, match=r"accepted: a (whole )?number from"):
        RsiMeanReversion(**values)


def test_levels_that_overlap_contradict():
    strategy = RsiMeanReversion()
    strategy.oversold, strategy.overbought = 60.0, 60.0
    with pytest.raises(StrategyError, match="accepted: oversold below overbought"):
        strategy.validate()


@pytest.mark.parametrize("period", [5, 14, 50])
def test_the_start_of_the_window_weighs_less_than_a_double_can_show(period: int):
    left = (1 - 1 / period) ** (RsiMeanReversion(period=period).warmup - period)
    assert left < np.finfo(float).eps
    assert left > 1e-18
