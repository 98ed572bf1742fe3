"""The pretend market as Vela's own account: orders in, events out.

Nothing here does I/O. A command looks at the state and returns the events that carry it out, or raises and changes
nothing; `apply` is the only thing that changes balances and orders. Whoever drives the exchange makes the events
durable first and applies them then; applying the stored events to a new exchange rebuilds the same state.

Prices are no events: a restarted exchange learns them from the market again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from vela.domain.errors import ConfigurationError, OrderNotFound, OrderRefused
from vela.domain.events import Tick
from vela.domain.instrument import Instrument
from vela.domain.order import OrderRequest, OrderType
from vela.domain.trading_symbol import TradingSymbol
from vela.ports.execution import Balance, OrderReport
from vela.simulation.accounts import Account
from vela.simulation.book import Book, locked_asset
from vela.simulation.exchange_events import ExchangeEvent, OrderCancelled, OrderExpired
from vela.simulation.filters import check_notional, check_price, check_quantity
from vela.simulation.liquidity import Slippage
from vela.simulation.matching import Matching, Move
from vela.simulation.spot_fees import SpotFees
from vela.simulation.spot_orders import SpotOrder, SpotOrderType, SpotRequest

FINAL_ORDERS_KEPT = 20_000


class SimulatedExchange:
    """A spot exchange for one account: market, limit and stop orders, filled as a whole from ticks (see `Matching`).

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
        self._instruments = {instrument.symbol: instrument for instrument in instruments}
        fees = SpotFees(fee_rate, fee_rate, in_quote=True, is_exact=True)
        self._matching = Matching(self._instruments, fees, Slippage(slippage_ppm, impact_ppm))
        self._book = Book(Account(balances), self._hear)
        self._used_ids: set[str] = set()
        self._final: dict[str, OrderReport] = {}
        self._busy: frozenset[TradingSymbol] = frozenset()  # symbols with open orders
        self._priced: dict[TradingSymbol, int] = {}  # time of the newest price
        self._time = 0
        self._watermark = 0

    # ------------------------------------------------------------------------------------------------------- state

    @property
    def sequence(self) -> int:
        """Running number of the newest event applied; 0 before the first."""
        return self._book.sequence

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

    def average_price(self, request: OrderRequest) -> Decimal | None:
        """Return at which price a market order would execute now; None: there is no price yet."""
        if not self._matching.has_price(request.symbol):
            return None
        quote = self._matching.quote(request.symbol)
        [level] = self._matching.offered(spot_request(request), quote)
        return quote.instrument.price(level.ticks)

    def apply(self, event: ExchangeEvent) -> None:
        """Change the state by one event: a new one that a command returned, or a stored one.

        Raises:
            LedgerError: the event is not the next one, or does not fit the balances.
            OrderNotFound: the event is about an order that is not open.
        """
        self._book.apply(event)
        self._busy = frozenset(order.request.symbol for order in self._book.orders.values())
        self._watermark = max(self._watermark, event.time)
        self._time = max(self._time, event.time)

    def _hear(self, event: ExchangeEvent, order: SpotOrder) -> None:
        name = order.request.client_order_id
        self._used_ids.add(name)
        if not order.is_open:
            self._final[name] = _report(order, event.reason if isinstance(event, OrderCancelled | OrderExpired) else "")
            if len(self._final) > FINAL_ORDERS_KEPT:
                del self._final[next(iter(self._final))]

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
        events: list[ExchangeEvent] = []
        trial = self._book.fork(lambda event, _: events.append(event))
        for client_order_id in cancel:
            trial.cancel(trial.find(client_order_id), self._time, "client")
        placed = [self._accept(trial, request) for request in requests]
        for order in placed:
            name, symbol = order.request.client_order_id, order.request.symbol
            is_open = name in trial.orders  # not cancelled by its group meanwhile
            if order.request.type is SpotOrderType.MARKET and self._priced.get(symbol) == self._time and is_open:
                self._matching.take(trial, order, self._matching.quote(symbol), self._time)
                if isinstance(events[-1], OrderExpired):
                    raise OrderRefused(f"{events[-1].reason}: {name}; accepted: what account and filters allow")
        return tuple(events)

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
        moves = []
        for tick in ticks:
            if tick.symbol not in self._instruments:
                continue
            before = self._matching.advance(tick)
            self._priced[tick.symbol] = time
            if tick.jump:
                # Candles do not tell when inside them; how fast they are played must not decide it.
                self._matching.opened[tick.symbol] = time
            if tick.symbol in self._busy and time >= self._watermark:
                moves.append((tick, before))
        if not moves:
            return ()
        events: list[ExchangeEvent] = []
        trial = self._book.fork(lambda event, _: events.append(event))
        for tick, before in moves:
            self._match(trial, tick, self._matching.moved(tick, before))
        return tuple(events)

    # ---------------------------------------------------------------------------------------------------- internals

    def _match(self, trial: Book, tick: Tick, move: Move) -> None:
        orders = [
            order
            for order in trial.of_symbol(tick.symbol)
            if order.request.type is SpotOrderType.MARKET or (not tick.jump and order.created_time < self._time)
        ]
        # Within one tick nobody knows what came first: stops, then by age.
        self._matching.match(trial, sorted(orders, key=lambda order: not order.request.type.is_stop), move, self._time)

    def _accept(self, trial: Book, request: OrderRequest) -> SpotOrder:
        name = request.client_order_id
        if name in self._used_ids or name in trial.orders:
            raise OrderRefused(f"duplicate_client_id: {name[:40]!r} was used before; accepted: a new id")
        if request.symbol not in self._instruments:
            traded = ", ".join(map(str, self._instruments))
            raise OrderRefused(f"unknown_symbol: {request.symbol} is not traded here; accepted: {traded}")
        _check_filters(request, self._instruments[request.symbol])
        wanted = spot_request(request)
        for other in trial.others_of_group(wanted):
            if (other.request.symbol, other.request.side) != (request.symbol, request.side):
                raise OrderRefused(
                    f"group: {request.group} holds other orders; accepted: one symbol and side per group"
                )
        asset, amount = locked_asset(wanted), self._matching.need(wanted, request.quantity)
        available = trial.available(wanted, asset)
        if amount > available:
            raise OrderRefused(f"balance: {name} needs {amount} {asset}; accepted: up to {available}")
        return trial.accept(wanted, self._time, amount)


_TYPES = {
    OrderType.MARKET: SpotOrderType.MARKET,
    OrderType.LIMIT: SpotOrderType.LIMIT,
    OrderType.STOP: SpotOrderType.STOP_LOSS,
}


def spot_request(request: OrderRequest) -> SpotRequest:
    """Return an order of Vela's in the words of spot markets."""
    return SpotRequest(
        client_order_id=request.client_order_id,
        symbol=request.symbol,
        side=request.side,
        type=_TYPES[request.type],
        quantity=request.quantity,
        price=request.price,
        stop_price=request.stop_price,
        group=request.group,
    )


def _report(order: SpotOrder, reason: str = "") -> OrderReport:
    fills = tuple(trade.fill for trade in order.trades)
    name, venue_id = order.request.client_order_id, str(order.order_id)
    return OrderReport(name, venue_id, order.status, fills, order.updated_time, reason)


def _check_filters(request: OrderRequest, instrument: Instrument) -> None:
    check_quantity(request.client_order_id, request.quantity, instrument)
    level = request.price if request.price is not None else request.stop_price
    if level is not None:
        check_price(request.client_order_id, level, instrument)
        check_notional(request.client_order_id, level, request.quantity, instrument)
