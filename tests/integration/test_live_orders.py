"""Orders of the live adapter on the wire, while answers fail."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from decimal import Decimal
from functools import partial

import pytest
from tests.integration.live_trading import LISTED_LATER, Traded, buy, stop, trading

from vela.domain import crashpoints
from vela.domain.errors import CredentialsRefused, OrderNotFound, OrderRefused, OrderUnresolved, RateLimited
from vela.domain.order import OrderStatus
from vela.domain.trading_symbol import TradingSymbol

PLACE, CANCEL, REPLACE = "POST /api/v3/order", "DELETE /api/v3/order", "POST /api/v3/order/cancelReplace"


@pytest.fixture
async def traded() -> AsyncIterator[Traded]:
    async with trading(patience=0.5) as traded:
        yield traded


# --------------------------------------------------------------------------------------------- answers that fail


@pytest.mark.parametrize(
    ("kind", "args"),
    [
        ("execute_and_timeout", {"seconds": 5}),
        ("execute_and_reset", {}),
        ("execute_and_5xx", {"status": 500}),
        ("execute_and_5xx", {"status": 502}),
        ("execute_and_5xx", {"status": 503}),
        ("execute_and_5xx", {"status": 504}),
        ("execute_and_5xx", {"status": 503, "code": -2010, "message": "NEW_ORDER_REJECTED"}),
        ("garbage", {}),
    ],
    ids=str,
)
async def test_an_order_whose_answer_fails_is_unresolved_and_found_when_asked_for(traded, kind, args):
    traded.venue.fault(PLACE, kind, nth=1, args=args)
    with pytest.raises(OrderUnresolved):
        await traded.execution.submit(buy())
    report = await traded.execution.order("a")
    assert (report.status, len(report.fills)) == (OrderStatus.FILLED, 1)
    assert traded.executed() == 1


@pytest.mark.parametrize("kind", ["drop_before", "silent", "maintenance"])
async def test_an_order_that_never_arrived_is_unresolved_and_unknown_when_asked_for(traded, kind):
    args = {} if kind == "drop_before" else {"seconds": 1}
    traded.venue.fault(PLACE, kind, nth=1, args=args)
    with pytest.raises(OrderUnresolved):
        await traded.execution.submit(buy())
    if kind == "maintenance":
        with pytest.raises(OrderUnresolved):
            await traded.execution.order("a")
        await asyncio.sleep(1)
    with pytest.raises(OrderNotFound):
        await traded.execution.order("a")
    assert traded.venue.truth() == []


async def test_a_refusal_is_certain(traded):
    traded.venue.fault(PLACE, "reject", nth=1, args={"code": -2010, "message": "NEW_ORDER_REJECTED"})
    with pytest.raises(OrderRefused, match="-2010 NEW_ORDER_REJECTED"):
        await traded.execution.submit(buy())
    assert traded.venue.truth() == []


@pytest.mark.parametrize(
    ("kind", "args"),
    [("execute_and_timeout", {"seconds": 5}), ("execute_and_5xx", {}), ("garbage", {})],
    ids=str,
)
async def test_a_cancel_whose_answer_fails_is_unresolved_and_was_done(traded, kind, args):
    await traded.execution.submit(stop())
    traded.venue.fault(CANCEL, kind, nth=1, args=args)
    with pytest.raises(OrderUnresolved):
        await traded.execution.cancel("a")
    assert (await traded.execution.order("a")).status is OrderStatus.CANCELLED


async def test_a_cancel_that_never_arrived_leaves_the_order_where_it_is(traded):
    await traded.execution.submit(stop())
    traded.venue.fault(CANCEL, "drop_before")
    with pytest.raises(OrderUnresolved):
        await traded.execution.cancel("a")
    assert (await traded.execution.order("a")).status is OrderStatus.ACCEPTED


async def test_a_fill_that_beats_the_cancel_is_booked(traded):
    await traded.execution.submit(stop())
    traded.move(89.0)
    with pytest.raises(OrderNotFound):
        await traded.execution.cancel("a")
    report = await traded.execution.order("a")
    assert (report.status, report.fills[0].price) == (OrderStatus.FILLED, Decimal(90))


@pytest.mark.parametrize("kind", ["execute_and_5xx", "execute_and_reset", "garbage"])
async def test_a_replacement_whose_answer_fails_is_unresolved_and_was_done(traded, kind):
    await traded.execution.submit(stop())
    traded.venue.fault(REPLACE, kind, nth=1)
    with pytest.raises(OrderUnresolved):
        await traded.execution.replace(["a"], stop("b", "95"))
    assert [report.client_order_id for report in await traded.execution.open_orders()] == ["b"]


async def test_a_question_whose_answer_fails_is_unresolved(traded):
    traded.venue.fault("GET *", "garbage")
    for ask in (traded.execution.open_orders, traded.execution.balances):
        with pytest.raises(OrderUnresolved):
            await ask()
    with pytest.raises(OrderUnresolved):
        await traded.execution.order("a")


# ------------------------------------------------------------------------------------------- limits, keys, clocks


async def test_a_limit_that_others_at_the_address_used_up_is_obeyed_without_asking_again():
    async with trading(weight_limit=100) as traded:
        while traded.venue.call("GET", "account").status_code == 200:
            pass
        with pytest.raises(RateLimited) as limited:
            await traded.execution.submit(stop())
        assert 0 < limited.value.retry_after <= 60
        traded.venue.fault("*", "ban")  # nobody would survive being noticed now
        with pytest.raises(RateLimited):
            await traded.execution.cancel("a")
        calls = traded.connection._calls
        assert calls.budget.closed_for(calls.now()) <= 60


async def test_our_own_requests_stay_within_the_limit():
    async with trading(weight_limit=100) as traded:
        calls = traded.connection._calls
        while not calls.budget.take(1, calls.now(), urgent=False):
            pass
        with pytest.raises(RateLimited, match="no budget"):
            await traded.execution.submit(buy())
        await traded.execution.submit(stop())  # what protects may use what is kept for it
        assert (await traded.execution.cancel("a")).status is OrderStatus.CANCELLED


async def test_a_ban_stops_everything_until_it_ends(traded):
    traded.venue.fault(PLACE, "ban", nth=1, args={"seconds": 1})
    with pytest.raises(RateLimited) as limited:
        await traded.execution.submit(stop())
    assert limited.value.retry_after == 1.0
    with pytest.raises(RateLimited):
        await traded.execution.order("a")
    await asyncio.sleep(1.1)
    await traded.execution.submit(stop())


@pytest.mark.parametrize("offset_ms", [1_200, -6_000, 90_000, -90_000])
async def test_a_clock_that_goes_wrong_is_set_again(traded, offset_ms):
    traded.venue.control.post("/clock", json={"offset_ms": offset_ms})
    [report] = await traded.execution.submit(buy())
    assert report.status is OrderStatus.FILLED
    assert abs(traded.connection.clock_offset() - offset_ms) < (1_000 if abs(offset_ms) > 2_000 else 1_500)


async def test_a_wrong_secret_is_refused():
    async with trading(api_secret="another") as traded:
        for ask in (traded.execution.balances, traded.execution.open_orders, partial(traded.execution.submit, buy())):
            with pytest.raises(CredentialsRefused, match="-1022"):
                await ask()


async def test_a_symbol_in_chinese_is_traded_like_any_other(traded):
    [report] = await traded.execution.submit(buy("a", TradingSymbol(LISTED_LATER)))
    assert report.fills[0].fill_id.startswith("币安人生USDT:")
    assert await traded.execution.order("a") == report


# ------------------------------------------------------------------------------------------------- crash points


@pytest.fixture
def passed() -> Iterator[list[str]]:
    points: list[str] = []
    for point in crashpoints.POINTS:
        crashpoints.arm(point, partial(points.append, point))
    yield points
    crashpoints.disarm()


async def test_an_order_passes_the_points_of_its_way(traded, passed):
    await traded.execution.submit(stop())
    assert passed == ["P16", "P07", "P08"]
    await traded.execution.order("a")
    assert len(passed) == 3


async def test_when_the_bytes_are_sent_the_venue_has_them_although_it_has_not_matched(traded):
    traded.venue.fault(PLACE, "delay", nth=1, args={"seconds": 0.2})
    matched: list[int] = []
    crashpoints.arm("P16", lambda: matched.append(len(traded.venue.truth())))
    crashpoints.arm("P07", lambda: matched.append(len(traded.venue.truth())))
    try:
        await traded.execution.submit(stop())
    finally:
        crashpoints.disarm()
    assert matched == [0, 1]


@pytest.mark.parametrize(
    ("new", "point", "sent"),
    [(stop("new", "95"), "P18", "P16"), (buy("new"), "P19", "P06")],
    ids=["protective", "market"],
)
async def test_between_cancel_and_place_there_is_a_point(traded, passed, new, point, sent):
    await traded.execution.submit(stop("one"))
    await traded.execution.submit(stop("two"))
    passed.clear()
    await traded.execution.replace(["one", "two"], new)
    assert [one for one in passed if one in {"P06", "P16", "P18", "P19"}] == [point, sent]
