"""Vela, through its public call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal

import msgspec
import numpy as np
from bench.peers import work
from bench.peers.work import Answer, Market, Run
from numpy.typing import NDArray

from vela.backtest import BacktestConfig, BacktestResult, backtest
from vela.domain.candles import Candles
from vela.domain.trading_symbol import TradingSymbol, register_assets
from vela.engine.rules import Stake, TradingRules
from vela.strategies.base import Strategy
from vela.strategies.registry import create_strategy

FREE = TradingRules(
    initial_capital=Decimal(str(work.CAPITAL)),
    stake=Stake.from_str(str(work.STAKE)),
    stop_loss_ppm=0,
    cooldown_ms=0,
    fee_rate=Decimal(0),
    slippage_ppm=0,
)


def rules(**changes) -> BacktestConfig:
    return BacktestConfig(msgspec.structs.replace(FREE, **changes))


def columns(market: Market) -> Candles:
    return Candles.from_columns(*market)


def nothing(result: BacktestResult) -> None:
    """Leave trades and statistics to whoever looks at them, as the call does."""


Then = Callable[[BacktestResult], object]


def answering(
    strategy: Strategy, series: dict[TradingSymbol, Candles], config: BacktestConfig, market: Market, then: Then
) -> Run:
    def run() -> Answer:
        result = backtest(strategy, series, config)
        then(result)
        return Answer(float(result.final_equity), lambda: entries(result, list(series), market))

    return run


def entries(result: BacktestResult, symbols: list[TradingSymbol], market: Market) -> NDArray[np.int64]:
    place: Mapping[TradingSymbol, int] = {symbol: number for number, symbol in enumerate(symbols)}
    opened = [(place[one.symbol], one.entry_time) for one in result.trades]
    opened += [(place[one.symbol], one.entry_time) for one in result.open_positions]
    numbers, times = np.array(opened, dtype=np.int64).T
    return numbers * market.length + market.rows(times)


def crossover(market: Market, then: Then = nothing) -> Run:
    config = rules(stake=Stake.from_str("all"))
    return answering(create_strategy("SmaCrossover"), {TradingSymbol("BTC"): columns(market)}, config, market, then)


def reversion(market: Market, then: Then = nothing) -> Run:
    levels = {"stop_loss_ppm": int(1e6 * work.STOP_LOSS), "take_profit_ppm": int(1e6 * work.TAKE_PROFIT)}
    config = rules(**levels)
    return answering(create_strategy("RsiMeanReversion"), {TradingSymbol("BTC"): columns(market)}, config, market, then)


def shared(market: Market, then: Then = nothing) -> Run:
    names = [f"Q{chr(65 + number // 26)}{chr(65 + number % 26)}Z" for number in range(market.symbols)]
    register_assets(names)
    series = {TradingSymbol(name): columns(market.symbol(number)) for number, name in enumerate(names)}
    config = rules(max_positions=market.symbols)
    return answering(create_strategy("SmaCrossover"), series, config, market, then)


if __name__ == "__main__":
    work.main("vela-trading", {"crossover": crossover, "reversion": reversion, "shared": shared})
