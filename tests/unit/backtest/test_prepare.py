from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from tests.builders import BTC, ETH, random_walk

from vela.backtest import BacktestConfig, backtest, kernel
from vela.domain.candles import COLUMNS, Candles
from vela.domain.errors import ConfigurationError
from vela.engine.rules import TradingRules
from vela.strategies.sma_crossover import SmaCrossover


def test_the_loop_is_compiled_once_whatever_it_is_given() -> None:
    one, other = random_walk(300, 1), random_walk(300, 2)
    table = np.array([getattr(one, name) for name in COLUMNS]).T  # a column has gaps between its values
    spread = Candles.from_columns(one.open_time, *(table[:, column] for column in range(5)))
    wide = BacktestConfig(TradingRules(regime_filter=True, impact_ppm=10, take_profit_ppm=5_000))
    for candles in (one, spread, {BTC: one, ETH: other}):
        for config in (BacktestConfig(), wide):
            for detail in ({}, {BTC: one}):
                backtest(SmaCrossover(), candles, config, detail=detail)
                backtest(SmaCrossover(), {BTC: one, ETH: other.slice(0, 200)}, config, detail=detail)
    assert len(kernel._run_aligned.signatures) == 1  # type: ignore[attr-defined]  # a compiled function's
    assert len(kernel._run_gappy.signatures) == 1  # type: ignore[attr-defined]


def test_a_column_with_gaps_gives_the_same() -> None:
    candles = random_walk(2_000, 3, 0.004)
    table = np.array([getattr(candles, name) for name in COLUMNS]).T
    spread = Candles.from_columns(candles.open_time, *(table[:, column] for column in range(5)))
    trades = backtest(SmaCrossover(), candles).trades
    assert trades
    assert backtest(SmaCrossover(), spread).trades == trades


@pytest.mark.parametrize("rate", ["-0.001", "1", "NaN"])
def test_a_fee_that_takes_all_is_refused(rate: str) -> None:
    with pytest.raises(ConfigurationError, match=r"accepted: 0 or more, below 1"):
        backtest(SmaCrossover(), random_walk(100, 1), BacktestConfig(TradingRules(fee_rate=Decimal(rate))))
