from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from vela.adapters.exchanges.unified.feed import FeedPatience, LiveFeed
from vela.adapters.exchanges.unified.streams import CANDLES, PRICES, Channel, StreamListener
from vela.domain.candles import Candle
from vela.domain.errors import VenueUnavailable
from vela.domain.events import PricesMoved, SymbolCandle, Tick
from vela.domain.instrument import Instrument
from vela.domain.timeframe import Timeframe
from vela.domain.trading_symbol import TradingSymbol
from vela.ports.market_data import MarketEvent

BTC, ETH = TradingSymbol("BTC"), TradingSymbol("ETH")
MINUTE = 60_000
START = 1_700_000_000_000 // MINUTE * MINUTE
QUICK = FeedPatience(gather=0.05, candle=0.1, silence=0.1, look=0.02, retry=0.01)


def candle(minute: int, close: float = 105.0) -> Candle:
    return Candle(START + minute * MINUTE, 100.0, 110.0, 90.0, close, 1.5)


class Clock:
    """The market's time is set by hand, durations are real."""

    def __init__(self) -> None:
        self.time = START

    def now(self) -> int:
        return self.time

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def sleep_until(self, time: int) -> None:
        raise AssertionError("nobody waits on this clock here")


class Exchange:
    """Sockets and history whose words the test speaks."""

    listener: StreamListener

    def __init__(self) -> None:
        self.lost = {PRICES: asyncio.Event(), CANDLES: asyncio.Event()}
        self.log: list[str] = []
        self.rows: dict[TradingSymbol, list[Candle]] = {BTC: [], ETH: []}
        self.pages: list[tuple[int | None, int]] = []
        self.is_down = False

    def channels(self, symbols: Sequence[TradingSymbol], timeframe: Timeframe) -> Sequence[Channel]:
        return [Channel(kind, 0, tuple(symbols), timeframe) for kind in (PRICES, CANDLES)]

    def listen(self, listener: StreamListener) -> None:
        self.listener = listener

    async def hold(self, channel: Channel) -> None:
        self.log.append(f"hold {channel.kind}")
        await self.lost[channel.kind].wait()
        self.lost[channel.kind].clear()
        raise OSError("connection lost")

    async def resubscribe(self, channel: Channel, symbols: Sequence[TradingSymbol]) -> None:
        self.log.append(f"resubscribe {channel.kind} {','.join(map(str, symbols))}")
        if self.is_down:
            raise OSError("connection lost")

    def reconnect(self, channel: Channel) -> None:
        self.log.append(f"reconnect {channel.kind}")
        self.lost[channel.kind].set()

    async def page(
        self, symbol: TradingSymbol, timeframe: Timeframe, since: int | None, count: int
    ) -> Sequence[Candle]:
        self.pages.append((since, count))
        if self.is_down:
            raise VenueUnavailable("down")
        if since is None:
            return self.rows[symbol][-count:]
        return [row for row in self.rows[symbol] if row.open_time >= since][:count]

    def close(self, symbol: TradingSymbol, row: Candle, *, is_closed: bool = True) -> None:
        self.listener.candle(symbol, row, row.open_time + MINUTE, is_closed=is_closed)


class Reader:
    def __init__(self, feed: LiveFeed) -> None:
        self.events: asyncio.Queue[MarketEvent] = asyncio.Queue()
        self._stream = feed.stream()
        self.task = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async for event in self._stream:
            self.events.put_nowait(event)

    async def next(self) -> MarketEvent:
        async with asyncio.timeout(5):
            return await self.events.get()

    async def nothing(self, seconds: float = 0.05) -> None:
        await asyncio.sleep(seconds)
        assert self.events.empty()

    def forget(self) -> None:
        while not self.events.empty():
            self.events.get_nowait()


class Read:
    def __init__(self, patience: FeedPatience, settled) -> None:
        self.clock = Clock()
        self.exchange = Exchange()
        instruments = [Instrument.raw(BTC), Instrument.raw(ETH)]
        self.feed = LiveFeed(
            self.exchange, self.exchange, instruments, Timeframe.M1, self.clock, settled, patience=patience
        )
        self.reader: Reader


async def at_once() -> None:
    return


@asynccontextmanager
async def reading(patience: FeedPatience | None = None, settled=at_once, rows=()) -> AsyncIterator[Read]:
    read = Read(patience or FeedPatience(gather=0.05), settled)
    for row in rows:
        for symbol in (BTC, ETH):
            read.exchange.rows[symbol].append(row)
    read.reader = Reader(read.feed)
    await asyncio.sleep(0.01)
    try:
        yield read
    finally:
        read.reader.task.cancel()
        await asyncio.gather(read.reader.task, return_exceptions=True)


async def test_prices_are_told_as_they_come():
    async with reading(rows=[candle(-1), candle(0)]) as read:
        read.exchange.listener.traded(BTC, 101.0, START + 1)
        assert await read.reader.next() == PricesMoved(
            time=START + 1, ticks=(Tick(BTC, 101.0, 101.0, 101.0, volume=1.5),)
        )


async def test_prices_wait_until_those_before_are_handled_and_candles_do_not():
    handled = asyncio.Event()
    async with reading(settled=handled.wait) as read:
        listener, reader = read.exchange.listener, read.reader
        listener.traded(BTC, 100.0, START + 1)
        await reader.next()
        for price in (99.0, 103.0, 101.0):
            listener.traded(BTC, price, START + 2)
        await reader.nothing()
        read.clock.time = START + MINUTE
        for symbol in (BTC, ETH):
            read.exchange.close(symbol, candle(0))
        # What was traded up to the close is told before it, so that nobody decides on older prices.
        assert await reader.next() == PricesMoved(time=START + 2, ticks=(Tick(BTC, 101.0, 99.0, 103.0, volume=1.5),))
        assert await reader.next() == (SymbolCandle(BTC, candle(0)), SymbolCandle(ETH, candle(0)))
        listener.traded(BTC, 98.0, START + MINUTE + 1)
        await reader.nothing()
        handled.set()
        moved = await reader.next()
        assert isinstance(moved, PricesMoved)
        assert moved.ticks[0].price == 98.0


async def test_a_candle_is_told_only_when_the_exchange_says_that_it_is_closed_and_the_clock_agrees():
    async with reading() as read:
        read.exchange.close(BTC, candle(0), is_closed=False)
        await read.reader.nothing()
        read.exchange.close(BTC, candle(0))
        await read.reader.nothing(0.1)
        read.clock.time = START + MINUTE
        read.exchange.listener.traded(ETH, 1.0, START + MINUTE)  # anything that wakes it
        events = [await read.reader.next(), await read.reader.next()]
        assert (SymbolCandle(BTC, candle(0)),) in events


async def test_a_candle_that_does_not_come_is_asked_for_unless_it_is_forming_still():
    async with reading(QUICK, rows=[candle(-1), candle(0)]) as read:
        read.clock.time = START + MINUTE + 200
        await read.reader.nothing(0.2)
        assert len(read.exchange.pages) >= 4
        for symbol in (BTC, ETH):
            read.exchange.rows[symbol].append(candle(1))
        assert await read.reader.next() == (SymbolCandle(BTC, candle(0)), SymbolCandle(ETH, candle(0)))
        read.exchange.close(BTC, candle(0))
        await read.reader.nothing()


async def test_what_is_known_twice_is_told_once_and_what_was_changed_again():
    async with reading() as read:
        read.clock.time = START + 2 * MINUTE
        for row in (candle(0), candle(0), candle(0, close=106.0)):
            for symbol in (BTC, ETH):
                read.exchange.close(symbol, row)
            await asyncio.sleep(0.01)
        told = [await read.reader.next(), await read.reader.next()]
        assert [row[0].candle.close for row in told if isinstance(row, tuple)] == [105.0, 106.0]
        await read.reader.nothing()


async def test_an_exchange_that_cannot_be_asked_ends_nothing():
    async with reading(QUICK) as read:
        read.exchange.is_down = True
        read.clock.time = START + MINUTE + 200
        await read.reader.nothing(0.3)
        assert not read.reader.task.done()
        read.exchange.listener.traded(BTC, 1.0, START + 1)
        await read.reader.next()


async def test_a_lost_connection_is_opened_anew():
    async with reading(QUICK) as read:
        read.exchange.lost[PRICES].set()
        await asyncio.sleep(0.05)
        assert read.exchange.log.count("hold prices") == 2
        assert read.exchange.log.count("hold candles") == 1


async def test_a_silent_symbol_is_asked_for_anew_and_has_no_prices_until_it_speaks_again():
    async with reading(QUICK) as read:
        read.exchange.listener.traded(BTC, 1.0, START)
        for number in range(60):
            read.exchange.listener.traded(BTC, 1.0, START)  # the same again and again
            read.exchange.listener.traded(ETH, 10.0, START + number)
            await asyncio.sleep(0.01)
        assert read.feed.stale() == {BTC, ETH}  # no candles, either
        assert "resubscribe prices BTC" in read.exchange.log
        assert "reconnect prices" in read.exchange.log
        read.reader.forget()
        read.exchange.listener.traded(BTC, 1.0, START)
        read.exchange.listener.traded(ETH, 11.0, START + 100)
        assert await read.reader.next() == PricesMoved(time=START + 100, ticks=(Tick(ETH, 11.0, 11.0, 11.0),))
        read.exchange.listener.traded(BTC, 2.0, START + 101)
        assert await read.reader.next() == PricesMoved(time=START + 101, ticks=(Tick(BTC, 2.0, 2.0, 2.0),))


async def test_nothing_is_left_running_when_nobody_reads_any_more():
    before = asyncio.all_tasks()
    async with reading(QUICK):
        assert len(asyncio.all_tasks()) > len(before)
    assert asyncio.all_tasks() == before


async def test_what_fails_while_settling_ends_the_stream():
    async def broken() -> None:
        raise RuntimeError("bus gone")

    async with reading(settled=broken) as read:
        read.exchange.listener.traded(BTC, 1.0, START)
        await read.reader.next()
        read.exchange.listener.traded(BTC, 2.0, START + 1)
        with pytest.raises(RuntimeError, match="bus gone"):
            await read.reader.task


# --------------------------------------------------------------------------------------------------------- history


def past(count: int) -> Read:
    read = Read(FeedPatience(), at_once)
    read.exchange.rows[BTC] = [candle(minute) for minute in range(count)]
    return read


async def test_history_holds_closed_candles_up_to_the_time_asked_for():
    read = past(30)
    found = await read.feed.history(BTC, START + 20 * MINUTE, 5)
    assert found == [candle(minute) for minute in range(15, 20)]
    assert await read.feed.history(BTC, START + 21 * MINUTE - 1, 5) == found


async def test_the_newest_candle_is_history_only_when_a_later_one_has_begun():
    read = past(30)  # of which the last may be forming, whatever the clock says
    found = await read.feed.history(BTC, START + 100 * MINUTE, 200)
    assert found == [candle(minute) for minute in range(29)]


async def test_more_than_a_page_is_asked_for_in_pages():
    read = past(2500)
    found = await read.feed.history(BTC, START + 2400 * MINUTE, 2300)
    assert found == [candle(minute) for minute in range(100, 2400)]
    assert [count for _, count in read.exchange.pages] == [1000, 1000, 301]


async def test_gaps_of_the_market_are_no_end():
    read = past(3000)
    del read.exchange.rows[BTC][500:1800]
    found = await read.feed.history(BTC, START + 2900 * MINUTE, 2900)
    assert [row.open_time for row in found] == [
        START + minute * MINUTE for minute in range(2900) if not 500 <= minute < 1800
    ]


async def test_history_of_nothing_is_nothing():
    read = past(0)
    assert await read.feed.history(BTC, START, 10) == []
