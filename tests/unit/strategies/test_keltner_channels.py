from __future__ import annotations

import numpy as np
import pytest
from tests.builders import BTC, candles_of
from tests.unit.strategies.reference import assert_signals, atr, crossings, ema

from vela.domain.candles import Candles
from vela.strategies.keltner_channels import KeltnerChannels


@pytest.mark.parametrize(("ema_period", "atr_period", "multiplier"), [(20, 10, 2.0), (10, 30, 1.0), (50, 5, 1.5)])
def test_signals_are_the_contracts(candles: Candles, ema_period: int, atr_period: int, multiplier: float):
    close = candles.close.tolist()
    middle, width = ema(close, ema_period), atr(candles, atr_period)
    lower = [average - multiplier * reach for average, reach in zip(middle, width, strict=True)]
    upper = [average + multiplier * reach for average, reach in zip(middle, width, strict=True)]
    strategy = KeltnerChannels(ema_period=ema_period, atr_period=atr_period, atr_multiplier=multiplier)
    signals = strategy.analyze(BTC, candles)
    assert_signals(signals, crossings(close, lower), crossings(upper, close))
    np.testing.assert_allclose(signals.series["upper"], upper, rtol=1e-12)


def test_the_way_back_is_the_signal_not_the_way_out():
    wave = [100.0, 101.0] * 15
    signals = KeltnerChannels().analyze(BTC, candles_of([*wave, 90.0, 100.0, *wave, 110.0, 101.0]))
    assert np.flatnonzero(signals.buy).tolist() == [31]
    assert np.flatnonzero(signals.sell).tolist() == [63]


@pytest.mark.parametrize("step", [10.0, -10.0])
def test_leaving_a_market_that_stood_still_is_no_signal(step: float):
    signals = KeltnerChannels().analyze(BTC, candles_of([100.1] * 40 + [100.1 + step]))
    assert not signals.buy.any()
    assert not signals.sell.any()


def test_the_longer_memory_of_average_and_range_decides_the_warmup():
    assert KeltnerChannels(ema_period=200).warmup == KeltnerChannels(ema_period=200, atr_period=5).warmup
    assert KeltnerChannels(atr_period=100).warmup == KeltnerChannels(atr_period=100, ema_period=5).warmup
