"""Messages, a record and a small market for the tests of the page."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from functools import partial

from tests.jobs import MemoryJobStore

from vela.bootstrap.jobs import read_request
from vela.bootstrap.strategies import describe
from vela.dashboard.facts import SessionFacts, Workshop
from vela.domain.assets import QuoteCurrency
from vela.domain.candles import Candle, Candles
from vela.domain.events import (
    Alert,
    CandlesClosed,
    DecisionsMade,
    Envelope,
    Message,
    OrderChanged,
    OrderFilled,
    PositionChanged,
    PricesMoved,
    SignalHandled,
    SymbolCandle,
    Tick,
)
from vela.domain.fill import Fill
from vela.domain.instrument import Instrument
from vela.domain.order import Order, OrderPurpose, OrderRequest, OrderStatus, OrderType, Side
from vela.domain.position import ExitReason, Position, PositionSide, Trade, Wallet
from vela.domain.regime import MarketRegime
from vela.domain.signal import Action, Decision, Signal, SignalOutcome
from vela.domain.timeframe import Timeframe
from vela.domain.trading_symbol import TradingSymbol
from vela.ports.candle_store import StoredSeries
from vela.ports.record import Summary
from vela.strategies.sma_crossover import SmaCrossover

BTC = TradingSymbol("BTC")
ETH = TradingSymbol("ETH")
ETHBTC = TradingSymbol("ETH", QuoteCurrency.BTC)
START = 1_735_689_600_000
MINUTE = 60_000
XSS = '"><img src=x onerror=alert(1)></script>'


def facts(*symbols: TradingSymbol, **changes):
    values = {
        "version": "0.1.0",
        "mode": "paper",
        "market": "synthetic",
        "timeframe": Timeframe.M1,
        "speed": "60",
        "quote": "USDT",
        "initial_capital": Decimal(1000),
        "instruments": tuple(Instrument(s, Decimal("0.01"), Decimal("0.0001")) for s in symbols or (BTC, ETH, ETHBTC)),
        "strategies": {BTC: "SmaCrossover"},
        "settings": {"stake": "50", "max_positions": 2},
    }
    return SessionFacts(**{**values, **changes})


def envelope(message):
    return Envelope("test-1", START, message)


def candle(minute: int, close: float = 100.0) -> Candle:
    return Candle(START + minute * MINUTE, close, close + 1, close - 1, close, 2.0)


def closed(minute: int, *symbols: TradingSymbol, close: float = 100.0):
    candles = tuple(SymbolCandle(symbol, candle(minute, close)) for symbol in symbols or (BTC,))
    return envelope(CandlesClosed(time=START + (minute + 1) * MINUTE, timeframe=Timeframe.M1, candles=candles))


def moved(time: int, price: float, *symbols: TradingSymbol, jump: bool = False):
    ticks = tuple(Tick(symbol, price, price - 0.5, price + 0.5, jump) for symbol in symbols or (BTC,))
    return envelope(PricesMoved(time=time, ticks=ticks))


def decision(minute: int, symbol: TradingSymbol = BTC, action: Action = Action.HOLD, **changes):
    values = {
        "symbol": symbol,
        "candle_time": START + minute * MINUTE,
        "action": action,
        "strategy": "SmaCrossover",
        "regime": MarketRegime.BULL_TREND,
        "confidence": 0.0 if action is Action.HOLD else 0.7,
        "reason": "no_signal" if action is Action.HOLD else "signal",
        "indicators": {"fast": 100.0 + minute, "slow": 99.0},
    }
    return Decision(**{**values, **changes})


def decided(minute: int, *symbols: TradingSymbol):
    decisions = tuple(decision(minute, symbol) for symbol in symbols or (BTC,))
    return envelope(DecisionsMade(time=START + (minute + 1) * MINUTE, decisions=decisions))


def outcome(minute: int, symbol: TradingSymbol = BTC, refusal: str | None = "max_positions") -> SignalOutcome:
    time = START + minute * MINUTE
    signal = Signal(symbol, time, Action.BUY, "SmaCrossover", MarketRegime.BULL_TREND, 0.7)
    return SignalOutcome(signal, None if refusal else "o-1", refusal)


def handled(minute: int, symbol: TradingSymbol = BTC, refusal: str | None = "max_positions"):
    return envelope(SignalHandled(time=START + (minute + 1) * MINUTE, outcome=outcome(minute, symbol, refusal)))


def alert(level: str = "warning", text: str = "the clock jumped", time: int = START):
    return envelope(Alert(time=time, level=level, text=text))


def order(
    number: int = 1, status: OrderStatus = OrderStatus.SENT, *, time: int = START, reason: str = "signal"
) -> Order:
    filled = Decimal("0.0005") if status is OrderStatus.FILLED else Decimal(0)
    return Order(
        OrderRequest(f"o-{number}", BTC, Side.BUY, OrderType.MARKET, Decimal("0.00050")),
        OrderPurpose.ENTRY,
        status,
        START,
        time,
        filled,
        filled * Decimal("97000.10"),
        reason,
    )


def ordered(*args, **kwargs):
    made = order(*args, **kwargs)
    return envelope(OrderChanged(time=made.updated_time, order=made))


def filled(number: int = 1, minute: int = 0, purpose: OrderPurpose = OrderPurpose.ENTRY, reason: str = "signal"):
    side = Side.BUY if purpose is OrderPurpose.ENTRY else Side.SELL
    time = START + minute * MINUTE
    fill = Fill(
        f"f-{number}", f"o-{number}", BTC, side, Decimal(97000), Decimal("0.0005"), Decimal("0.0485"), "USDT", time
    )
    return envelope(OrderFilled(time=time, fill=fill, purpose=purpose, reason=reason))


def position(symbol: TradingSymbol = BTC, side: PositionSide = PositionSide.LONG) -> Position:
    return Position(
        symbol,
        side,
        Decimal("0.5"),
        Decimal(50),
        Decimal("0.5"),
        Decimal(50),
        START,
        Decimal("0.05"),
        "SmaCrossover",
        "signal",
        MarketRegime.BULL_TREND,
        9800,
        ExitReason.STOP_LOSS,
        None,
        10000,
    )


def held(symbol: TradingSymbol = BTC, stop_state: str = "resting"):
    return envelope(
        PositionChanged(
            time=START, position=position(symbol), stop_price=Decimal(98), target_price=None, stop_state=stop_state
        )
    )


def trade(number: int = 0, symbol: TradingSymbol = BTC, pnl: str = "0.4") -> Trade:
    return Trade(
        symbol,
        PositionSide.LONG,
        START + number * MINUTE,
        Decimal(100),
        START + (number + 1) * MINUTE,
        Decimal(101),
        Decimal("0.5"),
        Decimal("0.1"),
        Decimal(pnl),
        0.8,
        "signal",
        ExitReason.TAKE_PROFIT,
        MarketRegime.BULL_TREND,
        "SmaCrossover",
    )


def wallet(minute: int = 0, cash: str = "950.1", market_value: str = "51.1") -> Wallet:
    return Wallet(
        "USDT",
        START + minute * MINUTE,
        Decimal(1000),
        Decimal(cash),
        Decimal("10.1"),
        Decimal(50),
        Decimal(market_value),
        Decimal("1.30"),
        Decimal("0.2"),
    )


def history(symbol: TradingSymbol, before: int | None, count: int) -> Candles:
    last = 1000 if before is None else (before - START) // MINUTE
    return Candles.from_rows([candle(minute) for minute in range(max(0, last - count), last)])


def no_history(symbol: TradingSymbol, before: int | None, count: int) -> Candles:
    return Candles.from_rows([])


class Record:
    """A `RecordReader` over lists, newest first."""

    def __init__(self, *, trades=(), orders=(), fills=(), decisions=(), positions=(), outcomes=(), wallet=None) -> None:
        self._trades = trades
        self._orders = orders
        self._fills = fills
        self._decisions = decisions
        self._positions = positions
        self._outcomes = outcomes
        self._wallet = wallet

    def summary(self) -> Summary:
        return Summary(
            1000, 900, 8, 6, 5, 4, 1, {"cooldown": 2}, {"off_grid": 3}, 7,
            Decimal(1000), Decimal("1001.20"), Decimal("1.3"), Decimal("0.1"),
        )  # fmt: skip

    def trades(self, *, limit, before=None):
        return [one for one in self._trades if before is None or one.exit_time < before][:limit]

    def trade_totals(self):
        return len(self._trades), sum(one.pnl > 0 for one in self._trades)

    def orders(self, *, limit, before=None):
        return self._orders[:limit]

    def fills(self, *, limit, before=None):
        return self._fills[:limit]

    def decisions(self, *, limit: int, symbol: TradingSymbol | None = None, before: int | None = None):
        return [one for one in self._decisions if symbol in {None, one.symbol}][:limit]

    def outcomes(self, *, limit: int, symbol: TradingSymbol | None = None, before: int | None = None):
        return [one for one in self._outcomes if symbol in {None, one.signal.symbol}][:limit]

    def positions(self):
        return self._positions

    def equity_curve(self, *, points: int) -> Sequence[tuple[int, float]]:
        return [(START + minute * MINUTE, 1000.0 + minute) for minute in range(10)]

    def newest_wallet(self):
        return self._wallet


async def unheard(message: Message) -> None:
    pass


async def strategies():
    return [describe(SmaCrossover)], "own.py:1: broken"


def workshop(publish=unheard, store: MemoryJobStore | None = None) -> Workshop:
    series = [StoredSeries("synthetic", BTC, Timeframe.M1, START, START + 9 * MINUTE, 10, 0)]
    read = partial(read_request, data_dir="data")
    return Workshop(publish, store or MemoryJobStore(), read, strategies, lambda: series)
