from __future__ import annotations

import numpy as np
import pytest
from tests.builders import BTC, candles_of
from tests.unit.strategies.reference import NAN, assert_signals, crossings

from vela.domain.candles import Candles
from vela.domain.errors import StrategyError
from vela.strategies.ichimoku_cloud import IchimokuCloud


@pytest.mark.parametrize("periods", [(9, 26, 52), (3, 5, 10), (20, 60, 120)])
def test_signals_are_the_contracts(candles: Candles, periods: tuple[int, int, int]):
    columns: tuple[list[float], ...] = candles.high.tolist(), candles.low.tolist(), candles.close.tolist()
    high, low, close = columns

    def midpoint(t: int, period: int) -> float:
        return (max(high[t - period + 1 : t + 1]) + min(low[t - period + 1 : t + 1])) / 2

    top, bottom = [NAN] * len(close), [NAN] * len(close)
    for t in range(26 + periods[2] - 1, len(close)):
        tenkan, kijun, span_b = (midpoint(t - 26, period) for period in periods)
        top[t], bottom[t] = max((tenkan + kijun) / 2, span_b), min((tenkan + kijun) / 2, span_b)
    strategy = IchimokuCloud(tenkan_period=periods[0], kijun_period=periods[1], senkou_b_period=periods[2])
    signals = strategy.analyze(BTC, candles)
    assert_signals(signals, crossings(close, top), crossings(bottom, close))
    np.testing.assert_array_equal(signals.series["cloud_top"], top)
    np.testing.assert_array_equal(signals.series["cloud_bottom"], bottom)


def test_a_step_out_of_a_flat_cloud_buys_and_the_step_below_it_sells():
    signals = IchimokuCloud().analyze(BTC, candles_of([100.0] * 90 + [101.0] * 5 + [99.0] * 5))
    assert np.flatnonzero(signals.buy).tolist() == [90]
    assert np.flatnonzero(signals.sell).tolist() == [95]


def test_the_warmup_reaches_from_the_row_before_back_to_the_first_candle_of_its_cloud():
    assert IchimokuCloud().warmup == 1 + 26 + 52


@pytest.mark.parametrize(
    "values", [{"tenkan_period": 26}, {"kijun_period": 52}, {"tenkan_period": 30, "kijun_period": 20}]
)
def test_each_period_must_be_longer_than_the_one_before(values: dict[str, int]):
    with pytest.raises(StrategyError, match="accepted: tenkan below kijun below senkou_b"):
        IchimokuCloud(**values)
