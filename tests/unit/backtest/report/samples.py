from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from tests.builders import BTC, MINUTE, random_walk

from vela.backtest import BacktestConfig, BacktestResult, backtest
from vela.domain.candles import Candles
from vela.domain.checked_candles import CheckedCandles, check_candles
from vela.domain.trading_symbol import TradingSymbol
from vela.engine.rules import TradingRules
from vela.strategies.base import Strategy
from vela.strategies.sma_crossover import SmaCrossover

Data = dict[TradingSymbol, CheckedCandles]


def run(
    candles: Mapping[TradingSymbol, Candles] | None = None,
    strategy: Strategy | None = None,
    *,
    allow_short: bool = False,
    **rules,
) -> tuple[BacktestResult, Data]:
    """Trade a random walk, or what is given."""
    series = candles or {BTC: random_walk(3_000, 7, 0.004)}
    config = BacktestConfig(TradingRules(**{"fee_rate": Decimal(0), **rules}), allow_short)
    data = {symbol: check_candles(part, MINUTE) for symbol, part in series.items()}
    return backtest(strategy or SmaCrossover(), series, config), data
