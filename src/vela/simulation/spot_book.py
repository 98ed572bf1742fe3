"""Orders and money of the spot venue: what rests, what is locked for it, and the log of all that happened.

The log is append-only and kept whole: it is what a client's own books can be held against.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_DOWN, Context, Decimal

import msgspec

from vela.domain.errors import ConfigurationError, OrderNotFound
from vela.domain.execution_rules import fee
from vela.domain.fill import Fill
from vela.domain.money import ZERO, add, multiply, ratio, subtract
from vela.domain.order import OrderStatus
from vela.domain.trading_symbol import TradingSymbol
from vela.simulation.accounts import Account
from vela.simulation.spot_orders import (
    OrderPair,
    Prevention,
    SpotEvent,
    SpotEventKind,
    SpotOrder,
    SpotRequest,
    SpotTrade,
    TimeInForce,
)

_SMALLEST_AMOUNT = Decimal("1E-8")
_UNDISCOUNTED = Decimal("0.75")
_CUT = Context(prec=60, rounding=ROUND_DOWN)


class SpotFees(msgspec.Struct, frozen=True):
    """What trades cost.

    Attributes:
        maker: share of a trade of a resting order, above -1, below 1; below 0 it is a rebate.
        taker: share of any other trade, 0 or more, below 1.
        in_quote: always taken in quote; else in what is received: base of a purchase, quote of a sale.
        asset: taken in this one instead, 25 % less, as long as the account has enough of it.
    """

    maker: Decimal
    taker: Decimal
    in_quote: bool = False
    asset: str | None = None

    def __post_init__(self) -> None:
        for name, rate, lowest in (("maker", self.maker, "above -1"), ("taker", self.taker, "0 or more")):
            if not rate.is_finite() or not -1 < rate < 1 or (rate < 0 and name == "taker"):
                raise ConfigurationError(f"{name} fee was {rate}; accepted: {lowest}, below 1")

    @property
    def on_top(self) -> Decimal:
        """The largest share that a purchase costs beyond its value in quote."""
        return max(self.maker, self.taker, ZERO) if self.in_quote else ZERO

    def of(self, request: SpotRequest, price: Decimal, quantity: Decimal, *, is_maker: bool) -> tuple[Decimal, str]:
        """Return a trade's fee, cut to eight decimals as all of the venue's amounts are, and its asset."""
        rate = self.maker if is_maker else self.taker
        if request.is_buy and not self.in_quote:
            amount, asset = multiply(rate, quantity), request.symbol.base
        else:
            amount, asset = fee(rate, price, quantity), request.symbol.quote.value
        return amount.quantize(_SMALLEST_AMOUNT, context=_CUT), asset

    def discounted(self, price: Decimal, quantity: Decimal, asset_price: Decimal, *, is_maker: bool) -> Decimal:
        """Return what a trade costs in `asset`, whose price is given in the same quote; a rebate: nothing."""
        rate = max(self.maker if is_maker else self.taker, ZERO)
        amount = ratio(multiply(fee(rate, price, quantity), _UNDISCOUNTED), asset_price)
        return amount.quantize(_SMALLEST_AMOUNT, context=_CUT)


class SpotBook:
    """The venue's state. Orders change only through the methods here, and every change is an event in `log`."""

    def __init__(self, balances: Mapping[str, Decimal], fees: SpotFees) -> None:
        """Open the account.

        Raises:
            LedgerError: a balance is below zero.
        """
        self.account = Account(balances)
        self.fees = fees
        self.log: list[SpotEvent] = []
        self.orders: dict[int, SpotOrder] = {}
        self.pairs: dict[int, OrderPair] = {}
        self._open: dict[int, None] = {}  # ids, oldest first
        self._newest: dict[tuple[TradingSymbol, str], int] = {}  # id of the newest order of a client id
        self._trades = 0
        self._preventions = 0

    def open_orders(self, symbol: TradingSymbol | None = None) -> list[SpotOrder]:
        """Return what may still execute, oldest first."""
        orders = (self.orders[order_id] for order_id in self._open)
        return [order for order in orders if symbol is None or order.request.symbol == symbol]

    def find(self, symbol: TradingSymbol, order_id: int | None = None, client_order_id: str | None = None) -> SpotOrder:
        """Return an order by the venue's id or, without one, the newest of a client's id.

        Raises:
            OrderNotFound: no such order of the symbol.
        """
        wanted = order_id if order_id is not None else self._newest.get((symbol, client_order_id or ""))
        order = self.orders.get(wanted) if wanted is not None else None
        if order is None or order.request.symbol != symbol:
            raise OrderNotFound(
                f"order {order_id or client_order_id!r} of {symbol} is unknown; accepted: one placed here"
            )
        return order

    def has_open(self, client_order_id: str) -> bool:
        """Say whether an open order has that client id."""
        return any(self.orders[order_id].request.client_order_id == client_order_id for order_id in self._open)

    def sibling(self, order: SpotOrder) -> SpotOrder | None:
        """Return the other order of a pair if it is open."""
        if order.list_id is None:
            return None
        first, second = self.pairs[order.list_id].order_ids
        other = self.orders.get(second if order.order_id == first else first)
        return other if other is not None and other.is_open else None

    # ----------------------------------------------------------------------------------------------------- changes

    def accept(self, request: SpotRequest, time: int, *, list_id: int | None = None) -> SpotOrder:
        """Take an order in and lock what it may need.

        Raises:
            LedgerError: more than is free would have to be locked.
        """
        order = SpotOrder(
            order_id=len(self.orders) + 1,
            list_id=list_id,
            request=request,
            status=OrderStatus.ACCEPTED,
            created_time=time,
            updated_time=time,
            working_time=None if request.type.is_stop else time,
        )
        self._lock(order)
        self._open[order.order_id] = None
        self._newest[request.symbol, request.client_order_id] = order.order_id
        return self._happened(SpotEventKind.NEW, order, time)

    def pair(self, client_list_id: str, symbol: TradingSymbol, time: int) -> OrderPair:
        """Announce that the next two orders to be accepted are a pair."""
        first = len(self.orders) + 1
        pair = OrderPair(
            list_id=len(self.pairs) + 1,
            client_list_id=client_list_id,
            symbol=symbol,
            order_ids=(first, first + 1),
            time=time,
        )
        self.pairs[pair.list_id] = pair
        return pair

    def trigger(self, order: SpotOrder, time: int) -> SpotOrder:
        """Let a stop work from now on."""
        order = msgspec.structs.replace(order, working_time=time)
        self._lock(order)
        return self._happened(SpotEventKind.TRIGGERED, order, time)

    def trade(
        self,
        order: SpotOrder,
        price: Decimal,
        quantity: Decimal,
        time: int,
        *,
        is_maker: bool,
        is_last: bool = False,
        fee_asset_price: Decimal | None = None,
    ) -> SpotOrder:
        """Execute a part of an order, or what is left of it.

        Args:
            order: what executes.
            price: quote per base.
            quantity: base.
            time: ms UTC.
            is_maker: whether it had been resting.
            is_last: ends an order that is given by its value.
            fee_asset_price: of the asset that fees are preferably taken in, if it has one in this quote.

        Raises:
            LedgerError: the account cannot pay.
        """
        self._trades += 1
        request, value = order.request, multiply(price, quantity)
        filled = add(order.filled_quantity, quantity)
        is_done = is_last or filled == request.quantity
        order = msgspec.structs.replace(
            order,
            status=OrderStatus.FILLED if is_done else OrderStatus.PARTIALLY_FILLED,
            updated_time=time,
            filled_quantity=filled,
            filled_value=add(order.filled_value, value),
        )
        self._lock(order)
        changes = _changes(request, quantity, value)
        amount, asset = self._fee(request, price, quantity, changes, fee_asset_price, is_maker=is_maker)
        fill = Fill(
            fill_id=str(self._trades),
            client_order_id=request.client_order_id,
            symbol=request.symbol,
            side=request.side,
            price=price,
            quantity=quantity,
            fee=amount,
            fee_asset=asset,
            time=time,
        )
        self.account.post(changes | {asset: subtract(changes.get(asset, ZERO), amount)})
        trade = SpotTrade(order.order_id, fill, is_maker)
        order = msgspec.structs.replace(order, trades=(*order.trades, trade))
        return self._happened(SpotEventKind.TRADE, order, time, trade=trade)

    def cancel(self, order: SpotOrder, time: int, cancel_id: str) -> SpotOrder:
        """Take an order back."""
        return self._end(SpotEventKind.CANCELLED, OrderStatus.CANCELLED, order, time, cancel_id=cancel_id)

    def expire(self, order: SpotOrder, time: int, reason: str) -> SpotOrder:
        """End an order that cannot execute any further."""
        return self._end(SpotEventKind.EXPIRED, OrderStatus.EXPIRED, order, time, reason=reason)

    def prevent(self, order: SpotOrder, other: SpotOrder, price: Decimal, time: int) -> SpotOrder:
        """End an order that would have traded with an `other` of the account at `price`."""
        self._preventions += 1
        prevention = Prevention(self._preventions, other.order_id, price, order.open_quantity)
        return self.expire(msgspec.structs.replace(order, prevention=prevention), time, "self_trade")

    def need(self, request: SpotRequest, quantity: Decimal) -> tuple[str, Decimal]:
        """Return the asset, and how much of it, an order must keep ready while `quantity` of it rests.

        A market order keeps nothing: it is over at once.
        """
        if not request.is_buy:
            return request.symbol.base, quantity
        price = request.price or request.stop_price or ZERO
        value = multiply(price, quantity)
        return request.symbol.quote.value, add(value, multiply(value, self.fees.on_top))

    # ---------------------------------------------------------------------------------------------------- internals

    def _fee(
        self,
        request: SpotRequest,
        price: Decimal,
        quantity: Decimal,
        changes: Mapping[str, Decimal],
        asset_price: Decimal | None,
        *,
        is_maker: bool,
    ) -> tuple[Decimal, str]:
        asset = self.fees.asset
        if asset is not None and asset_price is not None:
            amount = self.fees.discounted(price, quantity, asset_price, is_maker=is_maker)
            if 0 < amount <= add(self.account.free(asset), changes.get(asset, ZERO)):
                return amount, asset
        return self.fees.of(request, price, quantity, is_maker=is_maker)

    def _lock(self, order: SpotOrder) -> None:
        asset, amount = self.need(order.request, order.open_quantity)
        key, name = _lock_key(order), str(order.order_id)
        # A triggered stop without a limit pays what it must from all that is free.
        waits = order.request.type.has_limit or order.working_time is None
        if order.is_open and amount and waits:
            self.account.reserve(key, name, asset, amount)
        else:
            self.account.release(key, name)

    def _end(
        self,
        kind: SpotEventKind,
        status: OrderStatus,
        order: SpotOrder,
        time: int,
        *,
        cancel_id: str = "",
        reason: str = "",
    ) -> SpotOrder:
        order = msgspec.structs.replace(order, status=status, updated_time=time)
        self._lock(order)
        return self._happened(kind, order, time, cancel_id=cancel_id, reason=reason)

    def _happened(
        self,
        kind: SpotEventKind,
        order: SpotOrder,
        time: int,
        *,
        trade: SpotTrade | None = None,
        cancel_id: str = "",
        reason: str = "",
    ) -> SpotOrder:
        self.orders[order.order_id] = order
        if not order.is_open:
            self._open.pop(order.order_id, None)
        self.log.append(
            SpotEvent(
                sequence=len(self.log) + 1,
                time=time,
                kind=kind,
                order=order,
                trade=trade,
                cancel_id=cancel_id,
                reason=reason,
            )
        )
        return order


def rests(order: SpotOrder) -> bool:
    """Say whether an order waits in the book for the market to come to its limit."""
    request = order.request
    return order.working_time is not None and request.type.has_limit and request.time_in_force is TimeInForce.GTC


def _lock_key(order: SpotOrder) -> str:
    return f"order:{order.order_id}" if order.list_id is None else f"pair:{order.list_id}"


def _changes(request: SpotRequest, quantity: Decimal, value: Decimal) -> dict[str, Decimal]:
    sign = 1 if request.is_buy else -1
    return {request.symbol.base: sign * quantity, request.symbol.quote.value: -sign * value}
