from __future__ import annotations

import numpy as np
import pytest
from tests.builders import BTC, candles_of
from tests.unit.strategies.reference import NAN, assert_signals, crossings, ema

from vela.domain.candles import Candles
from vela.domain.errors import StrategyError
from vela.strategies.macd_strategy import MacdStrategy


@pytest.mark.parametrize(("fast", "slow", "signal"), [(12, 26, 9), (2, 5, 2), (19, 39, 20)])
def test_signals_are_the_contracts(candles: Candles, fast: int, slow: int, signal: int):
    close = candles.close.tolist()
    # Seeded as TA-Lib does: the fast average begins where the slow one does.
    quick, calm = [NAN] * (slow - fast) + ema(close[slow - fast :], fast), ema(close, slow)
    line = [one - other for one, other in zip(quick, calm, strict=True)]
    smoothed = [NAN] * (slow - 1) + ema(line[slow - 1 :], signal)
    signals = MacdStrategy(fast=fast, slow=slow, signal=signal).analyze(BTC, candles)
    assert_signals(signals, crossings(line, smoothed), crossings(smoothed, line))
    np.testing.assert_allclose(signals.series["signal"], smoothed, rtol=0, atol=1e-12 * max(close))


def test_a_step_up_buys_and_its_fading_sells_once_each():
    signals = MacdStrategy().analyze(BTC, candles_of([100.1] * 60 + [110.0] * 2_000))
    assert np.flatnonzero(signals.buy).tolist() == [60]
    assert len(np.flatnonzero(signals.sell)) == 1


@pytest.mark.parametrize(("fast", "slow"), [(26, 26), (50, 26)])
def test_the_fast_average_must_be_faster(fast: int, slow: int):
    with pytest.raises(StrategyError, match=f"fast was {fast} and slow {slow}; accepted: fast below slow"):
        MacdStrategy(fast=fast, slow=slow)
