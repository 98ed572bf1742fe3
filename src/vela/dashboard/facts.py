"""What the page is told once, at the start."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple

from vela.domain.candles import Candles
from vela.domain.events import Message
from vela.domain.instrument import Instrument
from vela.domain.jobs import BacktestRequest
from vela.domain.timeframe import Timeframe
from vela.domain.trading_symbol import TradingSymbol
from vela.ports.candle_store import StoredSeries
from vela.ports.jobs import JobStore
from vela.ports.record import RecordReader

# Wall clock, ms UTC.
WallClock = Callable[[], int]

# (symbol, before, count): the newest `count` candles that closed at or before `before` (ms UTC; None: the newest).
CandleHistory = Callable[[TradingSymbol, int | None, int], Candles]

# Opens the record for reading; what it returns may be used from several threads.
ReaderFactory = Callable[[], RecordReader]

SettingValue = str | int | float | bool | None


class Newcomer(NamedTuple):
    """A symbol that came into use while the session runs: its trading rules, and its strategy's name."""

    instrument: Instrument
    strategy: str


def _nothing_known(symbol: TradingSymbol) -> Newcomer:
    return Newcomer(Instrument.raw(symbol), "")


@dataclass(frozen=True, slots=True)
class SessionFacts:
    """What does not change while a session runs.

    Attributes:
        version: of Vela.
        mode: `paper` or `live`.
        market: `synthetic`, a file's name, an exchange.
        timeframe: length of the candles.
        speed: how fast the market's time passes: `1`, `60`, `max`.
        quote: the account's currency.
        initial_capital: in quote.
        instruments: trading rules of every symbol in use at its start.
        strategies: name of the strategy in charge of each of them.
        newcomer: what is known of a symbol that came later.
        services: names of the services that are expected to give signs of life.
        settings: whatever else the page shows, under names of its own.
    """

    version: str
    mode: str
    market: str
    timeframe: Timeframe
    speed: str
    quote: str
    initial_capital: Decimal
    instruments: tuple[Instrument, ...]
    strategies: Mapping[TradingSymbol, str] = field(default_factory=dict)
    newcomer: Callable[[TradingSymbol], Newcomer] = _nothing_known
    services: tuple[str, ...] = ()
    settings: Mapping[str, SettingValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Workshop:
    """Where backtests are asked for, and what a form needs to ask.

    Attributes:
        publish: sends a message to the simulator.
        store: where jobs and their results are kept.
        read: (strategy, parameters, options, rules) to a request, or a `VelaError` in one sentence; may block.
        strategies: all of them, ready for JSON, and why the user's own are missing.
        series: what candles are stored; blocks.
    """

    publish: Callable[[Message], Awaitable[None]]
    store: JobStore
    read: Callable[[str, Mapping[str, str], Mapping[str, str | None], Mapping[str, str]], BacktestRequest]
    strategies: Callable[[], Awaitable[tuple[Sequence[Mapping[str, Any]], str]]]
    series: Callable[[], Sequence[StoredSeries]]
