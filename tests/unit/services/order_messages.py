"""What the orders service is told, in short words."""

from __future__ import annotations

from tests.builders import BTC, MINUTE, signal

from vela.domain.candles import Candle
from vela.domain.events import (
    CandlesClosed,
    PricesMoved,
    SignalsRaised,
    SymbolCandle,
    Tick,
)
from vela.domain.signal import Action, Signal
from vela.domain.timeframe import Timeframe
from vela.domain.trading_symbol import TradingSymbol

ENTRY = "BTCUSDT-0-E"


def prices(time: int, **by_base: float) -> PricesMoved:
    ticks = tuple(Tick(TradingSymbol(base), price, price, price, jump=True) for base, price in by_base.items())
    return PricesMoved(time=time, ticks=ticks)


def falls(time: int, start: float, end: float) -> PricesMoved:
    return PricesMoved(time=time, ticks=(Tick(BTC, end, end, start),))


def raised(minute: int, *signals: Signal) -> SignalsRaised:
    return SignalsRaised(time=minute * MINUTE, signals=signals or (buy(minute),))


def buy(minute: int, symbol: TradingSymbol = BTC, confidence: float = 1.0) -> Signal:
    return signal(Action.BUY, symbol, (minute - 1) * MINUTE, confidence=confidence)


def sell(minute: int, symbol: TradingSymbol = BTC) -> Signal:
    return signal(Action.SELL, symbol, (minute - 1) * MINUTE)


def closes(minute: int, price: float = 100.0, high: float | None = None) -> CandlesClosed:
    top = price if high is None else high
    row = SymbolCandle(BTC, Candle((minute - 1) * MINUTE, price, top, price, price, 1.0))
    return CandlesClosed(time=minute * MINUTE, timeframe=Timeframe.M1, candles=(row,))
