"""What happened at a simulated exchange. Its state is these events, applied one after the other.

Every event carries its running number (`sequence`, from 1) and a time (`time`, ms UTC). Events are stored: fields may
be added with a default. What an order still needs is told by the events, so that no later rule can change it.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from vela.domain.fill import Fill
from vela.domain.money import ZERO
from vela.simulation.spot_orders import Prevention, SpotRequest


class _Event(msgspec.Struct, frozen=True, tag_field="event", omit_defaults=True):
    sequence: int
    time: int


class OrderAccepted(_Event, frozen=True, tag="accepted"):
    """An order was let in; it may need `amount` of `asset`, which is locked from now on (0: nothing)."""

    request: SpotRequest
    asset: str
    amount: Decimal


class OrderTriggered(_Event, frozen=True, tag="triggered"):
    """A stop works from now on; `amount` stays locked for it."""

    client_order_id: str
    amount: Decimal


class OrderFilled(_Event, frozen=True, tag="filled"):
    """An order executed, or a part of it.

    Attributes:
        fill: the execution.
        amount: what stays locked for the rest.
        is_maker: whether it had been resting in the market's book.
        is_last: it ends an order that was given by its value.
    """

    fill: Fill
    amount: Decimal = ZERO
    is_maker: bool = False
    is_last: bool = False


class OrderCancelled(_Event, frozen=True, tag="cancelled"):
    """An order was taken back.

    Attributes:
        client_order_id: of the order.
        reason: `client`, or `group` when another order of its group traded or was triggered.
        cancel_id: the client's id of the cancel, where it has one.
    """

    client_order_id: str
    reason: str
    cancel_id: str = ""


class OrderExpired(_Event, frozen=True, tag="expired"):
    """The exchange ended an order. `reason`: why; `prevention`: what it met if that was another of the account."""

    client_order_id: str
    reason: str
    prevention: Prevention | None = None


ExchangeEvent = OrderAccepted | OrderTriggered | OrderFilled | OrderCancelled | OrderExpired


def order_of(event: ExchangeEvent) -> str:
    """Return the client's id of the order that an event is about."""
    if isinstance(event, OrderAccepted):
        return event.request.client_order_id
    return event.fill.client_order_id if isinstance(event, OrderFilled) else event.client_order_id
