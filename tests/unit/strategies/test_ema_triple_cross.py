from __future__ import annotations

import numpy as np
import pytest
from tests.builders import BTC, candles_of
from tests.unit.strategies.reference import assert_signals, ema

from vela.domain.candles import Candles
from vela.domain.errors import StrategyError
from vela.strategies.ema_triple_cross import EmaTripleCross


@pytest.mark.parametrize("periods", [(5, 20, 50), (2, 5, 10), (12, 50, 120)])
def test_signals_are_the_contracts(candles: Candles, periods: tuple[int, int, int]):
    fast, medium, slow = (ema(candles.close.tolist(), period) for period in periods)
    rows = range(len(candles))
    up = [fast[t] > medium[t] > slow[t] for t in rows]
    down = [fast[t] < medium[t] < slow[t] for t in rows]
    known = [t >= periods[2] for t in rows]  # this row and the one before are defined
    buy = [known[t] and up[t] and not up[t - 1] for t in rows]
    sell = [known[t] and down[t] and not down[t - 1] for t in rows]
    strategy = EmaTripleCross(fast=periods[0], medium=periods[1], slow=periods[2])
    signals = strategy.analyze(BTC, candles)
    assert_signals(signals, buy, sell)
    np.testing.assert_allclose(signals.series["medium"], medium, rtol=1e-12)


def test_steps_signal_once_each_when_the_order_is_complete():
    # Back at 108 the medium average is 1.98 above it and the slow one 1.09; they come down by 19/21 and 49/51 a candle
    # and meet in the tenth.
    signals = EmaTripleCross().analyze(BTC, candles_of([100.0] * 60 + [110.0] * 60 + [108.0] * 60))
    assert np.flatnonzero(signals.buy).tolist() == [60]
    assert np.flatnonzero(signals.sell).tolist() == [129]


def test_an_order_that_holds_as_soon_as_it_is_known_has_not_begun():
    signals = EmaTripleCross().analyze(BTC, candles_of(range(1, 100)))
    assert not signals.buy.any()


@pytest.mark.parametrize("values", [{"fast": 20}, {"medium": 50}, {"fast": 30, "medium": 20, "slow": 10}])
def test_each_average_must_be_slower_than_the_one_before(values: dict[str, int]):
    with pytest.raises(StrategyError, match="accepted: fast below medium below slow"):
        EmaTripleCross(**values)
