"""Orders that the venue never received: proven of each, not assumed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from vela.domain.instrument import Instrument
from vela.domain.order import Order, OrderPurpose, OrderRequest, OrderStatus
from vela.domain.position import ExitReason, Position
from vela.domain.trading_symbol import TradingSymbol
from vela.engine.protection import PROTECTIVE, protective_requests
from vela.engine.step import StepBuilder

NEVER_ARRIVED = "never_arrived"


class AbsentOrders:
    """Entries and exits that wait for their signal to come again, or for a newer one."""

    def __init__(self) -> None:
        self._waiting: dict[str, Order] = {}

    def keep(self, orders: Iterable[Order]) -> None:
        """Let those of `orders` wait that answer a signal."""
        self._waiting |= {order.client_order_id: order for order in orders if order.purpose not in PROTECTIVE}

    def take(self, client_order_id: str) -> Order | None:
        """Return an order, which waits no longer; None: it did not."""
        return self._waiting.pop(client_order_id, None)

    def awaits_exit(self, symbol: TradingSymbol) -> bool:
        """Say whether an exit waits for its signal: until that comes, or another one, nothing is to be sold."""
        return any(
            order.symbol == symbol and order.purpose is OrderPurpose.EXIT and order.reason == ExitReason.SIGNAL.value
            for order in self._waiting.values()
        )

    def expire(self, before: int, step: StepBuilder) -> list[Order]:
        """Give up those whose candle is older than `before` (ms UTC), and return them."""
        expired = [order for order in self._waiting.values() if order.created_time < before]
        for order in expired:
            del self._waiting[order.client_order_id]
            give_up(order, step)
        return expired


def give_up(order: Order, step: StepBuilder, reason: str = NEVER_ARRIVED) -> None:
    """Send an order that never arrived no more."""
    step.order(order.moved(OrderStatus.EXPIRED, step.time, reason=reason))


def sent_again(lost: Sequence[Order], position: Position | None, instrument: Instrument) -> tuple[OrderRequest, ...]:
    """Return the protective orders that are sent again as they were: all that are wanted, or none.

    Args:
        lost: protective orders of one symbol.
        position: what they protected; None: it is gone.
        instrument: the symbol's trading rules.
    """
    wanted = () if position is None else protective_requests(position, instrument)
    return wanted if set(wanted) <= {order.request for order in lost} else ()
