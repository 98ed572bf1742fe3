from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from functools import partial
from typing import Any

import ccxt
import pytest
from tests.binance_wire import KEY, NOW, SECRET, Refusal, Wire, order, trade, wire

from vela.domain.errors import (
    CredentialsRefused,
    ExecutionError,
    OrderNotFound,
    OrderRefused,
    OrderUnresolved,
    RateLimited,
)
from vela.domain.order import OrderRequest, OrderStatus, OrderType, Side
from vela.domain.trading_symbol import TradingSymbol
from vela.ports.execution import EventsMissed, FollowUp

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


# --------------------------------------------------------------------------------------------------------- placing


async def test_an_order_bears_our_id_and_nothing_else_s(exchange):
    exchange.answer("POST order", order("mine", type="MARKET", status="NEW"))
    await execution_of(exchange).submit(request("mine", OrderType.MARKET))
    [sent] = exchange.of("POST order")
    assert {name: sent[name] for name in ("symbol", "side", "type", "quantity", "newClientOrderId")} == {
        "symbol": "BTCUSDT",
        "side": "SELL",
        "type": "MARKET",
        "quantity": "1",
        "newClientOrderId": "mine",
    }
    assert (sent["timestamp"], sent["recvWindow"]) == (str(NOW), "5000")


async def test_a_stop_executes_at_market_where_it_can(exchange):
    exchange.answer("POST order", order())
    await execution_of(exchange).submit(request())
    [sent] = exchange.of("POST order")
    assert (sent["type"], sent["stopPrice"], sent.get("price")) == ("STOP_LOSS", "90.5", None)


@pytest.mark.parametrize(("side", "limit"), [(Side.SELL, "85.97"), (Side.BUY, "95.03")])
async def test_where_it_cannot_it_has_a_limit_some_way_beyond(side, limit):
    async with wire(order_types=["LIMIT", "MARKET", "STOP_LOSS_LIMIT"]) as exchange:
        exchange.answer("POST order", order())
        await execution_of(exchange).submit(request(side=side))
        [sent] = exchange.of("POST order")
        assert (sent["type"], sent["stopPrice"], sent["price"]) == ("STOP_LOSS_LIMIT", "90.5", limit)
        assert sent["timeInForce"] == "GTC"


async def test_a_fill_told_at_once_has_the_order_s_time_and_an_id_of_its_symbol(exchange):
    fill = {"price": "100.0", "qty": "1.0", "commission": "0.1", "commissionAsset": "BNB", "tradeId": 7}
    exchange.answer("POST order", order(type="MARKET", status="FILLED", executedQty="1.0", fills=[fill]))
    [report] = await execution_of(exchange).submit(request(kind=OrderType.MARKET))
    [told] = report.fills
    assert (told.fill_id, told.time, told.fee, told.fee_asset) == ("BTCUSDT:7", NOW, Decimal("0.1"), "BNB")
    assert (report.status, report.filled_quantity) == (OrderStatus.FILLED, None)


async def test_what_is_filled_without_its_fills_says_so(exchange):
    exchange.answer("POST order", order(type="MARKET", status="FILLED", executedQty="1.0", fills=[]))
    [report] = await execution_of(exchange).submit(request(kind=OrderType.MARKET))
    assert (report.status, report.fills, report.filled_quantity) == (OrderStatus.FILLED, (), 1)


@pytest.mark.parametrize(
    "off_grid",
    [
        request(quantity="0.0005"),
        OrderRequest("a", BTC, Side.SELL, OrderType.LIMIT, Decimal(1), price=Decimal("100.001")),
        OrderRequest("a", BTC, Side.SELL, OrderType.STOP, Decimal(1), stop_price=Decimal("90.001")),
        request(symbol=TradingSymbol("SOL")),
    ],
    ids=["quantity", "price", "stop", "symbol"],
)
async def test_what_would_be_rounded_is_not_sent(exchange, off_grid):
    with pytest.raises(OrderRefused, match="accepted"):
        await execution_of(exchange).submit(off_grid)
    assert exchange.sent == []


# ------------------------------------------------------------------------------------------------ what answers mean


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (NO_BALANCE, OrderRefused),
        (Refusal(400, {"code": -1013, "msg": "Filter failure: NOTIONAL"}), OrderRefused),
        (Refusal(400, {"code": -1013, "msg": "Filter failure: LOT_SIZE"}), OrderRefused),
        (Refusal(400, {"code": -1111, "msg": "Precision is over the maximum"}), OrderRefused),
        (Refusal(400, {"code": -1121, "msg": "Invalid symbol."}), OrderRefused),
        (Refusal(400, {"code": -2010, "msg": "Duplicate order sent."}), OrderUnresolved),
        (Refusal(400, {"code": -2010, "msg": "Stop price would trigger immediately."}), OrderRefused),
        (Refusal(400, {"code": -1013, "msg": "Market is closed."}), OrderRefused),
        (Refusal(400, {"code": -1015, "msg": "Too many new orders"}), RateLimited),
        (TOO_MANY, RateLimited),
        (Refusal(418, {"code": -1003, "msg": "Way too much request weight used; IP banned"}), RateLimited),
        (Refusal(401, {"code": -2015, "msg": "Invalid API-key, IP, or permissions for action."}), CredentialsRefused),
        (Refusal(401, {"code": -2014, "msg": "API-key format invalid."}), CredentialsRefused),
        (Refusal(400, {"code": -1022, "msg": "Signature for this request is not valid."}), CredentialsRefused),
        (
            Refusal(400, {"code": -1021, "msg": "Timestamp for this request is outside of the recvWindow."}),
            CredentialsRefused,
        ),
        (Refusal(400, {"code": -1007, "msg": "Timeout waiting for response from backend server."}), OrderUnresolved),
        (Refusal(400, {"code": -1006, "msg": "An unexpected response was received"}), OrderUnresolved),
        (Refusal(500, {"code": -1000, "msg": "An unknown error occurred"}), OrderUnresolved),
        (Refusal(503, {"code": -2010, "msg": "a refusal's code in a server's error"}), OrderUnresolved),
        (Refusal(504, {}), OrderUnresolved),
        (Refusal(400, {"code": -9999, "msg": "never seen"}), OrderUnresolved),
        (Refusal(403, None), OrderUnresolved),
        ("<html>", OrderUnresolved),
        (None, OrderUnresolved),
        ([], OrderUnresolved),
        ({}, OrderUnresolved),
        (order(executedQty="NaN"), OrderUnresolved),
        (order(executedQty="-1"), OrderUnresolved),
        (order(transactTime=NOW * 1000), OrderUnresolved),
        (
            order(status="FILLED", executedQty="1", fills=[{"price": "Infinity", "qty": "1", "tradeId": 1}]),
            OrderUnresolved,
        ),
        (ccxt.RequestTimeout("binance POST https://x?signature=canary"), OrderUnresolved),
        (ccxt.NetworkError("reset"), OrderUnresolved),
    ],
    ids=lambda value: str(value)[:70],
)
async def test_of_an_order_an_answer_means(exchange, answer, kind):
    exchange.answer("POST order", answer)
    with pytest.raises(ExecutionError) as problem:
        await execution_of(exchange).submit(request())
    assert type(problem.value) is kind
    assert not any(secret in repr(problem.value) for secret in (KEY, SECRET, "canary", "signature=", "https"))


async def test_after_a_wrong_clock_the_order_is_sent_once_more(exchange):
    exchange.answer("POST order", Refusal(400, {"code": -1021, "msg": "1000ms ahead"}), order())
    exchange.forget("GET time")
    exchange.answer("GET time", {"serverTime": NOW - 7000})
    [report] = await execution_of(exchange).submit(request())
    assert report.status is OrderStatus.ACCEPTED
    assert [sent["timestamp"] for sent in exchange.of("POST order")] == [str(NOW), str(NOW - 7000)]
    assert exchange.connection.clock_offset() == -7000


async def test_a_ban_stops_everything(exchange):
    exchange.answer("POST order", Refusal(418, {"code": -1003, "msg": "banned"}))
    execution = execution_of(exchange)
    for _ in range(2):
        with pytest.raises(RateLimited) as limited:
            await execution.submit(request())
        assert limited.value.retry_after == 120
    with pytest.raises(RateLimited):
        await execution.cancel("a")
    assert len(exchange.sent) == 1


# ---------------------------------------------------------------------------------------------------------- groups


async def test_a_stop_and_a_target_become_a_pair(exchange):
    exchange.answer("POST orderList/oco", pair(order("target", orderId=2), order("stop", orderId=1)))
    reports = await execution_of(exchange).submit(STOP, LIMIT)
    assert [(report.client_order_id, report.venue_order_id) for report in reports] == [("stop", "1"), ("target", "2")]
    [sent] = exchange.of("POST orderList/oco")
    assert (sent["aboveType"], sent["abovePrice"], sent["aboveClientOrderId"]) == ("LIMIT_MAKER", "110", "target")
    assert (sent["belowType"], sent["belowStopPrice"], sent["belowClientOrderId"]) == ("STOP_LOSS", "90.5", "stop")
    assert (sent["symbol"], sent["side"], sent["quantity"]) == ("BTCUSDT", "SELL", "1")
    assert "listClientOrderId" not in sent  # Binance gives one; ccxt's would bear a broker's mark


async def test_that_of_a_purchase_stands_the_other_way_round(exchange):
    exchange.answer("POST orderList/oco", pair(order("stop"), order("target")))
    await execution_of(exchange).submit(
        request("stop", side=Side.BUY, group="g"), request("target", OrderType.LIMIT, side=Side.BUY, group="g")
    )
    [sent] = exchange.of("POST orderList/oco")
    assert (sent["aboveType"], sent["belowType"]) == ("STOP_LOSS", "LIMIT_MAKER")


async def test_a_pair_where_stops_need_a_limit():
    async with wire(order_types=["LIMIT", "LIMIT_MAKER", "MARKET", "STOP_LOSS_LIMIT"]) as exchange:
        exchange.answer("POST orderList/oco", pair(order("stop"), order("target")))
        await execution_of(exchange).submit(STOP, LIMIT)
        [sent] = exchange.of("POST orderList/oco")
        assert (sent["belowType"], sent["belowPrice"], sent["belowTimeInForce"]) == ("STOP_LOSS_LIMIT", "85.97", "GTC")


@pytest.mark.parametrize(
    "group",
    [
        (STOP, request("b", group="g")),
        (LIMIT, request("b", OrderType.LIMIT, group="g")),
        (STOP, request("b", OrderType.LIMIT, "2", group="g")),
        (STOP, request("b", OrderType.LIMIT, side=Side.BUY, group="g")),
        (STOP, LIMIT, request("b", group="g")),
    ],
    ids=["two stops", "two limits", "quantities", "sides", "three"],
)
async def test_other_groups_cannot_be_placed(exchange, group):
    with pytest.raises(OrderRefused, match="accepted: a stop and a limit order of one symbol, side and quantity"):
        await execution_of(exchange).submit(*group)
    assert exchange.sent == []


async def test_a_group_that_cannot_be_placed_is_seen_before_anything_is(exchange):
    with pytest.raises(OrderRefused):
        await execution_of(exchange).submit(request("first"), STOP, request("b", group="g"))
    assert exchange.sent == []


async def test_an_order_that_is_not_found_yet_can_be_cancelled(exchange):
    exchange.answer("POST order", Refusal(503, {}))
    exchange.answer("GET order", UNKNOWN_ORDER)
    exchange.answer("DELETE order", order("x", origClientOrderId="a", status="CANCELED"))
    execution = execution_of(exchange)
    with pytest.raises(OrderUnresolved):
        await execution.submit(request("a"))
    assert (await execution.cancel("a")).status is OrderStatus.CANCELLED


async def test_what_was_placed_before_a_refusal_is_taken_back(exchange):
    exchange.answer("POST orderList/oco", pair(order("target"), order("stop")))
    exchange.answer("POST order", NO_BALANCE)
    exchange.answer(
        "DELETE orderList",
        pair(
            order("x", origClientOrderId="stop", status="CANCELED"),
            order("x", origClientOrderId="target", status="CANCELED"),
        ),
    )
    with pytest.raises(OrderRefused) as refused:
        await execution_of(exchange).submit(STOP, LIMIT, request("rest"))
    assert type(refused.value) is OrderRefused
    assert exchange.of("DELETE orderList")[0]["orderListId"] == "9"


def with_room_for(exchange: Wire, orders: int) -> None:
    exchange.connection._calls.orders.limit = 100
    exchange.connection._calls.orders.spend(100 - orders, exchange.connection._calls.now())


async def test_what_there_is_no_room_for_as_a_whole_is_not_begun(exchange):
    with_room_for(exchange, 2)
    with pytest.raises(RateLimited, match="no new orders"):
        await execution_of(exchange).submit(STOP, LIMIT, request("rest"))
    assert exchange.sent == []


@pytest.mark.parametrize("old", [["a"], ["a", "b"]], ids=["one", "several"])
async def test_what_rests_stays_while_nothing_can_be_placed_for_it(exchange, old):
    exchange.answer("POST order", order("a"), order("b"))
    execution = execution_of(exchange)
    await execution.submit(request("a"))
    await execution.submit(request("b"))
    exchange.sent.clear()
    with_room_for(exchange, 0)
    with pytest.raises(RateLimited, match="no new orders"):
        await execution.replace(old, request("exit", OrderType.MARKET))
    assert exchange.sent == []


async def test_how_many_orders_may_be_placed_is_what_the_exchange_says(exchange):
    limits = [{"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": 50}]
    limits += [{"rateLimitType": "ORDERS", "interval": "DAY", "intervalNum": 1, "limit": 160_000}]
    exchange.listed["rateLimits"] = [*limits, {"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10}]
    await exchange.connection._client.load_markets(True)
    assert exchange.connection._calls.orders.limit == 50


@pytest.mark.parametrize("answer", [GONE, ccxt.NetworkError("lost"), TOO_MANY], ids=["executed", "lost", "limited"])
async def test_if_it_cannot_be_taken_back_nothing_is_certain(exchange, answer):
    exchange.answer("POST order", order(), NO_BALANCE)
    exchange.answer("DELETE order", answer)
    exchange.answer("GET order", UNKNOWN_ORDER)
    with pytest.raises(OrderUnresolved):
        await execution_of(exchange).submit(request("a"), request("b"))


# ---------------------------------------------------------------------------------------------------------- asking


async def test_every_fill_of_an_order_is_told_however_many_there_are(exchange):
    exchange.answer("GET order", order(status="FILLED", executedQty="1001.000"))
    first = [trade(number, "1") for number in range(1000)]
    exchange.answer("GET myTrades", first, [trade(5000, "1")])
    report = await execution_of(exchange).order("a")
    assert len(report.fills) == 1001
    assert (report.status, report.filled_quantity) == (OrderStatus.FILLED, None)
    assert [sent["fromId"] for sent in exchange.of("GET myTrades")] == ["0", "1000"]


async def test_a_list_that_lags_behind_is_seen_to(exchange):
    exchange.answer("GET order", order(status="FILLED", executedQty="1.0"))
    exchange.answer("GET myTrades", [trade(1, "0.25")])
    report = await execution_of(exchange).order("a")
    assert (len(report.fills), report.filled_quantity) == (1, 1)


async def test_trades_of_other_orders_are_not_booked(exchange):
    exchange.answer("GET order", order(status="FILLED", executedQty="0.5"))
    exchange.answer("GET myTrades", [trade(1), trade(2, orderId=77)])
    assert len((await execution_of(exchange).order("a")).fills) == 1


async def test_an_unknown_state_is_looked_after(exchange):
    exchange.answer("GET order", order(status="A_WORD_NEVER_SEEN", aNewField={"x": 1}))
    assert (await execution_of(exchange).order("a")).status is OrderStatus.ACCEPTED


async def test_an_order_of_a_former_life_is_looked_for_where_its_id_points_first(exchange):
    exchange.answer("GET order", UNKNOWN_ORDER)
    with pytest.raises(OrderNotFound):
        await execution_of(exchange).order("ETHUSDT-1-E")
    assert [sent["symbol"] for sent in exchange.of("GET order")] == ["ETHUSDT", "BTCUSDT"]


@pytest.mark.parametrize("answer", [Refusal(503, {}), "<html>", None, {}, [{}], ccxt.RequestTimeout("x")], ids=str)
async def test_a_question_without_an_answer_is_unresolved(exchange, answer):
    for name in ("GET order", "GET openOrders", "GET account"):
        exchange.answer(name, answer)
    execution = execution_of(exchange)
    for ask in (partial(execution.order, "a"), execution.open_orders, execution.balances):
        with pytest.raises(OrderUnresolved):
            await ask()


async def test_open_orders_of_all_symbols_are_told_oldest_first(exchange):
    later = order("later", time=NOW + 5, updateTime=NOW + 5)
    exchange.answer("GET openOrders", [later, order("older", executedQty="0.25", time=NOW, symbol="NEVERSEENUSDT")])
    reports = await execution_of(exchange).open_orders()
    assert [(report.client_order_id, report.filled_quantity) for report in reports] == [
        ("older", Decimal("0.25")),
        ("later", None),
    ]


async def test_what_is_held_is_exact(exchange):
    held = [{"asset": "BTC", "free": "0.123456789012345678", "locked": "1.00000000"}]
    exchange.answer("GET account", {"balances": held, "updateTime": NOW})
    balances = await execution_of(exchange).balances()
    assert (balances["BTC"].free, balances["BTC"].locked) == (Decimal("0.123456789012345678"), 1)


async def test_a_cancelled_order_is_told_although_its_fills_cannot_be_had(exchange):
    exchange.answer("POST order", order())
    execution = execution_of(exchange)
    await execution.submit(request())
    exchange.answer("DELETE order", order("x", status="CANCELED", executedQty="0.5"))
    exchange.answer("GET order", ccxt.NetworkError("lost"))
    report = await execution.cancel("a")
    assert (report.status, report.fills, report.filled_quantity) == (OrderStatus.CANCELLED, (), Decimal("0.5"))


async def test_how_orders_are_looked_after(exchange):
    assert execution_of(exchange).follow_up == FollowUp(absent_tries=5, absent_seconds=60.0, reconcile_seconds=30.0)
    assert execution_of(exchange, follow_up=FollowUp()).follow_up == FollowUp()


# ---------------------------------------------------------------------------------------------------------- events


async def told(monkeypatch, exchange: Wire, *messages: dict[str, Any]):
    execution = execution_of(exchange)
    client = exchange.connection._client
    monkeypatch.setattr(client, "subscribe_account", _at_once)
    monkeypatch.setattr(client, "hold_account", asyncio.Event().wait)
    events = execution.events()
    first = await anext(events)
    for message in messages:
        client.taps["executionReport"](message)
    found = [await anext(events) for _ in messages]
    await events.aclose()
    return first, found


async def _at_once() -> None:
    return


EXECUTION = {
    "e": "executionReport",
    "s": "BTCUSDT",
    "c": "mine",
    "C": "",
    "S": "SELL",
    "x": "NEW",
    "X": "NEW",
    "r": "NONE",
    "i": 42,
    "z": "0",
    "g": -1,
    "T": NOW,
}


async def test_the_first_event_says_that_all_must_be_asked_for(monkeypatch, exchange):
    first, [report] = await told(monkeypatch, exchange, EXECUTION)
    assert first == EventsMissed()
    assert (report.client_order_id, report.status) == ("mine", OrderStatus.ACCEPTED)


@pytest.mark.parametrize("garbled", [{"X": "A_WORD_NEVER_SEEN"}, {"z": "NaN"}, {"T": NOW * 1000}, {"g": None}], ids=str)
async def test_an_event_that_is_not_understood_means_that_something_was_missed(monkeypatch, exchange, garbled):
    _, events = await told(monkeypatch, exchange, EXECUTION | garbled)
    assert events == [EventsMissed()]


async def test_events_of_symbols_that_are_not_listed_are_nobody_s(monkeypatch, exchange):
    _, events = await told(monkeypatch, exchange, EXECUTION)
    exchange.connection._client.taps["executionReport"](EXECUTION | {"s": "NEVERSEENUSDT"})
    assert len(events) == 1
