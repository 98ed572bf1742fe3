from __future__ import annotations

import asyncio
import math
import threading
from pathlib import Path

import msgspec
import pytest
from tests.builders import BTC, ETH, MINUTE, candle
from tests.fakes import FastClock, ListedFeed, Listener, ManualClock, until

from vela.adapters.bus.memory import MemoryBus
from vela.adapters.storage.parquet import ParquetCandleStore
from vela.domain.candles import Candle, Candles
from vela.domain.errors import StorageUnavailable, VenueUnavailable
from vela.domain.events import CandlesClosed, HistoryRequested, HistoryServed, SymbolCandle, Topic
from vela.domain.timeframe import Timeframe
from vela.services.historical import HistoricalService

NOW = 50 * MINUTE


def at(*minutes: int) -> list[Candle]:
    return [candle(minute * MINUTE, 100.0 + minute) for minute in minutes]


class Shelf:
    """The service with a store on disk and a feed from lists."""

    def __init__(self, directory: Path, feed: ListedFeed, wall_clock: ManualClock | FastClock | None = None) -> None:
        self.store = ParquetCandleStore(directory)
        self.feed = feed
        self.bus = MemoryBus(ManualClock())
        self.heard = Listener(self.bus, Topic.HISTORY)
        wall = wall_clock or FastClock()
        self.service = HistoricalService(self.bus, wall, ManualClock(NOW), self.store, feed, "test")
        self.working: asyncio.Task[None] | None = None

    async def start(self) -> None:
        await self.service.start()
        self.working = asyncio.create_task(self.service.work())

    async def close(self, *candles: Candle, backfilled: tuple[Candle, ...] = (), symbol=BTC) -> None:
        entries, older = (tuple(SymbolCandle(symbol, c) for c in rows) for rows in (candles, backfilled))
        message = CandlesClosed(time=NOW, timeframe=Timeframe.M1, candles=entries, backfilled=older)
        await self.bus.publish(message)
        await self.bus.settled()

    async def ask(self, before: int, count: int, *symbols) -> HistoryServed:
        await self.bus.publish(HistoryRequested(time=before, request_id="r1", symbols=symbols or (BTC,), count=count))
        await asyncio.wait_for(self.bus.settled(), 5)
        return self.heard.of(HistoryServed)[-1]

    def stored(self, symbol=BTC) -> list[Candle]:
        return self.store.read("test", symbol, Timeframe.M1).rows()


async def test_at_the_start_the_venues_history_is_fetched_for_every_symbol(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, ListedFeed((), {BTC: at(*range(60)), ETH: at(7)}, (BTC, ETH)))
    await shelf.start()
    assert shelf.stored(BTC) == at(*range(50))
    assert shelf.stored(ETH) == at(7)


async def test_a_request_is_answered_for_all_symbols_at_once(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, ListedFeed((), {BTC: at(*range(60)), ETH: at(3, 4)}, (BTC, ETH)))
    await shelf.start()
    served = await shelf.ask(10 * MINUTE, 4, ETH, BTC)
    assert (served.request_id, served.time) == ("r1", 10 * MINUTE)
    answer = {history.symbol: list(history.candles) for history in served.histories}
    assert answer == {ETH: at(3, 4), BTC: at(6, 7, 8, 9)}
    assert len(shelf.heard.of(HistoryServed)) == 1


async def test_stored_and_fetched_candles_are_combined(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, ListedFeed((), {BTC: at(*range(40, 45))}))
    shelf.store.write("test", BTC, Timeframe.M1, Candles.from_rows(at(*range(30, 41))))
    await shelf.start()
    [history] = (await shelf.ask(45 * MINUTE, 12)).histories
    assert list(history.candles) == at(*range(33, 45))


async def test_what_is_stored_is_not_asked_for_again(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, ListedFeed((), {BTC: at(*range(50))}))
    await shelf.start()
    shelf.feed.asked.clear()
    assert list((await shelf.ask(20 * MINUTE, 15)).histories[0].candles) == at(*range(5, 20))
    assert shelf.feed.asked == []


async def test_candles_that_just_closed_are_in_the_answer_and_the_gap_fillers_too(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, ListedFeed(()))
    await shelf.start()
    await shelf.close(*at(48), backfilled=tuple(at(46, 47)))
    await shelf.close(*at(49))
    assert list((await shelf.ask(NOW, 10)).histories[0].candles) == at(46, 47, 48, 49)


async def test_faulty_rows_of_the_venue_are_left_out(tmp_path: Path) -> None:
    good = at(1, 2, 6)
    bad = msgspec.structs.replace(good[0], open_time=3 * MINUTE, close=math.nan)
    rows = [*good[:2], good[1], bad, msgspec.structs.replace(good[0], open_time=4 * MINUTE + 5), *at(0), good[2]]
    shelf = Shelf(tmp_path, ListedFeed((), {BTC: rows}))
    await shelf.start()
    assert shelf.stored() == good
    assert list((await shelf.ask(NOW, 100)).histories[0].candles) == good


async def test_nothing_known_is_answered_with_nothing(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, ListedFeed(()))
    await shelf.start()
    assert (await shelf.ask(NOW, 5)).histories[0].candles == ()


async def test_candles_are_written_after_a_while_and_at_the_stop(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, ListedFeed(()), FastClock())
    await shelf.start()
    await shelf.close(*at(1))
    assert shelf.stored() == []
    await until(shelf.stored)  # a minute
    assert shelf.stored() == at(1)
    await shelf.close(*at(2))
    await shelf.service.stop()
    assert shelf.stored() == at(1, 2)


async def test_candles_that_come_again_change_nothing(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, ListedFeed(()))
    await shelf.start()
    for candles in (at(1), at(2), at(1), at(2), at(3)):
        await shelf.close(*candles)
    assert list((await shelf.ask(NOW, 10)).histories[0].candles) == at(1, 2, 3)


async def test_many_candles_are_written_without_waiting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vela.services.historical._WRITE_AFTER", 3)
    shelf = Shelf(tmp_path, ListedFeed(()))
    await shelf.start()
    await shelf.close(*at(1, 2))
    assert shelf.stored() == []
    await shelf.close(*at(3))
    assert shelf.stored() == at(1, 2, 3)


async def test_what_the_service_before_took_with_it_is_fetched_before_the_next_candle(tmp_path: Path) -> None:
    before = Shelf(tmp_path, ListedFeed((), {BTC: at(*range(50))}))
    await before.start()
    await before.close(*at(50))
    await before.close(*at(51))
    assert before.working is not None
    before.working.cancel()  # killed: 50 and 51 were handled, and are not in the store
    after = Shelf(tmp_path, ListedFeed((), {BTC: at(*range(60))}))
    await after.start()
    await after.close(*at(52))
    await after.service.stop()
    assert after.stored() == at(*range(53))
    asked = len(after.feed.asked)
    await after.close(*at(53))
    assert len(after.feed.asked) == asked, "once is enough"


async def test_the_candle_after_those_fetched_at_the_start_needs_nothing_more(tmp_path: Path, monkeypatch) -> None:
    shelf = Shelf(tmp_path, ListedFeed((), {BTC: at(*range(50))}))
    await shelf.start()
    reads: list[object] = []
    monkeypatch.setattr(shelf.store, "read", lambda *series, **window: reads.append(series))
    asked = list(shelf.feed.asked)
    await shelf.close(*at(50))
    assert (shelf.feed.asked, reads) == (asked, [])


# ----------------------------------------------------------------------------------------------- what goes wrong


class MoodyFeed(ListedFeed):
    """A feed that does not tell its history for the first so many times."""

    failures = 0

    async def history(self, symbol, before: int, count: int):
        if self.failures:
            self.failures -= 1
            raise VenueUnavailable("no answer")
        return await super().history(symbol, before, count)


async def test_a_venue_that_fails_at_the_start_is_asked_again(tmp_path: Path) -> None:
    feed = MoodyFeed((), {BTC: at(*range(50)), ETH: at(7)}, (BTC, ETH))
    feed.failures = 3
    clock = ManualClock()
    shelf = Shelf(tmp_path, feed, clock)
    await shelf.service.start()
    assert shelf.stored(BTC) == at(*range(50))
    assert shelf.stored(ETH) == at(7)
    assert clock.seconds == 3.0  # pauses of one and two seconds
    assert shelf.service.detail == ""


async def test_a_venue_that_goes_on_failing_ends_nothing_and_is_told_of(tmp_path: Path) -> None:
    feed = MoodyFeed((), {BTC: at(*range(50))})
    feed.failures = 5
    shelf = Shelf(tmp_path, feed)
    await shelf.start()
    assert shelf.service.detail == "the venue does not tell the history of BTC and is asked again (no answer)"
    assert shelf.stored() == []
    await shelf.close(*at(49))
    await until(lambda: not shelf.service.detail)
    assert shelf.stored() == at(*range(50))


async def test_a_request_that_the_venue_does_not_answer_is_not_answered_until_it_comes_again(tmp_path: Path) -> None:
    feed = MoodyFeed((), {BTC: at(*range(50)), ETH: at(7)}, (BTC, ETH))
    shelf = Shelf(tmp_path, feed, ManualClock())
    await shelf.service.start()
    shelf.working = asyncio.create_task(shelf.bus.consume("historical", shelf.service._handle))
    feed.failures = 1
    await shelf.bus.publish(HistoryRequested(time=NOW, request_id="r1", symbols=(BTC, ETH), count=60))
    await shelf.bus.settled()
    assert shelf.heard.of(HistoryServed) == []
    assert "history of BTC" in shelf.service.detail
    served = await shelf.ask(NOW, 60, BTC, ETH)
    assert [list(history.candles) for history in served.histories] == [at(*range(50)), at(7)]
    assert shelf.service.detail == ""


async def test_candles_that_cannot_be_stored_are_kept_and_served(tmp_path: Path, monkeypatch) -> None:
    shelf = Shelf(tmp_path, ListedFeed(()))
    await shelf.start()
    write, full = shelf.store.write, True

    def sometimes(*series):
        if full:
            raise StorageUnavailable("disk full")
        return write(*series)

    monkeypatch.setattr(shelf.store, "write", sometimes)
    await shelf.close(*at(1, 2))
    await until(lambda: shelf.service.detail)  # a minute
    assert shelf.service.detail == "candles wait to be stored (disk full)"
    assert list((await shelf.ask(3 * MINUTE, 2)).histories[0].candles) == at(1, 2)
    full = False
    await until(lambda: not shelf.service.detail)
    assert shelf.stored() == at(1, 2)


async def test_the_loop_goes_on_while_files_are_written(tmp_path: Path, monkeypatch) -> None:
    shelf = Shelf(tmp_path, ListedFeed(()), ManualClock())
    await shelf.service.start()
    writing, go_on = threading.Event(), threading.Event()
    write = shelf.store.write

    def slowly(*series):
        writing.set()
        assert go_on.wait(30)
        return write(*series)

    monkeypatch.setattr(shelf.store, "write", slowly)
    shelf.working = asyncio.create_task(shelf.bus.consume("historical", shelf.service._handle))
    await shelf.close(*at(1))
    stopping = asyncio.create_task(shelf.service.stop())
    await until(writing.is_set)
    await shelf.close(*at(2), msgspec.structs.replace(at(1)[0], volume=7.0))  # and one comes again, with other values
    go_on.set()
    await stopping
    await shelf.service.stop()
    assert [candle.volume for candle in shelf.stored()] == [7.0, at(2)[0].volume]


async def test_requests_write_nothing(tmp_path: Path, monkeypatch) -> None:
    shelf = Shelf(tmp_path, ListedFeed(()))
    await shelf.start()
    await shelf.close(*at(*range(50)))
    written: list[object] = []
    monkeypatch.setattr(shelf.store, "write", lambda *series: written.append(series))
    assert list((await shelf.ask(NOW, 50)).histories[0].candles) == at(*range(50))
    assert written == []


async def test_history_that_cannot_be_stored_is_served_and_stored_later(tmp_path: Path, monkeypatch) -> None:
    shelf = Shelf(tmp_path, ListedFeed((), {BTC: at(*range(50))}))
    write = shelf.store.write

    def full(*series):
        raise StorageUnavailable("disk full")

    monkeypatch.setattr(shelf.store, "write", full)
    await shelf.start()
    assert shelf.service.detail == "candles wait to be stored (disk full)"
    assert list((await shelf.ask(NOW, 50)).histories[0].candles) == at(*range(50))
    monkeypatch.setattr(shelf.store, "write", write)
    await until(lambda: not shelf.service.detail)  # a minute
    assert shelf.stored() == at(*range(50))
