from __future__ import annotations

import numpy as np
import pytest
from tests.builders import BTC, candles_of

from vela.domain.errors import StrategyError
from vela.strategies.sma_crossover import SmaCrossover


def test_a_step_up_buys_and_the_step_back_sells_once_each():
    closes = [100.0] * 30 + [110.0] * 40 + [100.0] * 40
    signals = SmaCrossover(fast=5, slow=20).analyze(BTC, candles_of(closes))
    assert np.flatnonzero(signals.buy).tolist() == [30]
    assert np.flatnonzero(signals.sell).tolist() == [70]


def test_series_are_the_two_averages():
    signals = SmaCrossover(fast=5, slow=20).analyze(BTC, candles_of(range(1, 41)))
    assert list(signals.series) == ["fast", "slow"]
    assert signals.series["fast"][-1] == 38.0
    assert signals.series["slow"][-1] == 30.5
    assert np.isnan(signals.series["fast"]).sum() == 4
    assert np.isnan(signals.series["slow"]).sum() == 19


def test_no_signal_before_the_slow_average_has_a_row_to_compare_with():
    signals = SmaCrossover(fast=5, slow=20).analyze(BTC, candles_of([100.0] * 15 + [120.0] * 10))
    assert not signals.buy[:20].any()
    assert SmaCrossover(fast=5, slow=20).warmup == 21


def test_a_market_that_stands_still_gives_no_signal():
    signals = SmaCrossover().analyze(BTC, candles_of([0.1] * 200))
    assert not signals.buy.any()
    assert not signals.sell.any()


@pytest.mark.parametrize(("fast", "slow"), [(20, 20), (50, 20), (21, 20)])
def test_the_fast_average_must_be_faster(fast: int, slow: int):
    with pytest.raises(StrategyError, match=f"fast was {fast} and slow {slow}; accepted: fast below slow"):
        SmaCrossover(fast=fast, slow=slow)


@pytest.mark.parametrize("values", [{"fast": 4}, {"fast": 51}, {"slow": 19}, {"slow": 201}, {"fast": 10.0}])
def test_the_ranges_of_the_contract(values):
    with pytest.raises(StrategyError, match="accepted: a whole number from"):
        SmaCrossover(**values)
