"""Makes reports of ours from orders and trades as ccxt tells them, all numbers as text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import structlog

from vela.adapters.exchanges.unified.reading import MessageError, moment, money, quantity, text
from vela.domain.errors import OrderError
from vela.domain.fill import Fill
from vela.domain.money import add
from vela.domain.order import OrderStatus, Side
from vela.domain.trading_symbol import TradingSymbol
from vela.ports.execution import OrderReport

_STATUSES = {
    "open": OrderStatus.ACCEPTED,
    "canceling": OrderStatus.ACCEPTED,
    "closed": OrderStatus.FILLED,
    "canceled": OrderStatus.CANCELLED,
    "expired": OrderStatus.EXPIRED,
    "rejected": OrderStatus.REJECTED,
}

_log = structlog.get_logger("vela.exchange")


def report(
    client_order_id: str,
    venue_order_id: str,
    status: OrderStatus,
    fills: Sequence[Fill],
    time: int,
    filled: Decimal,
    *,
    reason: str = "",
) -> OrderReport:
    """Return a report. `filled`: base executed so far; it is told only where the fills do not add up to it."""
    if status is OrderStatus.ACCEPTED and filled:
        status = OrderStatus.PARTIALLY_FILLED
    told = add(*(fill.quantity for fill in fills))
    return OrderReport(
        client_order_id, venue_order_id, status, tuple(fills), time, reason, filled if filled > told else None
    )


def order_report(order: Mapping[str, Any], client_order_id: str, fills: Sequence[Fill]) -> OrderReport:
    """Return the report of an order with those of its fills that are known.

    Raises:
        MessageError: it is no order.
    """
    if not isinstance(order, Mapping):
        raise MessageError(f"an order was {type(order).__name__}")
    state = text(order, "status")
    status = _STATUSES.get(state)
    if status is None:  # a word that nobody knew: it is looked after until it says something else
        _log.warning("unknown order status", status=state[:40], order=client_order_id)
        status = OrderStatus.ACCEPTED
    time = moment(order, "timestamp" if order.get("lastUpdateTimestamp") is None else "lastUpdateTimestamp")
    return report(client_order_id, text(order, "id"), status, fills, time, quantity(order, "filled"))


def fills_of(
    trades: Iterable[Mapping[str, Any]],
    client_order_id: str,
    symbol: TradingSymbol,
    side: Side,
    *,
    id_prefix: str,
    time: int | None = None,
) -> tuple[Fill, ...]:
    """Return an order's trades as fills, oldest first.

    Args:
        trades: as ccxt returns them.
        client_order_id: of the order.
        symbol: what was traded.
        side: of the order.
        id_prefix: what makes the exchange's trade ids unique.
        time: ms UTC, of trades that bear none.

    Raises:
        MessageError: one of them is no trade.
    """
    return tuple(_fill(trade, client_order_id, symbol, side, id_prefix, time) for trade in trades)


def _fill(
    trade: Mapping[str, Any], client_order_id: str, symbol: TradingSymbol, side: Side, id_prefix: str, time: int | None
) -> Fill:
    fee = trade.get("fee")
    if not isinstance(fee, Mapping):
        raise MessageError("a trade does not say what it cost")
    try:
        return Fill(
            fill_id=f"{id_prefix}{text(trade, 'id')}",
            client_order_id=client_order_id,
            symbol=symbol,
            side=side,
            price=money(trade, "price"),
            quantity=money(trade, "amount"),
            fee=money(fee, "cost"),
            fee_asset=text(fee, "currency"),
            time=time if time is not None and trade.get("timestamp") is None else moment(trade, "timestamp"),
        )
    except OrderError as problem:
        raise MessageError(f"no fill: {problem}") from None
