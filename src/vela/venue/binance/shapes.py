"""Orders, trades and balances in the shapes in which Binance sends them: amounts as text with eight decimals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from vela.domain.money import ZERO, multiply
from vela.domain.order import OrderStatus
from vela.ports.execution import Balance
from vela.simulation.spot_orders import OrderPair, SpotEvent, SpotEventKind, SpotOrder, SpotOrderType, SpotTrade

Shape = dict[str, object]

_STATUSES = {
    OrderStatus.ACCEPTED: "NEW",
    OrderStatus.PARTIALLY_FILLED: "PARTIALLY_FILLED",
    OrderStatus.FILLED: "FILLED",
    OrderStatus.CANCELLED: "CANCELED",
    OrderStatus.EXPIRED: "EXPIRED",
}
_EXECUTIONS = {
    SpotEventKind.NEW: "NEW",
    SpotEventKind.TRIGGERED: "NEW",
    SpotEventKind.TRADE: "TRADE",
    SpotEventKind.CANCELLED: "CANCELED",
    SpotEventKind.EXPIRED: "EXPIRED",
}
_NO_LIST = -1


def amount(value: Decimal | float | None) -> str:
    """Write an amount with eight decimals, or more if it has more; None is zero."""
    number = Decimal(repr(value)) if isinstance(value, float) else value or ZERO
    exponent = number.as_tuple().exponent
    digits = max(8, -exponent) if isinstance(exponent, int) else 8
    return f"{number:.{digits}f}" if digits == 8 else f"{number.normalize():f}"


def placed(order: SpotOrder) -> Shape:
    """Return what identifies a new order (the answer ACK)."""
    return {
        "symbol": order.request.symbol.to_binance_api(),
        "orderId": order.order_id,
        "orderListId": list_id(order),
        "clientOrderId": order.request.client_order_id,
        "transactTime": order.updated_time,
    }


def placed_result(order: SpotOrder) -> Shape:
    """Return a new order with its state (the answer RESULT)."""
    working = {} if order.working_time is None else {"workingTime": order.working_time}
    return placed(order) | _state(order) | working | _prevention(order)


def placed_full(order: SpotOrder) -> Shape:
    """Return a new order with its state and its trades (the answer FULL)."""
    return placed_result(order) | {"fills": [_fill(trade) for trade in order.trades]}


def cancelled(order: SpotOrder, cancel_id: str) -> Shape:
    """Return a cancelled order."""
    original = order.request.client_order_id
    return (
        {"symbol": order.request.symbol.to_binance_api(), "origClientOrderId": original}
        | placed(order)
        | {"clientOrderId": cancel_id}
        | _state(order)
        | _prevention(order)
    )


def queried(order: SpotOrder) -> Shape:
    """Return an order as queries tell it."""
    shape = placed(order) | _state(order)
    del shape["transactTime"]
    return shape | {
        "stopPrice": amount(order.request.stop_price),
        "icebergQty": amount(None),
        "time": order.created_time,
        "updateTime": order.updated_time,
        "isWorking": order.working_time is not None,
        "workingTime": -1 if order.working_time is None else order.working_time,
        "origQuoteOrderQty": amount(order.request.quote_quantity),
        **_prevention(order),
    }


def own_trade(order: SpotOrder, trade: SpotTrade) -> Shape:
    """Return a trade of the account."""
    fill = trade.fill
    return {
        "symbol": fill.symbol.to_binance_api(),
        "id": int(fill.fill_id),
        "orderId": order.order_id,
        "orderListId": list_id(order),
        "price": amount(fill.price),
        "qty": amount(fill.quantity),
        "quoteQty": amount(fill.value),
        "commission": amount(fill.fee),
        "commissionAsset": fill.fee_asset,
        "time": fill.time,
        "isBuyer": order.request.is_buy,
        "isMaker": trade.is_maker,
        "isBestMatch": True,
    }


def pair_of_orders(pair: OrderPair, orders: Mapping[int, SpotOrder]) -> Shape:
    """Return a list of two orders, one of which cancels the other."""
    members = [orders[order_id] for order_id in pair.order_ids]
    is_open = any(order.is_open for order in members)
    return {
        "orderListId": pair.list_id,
        "contingencyType": "OCO",
        "listStatusType": "EXEC_STARTED" if is_open else "ALL_DONE",
        "listOrderStatus": "EXECUTING" if is_open else "ALL_DONE",
        "listClientOrderId": pair.client_list_id,
        "transactionTime": pair.time,
        "symbol": pair.symbol.to_binance_api(),
        "orders": [
            {
                "symbol": pair.symbol.to_binance_api(),
                "orderId": order.order_id,
                "clientOrderId": order.request.client_order_id,
            }
            for order in members
        ],
    }


def balance(asset: str, held: Balance) -> Shape:
    """Return what is held of an asset."""
    return {"asset": asset, "free": amount(held.free), "locked": amount(held.locked)}


# ------------------------------------------------------------------------------------------------- user data stream


def execution_report(event: SpotEvent, now: int) -> Shape:
    """Return what happened to an order as the user data stream tells it."""
    order, trade = event.order, event.trade
    request = order.request
    is_cancel = event.kind is SpotEventKind.CANCELLED
    fill = trade.fill if trade is not None else None
    working = {} if order.working_time is None else {"W": order.working_time}
    return {
        "e": "executionReport",
        "E": now,
        "s": request.symbol.to_binance_api(),
        "c": event.cancel_id if is_cancel else request.client_order_id,
        "S": request.side.value,
        "o": request.type.value,
        "f": request.time_in_force.value,
        "q": amount(order.quantity),
        "p": amount(request.price),
        "P": amount(request.stop_price),
        "F": amount(None),
        "g": list_id(order),
        "C": request.client_order_id if is_cancel else "",
        "x": _EXECUTIONS[event.kind] if order.prevention is None else "TRADE_PREVENTION",
        "X": _status(order),
        "r": "NONE",
        "i": order.order_id,
        "l": amount(fill.quantity if fill else None),
        "z": amount(order.filled_quantity),
        "L": amount(fill.price if fill else None),
        "n": amount(fill.fee) if fill else "0",
        "N": fill.fee_asset if fill else None,
        "T": event.time,
        "t": int(fill.fill_id) if fill else -1,
        "I": event.sequence,
        "w": order.is_open and order.working_time is not None and event.kind is not SpotEventKind.TRADE,
        "m": trade is not None and trade.is_maker,
        "M": trade is not None,
        "O": order.created_time,
        "Z": amount(order.filled_value),
        "Y": amount(multiply(fill.price, fill.quantity) if fill else None),
        "Q": amount(request.quote_quantity),
        **working,
        "V": request.self_trade.value,
        **({"eR": "INSUFFICIENT_LIQUIDITY"} if event.reason == "no_offers" else {}),
        **_prevented(order),
    }


def account_position(balances: Mapping[str, Balance], assets: Iterable[str], time: int, now: int) -> Shape:
    """Return what is held of those assets as the user data stream tells it."""
    held = [{"a": asset, "f": amount(balances[asset].free), "l": amount(balances[asset].locked)} for asset in assets]
    return {"e": "outboundAccountPosition", "E": now, "u": time, "B": held}


def list_status(pair: OrderPair, orders: Mapping[int, SpotOrder], time: int, now: int) -> Shape:
    """Return how far a pair came as the user data stream tells it."""
    shape = pair_of_orders(pair, orders)
    return {
        "e": "listStatus",
        "E": now,
        "s": shape["symbol"],
        "g": pair.list_id,
        "c": "OCO",
        "l": shape["listStatusType"],
        "L": shape["listOrderStatus"],
        "r": "NONE",
        "C": pair.client_list_id,
        "T": time,
        "O": [
            {"s": shape["symbol"], "i": order_id, "c": orders[order_id].request.client_order_id}
            for order_id in pair.order_ids
        ],
    }


def list_id(order: SpotOrder) -> int:
    """Return the number of the list an order belongs to, -1 outside lists."""
    return _NO_LIST if order.list_id is None else order.list_id


def _status(order: SpotOrder) -> str:
    return _STATUSES[order.status] if order.prevention is None else "EXPIRED_IN_MATCH"


def _state(order: SpotOrder) -> Shape:
    request = order.request
    stop = {"stopPrice": amount(request.stop_price)} if request.type.is_stop else {}
    return {
        "price": amount(request.price),
        "origQty": amount(order.quantity),
        "executedQty": amount(order.filled_quantity),
        "origQuoteOrderQty": amount(request.quote_quantity),
        "cummulativeQuoteQty": amount(order.filled_value),
        "status": _status(order),
        "timeInForce": request.time_in_force.value,
        "type": SpotOrderType(request.type).value,
        "side": request.side.value,
        **stop,
    }


def _prevention(order: SpotOrder) -> Shape:
    shape: Shape = {"selfTradePreventionMode": order.request.self_trade.value}
    if order.prevention is None:
        return shape
    quantity = amount(order.prevention.quantity)
    return shape | {"preventedMatchId": order.prevention.match_id, "preventedQuantity": quantity}


def _prevented(order: SpotOrder) -> Shape:
    """Return what an execution report tells of a trade with itself that did not happen."""
    prevention = order.prevention
    if prevention is None:
        return {}
    return {
        "v": prevention.match_id,
        "A": amount(prevention.quantity),
        "B": amount(prevention.quantity),
        "u": prevention.match_id,
        "U": prevention.other_id,
        "Cs": order.request.symbol.to_binance_api(),
        "pl": amount(prevention.quantity),
        "pL": amount(prevention.price),
        "pY": amount(multiply(prevention.price, prevention.quantity)),
    }


def _fill(trade: SpotTrade) -> Shape:
    return {
        "price": amount(trade.fill.price),
        "qty": amount(trade.fill.quantity),
        "commission": amount(trade.fill.fee),
        "commissionAsset": trade.fill.fee_asset,
        "tradeId": int(trade.fill.fill_id),
    }
