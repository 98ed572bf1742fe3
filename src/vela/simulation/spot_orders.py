"""Orders, trades and events of a spot venue as clients on the wire know them: more kinds than Vela itself sends."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

import msgspec

from vela.domain.errors import OrderError
from vela.domain.fill import Fill
from vela.domain.money import ZERO, subtract
from vela.domain.order import OrderStatus, Side
from vela.domain.trading_symbol import TradingSymbol


class SpotOrderType(StrEnum):
    """How the order executes; a stop waits for `stop_price`, then is a market order or, with a limit, a limit order."""

    LIMIT = "LIMIT"
    MARKET = "MARKET"
    STOP_LOSS = "STOP_LOSS"
    STOP_LOSS_LIMIT = "STOP_LOSS_LIMIT"
    TAKE_PROFIT = "TAKE_PROFIT"
    TAKE_PROFIT_LIMIT = "TAKE_PROFIT_LIMIT"
    LIMIT_MAKER = "LIMIT_MAKER"

    @property
    def is_stop(self) -> bool:
        """Whether it waits for a stop price."""
        return self not in {SpotOrderType.LIMIT, SpotOrderType.MARKET, SpotOrderType.LIMIT_MAKER}

    @property
    def is_stop_loss(self) -> bool:
        """Whether its stop lies on the losing side: below the market for a sale, above it for a purchase."""
        return self in {SpotOrderType.STOP_LOSS, SpotOrderType.STOP_LOSS_LIMIT}

    @property
    def has_limit(self) -> bool:
        """Whether it has a limit price."""
        return self not in {SpotOrderType.MARKET, SpotOrderType.STOP_LOSS, SpotOrderType.TAKE_PROFIT}


class TimeInForce(StrEnum):
    """How long an order with a limit waits: until cancelled, not at all, or not at all and as a whole or not."""

    GTC = "GTC"
    IOC = "IOC"
    FOK = "FOK"


class SelfTrade(StrEnum):
    """Which order ends when two of the account would trade with each other."""

    EXPIRE_TAKER = "EXPIRE_TAKER"
    EXPIRE_MAKER = "EXPIRE_MAKER"
    EXPIRE_BOTH = "EXPIRE_BOTH"


class SpotRequest(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a client asks for.

    Attributes:
        client_order_id: the client's; no two open orders may share it, ended ones may be repeated.
        symbol, side, type: what is traded and how.
        quantity: in base, on the instrument's step; None for a MARKET order given by `quote_quantity`.
        quote_quantity: what a MARKET order spends or earns, in quote.
        price: limit, on the tick grid, of those types that have one.
        stop_price: trigger, on the tick grid, of stops.
        time_in_force: of types with a limit; LIMIT_MAKER rests until cancelled.
        self_trade: what happens when this order would take from another of the account.
        group: orders of one group share one lock, and the first of them to trade ends the others.
    """

    client_order_id: str
    symbol: TradingSymbol
    side: Side
    type: SpotOrderType
    quantity: Decimal | None = None
    quote_quantity: Decimal | None = None
    price: Decimal | None = None
    stop_price: Decimal | None = None
    time_in_force: TimeInForce = TimeInForce.GTC
    self_trade: SelfTrade = SelfTrade.EXPIRE_MAKER
    group: str | None = None

    def __post_init__(self) -> None:
        is_market = self.type is SpotOrderType.MARKET
        if (self.quantity is None) == (self.quote_quantity is None) or (self.quantity is None and not is_market):
            raise OrderError("an order needs a quantity, a MARKET order a quantity or a quote_quantity, not both")
        for name, needed in (("price", self.type.has_limit), ("stop_price", self.type.is_stop)):
            if needed != (getattr(self, name) is not None):
                raise OrderError(f"a {self.type.value} order {'needs a' if needed else 'takes no'} {name}")
        for name in ("quantity", "quote_quantity", "price", "stop_price"):
            value = getattr(self, name)
            if value is not None and (not value.is_finite() or value <= 0):
                raise OrderError(f"{name} was {value}; accepted: a number above 0")

    @property
    def is_buy(self) -> bool:
        """Whether it buys."""
        return self.side is Side.BUY


class SpotTrade(msgspec.Struct, frozen=True):
    """An execution: of which order, and whether the order had been resting (maker) or not (taker)."""

    order_id: int
    fill: Fill
    is_maker: bool


class Prevention(msgspec.Struct, frozen=True):
    """A trade of the account with itself that did not happen, and ended an order.

    Attributes:
        match_id: unique.
        other_id: of the order on the other side.
        price: at which they would have traded.
        quantity: of the order that ended, in base.
    """

    match_id: int
    other_id: int
    price: Decimal
    quantity: Decimal


class SpotOrder(msgspec.Struct, frozen=True, kw_only=True):
    """An order at the venue.

    Attributes:
        order_id: the venue's, from 1: the number of the event that let it in.
        request: what was asked for.
        status: ACCEPTED, PARTIALLY_FILLED, FILLED, CANCELLED or EXPIRED.
        created_time, updated_time: ms UTC.
        working_time: since when it can trade, ms UTC; None for a stop that was not triggered.
        filled_quantity: in base. filled_value: in quote.
        trades: all of them, oldest first.
        prevention: what ended it, if it met another order of the account.
    """

    order_id: int
    request: SpotRequest
    status: OrderStatus
    created_time: int
    updated_time: int
    working_time: int | None = None
    filled_quantity: Decimal = ZERO
    filled_value: Decimal = ZERO
    trades: tuple[SpotTrade, ...] = ()
    prevention: Prevention | None = None

    @property
    def list_id(self) -> int | None:
        """The number of the pair that it belongs to, at a venue that makes pairs; None outside pairs."""
        return None if self.request.group is None else int(self.request.group)

    @property
    def quantity(self) -> Decimal:
        """What was asked for, in base; of an order given by its value: what was executed."""
        return self.filled_quantity if self.request.quantity is None else self.request.quantity

    @property
    def open_quantity(self) -> Decimal:
        """What may still execute, in base."""
        return subtract(self.quantity, self.filled_quantity)

    @property
    def is_open(self) -> bool:
        """Whether it may still execute."""
        return not self.status.is_final


class SpotEventKind(StrEnum):
    """What happened to an order."""

    NEW = "new"
    TRIGGERED = "triggered"
    TRADE = "trade"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class SpotEvent(msgspec.Struct, frozen=True, kw_only=True):
    """Something happened to an order.

    Attributes:
        sequence: running number, from 1.
        time: ms UTC.
        kind: what happened.
        order: the order afterwards.
        trade: the execution, for TRADE.
        cancel_id: the client id of the cancel, for CANCELLED.
        reason: why it ended.
    """

    sequence: int
    time: int
    kind: SpotEventKind
    order: SpotOrder
    trade: SpotTrade | None = None
    cancel_id: str = ""
    reason: str = ""


class OrderPair(msgspec.Struct, frozen=True, kw_only=True):
    """Two orders of which one cancels the other.

    Attributes:
        list_id: the venue's, from 1; part of the orders' group. client_list_id: the client's.
        symbol: of both.
        order_ids: the two.
        time: ms UTC of its placing.
    """

    list_id: int
    client_list_id: str
    symbol: TradingSymbol
    order_ids: tuple[int, int]
    time: int
