from __future__ import annotations

import asyncio
import math

import msgspec
import pytest
from tests.builders import BTC, ETH, MINUTE, candle
from tests.fakes import ListedFeed, Listener, ManualClock

from vela.adapters.bus.memory import MemoryBus
from vela.adapters.bus.redis.bus import MAX_BYTES
from vela.domain.candles import Candle, CandleFault
from vela.domain.codec import encode
from vela.domain.errors import ConfigurationError
from vela.domain.events import Alert, CandlesClosed, Envelope, Gap, MarketEnded, PricesMoved, SymbolCandle, Tick, Topic
from vela.domain.timeframe import Timeframe
from vela.domain.trading_symbol import TradingSymbol
from vela.ports.market_data import MarketEvent
from vela.services import market_data
from vela.services.market_data import MarketDataService, Told

NOW = 100 * MINUTE


def closed(*candles: Candle, symbol=BTC) -> tuple[SymbolCandle, ...]:
    return tuple(SymbolCandle(symbol, one) for one in candles)


def at(minute: int, close: float = 100.0) -> Candle:
    return candle(minute * MINUTE, close)


async def retold(events, told: Told) -> Listener:
    bus, clock = MemoryBus(ManualClock()), ManualClock()
    listener = Listener(bus, Topic.CANDLES, Topic.TICKERS)

    class Played(ListedFeed):
        """Sets the market's clock, as a simulated market does."""

        async def stream(self):
            async for event in super().stream():
                closes = event[0].candle.open_time + MINUTE if isinstance(event, tuple) else event.time
                clock.set(closes)
                yield event

    service = MarketDataService(bus, ManualClock(), Played(events), clock, None, told=told)
    await service.start()
    await service.work()
    return listener


async def published(
    feed: ListedFeed, resume_after: int | None = None, now: int = NOW, *, alerts: bool = False
) -> Listener:
    bus, clock = MemoryBus(ManualClock()), ManualClock(now)
    listener = Listener(bus, Topic.CANDLES, Topic.TICKERS, *([Topic.ALERTS] if alerts else []))
    service = MarketDataService(bus, ManualClock(), feed, clock, resume_after)
    await service.start()
    await service.work()
    assert service.ended.is_set()
    return listener


def changed(**values) -> Candle:
    return msgspec.structs.replace(at(5), **values)


FAULTY = {
    "nan": (changed(close=math.nan), CandleFault.NOT_FINITE),
    "infinite": (changed(high=math.inf), CandleFault.NOT_FINITE),
    "infinite volume": (changed(volume=math.inf), CandleFault.NOT_FINITE),
    "zero": (changed(low=0.0), CandleFault.NOT_POSITIVE),
    "negative": (changed(open=-1.0), CandleFault.NOT_POSITIVE),
    "negative volume": (changed(volume=-1.0), CandleFault.NOT_POSITIVE),
    "high below close": (changed(high=99.0), CandleFault.INCONSISTENT),
    "off the grid": (changed(open_time=5 * MINUTE + 1), CandleFault.OFF_GRID),
    "not closed yet": (changed(open_time=NOW), CandleFault.NOT_CLOSED),
    "the same again": (at(4), CandleFault.DUPLICATE),
    "revised": (at(4, 101.0), CandleFault.REVISED),
    "out of order": (at(3), CandleFault.OUT_OF_ORDER),
}


@pytest.mark.parametrize("case", FAULTY)
async def test_a_faulty_candle_is_refused_with_its_fault_and_nothing_else_of_it_is_published(case: str) -> None:
    faulty, fault = FAULTY[case]
    listener = await published(ListedFeed([closed(at(4)), closed(faulty), closed(at(5))]))
    first, refusing, last = listener.of(CandlesClosed)
    assert (refusing.candles, refusing.backfilled, refusing.gaps) == ((), (), ())
    assert [(r.symbol, r.open_time, r.fault) for r in refusing.refused] == [(BTC, faulty.open_time, fault)]
    # It left no trace: what follows is judged as if it had never come.
    assert [m.candles for m in (first, last)] == [closed(at(4)), closed(at(5))]
    assert (last.refused, last.gaps) == ((), ())


async def test_faulty_rows_do_not_touch_the_good_ones_beside_them() -> None:
    rows = (*closed(at(5), symbol=ETH), *closed(changed(close=math.nan)), *closed(at(5), at(5)))
    [message] = (await published(ListedFeed([rows], symbols=(BTC, ETH)))).of(CandlesClosed)
    assert [(entry.symbol, entry.candle) for entry in message.candles] == [(ETH, at(5)), (BTC, at(5))]
    assert [r.fault for r in message.refused] == [CandleFault.NOT_FINITE, CandleFault.DUPLICATE]
    assert (message.time, message.timeframe) == (NOW, ListedFeed.timeframe)


@pytest.mark.parametrize(("late", "time"), [(0, 0), (300, 0), (59_999, 0), (60_000, 60_000), (600_000, 600_000)])
async def test_candles_bear_the_time_of_their_close_unless_they_come_after_an_outage(late: int, time: int) -> None:
    close = 99 * MINUTE
    listener = await published(ListedFeed([closed(at(98))]), now=close + late)
    [message] = listener.of(CandlesClosed)
    assert message.time == close + time


async def test_a_gap_is_filled_from_the_history() -> None:
    feed = ListedFeed([closed(at(1)), closed(at(5))], {BTC: [at(n) for n in range(6)]})
    message = (await published(feed)).of(CandlesClosed)[1]
    assert message.backfilled == closed(at(2), at(3), at(4))
    assert message.candles == closed(at(5))
    assert message.gaps == ()
    assert feed.asked == [(BTC, 5 * MINUTE, 3)]


@pytest.mark.parametrize(
    ("history", "filled", "gaps"),
    [
        ([], [], [(2, 5, 4)]),
        ([2, 3], [2, 3], [(4, 5, 2)]),
        ([4, 5], [4, 5], [(2, 3, 2)]),
        ([3], [3], [(2, 2, 1), (4, 5, 2)]),
        ([2, 5], [2, 5], [(3, 4, 2)]),
    ],
)
async def test_what_the_history_lacks_is_marked(history, filled, gaps) -> None:
    feed = ListedFeed([closed(at(1)), closed(at(6))], {BTC: [at(n) for n in history]})
    message = (await published(feed)).of(CandlesClosed)[1]
    assert message.backfilled == closed(*map(at, filled))
    assert message.gaps == tuple(Gap(BTC, a * MINUTE, b * MINUTE, count) for a, b, count in gaps)


async def test_what_a_long_absence_left_comes_in_several_messages_in_the_order_of_time(monkeypatch) -> None:
    monkeypatch.setattr(market_data, "MOST_AT_ONCE", 3)
    history = {BTC: [at(n) for n in (*range(6), 8, 9)], ETH: [at(n) for n in range(2, 10)]}
    newest = (*closed(at(10)), *closed(at(10), symbol=ETH))
    feed = ListedFeed([(*closed(at(1)), *closed(at(1), symbol=ETH)), newest], history, (BTC, ETH))
    _, *parts, last = (await published(feed)).of(CandlesClosed)
    told = [(row.symbol, row.candle.open_time // MINUTE) for part in (*parts, last) for row in part.backfilled]
    assert sorted(told, key=lambda one: (one[1], one[0])) == told, "oldest first, and none twice"
    assert len(told) == 4 + 2 + 8
    for part in parts:
        assert part.candles == ()
        assert part.time == max(row.candle.open_time for row in part.backfilled) + MINUTE
    assert last.candles == newest
    times = [part.time for part in (*parts, last)]
    assert times == sorted(set(times)), "each is a round of its own"
    gaps = [(gap, part.time) for part in (*parts, last) for gap in part.gaps]
    [(gap, told_at)] = gaps
    assert (gap.first, gap.last) == (6 * MINUTE, 7 * MINUTE)
    assert told_at >= 8 * MINUTE


def test_the_most_that_is_told_at_once_fits_into_a_message() -> None:
    rows = tuple(
        SymbolCandle(BTC, candle(n * MINUTE, 12_345.678901 + n)) for n in range(market_data.MOST_AT_ONCE + 500)
    )
    message = CandlesClosed(time=NOW, timeframe=Timeframe.M1, candles=rows[:500], backfilled=rows)
    assert len(encode(Envelope("1", NOW, message))) < MAX_BYTES / 2


async def test_faulty_rows_of_the_history_fill_nothing() -> None:
    rows = [at(1, 90.0), changed(open_time=2 * MINUTE, close=math.nan), at(3), at(3), changed(open_time=3 * MINUTE + 7)]
    feed = ListedFeed([closed(at(1)), closed(at(6))])

    async def history(symbol: TradingSymbol, before: int, count: int) -> list[Candle]:
        return [*rows, at(6, 50.0), at(7)]  # the last two reach beyond what was asked for

    feed.history = history  # type: ignore[method-assign]
    message = (await published(feed)).of(CandlesClosed)[1]
    assert message.backfilled == closed(at(3))
    assert message.candles == closed(at(6))
    assert [gap.count for gap in message.gaps] == [1, 2]
    assert message.refused == ()


async def test_the_first_candle_of_all_has_no_gap_before_it() -> None:
    feed = ListedFeed([closed(at(50))])
    assert (await published(feed)).of(CandlesClosed)[0].gaps == ()
    assert feed.asked == []


async def test_after_a_restart_candles_follow_those_that_were_dealt_with() -> None:
    feed = ListedFeed([closed(at(3)), closed(at(6))], {BTC: [at(n) for n in range(4)]})
    again, later = (await published(feed, resume_after=4 * MINUTE)).of(CandlesClosed)
    assert [r.fault for r in again.refused] == [CandleFault.DUPLICATE]
    assert later.gaps == (Gap(BTC, 4 * MINUTE, 5 * MINUTE, 2),)


GOOD = Tick(ETH, 10.0, 9.0, 11.0)


@pytest.mark.parametrize(
    "bad",
    [
        Tick(BTC, price, low, high)
        for price, low, high in (
            (math.nan, 1.0, 2.0),
            (1.0, math.nan, 2.0),
            (1.0, 1.0, math.nan),
            (0.0, 0.0, 1.0),
            (1.0, 0.0, 1.0),
            (-1.0, -1.0, -1.0),
            (math.inf, 1.0, math.inf),
            (1.0, -math.inf, 1.0),
            (3.0, 1.0, 2.0),
            (1.0, 2.0, 3.0),
        )
    ],
    ids=str,
)
async def test_a_price_that_is_none_is_dropped_and_the_others_pass(bad: Tick) -> None:
    feed = ListedFeed([PricesMoved(time=1, ticks=(bad, GOOD)), PricesMoved(time=2, ticks=(bad,))])
    assert (await published(feed)).messages == [PricesMoved(time=1, ticks=(GOOD,))]


async def test_good_prices_and_the_end_pass_unchanged() -> None:
    events: list[MarketEvent] = [
        PricesMoved(time=1, ticks=(GOOD, Tick(BTC, 5.0, 5.0, 5.0, jump=True))),
        MarketEnded(time=2),
    ]
    assert (await published(ListedFeed(events))).messages == events


async def test_the_end_is_told_only_when_all_that_followed_is_done() -> None:
    bus = MemoryBus(ManualClock())
    service = MarketDataService(bus, ManualClock(), ListedFeed([MarketEnded(time=1)]), ManualClock(NOW), None)
    may_finish, ended_before = asyncio.Event(), []

    async def slow(_envelope: Envelope) -> None:
        await may_finish.wait()
        ended_before.append(service.ended.is_set())

    bus.subscribe("slow", Topic.CANDLES)
    handling = asyncio.create_task(bus.consume("slow", slow))
    await service.start()
    working = asyncio.create_task(service.work())
    await asyncio.sleep(0.01)
    assert not working.done()
    may_finish.set()
    await asyncio.wait_for(working, 1)
    assert ended_before == [False]
    assert service.ended.is_set()
    handling.cancel()


class EndlessFeed(ListedFeed):
    async def stream(self):
        yield closed(at(1))
        await asyncio.Event().wait()


async def test_finish_ends_the_work_and_is_no_end_of_the_market() -> None:
    bus = MemoryBus(ManualClock())
    service = MarketDataService(bus, ManualClock(), EndlessFeed(), ManualClock(NOW), None)
    service.finish()  # before the work has begun there is nothing to finish
    await service.start()
    working = asyncio.create_task(service.work())
    await asyncio.sleep(0.01)
    assert not working.done()
    service.finish()
    await asyncio.wait_for(working, 1)
    assert not service.ended.is_set()


async def test_a_feed_that_breaks_breaks_the_service() -> None:
    feed = ListedFeed([closed(at(1)), ConnectionError("gone")])
    service = MarketDataService(MemoryBus(ManualClock()), ManualClock(), feed, ManualClock(NOW), None)
    await service.start()
    with pytest.raises(ConnectionError, match="gone"):
        await service.work()
    assert not service.ended.is_set()


async def test_a_price_out_of_scale_freezes_its_symbol_until_it_is_back_and_no_other() -> None:
    def moved(time: int, btc: float) -> PricesMoved:
        return PricesMoved(time=time, ticks=(Tick(BTC, btc, btc, btc), Tick(ETH, 50.0, 50.0, 50.0)))

    events: list[MarketEvent] = [moved(1, 100.0), moved(2, 10.0), closed(at(1, 10.0)), moved(3, 9.0), moved(4, 101.0)]
    listener = await published(ListedFeed([*events, closed(at(2))], symbols=(BTC, ETH)), alerts=True)
    prices = [[tick.price for tick in m.ticks if tick.symbol == BTC] for m in listener.of(PricesMoved)]
    assert prices == [[100.0], [], [], [101.0]]
    assert all(ETH in {tick.symbol for tick in m.ticks} for m in listener.of(PricesMoved))
    assert [[r.fault for r in m.refused] for m in listener.of(CandlesClosed)] == [[CandleFault.OUT_OF_SCALE], []]
    assert [alert.level for alert in listener.of(Alert)] == ["critical"]


async def test_a_symbol_whose_candles_cannot_be_used_is_told_of_once_until_a_good_one_came() -> None:
    shifted = [closed(changed(open_time=minute * MINUTE + 28)) for minute in (5, 6)]
    listener = await published(ListedFeed([closed(at(4)), *shifted, closed(at(7)), *shifted]), alerts=True)
    assert [alert.text for alert in listener.of(Alert)] == [
        f"a candle of BTC cannot be used (off_grid): it opens at {5 * MINUTE + 28}"
    ] * 2


# ------------------------------------------------------------------------------------------ after a crash of its own


async def test_what_a_market_repeats_is_told_once() -> None:
    def moved(minute: int) -> PricesMoved:
        return PricesMoved(time=minute * MINUTE, ticks=(GOOD,))

    events = [moved(4), closed(at(3)), moved(5), closed(at(4)), moved(6), closed(at(5)), MarketEnded(time=6 * MINUTE)]
    heard = await retold(events, Told(prices=5 * MINUTE, candles=4 * MINUTE))
    assert [m.time // MINUTE for m in heard.of(PricesMoved)] == [6]
    assert [m.time // MINUTE for m in heard.of(CandlesClosed)] == [5, 6]
    assert heard.of(CandlesClosed)[0].gaps == ()
    assert len(heard.of(MarketEnded)) == 1


async def test_a_bus_that_was_told_far_more_than_is_on_record_is_that_of_another_account() -> None:
    events = [closed(at(minute)) for minute in range(1, 8)]
    with pytest.raises(ConfigurationError, match="accepted: a Redis that only this record's services use"):
        await retold(events, Told(prices=9 * MINUTE, candles=9 * MINUTE))
