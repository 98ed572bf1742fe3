"""The orders that stand behind a position: its stop and its take-profit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from vela.domain.instrument import Instrument
from vela.domain.money import subtract
from vela.domain.order import Order, OrderPurpose, OrderRequest, OrderStatus, OrderType
from vela.domain.position import Position

PROTECTIVE = frozenset({OrderPurpose.STOP, OrderPurpose.TAKE_PROFIT})


def protective_requests(position: Position, instrument: Instrument) -> tuple[OrderRequest, ...]:
    """Return the orders that the position's levels ask for; a stop and a take-profit form one group."""
    stem, side = f"{position.symbol.to_long()}-{position.entry_time}", position.side.entry_side.opposite
    both = position.stop_ticks is not None and position.target_ticks is not None
    group = f"{stem}-G{position.revision}" if both else None
    requests = []
    if position.stop_ticks is not None:
        level, order_id = instrument.price(position.stop_ticks), f"{stem}-S{position.revision}"
        stop = OrderRequest(
            order_id, position.symbol, side, OrderType.STOP, position.quantity, stop_price=level, group=group
        )
        requests.append(stop)
    if position.target_ticks is not None:
        level, order_id = instrument.price(position.target_ticks), f"{stem}-T{position.revision}"
        target = OrderRequest(
            order_id, position.symbol, side, OrderType.LIMIT, position.quantity, price=level, group=group
        )
        requests.append(target)
    return tuple(requests)


def covers(orders: Sequence[Order], position: Position, instrument: Instrument) -> bool:
    """Say whether what is left of `orders` is exactly what the position's levels and size ask for."""
    wanted = Counter((r.type, r.stop_price or r.price, r.quantity) for r in protective_requests(position, instrument))
    live = Counter(
        (o.request.type, o.request.stop_price or o.request.price, subtract(o.request.quantity, o.filled_quantity))
        for o in orders
    )
    return wanted == live


def is_settling(orders: Sequence[Order]) -> bool:
    """Say whether the venue has yet to answer for one of `orders`, or is executing a stop: not to be replaced now."""
    return any(
        order.status in {OrderStatus.SENT, OrderStatus.UNKNOWN}
        or (order.purpose is OrderPurpose.STOP and order.status is OrderStatus.PARTIALLY_FILLED)
        for order in orders
    )
