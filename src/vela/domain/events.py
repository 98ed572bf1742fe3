"""The messages that services exchange, and their topics.

Every message is immutable and typed; on the bus it travels inside an `Envelope` that adds its id and the time of
publishing. A message type belongs to exactly one topic. Fields may be added with a default; anything else is a new
version of the type.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

import msgspec

from vela.domain.candles import Candle, CandleFault
from vela.domain.fill import Fill
from vela.domain.jobs import BacktestRequest, Job
from vela.domain.order import Order, OrderPurpose
from vela.domain.position import Position, Trade, Wallet
from vela.domain.regime import MarketRegime
from vela.domain.signal import Decision, Signal, SignalOutcome
from vela.domain.timeframe import Timeframe
from vela.domain.trading_symbol import TradingSymbol


class Topic(StrEnum):
    """Names on the bus."""

    CANDLES = "market.candles"
    TICKERS = "market.tickers"
    REGIMES = "regimes"
    SIGNALS = "signals"
    DECISIONS = "decisions"
    ORDERS = "orders"
    FILLS = "fills"
    POSITIONS = "positions"
    WALLET = "wallet"
    ALERTS = "alerts"
    HEALTH = "health"
    HISTORY = "history"
    JOBS = "jobs"


class Message(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Base of all messages. `time`: when it happened in the market, ms UTC; `version`: of the type."""

    time: int
    version: int = 1


class SymbolCandle(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A candle and whose it is."""

    symbol: TradingSymbol
    candle: Candle


class Gap(msgspec.Struct, frozen=True, array_like=True):
    """Candles that the market never had (an outage), or that could not be fetched.

    Attributes:
        first, last: open times of the first and last missing candle, ms UTC.
        count: how many are missing.
    """

    symbol: TradingSymbol
    first: int
    last: int
    count: int


class RefusedCandle(msgspec.Struct, frozen=True, array_like=True):
    """A candle that was not let in, and why."""

    symbol: TradingSymbol
    open_time: int
    fault: CandleFault


class CandlesClosed(Message, frozen=True, kw_only=True):
    """All candles that closed at `time`, checked; with them the gaps found and the candles refused on the way.

    `backfilled` holds older candles, oldest first, that arrived late and fill a gap: history, nothing to act on.
    """

    timeframe: Timeframe
    candles: tuple[SymbolCandle, ...]
    backfilled: tuple[SymbolCandle, ...] = ()
    gaps: tuple[Gap, ...] = ()
    refused: tuple[RefusedCandle, ...] = ()


class MarketEnded(Message, frozen=True, kw_only=True):
    """A recording is over: no further price will come."""


class Tick(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """How a price moved since the tick before.

    Attributes:
        price: the newest price, quote per base.
        low, high: the range it passed through on the way, both ends included.
        jump: the price jumped to `price` without trading between (a new candle's open); levels in between are
            gapped over.
        volume: base traded in the newest candle that has closed; 0: nothing, or not known.
    """

    symbol: TradingSymbol
    price: float
    low: float
    high: float
    jump: bool = False
    volume: float = 0.0


class PricesMoved(Message, frozen=True, kw_only=True):
    """New prices of one moment."""

    ticks: tuple[Tick, ...]


class RegimeChanged(Message, frozen=True, kw_only=True):
    """A symbol's market turned into another regime."""

    symbol: TradingSymbol
    regime: MarketRegime
    previous: MarketRegime


class DecisionsMade(Message, frozen=True, kw_only=True):
    """The brain's decisions on all candles that closed at `time`."""

    decisions: tuple[Decision, ...]


class SignalsRaised(Message, frozen=True, kw_only=True):
    """Those decisions at the close of `time` that ask for a trade."""

    signals: tuple[Signal, ...]


class SignalHandled(Message, frozen=True, kw_only=True):
    """What became of a signal."""

    outcome: SignalOutcome


class OrderChanged(Message, frozen=True, kw_only=True):
    """An order was planned or moved on."""

    order: Order


class OrderFilled(Message, frozen=True, kw_only=True):
    """A fill was booked."""

    fill: Fill
    purpose: OrderPurpose
    reason: str


class PositionChanged(Message, frozen=True, kw_only=True):
    """A position was opened, changed in size, or its levels moved.

    `stop_state`: none, planned, resting, guarded or stranded.
    """

    position: Position
    stop_price: Decimal | None
    target_price: Decimal | None
    stop_state: str


class PositionClosed(Message, frozen=True, kw_only=True):
    """A round trip ended."""

    trade: Trade


class WalletChanged(Message, frozen=True, kw_only=True):
    """The account. `marked`: at the candles' close of `time`, before anything decided on them; else after a fill."""

    wallet: Wallet
    marked: bool


class ServiceState(StrEnum):
    """What a service is doing."""

    STARTING = "starting"
    RUNNING = "running"
    FAILED = "failed"
    STOPPED = "stopped"


class ServiceBeat(Message, frozen=True, kw_only=True):
    """A sign of life. Here `time` is the wall clock, ms UTC."""

    service: str
    state: ServiceState
    restarts: int = 0
    detail: str = ""


class Alert(Message, frozen=True, kw_only=True):
    """Something a person should know. `level`: info, warning or critical."""

    level: str
    text: str


class HistoryRequested(Message, frozen=True, kw_only=True):
    """Asks for the newest `count` candles of each symbol that closed at or before `time`."""

    request_id: str
    symbols: tuple[TradingSymbol, ...]
    count: int


class SymbolHistory(msgspec.Struct, frozen=True, array_like=True):
    """A symbol's candles, oldest first."""

    symbol: TradingSymbol
    candles: tuple[Candle, ...]


class HistoryServed(Message, frozen=True, kw_only=True):
    """The answer to a `HistoryRequested`, all symbols at once."""

    request_id: str
    histories: tuple[SymbolHistory, ...]


class BacktestRequested(Message, frozen=True, kw_only=True):
    """Asks for a backtest. An id that is known already asks for nothing. Here `time` is the wall clock, ms UTC."""

    job_id: str
    request: BacktestRequest


class JobCancelRequested(Message, frozen=True, kw_only=True):
    """Asks for the end of a job that waits or runs. Here `time` is the wall clock, ms UTC."""

    job_id: str


class JobChanged(Message, frozen=True, kw_only=True):
    """A job is known, moved on or ended. Here `time` is the wall clock, ms UTC."""

    job: Job


TOPIC_OF: dict[type[Message], Topic] = {
    CandlesClosed: Topic.CANDLES,
    MarketEnded: Topic.CANDLES,
    PricesMoved: Topic.TICKERS,
    RegimeChanged: Topic.REGIMES,
    DecisionsMade: Topic.DECISIONS,
    SignalsRaised: Topic.SIGNALS,
    SignalHandled: Topic.SIGNALS,
    OrderChanged: Topic.ORDERS,
    OrderFilled: Topic.FILLS,
    PositionChanged: Topic.POSITIONS,
    PositionClosed: Topic.POSITIONS,
    WalletChanged: Topic.WALLET,
    Alert: Topic.ALERTS,
    ServiceBeat: Topic.HEALTH,
    HistoryRequested: Topic.HISTORY,
    HistoryServed: Topic.HISTORY,
    BacktestRequested: Topic.JOBS,
    JobCancelRequested: Topic.JOBS,
    JobChanged: Topic.JOBS,
}

AnyMessage = (
    CandlesClosed
    | MarketEnded
    | PricesMoved
    | RegimeChanged
    | DecisionsMade
    | SignalsRaised
    | SignalHandled
    | OrderChanged
    | OrderFilled
    | PositionChanged
    | PositionClosed
    | WalletChanged
    | Alert
    | ServiceBeat
    | HistoryRequested
    | HistoryServed
    | BacktestRequested
    | JobCancelRequested
    | JobChanged
)


class Envelope(msgspec.Struct, frozen=True, array_like=True):
    """A message on its way.

    Attributes:
        id: unique per bus, `<source>-<number>`; a consumer that saw it may drop it.
        published: wall clock, ms UTC.
        message: what happened.
    """

    id: str
    published: int
    message: AnyMessage
