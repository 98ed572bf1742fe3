"""Orders: what was asked of the venue and how far it came."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

import msgspec

from vela.domain.errors import OrderError
from vela.domain.money import ZERO, subtract
from vela.domain.regime import MarketRegime
from vela.domain.trading_symbol import TradingSymbol


class Side(StrEnum):
    """Buy or sell."""

    BUY = "BUY"
    SELL = "SELL"

    @property
    def opposite(self) -> Side:
        """The other side."""
        return Side.SELL if self is Side.BUY else Side.BUY


class OrderType(StrEnum):
    """How the venue executes the order."""

    MARKET = "MARKET"
    LIMIT = "LIMIT"
    STOP = "STOP"


class OrderPurpose(StrEnum):
    """Why the order exists."""

    ENTRY = "entry"
    EXIT = "exit"
    STOP = "stop"
    TAKE_PROFIT = "take_profit"


class OrderStatus(StrEnum):
    """How far an order came; `TRANSITIONS` says what may follow."""

    PLANNED = "PLANNED"
    SENT = "SENT"
    UNKNOWN = "UNKNOWN"
    ACCEPTED = "ACCEPTED"
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    FILLED = "FILLED"
    REJECTED = "REJECTED"
    CANCELLED = "CANCELLED"
    EXPIRED = "EXPIRED"

    @property
    def is_final(self) -> bool:
        """Whether nothing can follow."""
        return not TRANSITIONS[self]


# Forward only. SENT and UNKNOWN may jump over ACCEPTED: a venue's first word can be a fill.
# CANCELLED → FILLED never: a fill that beat the cancel is booked before the order is closed.
TRANSITIONS: dict[OrderStatus, frozenset[OrderStatus]] = {
    OrderStatus.PLANNED: frozenset({OrderStatus.SENT, OrderStatus.EXPIRED}),
    OrderStatus.SENT: frozenset(
        {
            OrderStatus.UNKNOWN,
            OrderStatus.ACCEPTED,
            OrderStatus.PARTIALLY_FILLED,
            OrderStatus.FILLED,
            OrderStatus.REJECTED,
            OrderStatus.CANCELLED,
            OrderStatus.EXPIRED,
        }
    ),
    OrderStatus.UNKNOWN: frozenset(
        {
            OrderStatus.ACCEPTED,
            OrderStatus.PARTIALLY_FILLED,
            OrderStatus.FILLED,
            OrderStatus.REJECTED,
            OrderStatus.CANCELLED,
            OrderStatus.EXPIRED,
        }
    ),
    OrderStatus.ACCEPTED: frozenset(
        {OrderStatus.PARTIALLY_FILLED, OrderStatus.FILLED, OrderStatus.CANCELLED, OrderStatus.EXPIRED}
    ),
    OrderStatus.PARTIALLY_FILLED: frozenset({OrderStatus.FILLED, OrderStatus.CANCELLED, OrderStatus.EXPIRED}),
    OrderStatus.FILLED: frozenset(),
    OrderStatus.REJECTED: frozenset(),
    OrderStatus.CANCELLED: frozenset(),
    OrderStatus.EXPIRED: frozenset(),
}


class OrderRequest(msgspec.Struct, frozen=True):
    """What is sent to a venue.

    Attributes:
        client_order_id: ours, unique for ever, known before the send.
        symbol: what is traded.
        side: buy or sell.
        type: MARKET, LIMIT or STOP (a market order once the price reaches `stop_price`).
        quantity: in base, on the instrument's step.
        price: limit price on the tick grid, LIMIT only.
        stop_price: trigger on the tick grid, STOP only.
        group: orders of one group share their reservation; when one fills, the others are cancelled.
    """

    client_order_id: str
    symbol: TradingSymbol
    side: Side
    type: OrderType
    quantity: Decimal
    price: Decimal | None = None
    stop_price: Decimal | None = None
    group: str | None = None

    def __post_init__(self) -> None:
        if not self.quantity.is_finite() or self.quantity <= 0:
            raise OrderError(f"quantity of {self.client_order_id} was {self.quantity}; accepted: a number above 0")
        for name, value, needed in (
            ("price", self.price, self.type is OrderType.LIMIT),
            ("stop_price", self.stop_price, self.type is OrderType.STOP),
        ):
            if needed != (value is not None):
                raise OrderError(f"a {self.type.value} order {'needs a' if needed else 'takes no'} {name}")
            if value is not None and (not value.is_finite() or value <= 0):
                raise OrderError(f"{name} of {self.client_order_id} was {value}; accepted: a number above 0")


class Order(msgspec.Struct, frozen=True):
    """An order of ours and how far it came.

    Attributes:
        request: what was or will be sent.
        purpose: why it exists.
        status: how far it came.
        created_time: ms UTC of the intent.
        updated_time: ms UTC of the last transition.
        filled_quantity: sum of its fills, in base.
        filled_value: sum of price × quantity of its fills, in quote.
        reason: why it was planned (`signal`, `stop_loss`, …) or refused.
        venue_order_id: the venue's own id, once known.
        reserved: what it may cost at most, fee included, in quote; counts against the free balance while it is live.
        strategy, regime: of the signal that led to it; empty and unknown for protective orders.
    """

    request: OrderRequest
    purpose: OrderPurpose
    status: OrderStatus
    created_time: int
    updated_time: int
    filled_quantity: Decimal = ZERO
    filled_value: Decimal = ZERO
    reason: str = ""
    venue_order_id: str | None = None
    reserved: Decimal = ZERO
    strategy: str = ""
    regime: MarketRegime = MarketRegime.UNKNOWN

    @property
    def client_order_id(self) -> str:
        """Our id of the order."""
        return self.request.client_order_id

    @property
    def symbol(self) -> TradingSymbol:
        """What is traded."""
        return self.request.symbol

    @property
    def open_quantity(self) -> Decimal:
        """What the venue may still execute of it, in base."""
        return subtract(self.request.quantity, self.filled_quantity)

    @property
    def is_live(self) -> bool:
        """Whether the venue may still execute it."""
        return not self.status.is_final

    def moved(self, status: OrderStatus, time: int, **changes: object) -> Order:
        """Return the order in its next state, or changed in the same one as long as that is not final.

        Raises:
            OrderError: the transition table does not allow the step.
        """
        stays = status is self.status and self.is_live
        if not stays and status not in TRANSITIONS[self.status]:
            raise OrderError(f"order {self.client_order_id} cannot go from {self.status.value} to {status.value}")
        return msgspec.structs.replace(self, status=status, updated_time=time, **changes)
