"""Orders at Binance: pairs as order lists, replacements in one request, the account's events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any

import structlog

from vela.adapters.exchanges.binance.client import BinanceClient, PartlyReplaced
from vela.adapters.exchanges.binance.messages import read_execution
from vela.adapters.exchanges.unified.client import Told
from vela.adapters.exchanges.unified.errors import Asked, translated
from vela.adapters.exchanges.unified.execution import LiveExecution
from vela.adapters.exchanges.unified.listings import Listing
from vela.adapters.exchanges.unified.places import Place
from vela.adapters.exchanges.unified.reading import MessageError, text
from vela.adapters.exchanges.unified.reports import order_report
from vela.domain.errors import OrderRefused, VelaError
from vela.domain.money import multiply, plain
from vela.domain.order import OrderRequest, OrderType, Side
from vela.domain.trading_symbol import TradingSymbol
from vela.ports.execution import EventsMissed, OrderReport

_TRADES_PAGE = 1000
_NO_LIST = "-1"
# How far beyond the trigger a stop may sell or buy where a symbol has no stops at market.
_STOP_ROOM = Decimal("0.05")

_log = structlog.get_logger("vela.exchange")


class BinanceExecution(LiveExecution):
    """`Execution` of Binance Spot."""

    _client: BinanceClient

    # -------------------------------------------------------------------------------------------------------- stops

    def _stop_terms(self, request: OrderRequest, listing: Listing) -> tuple[str, str | None, dict[str, str]]:
        limit = _stop_limit(request, listing)
        terms = {"stopLossPrice": plain(request.stop_price or Decimal(0))}
        return ("market", None, terms) if limit is None else ("limit", limit, terms)

    # -------------------------------------------------------------------------------------------------------- pairs

    async def _place_pair(self, requests: Sequence[OrderRequest], *, urgent: bool) -> list[OrderReport]:
        by_id = {request.client_order_id: request for request in requests}

        async def send() -> list[OrderReport]:
            answer = await self._client.private_post_orderlist_oco(self._pair_terms(requests))
            return [
                self._placed(order, by_id[text(order, "clientOrderId")])
                for order in self._orders_of(answer, requests[0].symbol)
            ]

        return await self._calls.place(send, urgent=urgent, orders=len(requests))

    def _pair_terms(self, requests: Sequence[OrderRequest]) -> dict[str, str]:
        stop, limit = sorted(requests, key=lambda request: request.type is not OrderType.STOP)
        listing = self._listings[stop.symbol]
        # The stop of a sale lies below the market and its limit above; those of a purchase the other way round.
        of_stop, of_limit = ("below", "above") if stop.side is Side.SELL else ("above", "below")
        terms = {
            "symbol": listing.market_id,
            "side": stop.side.value,
            "quantity": plain(stop.quantity),
            "newOrderRespType": "FULL",
            f"{of_limit}Type": "LIMIT_MAKER",
            f"{of_limit}Price": plain(limit.price or Decimal(0)),
            f"{of_limit}ClientOrderId": limit.client_order_id,
            f"{of_stop}Type": "STOP_LOSS",
            f"{of_stop}StopPrice": plain(stop.stop_price or Decimal(0)),
            f"{of_stop}ClientOrderId": stop.client_order_id,
        }
        price = _stop_limit(stop, listing)
        if price is not None:
            terms |= {f"{of_stop}Type": "STOP_LOSS_LIMIT", f"{of_stop}Price": price, f"{of_stop}TimeInForce": "GTC"}
        return terms

    def _list_id(self, order: Told) -> str | None:
        number = text(order["info"], "orderListId")
        return None if number == _NO_LIST else number

    async def _cancel_listed(self, place: Place, client_order_ids: Sequence[str]) -> list[OrderReport]:
        async def send() -> dict[str, OrderReport]:
            terms = {"symbol": self._listings[place.symbol].market_id, "orderListId": place.list_id}
            answer = await self._client.private_delete_orderlist(terms)
            orders = {
                text(order["info"], "origClientOrderId"): order for order in self._orders_of(answer, place.symbol)
            }
            return {name: order_report(orders[name], name, ()) for name in client_order_ids}

        reports = await self._calls.cancel(send)
        return [await self._with_fills(report, place.symbol) for report in reports.values()]

    def _orders_of(self, answer: Mapping[str, Any], symbol: TradingSymbol) -> list[Told]:
        market = self._client.market(self._listings[symbol].pair)
        return [self._client.parse_order(report, market) for report in answer["orderReports"]]

    # -------------------------------------------------------------------------------------------------- replacements

    async def _replace_one(self, old: str, request: OrderRequest) -> tuple[OrderReport, ...]:
        place = await self._located(old)
        if place.list_id is not None or place.symbol != request.symbol:
            return await self._cancel_then_place([old], [request])
        self._places.keep(request.client_order_id, request.symbol)

        async def send() -> tuple[OrderReport, OrderReport]:
            return await self._cancel_replaced(old, request)

        cancelled, placed = await self._calls.place(send, urgent=True)
        return await self._with_fills(cancelled, place.symbol), placed

    async def _cancel_replaced(self, old: str, request: OrderRequest) -> tuple[OrderReport, OrderReport]:
        terms = {
            **self._client.create_order_request(*self._terms(request)),
            "cancelReplaceMode": "STOP_ON_FAILURE",
            "cancelOrigClientOrderId": old,
        }
        try:
            answer = await self._client.private_post_order_cancelreplace(terms)
        except PartlyReplaced as partly:
            raise self._meant(partly.halves) from None
        market = self._client.market(self._listings[request.symbol].pair)
        gone, new = (self._client.parse_order(answer[half], market) for half in ("cancelResponse", "newOrderResponse"))
        return order_report(gone, old, ()), self._placed(new, request)

    def _meant(self, halves: Mapping[str, Any]) -> VelaError:
        """Return what a replacement means of which not both halves were done."""
        if halves.get("cancelResult") == "FAILURE" and halves.get("newOrderResult") == "NOT_ATTEMPTED":
            return translated(self._client.error_of(halves["cancelResponse"]), Asked.COMMAND)
        refusal = translated(self._client.error_of(halves["newOrderResponse"]), Asked.COMMAND)
        # The old order is gone: that nothing was done at all cannot be said.
        return OrderRefused(str(refusal)) if isinstance(refusal, OrderRefused) else refusal

    # ------------------------------------------------------------------------------------------------------- asking

    async def _trades(self, listing: Listing, venue_order_id: str) -> Sequence[Told]:
        trades: list[Told] = []
        first = 0
        while True:
            terms = {"orderId": venue_order_id, "fromId": first}
            page = await self._client.fetch_my_trades(listing.pair, None, _TRADES_PAGE, terms)
            trades += [trade for trade in page if trade["order"] == venue_order_id]
            if len(page) < _TRADES_PAGE:
                return trades
            first = int(page[-1]["id"]) + 1

    # ------------------------------------------------------------------------------------------------------- events

    async def _subscribe(self) -> None:
        self._client.taps["executionReport"] = self._on_execution
        await self._client.subscribe_account()

    async def _hold(self) -> None:
        await self._client.hold_account()

    def _on_execution(self, message: Mapping[str, Any]) -> None:
        by_id = self._listings.by_id
        if message.get("s") not in by_id:
            return
        try:
            report = read_execution(message, by_id.__getitem__)
            place = self._places.keep(report.client_order_id, by_id[str(message["s"])])
            list_id = text(message, "g")
        except MessageError as problem:
            _log.warning("account event not understood", error=str(problem))
            self._on_event(EventsMissed())
            return
        place.list_id, place.is_seen = None if list_id == _NO_LIST else list_id, True
        self._on_event(report)


def _stop_limit(request: OrderRequest, listing: Listing) -> str | None:
    """Return the limit that a stop needs, None where it may execute at market."""
    if "STOP_LOSS" in listing.raw["orderTypes"]:
        return None
    is_sale = request.side is Side.SELL
    worst = multiply(request.stop_price or Decimal(0), 1 - _STOP_ROOM if is_sale else 1 + _STOP_ROOM)
    ticks = (worst / listing.instrument.tick).to_integral_value(ROUND_FLOOR if is_sale else ROUND_CEILING)
    return plain(max(multiply(ticks, listing.instrument.tick), listing.instrument.tick))
