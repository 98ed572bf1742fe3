"""The pretend market as a venue of its own: every kind of order, partial fills, a book that can run out.

Orders execute by the rules of `matching.py`, as those of `exchange.py`'s paper account do; here is what a public venue
does differently. Nothing here does I/O: time is handed in, and so is what is offered.

- Orders that take, trade with the book (`liquidity.py`) level by level; what they took is gone until the price moves
  again. What nobody offers expires (market orders, IOC), or rests.
- Orders that rest, trade at their limit when the market reaches it: never more in all than the market itself traded
  on that tick, best limit first, then oldest.
- The orders of the account never trade with each other: where one would take from another, one of them ends.
- A client order id must be new among the open orders only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from enum import StrEnum

import msgspec

from vela.domain.errors import OrderNotFound, OrderRefused
from vela.domain.events import Tick
from vela.domain.instrument import Instrument
from vela.domain.money import ZERO, add
from vela.domain.order import OrderStatus, Side
from vela.domain.trading_symbol import TradingSymbol
from vela.ports.execution import Balance
from vela.simulation.accounts import Account
from vela.simulation.book import Book, locked_asset
from vela.simulation.exchange_events import (
    ExchangeEvent,
    OrderAccepted,
    OrderCancelled,
    OrderExpired,
    OrderFilled,
    OrderTriggered,
)
from vela.simulation.filters import check_notional, check_price, check_quantity
from vela.simulation.liquidity import Liquidity
from vela.simulation.matching import Matching, Move, priority, rests, value_of
from vela.simulation.spot_fees import SpotFees
from vela.simulation.spot_orders import (
    OrderPair,
    SpotEvent,
    SpotEventKind,
    SpotOrder,
    SpotOrderType,
    SpotRequest,
)

MOST_OPEN_ORDERS = 200  # per symbol
MOST_OPEN_STOPS = 5  # of them


class Phase(StrEnum):
    """What can be done with a symbol.

    In all but TRADING nothing is let in and nothing executes; orders can be cancelled. DELISTED: it is not known here
    any more, and has no orders.
    """

    TRADING = "TRADING"
    HALT = "HALT"
    BREAK = "BREAK"
    CANCEL_ONLY = "CANCEL_ONLY"
    DELISTED = "DELISTED"


_KINDS: dict[type[ExchangeEvent], SpotEventKind] = {
    OrderAccepted: SpotEventKind.NEW,
    OrderTriggered: SpotEventKind.TRIGGERED,
    OrderFilled: SpotEventKind.TRADE,
    OrderCancelled: SpotEventKind.CANCELLED,
    OrderExpired: SpotEventKind.EXPIRED,
}


class SpotExchange:
    """A spot venue with one account.

    The text of a refusal begins with its code: `unknown_symbol`, `market_closed`, `no_price`, `duplicate_client_id`,
    one of `filters.py`, `open_orders`, `open_stops`, `would_trigger`, `would_take`, `pair_prices`, `no_offers` or
    `balance`.
    """

    def __init__(
        self,
        instruments: Iterable[Instrument],
        balances: Mapping[str, Decimal],
        *,
        fees: SpotFees,
        liquidity: Liquidity,
    ) -> None:
        """Open the venue.

        Args:
            instruments: what can be traded.
            balances: initial free amount per asset, 0 or more.
            fees: what trades cost.
            liquidity: what is offered.

        Raises:
            LedgerError: a balance is below zero.
        """
        self.instruments = {instrument.symbol: instrument for instrument in instruments}
        self._matching = Matching(self.instruments, fees, liquidity)
        self._book = Book(Account(balances), self._hear)
        self._log: list[SpotEvent] = []
        self._orders: dict[int, SpotOrder] = {}
        self._pairs: dict[int, OrderPair] = {}
        self._newest: dict[tuple[TradingSymbol, str], int] = {}  # id of the newest order of a client id
        self._phases: dict[TradingSymbol, Phase] = {}

    # ------------------------------------------------------------------------------------------------------- state

    @property
    def fees(self) -> SpotFees:
        """What trades cost."""
        return self._matching.fees

    @property
    def log(self) -> Sequence[SpotEvent]:
        """All that ever happened, oldest first."""
        return self._log

    @property
    def orders(self) -> Mapping[int, SpotOrder]:
        """Every order by the venue's id, oldest first."""
        return self._orders

    @property
    def pairs(self) -> Mapping[int, OrderPair]:
        """Every pair by the venue's id, oldest first."""
        return self._pairs

    def open_orders(self, symbol: TradingSymbol | None = None) -> list[SpotOrder]:
        """Return what may still execute, oldest first."""
        return [*self._book.orders.values()] if symbol is None else self._book.of_symbol(symbol)

    def find(self, symbol: TradingSymbol, order_id: int | None = None, client_order_id: str | None = None) -> SpotOrder:
        """Return an order by the venue's id or, without one, the newest of a client's id.

        Raises:
            OrderNotFound: no such order of the symbol.
        """
        wanted = order_id if order_id is not None else self._newest.get((symbol, client_order_id or ""))
        order = self._orders.get(wanted) if wanted is not None else None
        if order is None or order.request.symbol != symbol:
            raise OrderNotFound(
                f"order {order_id or client_order_id!r} of {symbol} is unknown; accepted: one placed here"
            )
        return order

    def balances(self) -> dict[str, Balance]:
        """Return free and locked of every asset that was ever held."""
        return self._book.account.balances()

    def price(self, symbol: TradingSymbol) -> Decimal | None:
        """Return the newest price; None before the first."""
        return self._matching.price(symbol) if self._matching.has_price(symbol) else None

    def depth(self, symbol: TradingSymbol, side: Side) -> list[tuple[Decimal, Decimal]]:
        """Return price and quantity of the bids (BUY) or asks (SELL), best first; none before the first price."""
        instrument = self.instruments[symbol]
        levels = self._matching.levels(symbol, side.opposite)
        return [(instrument.price(level.ticks), instrument.quantity(level.steps)) for level in levels]

    def phase(self, symbol: TradingSymbol) -> Phase:
        """Return what can be done with the symbol."""
        return self._phases.get(symbol, Phase.TRADING)

    @property
    def listed(self) -> dict[TradingSymbol, Instrument]:
        """What can be asked for: all that is not delisted."""
        return {one: rules for one, rules in self.instruments.items() if self.phase(one) is not Phase.DELISTED}

    # ---------------------------------------------------------------------------------------------------- commands

    def enter(self, phase: Phase, symbol: TradingSymbol, time: int) -> None:
        """Change what can be done with a symbol at `time` (ms UTC); its orders expire when it is delisted."""
        self._phases[symbol] = phase
        if phase is Phase.DELISTED:
            for order in self._book.of_symbol(symbol):
                self._book.expire(order, time, "delisted")

    def expire(self, order: SpotOrder, time: int) -> None:
        """End an open order, and the other one of its pair, as venues sometimes do on their own."""
        for one in self._with_group(order):
            self._book.expire(one, time, "venue")

    def check(self, request: SpotRequest) -> None:
        """Say whether an order would be let in now.

        Raises:
            OrderRefused: it would not.
        """
        self._check_rules(request)
        asset, amount = locked_asset(request), self._cost(request)
        free = self._book.account.free(asset)
        if amount > free:
            raise OrderRefused(f"balance: {request.client_order_id} needs {amount} {asset}; accepted: up to {free}")

    def place(self, request: SpotRequest, time: int) -> SpotOrder:
        """Place an order at `time` (ms UTC) and return what became of it at once.

        Raises:
            OrderRefused: nothing was changed.
        """
        self.check(request)
        order = self._accept(request, time)
        if not request.type.is_stop:
            self._matching.take(self._book, order, self._matching.quote(request.symbol), time)
        return self._orders[order.order_id]

    def place_pair(self, client_list_id: str, above: SpotRequest, below: SpotRequest, time: int) -> OrderPair:
        """Place two orders of one symbol, side and quantity around the market; the first to trade or trigger wins.

        Raises:
            OrderRefused: nothing was changed.
        """
        _check_pair(above, below)
        for request in (above, below):
            self.check(request)
        number = len(self._pairs) + 1
        first = self._book.sequence + 1
        pair = OrderPair(
            list_id=number, client_list_id=client_list_id, symbol=above.symbol, order_ids=(first, first + 1), time=time
        )
        self._pairs[number] = pair
        for request in (above, below):
            self._accept(msgspec.structs.replace(request, group=str(number)), time)
        return pair

    def cancel(self, order: SpotOrder, time: int, cancel_id: str) -> None:
        """Take back an order, and the other one of its pair.

        Raises:
            OrderNotFound: it is not open; nothing was changed.
        """
        if not self._orders[order.order_id].is_open:
            raise OrderNotFound(f"order {order.order_id} is not open; accepted: an order that may still execute")
        for one in self._with_group(order):
            self._book.cancel(one, time, "client", cancel_id)

    def on_tick(self, tick: Tick, time: int, share: float) -> None:
        """Take a move of the market and let orders execute on it.

        Args:
            tick: how the price moved; a symbol that is not traded here is passed over.
            time: ms UTC at the venue.
            share: which part of the newest candle's volume was traded on the way, 0 to 1.
        """
        instrument = self.instruments.get(tick.symbol)
        if instrument is None:
            return
        move = self._matching.moved(tick, self._matching.advance(tick))
        if tick.jump or self.phase(tick.symbol) is not Phase.TRADING:
            return  # orders meet a jump on the move after it, as gapped over
        waiting = self._book.of_symbol(tick.symbol)
        stops = [order for order in waiting if order.working_time is None]
        resting = sorted(filter(rests, waiting), key=priority)
        volume = instrument.quantity_steps(Decimal(repr(tick.volume)))
        # Stops first: within one move nobody knows what came first.
        self._matching.match(self._book, [*stops, *resting], move, time, budget=int(volume * share))

    # ---------------------------------------------------------------------------------------------------- checking

    def _check_rules(self, request: SpotRequest) -> None:
        name, instrument = request.client_order_id, self.instruments.get(request.symbol)
        phase = self.phase(request.symbol)
        if instrument is None or phase is Phase.DELISTED:
            raise OrderRefused(f"unknown_symbol: {request.symbol}; accepted: {', '.join(map(str, self.listed))}")
        if phase is not Phase.TRADING:
            raise OrderRefused(f"market_closed: {request.symbol} is in {phase.value}; accepted: orders in TRADING")
        if not self._matching.has_price(request.symbol):
            raise OrderRefused(f"no_price: {request.symbol} has no price yet; accepted: orders once it trades")
        if name in self._book.orders:
            raise OrderRefused(f"duplicate_client_id: {name[:40]!r} is open; accepted: an id that no open order has")
        _check_filters(request, instrument, self.price(request.symbol) or ZERO)
        self._check_number(request)
        quote = self._matching.quote(request.symbol)
        here = Move(quote.ticks, quote.ticks, quote.ticks)
        if request.type.is_stop and self._matching.touched(request, here, is_stop=True):
            raise OrderRefused(f"would_trigger: {name} at {request.stop_price}; accepted: a stop beyond the market")
        crosses = self._matching.offered(request, quote) or self._matching.met(self._book, request, [])
        if request.type is SpotOrderType.LIMIT_MAKER and crosses:
            raise OrderRefused(f"would_take: {name} at {request.price}; accepted: a limit that rests")

    def _check_number(self, request: SpotRequest) -> None:
        kinds = [order.request.type for order in self._book.of_symbol(request.symbol)]
        stops = sum(kind.is_stop for kind in kinds)
        if len(kinds) >= MOST_OPEN_ORDERS:
            raise OrderRefused(f"open_orders: {len(kinds)} of {request.symbol}; accepted: up to {MOST_OPEN_ORDERS}")
        if request.type.is_stop and stops >= MOST_OPEN_STOPS:
            raise OrderRefused(f"open_stops: {stops} of {request.symbol}; accepted: up to {MOST_OPEN_STOPS}")

    def _cost(self, request: SpotRequest) -> Decimal:
        """Return how much of its asset the order needs from the start."""
        if request.type is not SpotOrderType.MARKET:
            return self._matching.need(request, request.quantity or ZERO)
        instrument = self.instruments[request.symbol]
        levels = self._matching.offered(request, self._matching.quote(request.symbol))
        if not levels:
            raise OrderRefused(f"no_offers: nothing fits {request.client_order_id}; accepted: what the book can fill")
        if not request.is_buy:
            return request.quantity or instrument.quantity(sum(level.steps for level in levels))
        return self._matching.cost(add(*(value_of(instrument, level) for level in levels)))

    # --------------------------------------------------------------------------------------------------- internals

    def _accept(self, request: SpotRequest, time: int) -> SpotOrder:
        return self._book.accept(request, time, self._matching.need(request, request.quantity or ZERO))

    def _with_group(self, order: SpotOrder) -> list[SpotOrder]:
        """Return those of an order and the other one of its pair that are open."""
        both = [order, *self._book.others_of_group(order.request)]
        return [one for one in both if one.request.client_order_id in self._book.orders]

    def _hear(self, event: ExchangeEvent, order: SpotOrder) -> None:
        kind, reason = _KINDS[type(event)], getattr(event, "reason", "")
        if isinstance(event, OrderCancelled) and event.reason == "group":  # a venue says that it expired
            kind = SpotEventKind.EXPIRED
            order = msgspec.structs.replace(order, status=OrderStatus.EXPIRED)
        self._orders[order.order_id] = order
        if isinstance(event, OrderAccepted):
            self._newest[order.request.symbol, order.request.client_order_id] = order.order_id
        self._log.append(
            SpotEvent(
                sequence=event.sequence,
                time=event.time,
                kind=kind,
                order=order,
                trade=order.trades[-1] if isinstance(event, OrderFilled) else None,
                cancel_id=event.cancel_id if isinstance(event, OrderCancelled) else "",
                reason=reason,
            )
        )


def _check_filters(request: SpotRequest, instrument: Instrument, market: Decimal) -> None:
    name = request.client_order_id
    for price in (request.price, request.stop_price):
        if price is not None:
            check_price(name, price, instrument)
    if request.quantity is None:
        if (request.quote_quantity or ZERO) < instrument.min_notional:
            raise OrderRefused(f"min_notional: {name}; accepted: a value of {instrument.min_notional} or more")
        return
    check_quantity(name, request.quantity, instrument)
    check_notional(name, request.price or request.stop_price or market, request.quantity, instrument)


def _check_pair(above: SpotRequest, below: SpotRequest) -> None:
    if above.client_order_id == below.client_order_id:
        raise OrderRefused(f"duplicate_client_id: {above.client_order_id[:40]!r} twice; accepted: two different ids")
    same = all(getattr(above, name) == getattr(below, name) for name in ("symbol", "side", "quantity"))
    high, low = (request.stop_price or request.price or ZERO for request in (above, below))
    if not same or high <= low:
        raise OrderRefused("pair_prices: accepted: two orders of one symbol, side and quantity, one above the market")
