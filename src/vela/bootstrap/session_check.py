"""A recorded session beside its backtest: the same candles, rules and strategies, and what came out differently."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from vela.adapters.storage.parquet import ParquetCandleStore
from vela.adapters.storage.sql.record import RECORD_FILE, Record, open_record
from vela.backtest import BacktestConfig, backtest
from vela.backtest.drift import Drift, DriftKind, explain_drift
from vela.bootstrap.replay import Comparison
from vela.bootstrap.strategies import find_strategy, make
from vela.domain.candles import Candles
from vela.domain.errors import ConfigurationError
from vela.domain.position import Trade
from vela.domain.signal import Signals
from vela.domain.timeframe import Timeframe
from vela.domain.trading_symbol import TradingSymbol
from vela.engine.configuration import Configuration
from vela.ports.record import RecordReader
from vela.strategies.base import Strategy

_ACCEPTED = "accepted: the --data-dir of a vela up that has come to its end"


class _Chosen(Strategy):
    """Asks for every symbol the strategy that traded it."""

    def __init__(self, by_symbol: Mapping[TradingSymbol, Strategy]) -> None:
        super().__init__()
        self._by_symbol = by_symbol

    @property
    def warmup(self) -> int:
        return max(strategy.warmup for strategy in self._by_symbol.values())

    def analyze(self, symbol: TradingSymbol, candles: Candles) -> Signals:
        return self._by_symbol[symbol].analyze(symbol, candles)

    def is_applicable(self, symbol: TradingSymbol) -> bool:
        return self._by_symbol[symbol].is_applicable(symbol)


def check_session(data_dir: Path, *, progress: Callable[[str], None] = lambda _: None) -> Comparison:
    """Trade a session's own candles again by what it was traded by, and compare, since that last changed.

    Compared are the trades that ended in candles which are stored: what happened in the one that was open at the end is
    not known to the backtest. Of a trade that the session missed the record tells why. Where rules changed, cool-downs
    and positions from before may reach into what follows.

    Raises:
        ConfigurationError: the directory holds no session.
        StorageError: the record or the candles cannot be read, or a running instance holds them.
        StrategyError: a strategy is not there any more.
    """
    if not (data_dir / RECORD_FILE).exists():
        raise ConfigurationError(f"session {str(data_dir)!r} holds no record; {_ACCEPTED}")
    progress("reading the session")
    with open_record(data_dir) as record:
        configuration, timeframe = _configuration(record, data_dir)
        candles = _candles(data_dir, configuration, timeframe)
        summary = record.reader.summary()
        trades = tuple(reversed(record.reader.trades(limit=max(1, summary.trades))))
        progress("trading its candles")
        expected = tuple(_expected(configuration, candles))
        known_until = {symbol: int(part.open_time[-1]) for symbol, part in candles.items()}

        def is_comparable(trade: Trade) -> bool:
            return trade.entry_time > configuration.since and trade.exit_time <= known_until.get(trade.symbol, -1)

        session, expected = tuple(filter(is_comparable, trades)), tuple(filter(is_comparable, expected))
        length = timeframe.milliseconds
        drift = explain_drift(session, expected, within_ms=length)
        return Comparison(summary, session, expected, tuple(_with_reason(one, record.reader, length) for one in drift))


def _expected(configuration: Configuration, candles: Mapping[TradingSymbol, Candles]) -> Iterator[Trade]:
    by_symbol = {one.instrument.symbol: make(find_strategy(one.strategy), one.params) for one in configuration.symbols}
    result = backtest(
        _Chosen(by_symbol),
        candles,
        BacktestConfig(configuration.rules, decide_from=configuration.since),
        instruments={one.instrument.symbol: one.instrument for one in configuration.symbols},
    )
    for trade in result.trades:
        yield msgspec.structs.replace(trade, strategy=by_symbol[trade.symbol].name)


def _with_reason(drift: Drift, reader: RecordReader, length: int) -> Drift:
    """Say of a missed trade what the session did at the candle whose signal opened it in the backtest."""
    if drift.kind is not DriftKind.MISSED:
        return drift
    candle_time = drift.entry_time - length
    at_candle: dict[str, Any] = {"limit": 1, "symbol": drift.symbol, "before": candle_time + 1}
    decided = [one for one in reader.decisions(**at_candle) if one.candle_time == candle_time]
    handled = [one for one in reader.outcomes(**at_candle) if one.signal.candle_time == candle_time]
    if handled:
        reason = f"refused: {handled[0].refusal}" if handled[0].refusal else f"order {handled[0].client_order_id}"
    elif decided:
        reason = f"decided {decided[0].action.value}: {decided[0].reason}"
    else:
        reason = "did not see the candle"
    return msgspec.structs.replace(drift, session=reason)


def _configuration(record: Record, data_dir: Path) -> tuple[Configuration, Timeframe]:
    configuration, identity = record.configurations.newest(), record.identity()
    if configuration is None or "timeframe" not in identity:
        raise ConfigurationError(f"session {str(data_dir)!r} does not say by what it was traded; {_ACCEPTED}")
    return configuration, Timeframe.from_str(identity["timeframe"])


def _candles(data_dir: Path, configuration: Configuration, timeframe: Timeframe) -> dict[TradingSymbol, Candles]:
    store = ParquetCandleStore(data_dir / "candles")
    traded = {one.instrument.symbol for one in configuration.symbols}
    candles = {
        one.symbol: store.read(one.exchange, one.symbol, one.timeframe)
        for one in store.series()
        if one.symbol in traded and one.timeframe is timeframe
    }
    if not candles:
        raise ConfigurationError(f"session {str(data_dir)!r} has no candles of its symbols; {_ACCEPTED}")
    return candles
