from __future__ import annotations

import numpy as np
import pytest
from tests.builders import BTC, candles_of
from tests.unit.strategies.reference import assert_signals, directional

from vela.domain.candles import Candles
from vela.strategies.adx_trend_filter import AdxTrendFilter


@pytest.mark.parametrize(("period", "threshold"), [(14, 25.0), (5, 40.0), (30, 15.0)])
def test_signals_are_the_contracts(candles: Candles, period: int, threshold: float):
    adx, plus, minus = directional(candles, period)
    buy = [strength >= threshold and up > down for strength, up, down in zip(adx, plus, minus, strict=True)]
    sell = [strength >= threshold and down > up for strength, up, down in zip(adx, plus, minus, strict=True)]
    signals = AdxTrendFilter(adx_period=period, adx_threshold=threshold).analyze(BTC, candles)
    assert_signals(signals, buy, sell)
    for name, expected in (("adx", adx), ("plus_di", plus), ("minus_di", minus)):
        np.testing.assert_allclose(signals.series[name], expected, rtol=1e-9, atol=1e-12)


def test_a_straight_line_signals_on_every_candle_from_the_first_value_on():
    assert AdxTrendFilter().analyze(BTC, candles_of(range(1, 61))).buy.tolist() == [False] * 27 + [True] * 33
    assert AdxTrendFilter().analyze(BTC, candles_of(range(60, 0, -1))).sell.tolist() == [False] * 27 + [True] * 33


def test_a_threshold_that_is_reached_is_enough():
    strategy = AdxTrendFilter()
    strategy.adx_threshold = 100.0
    assert strategy.analyze(BTC, candles_of(2.0 ** np.arange(40))).buy[-1]


def test_a_trend_that_ended_long_ago_is_no_trend():
    signals = AdxTrendFilter().analyze(BTC, candles_of([*range(100, 200), *[200.0] * 800]))
    assert signals.buy[99]
    assert not signals.buy[-300:].any()
