"""Messages of market streams in the shapes in which Binance sends them."""

from __future__ import annotations

from vela.domain.candles import Candle
from vela.domain.trading_symbol import TradingSymbol
from vela.venue.binance.desk import Desk
from vela.venue.binance.public import TRADES_PER_CANDLE, aggregate_trade, day_ticker, rounded
from vela.venue.binance.shapes import Shape, amount
from vela.venue.tape import PublicTrade, quote_volume

# The fields of 24hr tickers: their short names on streams, by their names in REST.
_MINI = {
    "c": "lastPrice",
    "o": "openPrice",
    "h": "highPrice",
    "l": "lowPrice",
    "v": "volume",
    "q": "quoteVolume",
}
_WHOLE = {
    "p": "priceChange",
    "P": "priceChangePercent",
    "w": "weightedAvgPrice",
    "x": "prevClosePrice",
    "c": "lastPrice",
    "Q": "lastQty",
    "b": "bidPrice",
    "B": "bidQty",
    "a": "askPrice",
    "A": "askQty",
    "o": "openPrice",
    "h": "highPrice",
    "l": "lowPrice",
    "v": "volume",
    "q": "quoteVolume",
    "O": "openTime",
    "C": "closeTime",
    "F": "firstId",
    "L": "lastId",
    "n": "count",
}


def trade_message(symbol: TradingSymbol, trade: PublicTrade, now: int) -> Shape:
    """Return a trade."""
    return {
        **_head("trade", symbol, now),
        "t": trade.number,
        "p": amount(trade.price),
        "q": amount(trade.quantity),
        "T": trade.time,
        "m": trade.buyer_is_maker,
        "M": True,
    }


def aggregate_message(symbol: TradingSymbol, trade: PublicTrade, now: int) -> Shape:
    """Return a trade as an aggregate of itself."""
    return {**_head("aggTrade", symbol, now), **aggregate_trade(trade)}


def kline_message(
    symbol: TradingSymbol, row: Candle, interval: str, length: int, now: int, *, is_closed: bool
) -> Shape:
    """Return a candle of `length` ms."""
    quote = quote_volume(row)
    candle = {
        "t": row.open_time,
        "T": row.open_time + length - 1,
        "s": symbol.to_binance_api(),
        "i": interval,
        "f": -1,
        "L": -1,
        "o": amount(row.open),
        "c": amount(row.close),
        "h": amount(row.high),
        "l": amount(row.low),
        "v": rounded(row.volume),
        "n": TRADES_PER_CANDLE,
        "x": is_closed,
        "q": rounded(quote),
        "V": rounded(row.volume / 2),
        "Q": rounded(quote / 2),
        "B": "0",
    }
    return {**_head("kline", symbol, now), "k": candle}


def mini_ticker_message(desk: Desk, symbol: TradingSymbol) -> Shape:
    """Return the newest 24 hours in brief."""
    return _ticker(desk, symbol, "24hrMiniTicker", _MINI)


def ticker_message(desk: Desk, symbol: TradingSymbol) -> Shape:
    """Return the newest 24 hours."""
    return _ticker(desk, symbol, "24hrTicker", _WHOLE)


def _ticker(desk: Desk, symbol: TradingSymbol, event: str, fields: dict[str, str]) -> Shape:
    figures = day_ticker(desk, symbol)
    return {**_head(event, symbol, desk.now()), **{short: figures[name] for short, name in fields.items()}}


def _head(event: str, symbol: TradingSymbol, now: int) -> Shape:
    return {"e": event, "E": now, "s": symbol.to_binance_api()}
