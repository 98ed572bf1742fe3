"""The venue's private side: where orders go."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from decimal import Decimal
from typing import Protocol

import msgspec

from vela.domain.events import PricesMoved
from vela.domain.fill import Fill
from vela.domain.order import OrderRequest, OrderStatus


class OrderReport(msgspec.Struct, frozen=True):
    """An order's state in the venue's words.

    Attributes:
        client_order_id: ours.
        venue_order_id: the venue's.
        status: ACCEPTED, PARTIALLY_FILLED, FILLED, CANCELLED, EXPIRED or REJECTED.
        fills: those of the order so far that the venue told along, oldest first.
        time: ms UTC of the last change.
        reason: why it was refused or cancelled, if it was.
        filled_quantity: base executed so far by the venue's count; None: just what `fills` add up to. Where it is more
            than all fills ever told, some are missing: ask with `Execution.order`, which tells every one.
    """

    client_order_id: str
    venue_order_id: str
    status: OrderStatus
    fills: tuple[Fill, ...]
    time: int
    reason: str = ""
    filled_quantity: Decimal | None = None


class EventsMissed(msgspec.Struct, frozen=True):
    """The venue's word was interrupted: what became of orders meanwhile must be asked for."""


class FollowUp(msgspec.Struct, frozen=True):
    """How a venue's orders have to be looked after.

    Attributes:
        absent_tries: how many times in a row the venue must not know an order before it counts as never received.
        absent_seconds: how long after the first question that can be at the earliest.
        reconcile_seconds: how often everything is compared with the venue; 0: never, because nothing can be missed.
    """

    absent_tries: int = 1
    absent_seconds: float = 0.0
    reconcile_seconds: float = 0.0


class Balance(msgspec.Struct, frozen=True):
    """What the venue holds for us of one asset; `free` can be spent, `locked` stands behind open orders."""

    free: Decimal
    locked: Decimal


class Execution(Protocol):
    """Sends orders and tells what became of them. Only the orders service holds one.

    Every call may also raise `RateLimited` or `CredentialsRefused`: then nothing was done, for certain.
    """

    @property
    def follow_up(self) -> FollowUp:
        """How its orders have to be looked after."""
        ...

    async def submit(self, *requests: OrderRequest) -> tuple[OrderReport, ...]:
        """Place orders, all or none, and return their states; in a group the first fill cancels the others.

        Raises:
            OrderRefused: refused for certain; none of them exists.
            OrderUnresolved: no certain answer; ask with `order` before anything else.
        """
        ...

    async def replace(self, cancel: Sequence[str], *requests: OrderRequest) -> tuple[OrderReport, ...]:
        """Cancel resting orders and place others in one step; if a cancel comes too late, nothing is placed.

        Returns:
            The states of the cancelled orders, then of the new ones.

        Raises:
            OrderNotFound: one of the orders to cancel is no longer open; nothing was placed.
            OrderRefused: the new orders were refused for certain; ask what became of the old ones.
            OrderUnresolved: no certain answer.
        """
        ...

    async def cancel(self, client_order_id: str) -> OrderReport:
        """Cancel a resting order.

        Raises:
            OrderNotFound: it is no longer open or never was.
            OrderUnresolved: no certain answer.
        """
        ...

    async def order(self, client_order_id: str) -> OrderReport:
        """Ask for an order's state, whatever it is.

        Raises:
            OrderNotFound: the venue does not know it (yet).
            OrderUnresolved: no certain answer.
        """
        ...

    async def open_orders(self) -> tuple[OrderReport, ...]:
        """Return all orders that may still execute, oldest first; `fills` may be missing where `filled_quantity` tells.

        Raises:
            OrderUnresolved: no certain answer.
        """
        ...

    async def balances(self) -> Mapping[str, Balance]:
        """Return what is held, by asset.

        Raises:
            OrderUnresolved: no certain answer.
        """
        ...

    async def average_price(self, request: OrderRequest) -> Decimal | None:
        """Return at which price (quote per base) a market order would execute now; None: not all of it would.

        Raises:
            OrderUnresolved: no certain answer.
        """
        ...

    def events(self) -> AsyncIterator[OrderReport | EventsMissed]:
        """Yield what happens to orders without having been asked for; ends where all is told in answers.

        Anything may come twice, late or out of order, and nothing is sure to come.
        """
        ...

    async def on_prices(self, prices: PricesMoved) -> tuple[OrderReport, ...]:
        """Tell a simulated venue the market's prices; returns the orders that changed through them.

        A real venue knows the prices: returns ().
        """
        ...
