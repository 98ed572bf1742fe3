from __future__ import annotations

import math

import numpy as np
import pytest
from tests.builders import BTC, candles_of
from tests.unit.strategies.reference import NAN, assert_signals, crossings

from vela.domain.candles import Candles
from vela.strategies.bollinger_breakout import BollingerBreakout


@pytest.mark.parametrize(("period", "num_std"), [(20, 2.0), (6, 1.5), (100, 2.5)])
def test_signals_are_the_contracts(candles: Candles, period: int, num_std: float):
    close = candles.close.tolist()
    lower, upper = [NAN] * len(close), [NAN] * len(close)
    for t in range(period - 1, len(close)):
        window = close[t - period + 1 : t + 1]
        mean = math.fsum(window) / period
        reach = num_std * math.sqrt(math.fsum((value - mean) ** 2 for value in window) / period)
        if min(window) < max(window):  # bands without width are none
            lower[t], upper[t] = mean - reach, mean + reach
    signals = BollingerBreakout(period=period, num_std=num_std).analyze(BTC, candles)
    assert_signals(signals, crossings(close, lower), crossings(upper, close))
    defined = np.isfinite(lower)
    np.testing.assert_allclose(signals.series["lower"][defined], np.array(lower)[defined], rtol=1e-12)


def test_the_way_back_is_the_signal_not_the_way_out():
    wave = [100.0, 101.0] * 15
    signals = BollingerBreakout().analyze(BTC, candles_of([*wave, 90.0, 100.0, *wave, 110.0, 101.0]))
    assert np.flatnonzero(signals.buy).tolist() == [31]
    assert np.flatnonzero(signals.sell).tolist() == [63]


@pytest.mark.parametrize("step", [10.0, -10.0])
def test_leaving_a_market_that_stood_still_is_no_signal(step: float):
    signals = BollingerBreakout().analyze(BTC, candles_of([100.1] * 40 + [100.1 + step]))
    assert not signals.buy.any()
    assert not signals.sell.any()
