"""Reads the messages of Binance's streams."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from vela.adapters.exchanges.unified.reading import MessageError, market_number, moment, money, quantity, text
from vela.adapters.exchanges.unified.reports import report
from vela.domain.candles import Candle
from vela.domain.errors import OrderError
from vela.domain.fill import Fill
from vela.domain.order import OrderStatus, Side
from vela.domain.trading_symbol import TradingSymbol
from vela.ports.execution import OrderReport

STATUSES = {
    "NEW": OrderStatus.ACCEPTED,
    "PENDING_NEW": OrderStatus.ACCEPTED,
    "PARTIALLY_FILLED": OrderStatus.PARTIALLY_FILLED,
    "PENDING_CANCEL": OrderStatus.ACCEPTED,
    "FILLED": OrderStatus.FILLED,
    "CANCELED": OrderStatus.CANCELLED,
    "REJECTED": OrderStatus.REJECTED,
    "EXPIRED": OrderStatus.EXPIRED,
    "EXPIRED_IN_MATCH": OrderStatus.EXPIRED,
}


class TradeSeen(NamedTuple):
    """A public trade. `time`: ms UTC."""

    market_id: str
    price: float
    time: int


class CandleSeen(NamedTuple):
    """A candle as it is at `time`, ms UTC."""

    market_id: str
    interval: str
    candle: Candle
    time: int
    is_closed: bool


def read_trade(message: Mapping[str, Any]) -> TradeSeen:
    """Read `trade` and `aggTrade`.

    Raises:
        MessageError: it is none.
    """
    price = market_number(message, "p")
    if not price:
        raise MessageError("p was 0; accepted: a price above 0")
    return TradeSeen(text(message, "s"), price, moment(message, "T"))


def read_kline(message: Mapping[str, Any]) -> CandleSeen:
    """Read `kline`.

    Raises:
        MessageError: it is none.
    """
    row = message.get("k")
    if not isinstance(row, Mapping) or not isinstance(row.get("x"), bool):
        raise MessageError("a candle says whether it is closed; this one does not")
    prices = (market_number(row, name) for name in ("o", "h", "l", "c", "v"))
    candle = Candle(moment(row, "t"), *prices)
    return CandleSeen(text(row, "s"), text(row, "i"), candle, moment(message, "E"), row["x"])


def read_execution(message: Mapping[str, Any], symbol_of: Callable[[str], TradingSymbol]) -> OrderReport:
    """Read `executionReport`: an order's state and the trade that led to it, if one did.

    Raises:
        MessageError: it is none, or its status is unknown.
    """
    status = STATUSES.get(text(message, "X"))
    if status is None:
        raise MessageError(f"status was {str(message['X'])[:40]!r}; accepted: {', '.join(STATUSES)}")
    # A cancel has an id of its own; then the order's stands in C.
    client_order_id = str(message.get("C") or text(message, "c"))
    reason = str(message.get("r") or "NONE")
    return report(
        client_order_id,
        text(message, "i"),
        status,
        _fills(message, client_order_id, symbol_of),
        moment(message, "T"),
        quantity(message, "z"),
        reason="" if reason == "NONE" else reason,
    )


def _fills(
    message: Mapping[str, Any], client_order_id: str, symbol_of: Callable[[str], TradingSymbol]
) -> tuple[Fill, ...]:
    if message.get("x") != "TRADE":
        return ()
    market_id = text(message, "s")
    try:
        fill = Fill(
            fill_id=f"{market_id}:{text(message, 't')}",
            client_order_id=client_order_id,
            symbol=symbol_of(market_id),
            side=Side(text(message, "S")),
            price=money(message, "L"),
            quantity=money(message, "l"),
            fee=money(message, "n"),
            fee_asset=text(message, "N"),
            time=moment(message, "T"),
        )
    except (KeyError, ValueError, OrderError) as problem:
        raise MessageError(f"no fill: {problem}") from None
    return (fill,)
