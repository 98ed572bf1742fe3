"""Orders at an exchange: what is the same at every one that ccxt reaches."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Iterable, Mapping, Sequence
from contextlib import suppress
from decimal import Decimal

import structlog

from vela.adapters.exchanges.unified.calls import Calls
from vela.adapters.exchanges.unified.client import ExchangeClient, Told
from vela.adapters.exchanges.unified.errors import described, is_wrong_clock
from vela.adapters.exchanges.unified.listings import Listing, Listings
from vela.adapters.exchanges.unified.places import Place, Places, executed
from vela.adapters.exchanges.unified.reading import offer, quantity, text
from vela.adapters.exchanges.unified.reports import fills_of, order_report
from vela.adapters.exchanges.unified.sending import sending
from vela.domain.crashpoints import crashpoint
from vela.domain.errors import ConfigurationError, OrderNotFound, OrderRefused, OrderUnresolved, VelaError
from vela.domain.events import PricesMoved
from vela.domain.fill import Fill
from vela.domain.money import plain
from vela.domain.offers import average_price
from vela.domain.order import OrderRequest, OrderType, Side
from vela.domain.trading_symbol import TradingSymbol
from vela.ports.clock import Clock
from vela.ports.execution import Balance, EventsMissed, FollowUp, OrderReport

FOLLOW_UP = FollowUp(absent_tries=5, absent_seconds=60.0, reconcile_seconds=30.0)
"""How orders at a real exchange are looked after: what it does not know may still be on its way."""

_BOOK_LEVELS = 100
_SUBSCRIBE_SECONDS = 10.0
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 10.0

_log = structlog.get_logger("vela.exchange")


class LiveExecution(ABC):
    """`Execution` of an exchange. What one can do better than in single orders, its own class says."""

    def __init__(
        self,
        client: ExchangeClient,
        calls: Calls,
        listings: Listings,
        symbols: Iterable[TradingSymbol],
        clock: Clock,
        follow_up: FollowUp = FOLLOW_UP,
    ) -> None:
        """Trade through `client`.

        Args:
            client: of ccxt.
            calls: through which everything is asked.
            listings: what the exchange lists.
            symbols: what is traded, or was: where orders of ours can be.
            clock: for pauses.
            follow_up: how orders have to be looked after.
        """
        self._client = client
        self._calls = calls
        self._listings = listings
        self._places = Places(symbols)
        self._clock = clock
        self._follow_up = follow_up
        self._queue: asyncio.Queue[OrderReport | EventsMissed] = asyncio.Queue()

    # -------------------------------------------------------------------------------------- what each exchange says

    @abstractmethod
    async def _place_pair(self, requests: Sequence[OrderRequest], *, urgent: bool) -> list[OrderReport]:
        """Place a stop and a limit order of which the first that executes cancels the other."""

    @abstractmethod
    async def _replace_one(self, old: str, request: OrderRequest) -> tuple[OrderReport, ...]:
        """Cancel one order and place another."""

    @abstractmethod
    async def _trades(self, listing: Listing, venue_order_id: str) -> Sequence[Told]:
        """Return all trades of an order, oldest first, as ccxt tells them."""

    @abstractmethod
    def _list_id(self, order: Told) -> str | None:
        """Return the exchange's id of the list that an order belongs to."""

    @abstractmethod
    async def _cancel_listed(self, place: Place, client_order_ids: Sequence[str]) -> list[OrderReport]:
        """Cancel a list of orders and return the states of those asked for."""

    @abstractmethod
    def _stop_terms(self, request: OrderRequest, listing: Listing) -> tuple[str, str | None, dict[str, str]]:
        """Return type, price and parameters of a stop."""

    @abstractmethod
    async def _subscribe(self) -> None:
        """Subscribe to the account's events, which go to `_on_event`."""

    @abstractmethod
    async def _hold(self) -> None:
        """Wait until the subscription is lost, which raises."""

    # ------------------------------------------------------------------------------------------------ the port's calls

    @property
    def follow_up(self) -> FollowUp:
        """See `Execution.follow_up`."""
        return self._follow_up

    async def submit(self, *requests: OrderRequest) -> tuple[OrderReport, ...]:
        """See `Execution.submit`."""
        self._check(requests)
        urgent = any(map(_closes, requests))
        self._calls.admit_orders(len(requests), urgent=urgent)
        placed: dict[str, OrderReport] = {}
        for part in _parts(requests):
            for request in part:
                self._places.keep(request.client_order_id, request.symbol)
            try:
                with sending(requests):
                    reports = await self._place(part, urgent=urgent)
            except OrderRefused as refusal:
                await self._undo(placed, refusal)
                refusal.taken_back = (*placed,)
                raise
            placed |= {report.client_order_id: self._places.told(report) for report in reports}
        return tuple(placed[request.client_order_id] for request in requests)

    async def replace(self, cancel: Sequence[str], *requests: OrderRequest) -> tuple[OrderReport, ...]:
        """See `Execution.replace`."""
        if not cancel:
            return await self.submit(*requests)
        self._check(requests)
        if len(cancel) == len(requests) == 1:
            with sending(requests):
                return tuple(map(self._places.told, await self._replace_one(cancel[0], requests[0])))
        return await self._cancel_then_place(cancel, requests)

    async def cancel(self, client_order_id: str) -> OrderReport:
        """See `Execution.cancel`."""
        [report] = await self._cancel_all([client_order_id])
        return self._places.told(report)

    async def order(self, client_order_id: str) -> OrderReport:
        """See `Execution.order`."""
        for symbol in self._places.candidates(client_order_id):
            with suppress(OrderNotFound):
                return self._places.told(await self._asked(client_order_id, symbol))
        raise OrderNotFound(f"order {client_order_id} is not known; accepted: one that was placed")

    async def open_orders(self) -> tuple[OrderReport, ...]:
        """See `Execution.open_orders`."""

        async def ask() -> list[OrderReport]:
            orders = sorted(await self._client.fetch_open_orders(), key=lambda order: int(order["timestamp"]))
            return [order_report(order, text(order, "clientOrderId"), ()) for order in orders]

        return tuple(await self._calls.query(ask))

    async def balances(self) -> Mapping[str, Balance]:
        """See `Execution.balances`."""

        async def ask() -> dict[str, Balance]:
            held = await self._client.fetch_balance()
            return {
                asset: Balance(quantity(held["free"], asset), quantity(held["used"], asset)) for asset in held["free"]
            }

        return await self._calls.query(ask)

    async def average_price(self, request: OrderRequest) -> Decimal | None:
        """See `Execution.average_price`. Of the book, what is beyond its best levels counts as not offered."""
        listing, is_sale = self._listings[request.symbol], request.side is Side.SELL

        async def ask() -> Decimal | None:
            book = await self._client.fetch_order_book(listing.pair, _BOOK_LEVELS)
            levels = [offer(row) for row in book["bids" if is_sale else "asks"]]
            # Where ccxt leaves numbers as text, it sorts them as such.
            return average_price(sorted(levels, reverse=is_sale), request.quantity)

        return await self._calls.query(ask, urgent=True)

    async def on_prices(self, prices: PricesMoved) -> tuple[OrderReport, ...]:  # noqa: ARG002  the exchange knows them
        """See `Execution.on_prices`."""
        return ()

    # ------------------------------------------------------------------------------------------------------- events

    async def events(self) -> AsyncIterator[OrderReport | EventsMissed]:
        """See `Execution.events`. Whoever asked before is told nothing more."""
        self._queue = asyncio.Queue()
        queue, keeping = self._queue, asyncio.create_task(self._keep_subscribed())
        try:
            while True:
                event = await queue.get()
                yield event if isinstance(event, EventsMissed) else self._places.told(event)
        finally:
            keeping.cancel()

    def _on_event(self, event: OrderReport | EventsMissed) -> None:
        self._queue.put_nowait(event)

    async def _keep_subscribed(self) -> None:
        pause = _FIRST_PAUSE_S
        while True:
            try:
                async with asyncio.timeout(_SUBSCRIBE_SECONDS):
                    await self._subscribe()
                pause = _FIRST_PAUSE_S
                self._on_event(EventsMissed())
                await self._hold()
            except Exception as error:  # noqa: BLE001  whatever ended it, it is asked for anew
                _log.warning("account events lost", error=described(error))
                if is_wrong_clock(error):
                    with suppress(Exception):  # then the next try fails as well
                        await self._calls.set_clock()
            await self._clock.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_S)

    # ------------------------------------------------------------------------------------------------------ placing

    def _check(self, requests: Sequence[OrderRequest]) -> None:
        """Refuse what cannot be placed, and what ccxt would quietly round, before anything is sent."""
        for part in _parts(requests):
            _check_group(part)
        for request in requests:
            try:
                rules = self._listings[request.symbol].instrument
            except ConfigurationError as problem:
                raise OrderRefused(str(problem)) from None
            for name, value, grid in (
                ("quantity", request.quantity, rules.step),
                ("price", request.price, rules.tick),
                ("stop_price", request.stop_price, rules.tick),
            ):
                if value is not None and value % grid:
                    raise OrderRefused(
                        f"{name} of {request.client_order_id} was {value}; accepted: multiples of {grid}"
                    )

    async def _place(self, part: Sequence[OrderRequest], *, urgent: bool) -> list[OrderReport]:
        if len(part) == 1:
            return [await self._place_one(part[0], urgent=urgent)]
        return await self._place_pair(part, urgent=urgent)

    async def _place_one(self, request: OrderRequest, *, urgent: bool) -> OrderReport:
        async def send() -> OrderReport:
            return self._placed(await self._client.create_order(*self._terms(request)), request)

        return await self._calls.place(send, urgent=urgent)

    def _terms(self, request: OrderRequest) -> tuple[str, str, str, str, str | None, dict[str, str]]:
        """Return an order in ccxt's words."""
        listing = self._listings[request.symbol]
        kind, price = request.type.value.lower(), None if request.price is None else plain(request.price)
        terms: dict[str, str] = {}
        if request.type is OrderType.STOP:
            kind, price, terms = self._stop_terms(request, listing)
        terms = {**terms, "clientOrderId": request.client_order_id}
        return listing.pair, kind, request.side.value.lower(), plain(request.quantity), price, terms

    def _placed(self, order: Told, request: OrderRequest) -> OrderReport:
        """Return the report of a new order from its answer."""
        report = order_report(order, request.client_order_id, ())
        self._see(order, request.client_order_id, request.symbol)
        fills = self._fills(
            order.get("trades") or (), request.client_order_id, request.symbol, request.side, report.time
        )
        return order_report(order, request.client_order_id, fills)

    async def _undo(self, placed: Mapping[str, OrderReport], refusal: OrderRefused) -> None:
        """Take back what was placed before `refusal`.

        Raises:
            OrderUnresolved: that was not possible, or something of it was executed.
        """
        late = [report for report in placed.values() if report.status.is_final]
        if not late:
            try:
                late = [report for report in await self._cancel_all([*placed]) if executed(report)]
            except VelaError as problem:
                raise OrderUnresolved(f"not all of the orders could be placed, nor taken back: {problem}") from None
        if late:
            raise OrderUnresolved(
                f"order {late[0].client_order_id} was executed before another one was refused: {refusal}"
            )

    # --------------------------------------------------------------------------------------------------- cancelling

    async def _cancel_then_place(
        self, cancel: Sequence[str], requests: Sequence[OrderRequest]
    ) -> tuple[OrderReport, ...]:
        if requests:  # what rests is better than what cannot be placed
            self._calls.admit_orders(len(requests), urgent=True)
        before = {client_order_id: self._places.filled(client_order_id) for client_order_id in cancel}
        cancelled = tuple(map(self._places.told, await self._cancel_all(cancel)))
        for report in cancelled:
            if executed(report) > before[report.client_order_id]:  # what was to be placed is not what is needed now
                raise OrderNotFound(
                    f"order {report.client_order_id} was executed while it was cancelled; nothing was placed"
                )
        if requests:
            crashpoint("P19" if all(request.type is OrderType.MARKET for request in requests) else "P18")
        return (*cancelled, *await _nothing_undone(self.submit(*requests)))

    async def _cancel_all(self, client_order_ids: Sequence[str]) -> list[OrderReport]:
        """Cancel orders, those of one list together."""
        parts: dict[str, list[str]] = {}
        for client_order_id in client_order_ids:
            place = await self._located(client_order_id)
            parts.setdefault(place.list_id or f"alone {client_order_id}", []).append(client_order_id)
        reports: list[OrderReport] = []
        for ids in parts.values():
            attempt = self._cancel_part(ids)
            reports += await (_nothing_undone(attempt) if reports else attempt)
        by_id = {report.client_order_id: report for report in reports}
        return [by_id[client_order_id] for client_order_id in client_order_ids]

    async def _cancel_part(self, client_order_ids: Sequence[str]) -> list[OrderReport]:
        place = await self._located(client_order_ids[0])
        if place.list_id is not None:
            return await self._cancel_listed(place, client_order_ids)
        client_order_id, pair = client_order_ids[0], self._listings[place.symbol].pair

        async def send() -> OrderReport:
            order = await self._client.cancel_order("", pair, {"clientOrderId": client_order_id})
            return order_report(order, client_order_id, ())

        return [await self._with_fills(await self._calls.cancel(send), place.symbol)]

    async def _with_fills(self, cancelled: OrderReport, symbol: TradingSymbol) -> OrderReport:
        """Return the report of a cancelled order with its fills, if they can be had; cancelled it is."""
        if not executed(cancelled):
            return cancelled
        try:
            asked = await self._asked(cancelled.client_order_id, symbol, urgent=True)
        except VelaError:
            return cancelled
        return asked if asked.status is cancelled.status else cancelled

    async def _located(self, client_order_id: str) -> Place:
        place = self._places.get(client_order_id)
        if place is None or not place.is_seen:
            with suppress(OrderNotFound):  # one that was sent may be found by its cancel sooner than by a question
                await self.order(client_order_id)
            place = self._places.get(client_order_id)
        if place is None:
            raise OrderNotFound(f"order {client_order_id} is not known; accepted: one that was placed")
        return place

    # ------------------------------------------------------------------------------------------------------- asking

    async def _asked(self, client_order_id: str, symbol: TradingSymbol, *, urgent: bool = False) -> OrderReport:
        listing = self._listings[symbol]

        async def ask() -> OrderReport:
            order = await self._client.fetch_order("", listing.pair, {"clientOrderId": client_order_id})
            report = order_report(order, client_order_id, ())
            self._see(order, client_order_id, symbol)
            if not executed(report):
                return report
            trades = await self._trades(listing, report.venue_order_id)
            side = Side(text(order, "side").upper())
            return order_report(order, client_order_id, self._fills(trades, client_order_id, symbol, side))

        return await self._calls.query(ask, urgent=urgent)

    def _fills(
        self,
        trades: Iterable[Told],
        client_order_id: str,
        symbol: TradingSymbol,
        side: Side,
        time: int | None = None,
    ) -> tuple[Fill, ...]:
        # Trade ids are unique per symbol only.
        prefix = f"{self._listings[symbol].market_id}:"
        return fills_of(trades, client_order_id, symbol, side, id_prefix=prefix, time=time)

    def _see(self, order: Told, client_order_id: str, symbol: TradingSymbol) -> None:
        place = self._places.keep(client_order_id, symbol)
        place.list_id, place.is_seen = self._list_id(order), True


async def _nothing_undone(attempt: Awaitable[list[OrderReport] | tuple[OrderReport, ...]]) -> Sequence[OrderReport]:
    """Carry on with what has begun: that nothing at all was done can no longer be said."""
    try:
        return await attempt
    except OrderRefused as refusal:
        refused = OrderRefused(str(refusal))
        refused.taken_back = refusal.taken_back
        raise refused from None


def _closes(request: OrderRequest) -> bool:
    # On a spot account only purchases open positions.
    return request.side is Side.SELL or request.type is OrderType.STOP


def _check_group(part: Sequence[OrderRequest]) -> None:
    kinds = sorted(request.type.value for request in part)
    same = len({(request.symbol, request.side, request.quantity) for request in part}) == 1
    if len(part) > 1 and (kinds != [OrderType.LIMIT.value, OrderType.STOP.value] or not same):
        raise OrderRefused(
            f"group {part[0].group}; accepted: a stop and a limit order of one symbol, side and quantity"
        )


def _parts(requests: Sequence[OrderRequest]) -> list[list[OrderRequest]]:
    parts: dict[str, list[OrderRequest]] = {}
    for request in requests:
        parts.setdefault(request.group or f"alone {request.client_order_id}", []).append(request)
    return [*parts.values()]
