"""The pretend market's matching: orders in, events out.

Nothing here does I/O. A command looks at the state and returns the events that carry it out, or raises and changes
nothing; `apply` is the only thing that changes balances and orders. Whoever drives the exchange makes the events
durable first and applies them then; applying the stored events to a new exchange rebuilds the same state.

Prices are no events: a restarted exchange learns them from the market again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from vela.domain.errors import ConfigurationError, LedgerError, OrderNotFound, OrderRefused
from vela.domain.events import Tick
from vela.domain.execution_rules import (
    PPM,
    fee,
    limit_fill_ticks,
    market_fill_ticks,
    order_slippage_ppm,
    stop_fill_ticks,
)
from vela.domain.fill import Fill
from vela.domain.instrument import Instrument
from vela.domain.money import ZERO, add, multiply
from vela.domain.order import OrderRequest, OrderStatus, OrderType, Side
from vela.domain.trading_symbol import TradingSymbol
from vela.ports.execution import Balance, OrderReport
from vela.simulation.accounts import Account
from vela.simulation.book import Book, Draft, OpenOrder, stopped_at_once
from vela.simulation.exchange_events import ExchangeEvent, OrderAccepted, OrderCancelled, OrderExpired, OrderFilled
from vela.simulation.filters import check_notional, check_price, check_quantity

FINAL_ORDERS_KEPT = 20_000


class SimulatedExchange:
    """A spot exchange for one account: market, limit and stop orders, filled as a whole from ticks.

    - A market order executes at the symbol's quote if that is one of the newest prices, else at its next tick.
    - Open orders lock what they may need. Those of one group (same symbol and side) share one lock, and the first fill
      cancels the rest. A market buy that waits locks nothing, since its price is unknown; it expires if the balance
      falls short when its time comes.
    - A resting order is tested by ticks later than its acceptance only, and by none older than the newest event: after
      a crash the same prices may come again and do no harm.
    - A fill bears the time of its symbol's newest jump: of the candle's open, where the market is played from candles.
    - Client order ids are unique for ever.

    The text of a refusal begins with its code: `duplicate_client_id`, `unknown_symbol`, `step`, `min_quantity`, `tick`,
    `min_notional`, `group` or `balance`.
    """

    def __init__(
        self,
        instruments: Iterable[Instrument],
        balances: Mapping[str, Decimal],
        *,
        fee_rate: Decimal,
        slippage_ppm: int,
        impact_ppm: int = 0,
    ) -> None:
        """Open the account.

        Args:
            instruments: what can be traded.
            balances: initial free amount per asset.
            fee_rate: share of each fill's value, taken in quote; 0 or more, below 1.
            slippage_ppm: what market and stop orders lose against the quote, in millionths; 0 to 1,000,000.
            impact_ppm: what they lose beyond that by their own size, see `order_slippage_ppm`; 0 to 1,000,000.

        Raises:
            ConfigurationError: fee, slippage or impact is out of range.
            LedgerError: a balance is below zero.
        """
        if not fee_rate.is_finite() or not 0 <= fee_rate < 1:
            raise ConfigurationError(f"fee rate was {fee_rate}; accepted: 0 or more, below 1")
        for name, ppm in (("slippage", slippage_ppm), ("impact", impact_ppm)):
            if not 0 <= ppm <= PPM:
                raise ConfigurationError(f"{name} was {ppm} ppm; accepted: 0 to {PPM}")
        self._instruments = {instrument.symbol: instrument for instrument in instruments}
        self._fee_rate = fee_rate
        self._slippage_ppm = slippage_ppm
        self._impact_ppm = impact_ppm
        self._book = Book(Account(balances))
        self._used_ids: set[str] = set()
        self._final: dict[str, OrderReport] = {}
        self._busy: frozenset[TradingSymbol] = frozenset()  # symbols with open orders
        self._quotes: dict[TradingSymbol, tuple[float, int]] = {}  # price and its time
        self._volumes: dict[TradingSymbol, float] = {}
        self._opened: dict[TradingSymbol, int] = {}  # time of the newest jump
        self._sequence = 0
        self._time = 0
        self._watermark = 0

    # ------------------------------------------------------------------------------------------------------- state

    @property
    def sequence(self) -> int:
        """Running number of the newest event applied; 0 before the first."""
        return self._sequence

    @property
    def time(self) -> int:
        """Time of the newest prices or event, ms UTC; never goes back."""
        return self._time

    def order(self, client_order_id: str) -> OrderReport:
        """Return the state of an order that is open or among the newest 20,000 that ended.

        Raises:
            OrderNotFound: no such order.
        """
        if client_order_id in self._final:
            return self._final[client_order_id]
        if client_order_id in self._book.orders:
            return _report(self._book.orders[client_order_id])
        raise OrderNotFound(
            f"order {client_order_id[:40]!r} is unknown; accepted: the client id of an order placed here"
        )

    def open_orders(self) -> tuple[OrderReport, ...]:
        """Return all orders that may still execute, oldest first."""
        return tuple(map(_report, self._book.orders.values()))

    def balances(self) -> dict[str, Balance]:
        """Return free and locked of every asset that was ever held."""
        return self._book.account.balances()

    def apply(self, event: ExchangeEvent) -> None:
        """Change the state by one event: a new one that a command returned, or a stored one.

        Raises:
            LedgerError: the event is not the next one, or does not fit the balances.
            OrderNotFound: the event is about an order that is not open.
        """
        if event.sequence != self._sequence + 1:
            raise LedgerError(f"event {event.sequence} cannot follow event {self._sequence}; accepted: the next number")
        if isinstance(event, OrderAccepted):
            self._book.apply(event)
            self._used_ids.add(event.request.client_order_id)
        else:
            client_order_id = event.fill.client_order_id if isinstance(event, OrderFilled) else event.client_order_id
            accepted = self.order(client_order_id)
            self._book.apply(event)
            self._final[client_order_id] = _final_report(accepted, event)
            if len(self._final) > FINAL_ORDERS_KEPT:
                del self._final[next(iter(self._final))]
        self._busy = frozenset(order.request.symbol for order in self._book.orders.values())
        self._sequence = event.sequence
        self._watermark = max(self._watermark, event.time)
        self._time = max(self._time, event.time)

    # ---------------------------------------------------------------------------------------------------- commands

    def submit(self, *requests: OrderRequest) -> tuple[ExchangeEvent, ...]:
        """Place orders, all or none; market orders with a fresh quote execute at once.

        Raises:
            OrderRefused: one of them is refused.
        """
        return self.cancel_and_replace((), *requests)

    def cancel(self, client_order_id: str) -> tuple[ExchangeEvent, ...]:
        """Take back an open order.

        Raises:
            OrderNotFound: it is not open.
        """
        return self.cancel_and_replace((client_order_id,))

    def cancel_and_replace(self, cancel: Sequence[str], *requests: OrderRequest) -> tuple[ExchangeEvent, ...]:
        """Take back open orders and place others in one step; what the old ones had locked counts as free.

        Raises:
            OrderNotFound: one of the orders to cancel is not open.
            OrderRefused: one of the new orders is refused.
        """
        draft = Draft(self._book, self._sequence, self._time)
        for client_order_id in cancel:
            draft.add(OrderCancelled(draft.sequence, draft.time, client_order_id, "client"))
        for request in requests:
            self._accept(draft, request)
        for request in requests:
            price, time = self._quotes.get(request.symbol, (0.0, -1))
            is_open = request.client_order_id in draft.book.orders  # not cancelled by its group meanwhile
            if request.type is OrderType.MARKET and time == self._time and is_open:
                quote_ticks = max(1, self._instruments[request.symbol].price_ticks(price))
                slippage_ppm = self._slippage_of(request.symbol, request.quantity)
                ticks = market_fill_ticks(quote_ticks, request.side is Side.BUY, slippage_ppm)
                reason = self._obstacle(draft.book, request, ticks)
                if reason:
                    raise OrderRefused(f"{reason}: {request.client_order_id}; accepted: what account and filters allow")
                self._fill(draft, request, ticks)
        return tuple(draft.events)

    def on_ticks(self, time: int, ticks: Iterable[Tick]) -> tuple[ExchangeEvent, ...]:
        """Take the market's prices of one moment and return what they cause.

        A jump only moves the quote and executes waiting market orders. Any other tick tests the symbol's resting orders
        against the quote before it (so that a level gapped over fills beyond it) and the range it passed through.
        Symbols that are not traded here are passed over.

        Args:
            time: ms UTC of the prices; if earlier than the newest event, they only set quotes.
            ticks: how each symbol moved; prices finite and above zero.
        """
        self._time = max(self._time, time)
        draft = Draft(self._book, self._sequence, self._time)
        for tick in ticks:
            if tick.symbol not in self._instruments:
                continue
            before, _ = self._quotes.get(tick.symbol, (tick.price, time))
            self._quotes[tick.symbol] = (tick.price, time)
            self._volumes[tick.symbol] = tick.volume
            if tick.jump:
                self._opened[tick.symbol] = time
            if tick.symbol in self._busy and time >= self._watermark:
                self._match(draft, tick, before)
        return tuple(draft.events)

    # ---------------------------------------------------------------------------------------------------- accepting

    def _accept(self, draft: Draft, request: OrderRequest) -> None:
        client_order_id = request.client_order_id
        if client_order_id in self._used_ids or client_order_id in draft.book.orders:
            raise OrderRefused(f"duplicate_client_id: {client_order_id[:40]!r} was used before; accepted: a new id")
        if request.symbol not in self._instruments:
            traded = ", ".join(map(str, self._instruments))
            raise OrderRefused(f"unknown_symbol: {request.symbol} is not traded here; accepted: {traded}")
        _check_filters(request, self._instruments[request.symbol])
        for other in draft.book.others_of_group(request):
            if (other.request.symbol, other.request.side) != (request.symbol, request.side):
                raise OrderRefused(
                    f"group: {request.group} holds other orders; accepted: one symbol and side per group"
                )
        asset, amount = self._need(request)
        available = draft.book.available(request, asset)
        if amount > available:
            raise OrderRefused(f"balance: {client_order_id} needs {amount} {asset}; accepted: up to {available}")
        draft.add(OrderAccepted(draft.sequence, draft.time, request, asset, amount))

    def _need(self, request: OrderRequest) -> tuple[str, Decimal]:
        if request.side is Side.SELL:
            return request.symbol.base, request.quantity
        price = request.price or ZERO
        if request.stop_price is not None:
            instrument = self._instruments[request.symbol]
            stop_ticks = instrument.price_ticks(request.stop_price)
            # Nobody knows what will be traded by then: as if it were the whole of it.
            most_ppm = min(PPM, self._slippage_ppm + self._impact_ppm)
            price = instrument.price(market_fill_ticks(stop_ticks, True, most_ppm))  # noqa: FBT003  is_buy
        return request.symbol.quote.value, self._cost(price, request.quantity)

    def _cost(self, price: Decimal, quantity: Decimal) -> Decimal:
        return add(multiply(price, quantity), fee(self._fee_rate, price, quantity))

    # ----------------------------------------------------------------------------------------------------- matching

    def _match(self, draft: Draft, tick: Tick, before: float) -> None:
        to_ticks = self._instruments[tick.symbol].price_ticks
        price, first, low, high = (max(1, to_ticks(value)) for value in (tick.price, before, tick.low, tick.high))
        orders = draft.book.of_symbol(tick.symbol)
        stopped = stopped_at_once(orders)  # looked at before the first of them fills
        for order in orders:
            request = order.request
            if request.client_order_id not in draft.book.orders:  # cancelled by its group on the way
                continue
            if request.type is OrderType.MARKET:
                slippage_ppm = self._slippage_of(request.symbol, request.quantity)
                ticks = market_fill_ticks(price, request.side is Side.BUY, slippage_ppm)
            elif tick.jump or order.time >= draft.time:
                continue
            else:
                weight = stopped[request.side, request.stop_price]
                ticks = self._resting_ticks(request, weight, first, low, high)
            reason = self._obstacle(draft.book, request, ticks) if ticks else ""
            if reason:
                draft.add(OrderExpired(draft.sequence, draft.time, request.client_order_id, reason))
            elif ticks:
                self._fill(draft, request, ticks)

    def _resting_ticks(self, request: OrderRequest, weight: Decimal, first: int, low: int, high: int) -> int:
        to_ticks = self._instruments[request.symbol].price_ticks
        is_sell = request.side is Side.SELL
        if request.stop_price is not None:
            slippage_ppm = self._slippage_of(request.symbol, weight)
            return stop_fill_ticks(to_ticks(request.stop_price), is_sell, first, low, high, slippage_ppm)
        return limit_fill_ticks(to_ticks(request.price or ZERO), is_sell, first, low, high)

    def _slippage_of(self, symbol: TradingSymbol, quantity: Decimal) -> int:
        instrument = self._instruments[symbol]
        return order_slippage_ppm(
            instrument.quantity_steps(quantity),
            float(instrument.step),
            self._volumes.get(symbol, 0.0),
            self._slippage_ppm,
            self._impact_ppm,
        )

    def _obstacle(self, book: Book, request: OrderRequest, ticks: int) -> str:
        instrument = self._instruments[request.symbol]
        price = instrument.price(ticks)
        if request.type is OrderType.MARKET and multiply(price, request.quantity) < instrument.min_notional:
            return "min_notional"
        quote = request.symbol.quote.value
        if request.side is Side.BUY and self._cost(price, request.quantity) > book.available(request, quote):
            return "balance"
        return ""

    def _fill(self, draft: Draft, request: OrderRequest, ticks: int) -> None:
        # The others go first: their share of the group's lock would stand in the way of the fill.
        for other in draft.book.others_of_group(request):
            draft.add(OrderCancelled(draft.sequence, draft.time, other.request.client_order_id, "group"))
        price = self._instruments[request.symbol].price(ticks)
        fill = Fill(
            fill_id=str(draft.sequence),
            client_order_id=request.client_order_id,
            symbol=request.symbol,
            side=request.side,
            price=price,
            quantity=request.quantity,
            fee=fee(self._fee_rate, price, request.quantity),
            fee_asset=request.symbol.quote.value,
            # Candles do not tell when inside them; how fast they are played must not decide it.
            time=self._opened.get(request.symbol, draft.time),
        )
        draft.add(OrderFilled(draft.sequence, draft.time, fill))


def _report(order: OpenOrder) -> OrderReport:
    return OrderReport(order.request.client_order_id, str(order.sequence), OrderStatus.ACCEPTED, (), order.time)


def _final_report(accepted: OrderReport, event: OrderFilled | OrderCancelled | OrderExpired) -> OrderReport:
    client_order_id, venue_id = accepted.client_order_id, accepted.venue_order_id
    if isinstance(event, OrderFilled):
        return OrderReport(client_order_id, venue_id, OrderStatus.FILLED, (event.fill,), event.time)
    status = OrderStatus.CANCELLED if isinstance(event, OrderCancelled) else OrderStatus.EXPIRED
    return OrderReport(client_order_id, venue_id, status, (), event.time, event.reason)


def _check_filters(request: OrderRequest, instrument: Instrument) -> None:
    check_quantity(request.client_order_id, request.quantity, instrument)
    level = request.price if request.price is not None else request.stop_price
    if level is not None:
        check_price(request.client_order_id, level, instrument)
        check_notional(request.client_order_id, level, request.quantity, instrument)
