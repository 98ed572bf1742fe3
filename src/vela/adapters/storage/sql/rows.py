"""Records of the domain as rows, and back. Fields and columns share their names."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import Row

from vela.domain.order import Order, OrderRequest
from vela.domain.signal import Signal, SignalOutcome
from vela.domain.trading_symbol import TradingSymbol

Values = dict[str, Any]

fields = msgspec.structs.asdict


def symbol_row(symbol: TradingSymbol) -> Values:
    """Return the row of `symbols`."""
    return {"symbol": symbol, "base": symbol.base, "quote": symbol.quote.value}


def order_row(order: Order) -> Values:
    """Return the row of `orders`."""
    row = fields(order.request) | fields(order)
    del row["request"]
    return row


def read_order(row: Row[Any]) -> Order:
    """Return the order of a row of `orders`."""
    values = row._asdict()
    request = OrderRequest(**{name: values.pop(name) for name in OrderRequest.__struct_fields__})
    return Order(request, **values)


def outcome_row(outcome: SignalOutcome) -> Values:
    """Return the row of `signals`."""
    return fields(outcome.signal) | {"client_order_id": outcome.client_order_id, "refusal": outcome.refusal}


def read_outcome(row: Row[Any]) -> SignalOutcome:
    """Return the outcome of a row of `signals`."""
    values = row._asdict()
    signal = Signal(**{name: values.pop(name) for name in Signal.__struct_fields__})
    return SignalOutcome(signal, **values)
