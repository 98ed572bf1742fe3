"""The orders that stand behind a position: its stop and its take-profit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal

from vela.domain.events import Tick
from vela.domain.instrument import Instrument
from vela.domain.money import ZERO, add, subtract
from vela.domain.order import Order, OrderPurpose, OrderRequest, OrderStatus, OrderType
from vela.domain.position import Position, PositionSide
from vela.engine.order_ids import stem

PROTECTIVE = frozenset({OrderPurpose.STOP, OrderPurpose.TAKE_PROFIT})
_UNANSWERED = frozenset({OrderStatus.SENT, OrderStatus.UNKNOWN})


def protective_requests(
    position: Position, instrument: Instrument, quote: float | None = None
) -> tuple[OrderRequest, ...]:
    """Return the orders that the position's levels ask for.

    A take-profit and the stop of the same quantity form a group: one cancels the other. Where the take-profit closes
    only a part, the rest has a stop of its own, which stays when the target is reached.

    Args:
        position: what is to be protected.
        instrument: its trading rules.
        quote: the newest price. No venue takes a group whose target it has reached, and then the stop would be missing,
            too: it is asked for alone until the price has come back. None: not known.
    """
    of_position, side = stem(position.symbol, position.entry_time), position.side.entry_side.opposite
    level = None if position.stop_ticks is None else instrument.price(position.stop_ticks)
    held = instrument.orderable_part(position.quantity)
    may_rest = position.target_ticks is not None and not (level and _is_reached(position, instrument, quote))
    at_target = _part_at_target(position, instrument, held, level) if may_rest else ZERO
    group = f"{of_position}-G{position.revision}" if level is not None and at_target else None

    def stop(mark: str, quantity: Decimal, group: str | None) -> OrderRequest:
        order_id = f"{of_position}-{mark}{position.revision}"
        return OrderRequest(order_id, position.symbol, side, OrderType.STOP, quantity, stop_price=level, group=group)

    requests = []
    rest = subtract(held, at_target)
    if level is not None and at_target:
        requests.append(stop("S", at_target, group))
    if level is not None and rest:
        requests.append(stop("R" if at_target else "S", rest, None))
    if position.target_ticks is not None and at_target:
        price, order_id = instrument.price(position.target_ticks), f"{of_position}-T{position.revision}"
        target = OrderRequest(order_id, position.symbol, side, OrderType.LIMIT, at_target, price=price, group=group)
        requests.append(target)
    return tuple(requests)


def _part_at_target(position: Position, instrument: Instrument, held: Decimal, level: Decimal | None) -> Decimal:
    """Return how much may rest at the target, in base: nothing where one of the orders would be too small to be taken.

    A plan is taken as a whole or not at all, and no target is worth a missing stop.
    """
    part = min(position.target_quantity, held)
    prices = [instrument.price(position.target_ticks or 0)] + ([] if level is None else [level])
    is_part_orderable = all(instrument.is_orderable(price, part) for price in prices)
    rest = subtract(held, part)
    is_rest_orderable = level is None or not rest or instrument.is_orderable(level, rest)
    return part if is_part_orderable and is_rest_orderable else ZERO


def can_be_stopped(position: Position, instrument: Instrument) -> bool:
    """Say whether the venue takes a stop for all that can be sold of a position, or none is wanted."""
    level = position.stop_ticks
    return level is None or instrument.is_orderable(
        instrument.price(level), instrument.orderable_part(position.quantity)
    )


def covers(orders: Sequence[Order], position: Position, instrument: Instrument, quote: float | None = None) -> bool:
    """Say whether what is left of `orders` is exactly what the position's levels and size ask for.

    A target that rests is left alone whatever the price (`quote`): its execution may not be told yet.
    """
    live = Counter((o.request.type, o.request.stop_price or o.request.price, o.open_quantity) for o in orders)
    return live in (_wanted(position, instrument, None), _wanted(position, instrument, quote))


def _wanted(
    position: Position, instrument: Instrument, quote: float | None
) -> Counter[tuple[OrderType, Decimal | None, Decimal]]:
    requests = protective_requests(position, instrument, quote)
    return Counter((r.type, r.stop_price or r.price, r.quantity) for r in requests)


def _is_reached(position: Position, instrument: Instrument, quote: float | None) -> bool:
    """Say whether the newest price is at the take-profit or beyond it; no price reaches nothing."""
    if position.target_ticks is None or quote is None:
        return False
    target, price = instrument.price(position.target_ticks), Decimal(repr(quote))
    return price >= target if position.side is PositionSide.LONG else price <= target


def stopped_quantity(orders: Sequence[Order]) -> Decimal:
    """Return how much of a position the stops among `orders` still close, in base."""
    return add(*(order.open_quantity for order in orders if order.purpose is OrderPurpose.STOP))


def is_overrun(position: Position, orders: Sequence[Order], tick: Tick, instrument: Instrument) -> bool:
    """Say whether the price has reached the position's stop, and `orders` do not close all of it there."""
    if position.stop_ticks is None or stopped_quantity(orders) >= instrument.orderable_part(position.quantity):
        return False
    level = instrument.price(position.stop_ticks)
    if position.side is PositionSide.LONG:
        return Decimal(repr(tick.low)) <= level
    return Decimal(repr(tick.high)) >= level


def stop_state(position: Position, orders: Sequence[Order]) -> str:
    """Say how `orders` protect a position: `resting`, `planned`, `guarded` (watched here) or `none` (not wanted)."""
    if position.stop_ticks is None:
        return "none"
    for order in orders:
        if order.purpose is OrderPurpose.STOP:
            return "planned" if order.status in {OrderStatus.SENT, OrderStatus.UNKNOWN} else "resting"
    return "guarded"


def is_settling(orders: Sequence[Order]) -> bool:
    """Say whether the venue has yet to answer for one of `orders`, or is executing a stop: not to be replaced now."""
    return any(
        order.status in _UNANSWERED
        or (order.purpose is OrderPurpose.STOP and order.status is OrderStatus.PARTIALLY_FILLED)
        for order in orders
    )
