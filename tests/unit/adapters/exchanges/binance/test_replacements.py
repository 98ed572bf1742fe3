"""Replacements at Binance: in one step, in two, and what every answer to them means."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest
from tests.binance_wire import Refusal, Wire, order, trade, wire

from vela.domain.errors import ExecutionError, OrderNotFound, OrderRefused, OrderUnresolved
from vela.domain.order import OrderRequest, OrderStatus, OrderType, Side
from vela.domain.trading_symbol import TradingSymbol

BTC, ETH = TradingSymbol("BTC"), TradingSymbol("ETH")
UNKNOWN_ORDER = Refusal(400, {"code": -2013, "msg": "Order does not exist."})
GONE = Refusal(400, {"code": -2011, "msg": "Unknown order sent."})
NO_BALANCE = Refusal(400, {"code": -2010, "msg": "Account has insufficient balance for requested action."})
TOO_MANY = Refusal(429, {"code": -1003, "msg": "Too much request weight used"})


def request(name="a", kind=OrderType.STOP, quantity="1", side=Side.SELL, group=None, symbol=BTC) -> OrderRequest:
    price = Decimal(110) if kind is OrderType.LIMIT else None
    stop_price = Decimal("90.5") if kind is OrderType.STOP else None
    return OrderRequest(name, symbol, side, kind, Decimal(quantity), price=price, stop_price=stop_price, group=group)


STOP, LIMIT = request("stop", group="g"), request("target", OrderType.LIMIT, group="g")


def pair(*orders: dict[str, Any]) -> dict[str, Any]:
    return {"orderListId": 9, "contingencyType": "OCO", "orderReports": [{**one, "orderListId": 9} for one in orders]}


@pytest.fixture
async def exchange() -> AsyncIterator[Wire]:
    async with wire() as made:
        yield made


def execution_of(exchange: Wire, **options):
    return exchange.connection.execution([BTC, ETH], **options)


def replaced(cancel: Any, new: Any, status: int = 409, code: int = -2021) -> Refusal:
    halves = {
        "cancelResult": "SUCCESS" if "status" in cancel else "FAILURE",
        "newOrderResult": "NOT_ATTEMPTED" if new is None else "SUCCESS" if "status" in new else "FAILURE",
        "cancelResponse": cancel,
        "newOrderResponse": new,
    }
    return Refusal(status, {"code": code, "msg": "Order cancel-replace failed.", "data": halves})


async def placed(exchange: Wire, *requests: OrderRequest, **fields: Any):
    """An execution where these orders rest."""
    execution = execution_of(exchange)
    for one in requests:
        exchange.forget("POST order")
        exchange.answer("POST order", order(one.client_order_id, **fields))
        await execution.submit(one)
    exchange.sent.clear()
    return execution


async def test_one_order_is_replaced_by_one_in_one_step(exchange):
    execution = await placed(exchange, request("old"))
    halves = {
        "cancelResult": "SUCCESS",
        "newOrderResult": "SUCCESS",
        "cancelResponse": order("of-the-cancel", origClientOrderId="old", status="CANCELED"),
        "newOrderResponse": order("new", orderId=2),
    }
    exchange.answer("POST order/cancelReplace", halves)
    reports = await execution.replace(["old"], request("new"))
    assert [(report.client_order_id, report.status) for report in reports] == [
        ("old", OrderStatus.CANCELLED),
        ("new", OrderStatus.ACCEPTED),
    ]
    [sent] = exchange.of("POST order/cancelReplace")
    assert (sent["cancelReplaceMode"], sent["cancelOrigClientOrderId"]) == ("STOP_ON_FAILURE", "old")
    assert (sent["newClientOrderId"], sent["type"], sent["stopPrice"]) == ("new", "STOP_LOSS", "90.5")


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (replaced(GONE.body, None, 400, -2022), OrderNotFound),
        (replaced(order(status="CANCELED"), NO_BALANCE.body), OrderRefused),
        (replaced(order(status="CANCELED"), {"code": -1015, "msg": "Too many new orders"}), OrderRefused),
        (replaced(order(status="CANCELED"), {"code": -1007, "msg": "Timeout"}), OrderUnresolved),
        (replaced({"code": -1007, "msg": "Timeout"}, None, 400, -2022), OrderUnresolved),
        (replaced(GONE.body, order("new"), 409, -2021), OrderUnresolved),
        (Refusal(409, {"code": -2021, "msg": "x", "data": {}}), OrderUnresolved),
        (Refusal(400, {"code": -1013, "msg": "Filter failure: NOTIONAL"}), OrderRefused),
        (Refusal(503, {"code": -1007, "msg": "Timeout", "data": {"cancelResult": "SUCCESS"}}), OrderUnresolved),
    ],
    ids=lambda value: str(value)[:110],
)
async def test_of_a_replacement_an_answer_means(exchange, answer, kind):
    execution = await placed(exchange, request("old"))
    exchange.answer("POST order/cancelReplace", answer)
    with pytest.raises(ExecutionError) as problem:
        await execution.replace(["old"], request("new"))
    assert type(problem.value) is kind


async def test_what_is_wrong_in_itself_cancels_nothing(exchange):
    execution = await placed(exchange, request("old"))
    with pytest.raises(OrderRefused):
        await execution.replace(["old"], request("new", quantity="0.0005"))
    assert exchange.sent == []


async def test_several_orders_are_cancelled_and_then_others_placed(exchange):
    execution = await placed(exchange, request("one"), request("two"))
    exchange.forget("POST order")
    exchange.answer("POST order", order("new"))
    exchange.answer("DELETE order", order("x", status="CANCELED"))
    reports = await execution.replace(["one", "two"], request("new"))
    assert [report.client_order_id for report in reports] == ["one", "two", "new"]
    assert [sent.name for sent in exchange.sent] == ["DELETE order", "DELETE order", "POST order"]


async def test_if_the_first_is_gone_nothing_else_is_touched(exchange):
    execution = await placed(exchange, request("one"), request("two"))
    exchange.answer("DELETE order", GONE)
    with pytest.raises(OrderNotFound):
        await execution.replace(["one", "two"], request("new"))
    assert [sent.name for sent in exchange.sent] == ["DELETE order"]


async def test_what_was_executed_on_the_way_changes_what_is_needed_so_nothing_is_placed(exchange):
    execution = await placed(exchange, request("one"), request("two"))
    exchange.answer("DELETE order", order("x", status="CANCELED", executedQty="0.5"), order("x", status="CANCELED"))
    exchange.answer("GET order", order("one", status="CANCELED", executedQty="0.5"))
    exchange.answer("GET myTrades", [trade(1)])
    with pytest.raises(OrderNotFound, match="nothing was placed"):
        await execution.replace(["one", "two"], request("new"))
    assert "POST order" not in [sent.name for sent in exchange.sent]


async def test_what_was_executed_and_told_before_is_no_surprise(exchange):
    execution = await placed(exchange, request("one"), request("two"), executedQty="0.5", status="PARTIALLY_FILLED")
    exchange.answer("DELETE order", order("x", status="CANCELED", executedQty="0.5"))
    exchange.answer("GET order", order("one", status="CANCELED", executedQty="0.5"))
    exchange.answer("GET myTrades", [trade(1)])
    exchange.forget("POST order")
    exchange.answer("POST order", order("new"))
    assert len(await execution.replace(["one", "two"], request("new"))) == 3


@pytest.mark.parametrize(
    "answer", [TOO_MANY, Refusal(401, {"code": -2015, "msg": "Invalid API-key"})], ids=["limit", "key"]
)
async def test_once_the_old_orders_are_gone_nobody_says_that_nothing_was_done(exchange, answer):
    execution = await placed(exchange, request("one"), request("two"))
    exchange.answer("DELETE order", order("x", status="CANCELED"))
    exchange.forget("POST order")
    exchange.answer("POST order", answer)
    with pytest.raises(OrderRefused) as refused:
        await execution.replace(["one", "two"], request("new"))
    assert type(refused.value) is OrderRefused


async def test_one_of_a_pair_is_not_replaced_alone(exchange):
    exchange.answer("POST orderList/oco", pair(order("target"), order("stop")))
    execution = execution_of(exchange)
    await execution.submit(STOP, LIMIT)
    exchange.answer("DELETE orderList", pair(order("x", origClientOrderId="stop", status="CANCELED")))
    exchange.answer("POST order", order("new"))
    await execution.replace(["stop"], request("new"))
    assert [sent.name for sent in exchange.sent][1:] == ["DELETE orderList", "POST order"]


async def test_after_a_restart_the_venue_says_which_orders_are_a_pair(exchange):
    exchange.answer("GET order", order("stop", orderListId=9))
    exchange.answer(
        "DELETE orderList",
        pair(*(order("x", origClientOrderId=name, status="CANCELED") for name in ("stop", "target"))),
    )
    exchange.answer("POST order", order("exit", type="MARKET"))
    reports = await execution_of(exchange).replace(["stop", "target"], request("exit", OrderType.MARKET))
    assert [report.client_order_id for report in reports] == ["stop", "target", "exit"]
    assert len(exchange.of("DELETE orderList")) == 1
