"""The backtest: data in, the engine's loop, result out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal

import msgspec
import numpy as np

from vela.backtest.config import BacktestConfig
from vela.backtest.kernel import simulate
from vela.backtest.prepare import prepare
from vela.backtest.provenance import provenance
from vela.backtest.result import BacktestResult
from vela.backtest.tables import TRADE_FIELDS, TRADED, new_account, new_book
from vela.domain.candles import Candles
from vela.domain.errors import CandleError
from vela.domain.instrument import Instrument
from vela.domain.money import plain
from vela.domain.trading_symbol import TradingSymbol
from vela.strategies.base import Strategy

_BTC = TradingSymbol("BTC")


def backtest(
    strategy: Strategy,
    candles: Candles | Mapping[TradingSymbol, Candles],
    config: BacktestConfig | None = None,
    *,
    symbol: TradingSymbol = _BTC,
    instruments: Mapping[TradingSymbol, Instrument] | None = None,
    detail: Mapping[TradingSymbol, Candles] | None = None,
    analysed: Callable[[float], None] = lambda _: None,
) -> BacktestResult:
    """Trade the past by the rules that trade live.

    Args:
        strategy: looks at every symbol.
        candles: of one symbol, or of several on shared capital; checked (`candle_fault`), ascending.
        config: the rules and the window; default rules where None.
        symbol: whose candles they are, where only one series is given.
        instruments: trading rules of the venue; `Instrument.raw` where a symbol has none.
        detail: finer candles that settle which of stop and take-profit came first inside a candle.
        analysed: told after each symbol what part of them the strategy has analysed, 0 to 1.

    Raises:
        CandleError: there are no candles, or none in the window.
        StrategyError: the strategy's answer cannot be used.
        ConfigurationError: the account's money cannot be counted exactly.
    """
    config = config or BacktestConfig()
    series = dict(candles) if isinstance(candles, Mapping) else {symbol: candles}
    window = {name: _cut(part, config.start, config.end) for name, part in series.items()}
    window = {name: part for name, part in window.items() if len(part)}
    if not window:
        raise CandleError("there are no candles in the window; accepted: at least one")
    prepared = prepare(
        strategy,
        window,
        instruments or {},
        config.rules,
        allow_short=config.allow_short,
        detail=detail,
        decide_from=config.decide_from,
        analysed=analysed,
    )
    equity = np.empty(len(prepared.step_times), dtype=np.float64)
    book, account = new_book(len(window)), new_account(prepared.market, prepared.options)
    trades = np.empty((prepared.most_trades, len(TRADE_FIELDS)), dtype=np.int64)
    simulate(
        prepared.market,
        prepared.detail,
        prepared.grids,
        prepared.options,
        prepared.step_times,
        prepared.busy,
        trades,
        equity,
        book,
        account,
    )
    return BacktestResult(
        prepared=prepared,
        rules=config.rules,
        strategy=strategy,
        trades=trades[: account.counts[TRADED]].copy(),
        book=book,
        cash=int(account.cash_high[0]) * 2**64 + int(account.cash_low[0]),
        refused=account.refused,
        equity=equity,
        provenance=lambda: provenance(strategy, window, detail or {}, _described(config)),
    )


def _cut(candles: Candles, start: int | None, end: int | None) -> Candles:
    first = 0 if start is None else int(np.searchsorted(candles.open_time, start))
    last = len(candles) if end is None else int(np.searchsorted(candles.open_time, end))
    return candles if (first, last) == (0, len(candles)) else candles.slice(first, max(first, last))


def _described(config: BacktestConfig) -> dict[str, str | int | bool | None]:
    values = msgspec.structs.asdict(config.rules) | {
        name: getattr(config, name) for name in ("allow_short", "start", "decide_from", "end")
    }
    return {
        key: plain(value) if isinstance(value, Decimal) else value if isinstance(value, int | None) else str(value)
        for key, value in values.items()
    }
