"""The process, its disk and its clock: rows B03, B05 to B08, B17, B19, B21, B22."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from tests.builders import BTC, ETH, MINUTE, candle, signal
from tests.fakes import Desk, until
from tests.faults.catalogue.wire import WireDesk, bought, wire_desk
from tests.integration.venue_server import RunningVenue

from vela.adapters.storage.sql.record import open_record
from vela.domain.events import CandlesClosed, PricesMoved, SignalsRaised, SymbolCandle, Tick
from vela.domain.order import OrderStatus
from vela.domain.signal import Action
from vela.domain.timeframe import Timeframe
from vela.engine.rules import TradingRules

ORDER = "POST /api/v3/order"


async def test_b03_a_signal_is_acted_on_once_however_often_it_comes_again(tmp_path: Path) -> None:
    sent = []
    for _ in range(20):
        with open_record(tmp_path) as record:
            desk = await Desk(record, now=MINUTE).start()
            prices = PricesMoved(time=MINUTE, ticks=(Tick(BTC, 100.0, 100.0, 100.0, jump=True),))
            await desk.say(prices, SignalsRaised(time=MINUTE, signals=(signal(Action.BUY, BTC, 0),)))
            sent += desk.execution.sent
            assert desk.working is not None
            desk.working.cancel()
            await asyncio.gather(desk.working, return_exceptions=True)
    assert sent == ["BTCUSDT-0-E", f"BTCUSDT-{MINUTE}-S1"]


async def test_b05_a_stop_that_is_lost_while_it_is_moved_is_placed_again(venue: RunningVenue, tmp_path: Path) -> None:
    rules = TradingRules(cooldown_ms=0, trailing_ppm=20_000)
    async with wire_desk(venue, tmp_path / "data", rules) as desk:
        stop = await bought(desk)
        desk.set("/halt", symbol="BTC", state="CANCEL_ONLY")
        desk.clock.skipped += 60.0
        higher = SymbolCandle(BTC, candle(desk.clock.now() - MINUTE, 100.0, high=101.0))
        closed = CandlesClosed(time=desk.clock.now(), timeframe=Timeframe.M1, candles=(higher,))
        await desk.say(closed)
        assert desk.statuses(stop)[-1] is OrderStatus.CANCELLED
        assert desk.venue.call("GET", "openOrders").json() == []
        desk.set("/halt", symbol="BTC", state="TRADING")
        await desk.at_rest(5.0)
        [resting] = desk.venue.call("GET", "openOrders").json()
        assert resting["stopPrice"] == "98.98000000"


# ------------------------------------------------------------------------------------------------------------- the disk


@contextmanager
def full_disk(desk: WireDesk) -> Iterator[None]:
    """Let the database grow no further."""
    cursor = database(desk).cursor()
    [(most,)] = cursor.execute("PRAGMA max_page_count").fetchall()
    # As many as it has. A statement that is not read to its end would hold on to the moment it saw.
    cursor.execute("PRAGMA max_page_count = 1").fetchall()
    try:
        yield
    finally:
        cursor.execute(f"PRAGMA max_page_count = {most}").fetchall()


def database(desk: WireDesk) -> Any:
    return desk.record.trading._connection.connection  # type: ignore[attr-defined]


async def refused_signals(desk: WireDesk) -> None:
    """Raise signals, which are on record as refused, until the record cannot take any more."""
    failed = len(desk.failures)
    for number in range(200):
        now = desk.clock.now()
        await desk.bus.publish(SignalsRaised(time=now, signals=(signal(Action.SELL, ETH, now + number),)))
        await asyncio.sleep(0.005)
        if len(desk.failures) > failed:
            return
    raise AssertionError("the disk never was full")


async def test_b06_on_a_full_disk_nothing_is_sent_and_what_happened_is_booked_when_there_is_space(
    desk: WireDesk,
) -> None:
    stop = await bought(desk)
    with full_disk(desk):
        await refused_signals(desk)
        assert "database or disk is full" in desk.failures[0]
        await until(lambda: desk.service.restarts)
        await desk.bus.publish(PricesMoved(time=desk.clock.now(), ticks=(Tick(ETH, 50.0, 50.0, 50.0, jump=True),)))
        await refused_signals(desk)
        sent = len(desk.accepted)
        assert [order["clientOrderId"] for order in desk.venue.call("GET", "openOrders").json()] == [stop]
        desk.move("97")
    await until(lambda: OrderStatus.FILLED in desk.statuses(stop))
    await until(lambda: desk.service.restarts > 1)
    assert await desk.held() == {}
    assert len(desk.accepted) == sent
    await desk.buy(ETH)
    assert set(await desk.held()) == {ETH}


async def test_b07_while_another_writes_an_order_waits_and_is_sent_once(desk: WireDesk, tmp_path: Path) -> None:
    with locked(tmp_path / "data" / "vela.sqlite", seconds=0.4):
        await desk.buy()
    assert set(await desk.held()) == {BTC}
    assert [order_id[-1] for order_id in desk.accepted] == ["E", "1"]
    assert desk.failures == []


async def test_b07_b08_a_file_that_stays_locked_holds_orders_back_and_spoils_nothing(
    desk: WireDesk, tmp_path: Path
) -> None:
    stop = await bought(desk)
    database(desk).cursor().execute("PRAGMA busy_timeout = 50")
    await desk.price(50.0, ETH)
    with locked(tmp_path / "data" / "vela.sqlite", seconds=1.0):
        now = desk.clock.now()
        await desk.bus.publish(SignalsRaised(time=now, signals=(signal(Action.BUY, ETH, now),)))
        await until(lambda: desk.failures)
        assert "database is locked" in desk.failures[0]
        assert len(desk.accepted) == 2
    await until(lambda: desk.service.restarts and desk.statuses(stop)[-1] is OrderStatus.ACCEPTED)
    await until(lambda: desk.service._reconcile_at)
    await desk.buy(ETH)
    assert set(await desk.held()) == {BTC, ETH}
    assert desk.accepted[:2] == [desk.accepted[0], stop]
    assert len(desk.accepted) == 4


@contextmanager
def locked(file: Path, seconds: float) -> Iterator[None]:
    """Hold the database for so long, from outside."""
    taken, done = threading.Event(), threading.Event()

    def hold() -> None:
        with closing(sqlite3.connect(file, isolation_level=None)) as connection:
            connection.execute("BEGIN EXCLUSIVE")
            taken.set()
            done.wait(seconds)
            connection.execute("ROLLBACK")

    holder = threading.Thread(target=hold)
    holder.start()
    assert taken.wait(5)
    try:
        yield
    finally:
        holder.join()


# ------------------------------------------------------------------------------------------------------ clock and sleep


async def test_b17_a_clock_that_jumps_ahead_gives_no_order_up_and_uses_no_old_price(desk: WireDesk) -> None:
    desk.lose(ORDER, "drop_before")
    await desk.buy()
    [entry] = desk.sent
    desk.clock.skipped += 3600.0
    await desk.look_after()
    assert desk.statuses(entry)[-1] is OrderStatus.UNKNOWN
    await desk.signal(Action.BUY, BTC)
    assert desk.refusals[-1] == "no_price"


async def test_b19_who_slept_finds_out_what_happened_and_follows_no_old_signal(desk: WireDesk) -> None:
    stop = await bought(desk)
    await desk.price(50.0, ETH)
    desk.deafen()
    async with desk.service._turns.turn():
        now = desk.clock.now()
        await desk.bus.publish(SignalsRaised(time=now, signals=(signal(Action.BUY, ETH, now),)))
        await asyncio.sleep(0)
        desk.move("97")
        desk.clock.skipped += 600.0
    await desk.look_after()
    assert desk.refusals[-1] == "late"
    assert desk.statuses(stop)[-1] is OrderStatus.FILLED
    assert await desk.held() == {}


# --------------------------------------------------------------------------------------------------- end and standstill


async def test_b21_who_is_ended_leaves_stops_behind_and_goes_on_with_them(venue: RunningVenue, tmp_path: Path) -> None:
    async with wire_desk(venue, tmp_path / "data") as desk:
        stop = await bought(desk)
    async with wire_desk(venue, tmp_path / "data") as again:
        assert [order["clientOrderId"] for order in venue.call("GET", "openOrders").json()] == [stop]
        assert set(await again.held()) == {BTC}
        await again.price(100.0)
        await again.sell()
        assert await again.held() == {}
        assert len(again.fills()) == 2


async def test_b22_while_the_loop_stands_still_nothing_is_lost(desk: WireDesk) -> None:
    stop = await bought(desk)
    desk.move("97")
    time.sleep(1.0)  # noqa: ASYNC251  as a strategy might
    await until(lambda: desk.statuses(stop)[-1] is OrderStatus.FILLED)
    assert await desk.held() == {}
