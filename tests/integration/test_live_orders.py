"""Orders of the live adapter on the wire, while things go wrong."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from decimal import Decimal
from functools import partial

import pytest
from tests.integration.venue_server import KEY, SECRET, RunningVenue, ScriptedMarket, scripted_venue
from tests.integration.wire_cutter import wire_to

from vela.adapters.clock import SystemClock
from vela.adapters.exchanges.live import connect
from vela.adapters.exchanges.unified.connection import Connection, Credentials
from vela.adapters.exchanges.unified.execution import LiveExecution
from vela.domain import crashpoints
from vela.domain.errors import CredentialsRefused, OrderNotFound, OrderRefused, OrderUnresolved, RateLimited
from vela.domain.events import Tick
from vela.domain.instrument import Instrument
from vela.domain.order import OrderRequest, OrderStatus, OrderType, Side
from vela.domain.trading_symbol import TradingSymbol, register_assets
from vela.ports.execution import EventsMissed, OrderReport

register_assets(["币安人生"])
BTC, LIVELY = TradingSymbol("BTC"), TradingSymbol("币安人生")
START = 1_700_000_040_000
BALANCES = {"USDT": Decimal(100_000), "BTC": Decimal(10)}
PLACE, CANCEL, REPLACE = "POST /api/v3/order", "DELETE /api/v3/order", "POST /api/v3/order/cancelReplace"


class Traded:
    """A venue, its market and a client."""

    def __init__(self, venue: RunningVenue, market: ScriptedMarket, connection: Connection) -> None:
        self.venue = venue
        self.market = market
        self.connection = connection
        self.execution: LiveExecution = connection.execution([BTC, LIVELY])
        self._time = START
        self._price = 100.0

    def move(self, price: float, symbol: TradingSymbol = BTC) -> None:
        self._time += 1000
        last, self._price = self._price, price
        self.market.move(Tick(symbol, price, min(last, price), max(last, price)), self._time)

    def executed(self) -> int:
        return sum("fill" in event for event in self.venue.truth())


@pytest.fixture
def market() -> ScriptedMarket:
    rules = (Decimal("0.01"), Decimal("0.0001"), Decimal(5), Decimal("0.0001"))
    return ScriptedMarket(Instrument(BTC, *rules), Instrument(LIVELY, *rules), volume=100_000.0)


@pytest.fixture
def venue(market) -> Iterator[RunningVenue]:
    with scripted_venue(market, balances=BALANCES) as venue:
        yield venue


async def connected(venue: RunningVenue, market: ScriptedMarket, *, patience=5.0, url=None) -> Traded:
    credentials = Credentials(KEY, SECRET)
    connection = await connect("binance", credentials, SystemClock(), base_url=url or venue.http, patience=patience)
    traded = Traded(venue, market, connection)
    for symbol in (BTC, LIVELY):
        traded.move(100.0, symbol)
    return traded


@pytest.fixture
async def traded(venue, market) -> AsyncIterator[Traded]:
    traded = await connected(venue, market, patience=0.5)
    yield traded
    await traded.connection.close()


def buy(name="a", symbol=BTC) -> OrderRequest:
    return OrderRequest(name, symbol, Side.BUY, OrderType.MARKET, Decimal(1))


def stop(name="a", price="90") -> OrderRequest:
    return OrderRequest(name, BTC, Side.SELL, OrderType.STOP, Decimal(1), stop_price=Decimal(price))


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


async def test_a_limit_that_others_at_the_address_used_up_is_obeyed_without_asking_again(market):
    with scripted_venue(market, balances=BALANCES, weight_limit=100) as venue:
        traded = await connected(venue, market)
        try:
            while venue.call("GET", "account").status_code == 200:
                pass
            with pytest.raises(RateLimited) as limited:
                await traded.execution.submit(stop())
            assert 0 < limited.value.retry_after <= 60
            venue.fault("*", "ban")  # nobody would survive being noticed now
            with pytest.raises(RateLimited):
                await traded.execution.cancel("a")
            calls = traded.connection._calls
            assert calls.budget.closed_for(calls.now()) <= 60
        finally:
            await traded.connection.close()


async def test_our_own_requests_stay_within_the_limit(market):
    with scripted_venue(market, balances=BALANCES, weight_limit=100) as venue:
        traded = await connected(venue, market)
        try:
            calls = traded.connection._calls
            while not calls.budget.take(1, calls.now(), urgent=False):
                pass
            with pytest.raises(RateLimited, match="no budget"):
                await traded.execution.submit(buy())
            await traded.execution.submit(stop())  # what protects may use what is kept for it
            assert (await traded.execution.cancel("a")).status is OrderStatus.CANCELLED
        finally:
            await traded.connection.close()


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


async def test_a_wrong_secret_is_refused(venue, market):
    connection = await connect("binance", Credentials(KEY, "wrong"), SystemClock(), base_url=venue.http)
    try:
        execution = connection.execution([BTC])
        for ask in (execution.balances, execution.open_orders):
            with pytest.raises(CredentialsRefused, match="-1022"):
                await ask()
        with pytest.raises(CredentialsRefused):
            await execution.submit(buy())
    finally:
        await connection.close()


async def test_a_symbol_in_chinese_is_traded_like_any_other(traded):
    [report] = await traded.execution.submit(buy("a", LIVELY))
    assert report.fills[0].fill_id.startswith("币安人生USDT:")
    assert await traded.execution.order("a") == report


# -------------------------------------------------------------------------------------------------------- events


class Listening:
    def __init__(self, execution: LiveExecution) -> None:
        self.events: asyncio.Queue[OrderReport | EventsMissed] = asyncio.Queue()
        self._task = asyncio.create_task(self._listen(execution))

    async def _listen(self, execution: LiveExecution) -> None:
        async for event in execution.events():
            self.events.put_nowait(event)

    async def next(self) -> OrderReport | EventsMissed:
        async with asyncio.timeout(10):
            return await self.events.get()

    async def until(self, status: OrderStatus) -> OrderReport:
        while True:
            event = await self.next()
            if isinstance(event, OrderReport) and event.status is status:
                return event

    def stop(self) -> None:
        self._task.cancel()


@pytest.fixture
async def listening(traded) -> AsyncIterator[Listening]:
    listening = Listening(traded.execution)
    assert await listening.next() == EventsMissed()
    yield listening
    listening.stop()


async def test_what_happens_to_orders_is_told_without_being_asked_for(traded, listening):
    await traded.execution.submit(stop())
    assert (await listening.until(OrderStatus.ACCEPTED)).client_order_id == "a"
    traded.move(89.0)
    event = await listening.until(OrderStatus.FILLED)
    assert event.fills == (await traded.execution.order("a")).fills
    assert event.filled_quantity is None


async def test_an_event_that_comes_twice_has_the_same_fill_id(traded, listening):
    traded.venue.fault("executionReport", "duplicate_event")
    await traded.execution.submit(buy())
    first, second = [await listening.until(OrderStatus.FILLED) for _ in range(2)]
    assert first == second


async def test_a_garbled_event_means_that_something_was_missed(traded, listening):
    traded.venue.fault("executionReport", "garbage", nth=1)
    await traded.execution.submit(stop())
    assert await listening.next() == EventsMissed()
    await traded.execution.cancel("a")
    assert (await listening.until(OrderStatus.CANCELLED)).client_order_id == "a"


async def test_after_a_lost_connection_everything_is_to_be_asked_for(venue, market):
    async with wire_to(venue.http) as wire:
        traded = await connected(venue, market, url=wire.url)
        listening = Listening(traded.execution)
        try:
            assert await listening.next() == EventsMissed()
            await traded.execution.submit(stop())
            await listening.until(OrderStatus.ACCEPTED)
            wire.cut()
            traded.move(89.0)
            await asyncio.sleep(0.3)
            wire.mend()
            assert await listening.next() == EventsMissed()
            assert (await traded.execution.order("a")).status is OrderStatus.FILLED
            await traded.execution.submit(stop("b", "80"))
            assert (await listening.until(OrderStatus.ACCEPTED)).client_order_id == "b"
        finally:
            listening.stop()
            await traded.connection.close()


async def test_a_wrong_clock_does_not_keep_events_away(venue, market):
    traded = await connected(venue, market)
    traded.venue.control.post("/clock", json={"offset_ms": -90_000})
    listening = Listening(traded.execution)
    try:
        assert await listening.next() == EventsMissed()
        assert abs(traded.connection.clock_offset() + 90_000) < 1_000
    finally:
        listening.stop()
        await traded.connection.close()


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
    assert passed == ["P06", "P07", "P08"]
    await traded.execution.order("a")
    assert len(passed) == 3


async def test_when_the_bytes_are_sent_the_venue_has_them_although_it_has_not_matched(traded):
    traded.venue.fault(PLACE, "delay", nth=1, args={"seconds": 0.2})
    matched: list[int] = []
    crashpoints.arm("P06", lambda: matched.append(len(traded.venue.truth())))
    crashpoints.arm("P07", lambda: matched.append(len(traded.venue.truth())))
    try:
        await traded.execution.submit(stop())
    finally:
        crashpoints.disarm()
    assert matched == [0, 1]


@pytest.mark.parametrize(
    ("new", "point"), [(stop("new", "95"), "P18"), (buy("new"), "P19")], ids=["protective", "exit"]
)
async def test_between_cancel_and_place_there_is_a_point(traded, passed, new, point):
    await traded.execution.submit(stop("one"))
    await traded.execution.submit(stop("two"))
    passed.clear()
    await traded.execution.replace(["one", "two"], new)
    assert [one for one in passed if one in {"P06", "P18", "P19"}] == [point, "P06"]
