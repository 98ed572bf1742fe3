"""Endpoints of the account: orders, what became of them, balances."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from vela.domain.errors import OrderNotFound, OrderRefused
from vela.domain.trading_symbol import TradingSymbol
from vela.simulation.spot_orders import SpotOrder, SpotOrderType, SpotRequest
from vela.venue.binance.desk import Desk, Endpoint, Security
from vela.venue.binance.errors import REJECTED, BinanceError, missing, refused, unknown_order
from vela.venue.binance.order_reader import IGNORED, OrderReader, read_side
from vela.venue.binance.pairs import cancelled_pair
from vela.venue.binance.parameters import Parameters
from vela.venue.binance.shapes import (
    Shape,
    amount,
    balance,
    cancelled,
    own_trade,
    placed,
    placed_full,
    placed_result,
    queried,
)

_MOST_ROWS = 1000
_DAY_MS = 86_400_000


class Answer(StrEnum):
    """How much a new order's answer tells."""

    ACK = "ACK"
    RESULT = "RESULT"
    FULL = "FULL"


class ReplaceMode(StrEnum):
    """Whether a new order is placed although the old one could not be cancelled."""

    STOP_ON_FAILURE = "STOP_ON_FAILURE"
    ALLOW_FAILURE = "ALLOW_FAILURE"


_ANSWERS: dict[Answer, Callable[[SpotOrder], Shape]] = {
    Answer.ACK: placed,
    Answer.RESULT: placed_result,
    Answer.FULL: placed_full,
}


# --------------------------------------------------------------------------------------------------------- placing


def _place(desk: Desk, parameters: Parameters) -> object:
    request, answer = _read_order(desk, parameters)
    parameters.finish()
    return answer(_placed(desk, request))


def _test(desk: Desk, parameters: Parameters) -> object:
    request, _ = _read_order(desk, parameters)
    parameters.finish()
    _check_filters(desk, request)
    return {}


def _check_filters(desk: Desk, request: SpotRequest) -> None:
    """Say no to what would not even reach the matching engine."""
    try:
        desk.exchange.check(request)
    except OrderRefused as reason:
        error = refused(reason)
        if error.code != REJECTED:
            raise error from None


def _read_order(desk: Desk, parameters: Parameters) -> tuple[SpotRequest, Callable[[SpotOrder], Shape]]:
    symbol = parameters.symbol(desk.instruments)
    kind = parameters.choice("type", SpotOrderType, (-1116, "Invalid orderType."))
    if kind is None:
        raise missing("type")
    request = OrderReader(desk, parameters).read(
        symbol, kind, read_side(parameters), parameters.client_id("newClientOrderId") or desk.new_client_id()
    )
    default = Answer.FULL if kind in {SpotOrderType.MARKET, SpotOrderType.LIMIT} else Answer.ACK
    problem = (-1102, "Mandatory parameter 'newOrderRespType' was not sent, was empty/null, or malformed.")
    answer = parameters.choice("newOrderRespType", Answer, problem) or default
    parameters.skip(*IGNORED)
    return request, _ANSWERS[answer]


def _placed(desk: Desk, request: SpotRequest) -> SpotOrder:
    try:
        return desk.exchange.place(request, desk.now())
    except OrderRefused as reason:
        raise refused(reason) from None
    finally:
        desk.venue.publish()


# -------------------------------------------------------------------------------------------------- asking, cancelling


def _find(
    desk: Desk, parameters: Parameters, names: tuple[str, str] = ("orderId", "origClientOrderId")
) -> tuple[TradingSymbol, int | None, str | None]:
    symbol = parameters.symbol(desk.instruments)
    order_id, client_id = parameters.integer(names[0]), parameters.client_id(names[1])
    if order_id is None and client_id is None:
        raise BinanceError(-1102, f"Param '{names[1]}' or '{names[0]}' must be sent, but both were empty/null!")
    return symbol, order_id, client_id


def _query(desk: Desk, parameters: Parameters) -> object:
    wanted = _find(desk, parameters)
    parameters.finish()
    try:
        return queried(desk.venue.queries.find(*wanted))
    except OrderNotFound:
        raise unknown_order(cancelling=False) from None


def _cancel(desk: Desk, parameters: Parameters) -> object:
    wanted = _find(desk, parameters)
    cancel_id = parameters.client_id("newClientOrderId") or desk.new_client_id()
    parameters.skip("cancelRestrictions")
    parameters.finish()
    return _cancelled(desk, wanted, cancel_id)


def _cancelled(desk: Desk, wanted: tuple[TradingSymbol, int | None, str | None], cancel_id: str) -> Shape:
    try:
        order = desk.exchange.find(*wanted)
        desk.exchange.cancel(order, desk.now(), cancel_id)
    except OrderNotFound:
        raise unknown_order(cancelling=True) from None
    desk.venue.publish()
    return cancelled(desk.exchange.orders[order.order_id], cancel_id)


def _cancel_all(desk: Desk, parameters: Parameters) -> object:
    symbol = parameters.symbol(desk.instruments)
    parameters.finish()
    orders = desk.exchange.open_orders(symbol)
    if not orders:
        raise unknown_order(cancelling=True)
    lists = dict.fromkeys(order.list_id for order in orders if order.list_id is not None)
    single = [
        _cancelled(desk, (symbol, order.order_id, None), desk.new_client_id())
        for order in orders
        if order.list_id is None
    ]
    return single + [cancelled_pair(desk, desk.exchange.pairs[number], desk.new_client_id()) for number in lists]


def _cancel_replace(desk: Desk, parameters: Parameters) -> object:
    mode = parameters.choice("cancelReplaceMode", ReplaceMode, (-1102, missing("cancelReplaceMode").message))
    if mode is None:
        raise missing("cancelReplaceMode")
    old = _find(desk, parameters, ("cancelOrderId", "cancelOrigClientOrderId"))
    cancel_id = parameters.client_id("cancelNewClientOrderId") or desk.new_client_id()
    request, answer = _read_order(desk, parameters)
    parameters.skip("cancelRestrictions", "orderRateLimitExceededMode")
    parameters.finish()
    _check_filters(desk, request)  # before anything is cancelled
    gone, is_gone = _attempt(lambda: _cancelled(desk, old, cancel_id))
    new, is_new = None, False
    if is_gone or mode is ReplaceMode.ALLOW_FAILURE:
        new, is_new = _attempt(lambda: answer(_placed(desk, request)))
    results: Shape = {
        "cancelResult": "SUCCESS" if is_gone else "FAILURE",
        "newOrderResult": "SUCCESS" if is_new else "NOT_ATTEMPTED" if new is None else "FAILURE",
        "cancelResponse": gone,
        "newOrderResponse": new,
    }
    if is_gone and is_new:
        return results
    if is_gone or is_new:
        raise PartlyReplaced(-2021, "Order cancel-replace partially failed.", results, status=409)
    raise PartlyReplaced(-2022, "Order cancel-replace failed.", results, status=400)


class PartlyReplaced(BinanceError):
    """A cancel-and-replace of which not both halves were done; the body tells which."""

    def __init__(self, code: int, message: str, results: Shape, *, status: int) -> None:
        super().__init__(code, message, status=status)
        self._results = results

    def body(self) -> dict[str, object]:
        """Return the error with both halves."""
        return super().body() | {"data": self._results}


def _attempt(command: Callable[[], Shape]) -> tuple[Shape, bool]:
    try:
        return command(), True
    except BinanceError as error:
        return error.body(), False


# ------------------------------------------------------------------------------------------------------------ lists


def _open_orders(desk: Desk, parameters: Parameters) -> object:
    symbol = parameters.optional_symbol(desk.instruments)
    parameters.finish()
    return [queried(order) for order in desk.venue.queries.open_orders(symbol)]


def _all_orders(desk: Desk, parameters: Parameters) -> object:
    symbol, first = parameters.symbol(desk.instruments), parameters.integer("orderId")
    since, until, limit = _span(parameters)
    orders = [
        order
        for order in desk.venue.queries.orders(symbol)
        if order.order_id >= (first or 0)
        and since <= order.created_time
        and (until is None or order.created_time <= until)
    ]
    return [queried(order) for order in (orders[-limit:] if first is None and not since else orders[:limit])]


def _own_trades(desk: Desk, parameters: Parameters) -> object:
    symbol, order_id = parameters.symbol(desk.instruments), parameters.integer("orderId")
    first = parameters.integer("fromId")
    since, until, limit = _span(parameters)
    trades = [
        (desk.exchange.orders[event.trade.order_id], event.trade)
        for event in desk.exchange.log
        if event.trade is not None
        and event.order.request.symbol == symbol
        and order_id in {None, event.trade.order_id}
        and int(event.trade.fill.fill_id) >= (first or 0)
        and since <= event.time
        and (until is None or event.time <= until)
    ]
    chosen = trades[-limit:] if first is None and not since else trades[:limit]
    return [own_trade(order, trade) for order, trade in chosen]


def _span(parameters: Parameters) -> tuple[int, int | None, int]:
    since, until = parameters.moment("startTime"), parameters.moment("endTime")
    if since is not None and until is not None and until - since > _DAY_MS:
        raise BinanceError(-1127, "More than 24 hours between startTime and endTime.")
    limit = parameters.limit(500, _MOST_ROWS)
    parameters.finish()
    return since or 0, until, limit


def _account(desk: Desk, parameters: Parameters) -> object:
    only_held = parameters.text("omitZeroBalances") == "true"
    parameters.finish()
    fees, held = desk.exchange.fees, desk.exchange.balances()
    log = desk.exchange.log
    return {
        "makerCommission": int(fees.maker * 10_000),
        "takerCommission": int(fees.taker * 10_000),
        "buyerCommission": 0,
        "sellerCommission": 0,
        "commissionRates": {
            "maker": amount(fees.maker),
            "taker": amount(fees.taker),
            "buyer": amount(None),
            "seller": amount(None),
        },
        "canTrade": True,
        "canWithdraw": False,
        "canDeposit": False,
        "brokered": False,
        "requireSelfTradePrevention": False,
        "preventSor": False,
        "updateTime": log[-1].time if log else 0,
        "accountType": "SPOT",
        "balances": [
            balance(asset, amounts)
            for asset, amounts in sorted(held.items())
            if not only_held or amounts.free or amounts.locked
        ],
        "permissions": ["SPOT"],
        "uid": 1,
    }


TRADING = {
    ("POST", "order"): Endpoint(_place, 1, Security.SIGNED, orders=1),
    ("POST", "order/test"): Endpoint(_test, 1, Security.SIGNED),
    ("GET", "order"): Endpoint(_query, 4, Security.SIGNED),
    ("DELETE", "order"): Endpoint(_cancel, 1, Security.SIGNED),
    ("POST", "order/cancelReplace"): Endpoint(_cancel_replace, 1, Security.SIGNED, orders=1),
    ("GET", "openOrders"): Endpoint(_open_orders, 6, Security.SIGNED),
    ("DELETE", "openOrders"): Endpoint(_cancel_all, 1, Security.SIGNED),
    ("GET", "allOrders"): Endpoint(_all_orders, 20, Security.SIGNED),
    ("GET", "myTrades"): Endpoint(_own_trades, 20, Security.SIGNED),
    ("GET", "account"): Endpoint(_account, 20, Security.SIGNED),
}
