"""What the live adapter hears of its orders without having asked, and how it goes on hearing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal

import pytest
from tests.integration.live_trading import (
    BALANCES,
    Listening,
    Traded,
    buy,
    connected,
    limit,
    listening_to,
    scripted,
    stop,
    trading,
)
from tests.integration.venue_server import scripted_venue
from tests.wire_cutter import wire_to

from vela.domain.order import OrderStatus, Side
from vela.ports.execution import EventsMissed


@pytest.fixture
async def traded() -> AsyncIterator[Traded]:
    async with trading() as traded:
        yield traded


@pytest.fixture
async def listening(traded) -> AsyncIterator[Listening]:
    async with listening_to(traded) as listening:
        yield listening


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


async def test_after_a_lost_connection_everything_is_to_be_asked_for():
    market = scripted()
    with scripted_venue(market, balances=BALANCES) as venue:
        async with wire_to(venue.http) as wire:
            traded = await connected(venue, market, url=wire.url)
            async with listening_to(traded) as listening:
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
            await traded.connection.close()


@pytest.mark.parametrize("end", ["/logout", "/disconnect"])
async def test_a_subscription_that_the_venue_ends_is_asked_for_anew(traded, listening, end):
    await traded.execution.submit(stop())
    await listening.until(OrderStatus.ACCEPTED)
    traded.venue.control.post(end)
    assert await listening.next() == EventsMissed()
    await traded.execution.cancel("a")
    assert (await listening.until(OrderStatus.CANCELLED)).client_order_id == "a"


async def test_a_wrong_clock_does_not_keep_events_away(traded):
    traded.venue.control.post("/clock", json={"offset_ms": -90_000})
    async with listening_to(traded):
        assert abs(traded.connection.clock_offset() + 90_000) < 1_000


@pytest.mark.parametrize("kind", ["reject", "silent", "garbage", "drop_before"])
async def test_a_subscription_that_fails_is_tried_again(traded, kind):
    traded.venue.fault("userDataStream.subscribe.signature", kind, nth=1, args={"seconds": 0.2})
    async with listening_to(traded) as listening:
        await traded.execution.submit(stop())
        await listening.until(OrderStatus.ACCEPTED)


async def test_an_order_that_the_venue_ends_on_its_own_is_told(traded, listening):
    await traded.execution.submit(stop())
    await listening.until(OrderStatus.ACCEPTED)
    traded.venue.control.post("/expire", json={"symbol": "BTC"})
    assert (await listening.until(OrderStatus.EXPIRED)).client_order_id == "a"


async def test_own_orders_that_meet_are_told_as_expired():
    async with trading(balances=BALANCES | {"USDT": Decimal(1_000_000)}) as traded, listening_to(traded) as listening:
        await traded.execution.submit(limit("rests", Side.SELL, "100.01"))
        await traded.execution.submit(limit("takes", Side.BUY, "100.01", "2000"))
        assert (await listening.until(OrderStatus.EXPIRED)).client_order_id == "rests"
        assert (await traded.execution.order("rests")).status is OrderStatus.EXPIRED
