"""What happened at the simulated exchange. Its state is these events, applied one after the other.

Every event carries its running number (`sequence`, from 1) and the time of the newest prices (`time`, ms UTC).
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from vela.domain.fill import Fill
from vela.domain.order import OrderRequest


class _Event(msgspec.Struct, frozen=True, tag_field="event"):
    sequence: int
    time: int


class OrderAccepted(_Event, frozen=True, tag="accepted"):
    """An order was let in; it may need `amount` of `asset`, which is locked from now on (0: nothing)."""

    request: OrderRequest
    asset: str
    amount: Decimal


class OrderFilled(_Event, frozen=True, tag="filled"):
    """An order executed, always as a whole."""

    fill: Fill


class OrderCancelled(_Event, frozen=True, tag="cancelled"):
    """An order was taken back. `reason`: `client`, or `group` when another order of its group was filled."""

    client_order_id: str
    reason: str


class OrderExpired(_Event, frozen=True, tag="expired"):
    """An order could not execute when its time came. `reason`: `balance` or `min_notional`."""

    client_order_id: str
    reason: str


ExchangeEvent = OrderAccepted | OrderFilled | OrderCancelled | OrderExpired
