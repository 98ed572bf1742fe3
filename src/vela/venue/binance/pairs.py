"""Endpoints of order lists: two orders of which one cancels the other (OCO)."""

from __future__ import annotations

from vela.domain.errors import OrderNotFound, OrderRefused
from vela.domain.order import Side
from vela.domain.trading_symbol import TradingSymbol
from vela.simulation.spot_orders import OrderPair, SpotOrder, SpotOrderType, SpotRequest
from vela.venue.binance.desk import Desk, Endpoint, Security
from vela.venue.binance.errors import BinanceError, missing, refused, unknown_order
from vela.venue.binance.order_reader import IGNORED, OrderReader, read_side
from vela.venue.binance.parameters import Parameters
from vela.venue.binance.shapes import Shape, cancelled, pair_of_orders, placed_result

# The old endpoint sends both orders' parameters side by side; these belong to the stop alone.
_NOT_OF_THE_LIMIT = dict.fromkeys(("stopPrice", "timeInForce"), "-")


def _old_pair(desk: Desk, parameters: Parameters) -> object:
    symbol, side = parameters.symbol(desk.instruments), read_side(parameters)
    limit_id, stop_id = (
        parameters.client_id(name) or desk.new_client_id() for name in ("limitClientOrderId", "stopClientOrderId")
    )
    has_stop_limit = parameters.has("stopLimitPrice")
    limit = OrderReader(desk, parameters, _NOT_OF_THE_LIMIT).read(symbol, SpotOrderType.LIMIT_MAKER, side, limit_id)
    kind = SpotOrderType.STOP_LOSS_LIMIT if has_stop_limit else SpotOrderType.STOP_LOSS
    names = {"price": "stopLimitPrice", "timeInForce": "stopLimitTimeInForce"}
    stop = OrderReader(desk, parameters, names).read(symbol, kind, side, stop_id)
    return _pair(desk, parameters, (stop, limit) if side is Side.BUY else (limit, stop))


def _new_pair(desk: Desk, parameters: Parameters) -> object:
    symbol, side = parameters.symbol(desk.instruments), read_side(parameters)
    return _pair(desk, parameters, tuple(_leg(desk, parameters, symbol, side, where) for where in ("above", "below")))


def _leg(desk: Desk, parameters: Parameters, symbol: TradingSymbol, side: Side, where: str) -> SpotRequest:
    kind = parameters.choice(f"{where}Type", SpotOrderType, (-1116, "Invalid orderType."))
    if kind is None:
        raise missing(f"{where}Type")
    if kind in {SpotOrderType.LIMIT, SpotOrderType.MARKET}:
        raise BinanceError(-1158, "Order type not supported in OCO.")
    parameters.skip(f"{where}StrategyId", f"{where}StrategyType")
    names = {
        name: where + name[0].upper() + name[1:]
        for name in ("price", "stopPrice", "timeInForce", "icebergQty", "trailingDelta")
    }
    client_id = parameters.client_id(f"{where}ClientOrderId") or desk.new_client_id()
    return OrderReader(desk, parameters, names).read(symbol, kind, side, client_id)


def _pair(desk: Desk, parameters: Parameters, legs: tuple[SpotRequest, ...]) -> object:
    name = parameters.client_id("listClientOrderId") or desk.new_client_id()
    parameters.skip("newOrderRespType", *IGNORED)
    parameters.finish()
    above, below = legs
    if not above.type.is_stop and not below.type.is_stop:
        raise BinanceError(-1168, "At least one OCO order must be contingent.")
    try:
        pair = desk.exchange.place_pair(name, above, below, desk.now())
    except OrderRefused as reason:
        raise refused(reason) from None
    desk.venue.publish()
    return _reported(desk, pair, [placed_result(order) for order in _members(desk, pair)])


def cancelled_pair(desk: Desk, pair: OrderPair, cancel_id: str) -> Shape:
    """Cancel what is open of a pair and return its report.

    Raises:
        BinanceError: nothing is open.
    """
    try:
        desk.exchange.cancel(_members(desk, pair)[0], desk.now(), cancel_id)
    except OrderNotFound:
        raise unknown_order(cancelling=True) from None
    desk.venue.publish()
    return _reported(desk, pair, [cancelled(order, cancel_id) for order in _members(desk, pair)])


def _cancel(desk: Desk, parameters: Parameters) -> object:
    parameters.symbol(desk.instruments)
    pair = _find(desk, parameters, "listClientOrderId")
    cancel_id = parameters.client_id("newClientOrderId") or desk.new_client_id()
    parameters.finish()
    if pair is None:
        raise unknown_order(cancelling=True)
    return cancelled_pair(desk, pair, cancel_id)


def _query(desk: Desk, parameters: Parameters) -> object:
    pair = _find(desk, parameters, "origClientOrderId")
    parameters.finish()
    if pair is None:
        raise unknown_order(cancelling=False)
    return pair_of_orders(pair, desk.exchange.orders)


def _open(desk: Desk, parameters: Parameters) -> object:
    parameters.finish()
    return [
        pair_of_orders(pair, desk.exchange.orders)
        for pair in desk.exchange.pairs.values()
        if any(order.is_open for order in _members(desk, pair))
    ]


def _find(desk: Desk, parameters: Parameters, name: str) -> OrderPair | None:
    list_id, client_id = parameters.integer("orderListId"), parameters.client_id(name)
    found = [
        pair for pair in desk.exchange.pairs.values() if list_id == pair.list_id or client_id == pair.client_list_id
    ]
    return found[-1] if found else None


def _members(desk: Desk, pair: OrderPair) -> list[SpotOrder]:
    return [desk.exchange.orders[order_id] for order_id in pair.order_ids]


def _reported(desk: Desk, pair: OrderPair, reports: list[Shape]) -> Shape:
    return pair_of_orders(pair, desk.exchange.orders) | {"orderReports": reports}


PAIRS = {
    ("POST", "order/oco"): Endpoint(_old_pair, 1, Security.SIGNED, orders=2),
    ("POST", "orderList/oco"): Endpoint(_new_pair, 1, Security.SIGNED, orders=2),
    ("DELETE", "orderList"): Endpoint(_cancel, 1, Security.SIGNED),
    ("GET", "orderList"): Endpoint(_query, 4, Security.SIGNED),
    ("GET", "openOrderList"): Endpoint(_open, 6, Security.SIGNED),
}
