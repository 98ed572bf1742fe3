"""The live adapter's market data on the wire, while things go wrong."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from decimal import Decimal
from functools import partial

import pytest
from tests.integration.venue_server import RunningVenue, ScriptedMarket, scripted_venue
from tests.wire_cutter import wire_to

from vela.adapters.clock import SystemClock
from vela.adapters.exchanges.live import connect
from vela.adapters.exchanges.unified.feed import FeedPatience, LiveFeed
from vela.adapters.exchanges.unified.streams import CANDLES
from vela.domain.candles import Candle
from vela.domain.errors import VenueUnavailable
from vela.domain.events import PricesMoved, SymbolCandle, Tick
from vela.domain.instrument import Instrument
from vela.domain.timeframe import Timeframe
from vela.domain.trading_symbol import TradingSymbol, register_assets
from vela.ports.market_data import MarketEvent

BTC, ETH = TradingSymbol("BTC"), TradingSymbol("ETH")
MINUTE = 60_000
START = 1_700_000_040_000
QUICK = FeedPatience(gather=0.2, candle=0.3, silence=0.4, look=0.05, retry=0.05)


def symbols() -> tuple[TradingSymbol, ...]:
    """What is read; one of them is an asset that nobody knows until an exchange lists it."""
    register_assets(["币安人生"])
    return BTC, ETH, TradingSymbol("币安人生")


class MarketClock:
    """The market's time is what the test made it, durations are real."""

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


class Read:
    """A venue that a feed reads, and what it heard."""

    def __init__(self, venue: RunningVenue, market: ScriptedMarket, feed: LiveFeed, clock: MarketClock) -> None:
        self.venue = venue
        self.feed = feed
        self.events: list[MarketEvent] = []
        self._market = market
        self._clock = clock
        self._last = 100.0
        self.task = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async for event in self.feed.stream():
            self.events.append(event)

    def move(self, price: float, *moved: TradingSymbol) -> None:
        self._clock.time += 500
        for symbol in moved or symbols():
            low, high = min(self._last, price), max(self._last, price)
            self._market.move(Tick(symbol, price, low, high), self._clock.time)
        self._last = price

    def close(self, minute: int) -> None:
        """Let a minute's candles close and the next minute's begin."""
        self._clock.time = START + (minute + 1) * MINUTE
        self._market.close(*(SymbolCandle(symbol, candle(minute)) for symbol in symbols()))
        self.move(100.0)

    def prices(self, symbol: TradingSymbol) -> list[float]:
        ticks = [tick for event in self.events if isinstance(event, PricesMoved) for tick in event.ticks]
        return [tick.price for tick in ticks if tick.symbol == symbol]

    def hears_everything(self) -> bool:
        candles = [self.feed._freshness._pulses.get((CANDLES, symbol)) for symbol in symbols()]
        return all(map(self.prices, symbols())) and all(pulse is not None and pulse.event_time for pulse in candles)

    def closes(self, symbol: TradingSymbol) -> list[int]:
        rows = [row for event in self.events if isinstance(event, tuple) for row in event]
        return [(row.candle.open_time - START) // MINUTE for row in rows if row.symbol == symbol]

    async def until(self, condition: Callable[[], object], doing: Callable[[], object] = lambda: None) -> None:
        async with asyncio.timeout(15):
            while not condition():
                doing()
                await asyncio.sleep(0.02)

    def moving(self, *moved: TradingSymbol) -> Callable[[], None]:
        """Something to do while waiting: another price each time."""
        count = iter(range(1, 100_000))
        return lambda: self.move(100.0 + next(count) / 100, *moved)


def candle(minute: int) -> Candle:
    return Candle(START + minute * MINUTE, 100.0, 110.0, 90.0, 100.0, 100_000.0)


@pytest.fixture
def market() -> ScriptedMarket:
    rules = (Decimal("0.01"), Decimal("0.0001"), Decimal(5), Decimal("0.0001"))
    return ScriptedMarket(*(Instrument(symbol, *rules) for symbol in symbols()), volume=100_000.0)


@pytest.fixture
def venue(market) -> Iterator[RunningVenue]:
    with scripted_venue(market, balances={"USDT": Decimal(1000)}) as venue:
        yield venue


@asynccontextmanager
async def reading(
    venue: RunningVenue, market: ScriptedMarket, *, url: str | None = None, patience: FeedPatience = QUICK
) -> AsyncIterator[Read]:
    """A feed that hears prices and candles."""
    connection = await connect("binance", None, SystemClock(), base_url=url or venue.http, patience=2.0)
    clock = MarketClock()

    async def settled() -> None:
        return

    feed = connection.feed(symbols(), Timeframe.M1, clock, settled, patience=patience)
    read = Read(venue, market, feed, clock)
    try:
        await read.until(read.hears_everything, read.moving())
        yield read
    finally:
        read.task.cancel()
        await asyncio.gather(read.task, return_exceptions=True)
        await connection.close()


async def test_prices_and_candles_of_every_symbol_come(venue, market):
    async with reading(venue, market) as read:
        read.move(123.45)
        await read.until(lambda: all(read.prices(symbol)[-1] == 123.45 for symbol in symbols()))
        read.close(0)
        await read.until(lambda: all(read.closes(symbol) == [0] for symbol in symbols()))
        [rows] = [event for event in read.events if isinstance(event, tuple)]
        assert {row.symbol: row.candle for row in rows} == dict.fromkeys(symbols(), candle(0))


async def test_one_symbol_of_many_goes_quiet_and_is_heard_again(venue, market):
    async with reading(venue, market) as read:
        read.venue.fault("btcusdt@aggTrade", "silent", nth=1)  # on that connection, for ever
        heard = len(read.prices(BTC))
        await read.until(lambda: BTC in read.feed.stale(), read.moving())
        assert len(read.prices(BTC)) <= heard + 2  # what was on its way
        await read.until(lambda: len(read.prices(BTC)) > heard + 3, read.moving())
        read.close(0)
        await read.until(lambda: read.closes(ETH) == [0])


async def test_the_same_message_for_ever_is_no_progress_and_a_new_connection_ends_it(venue, market):
    async with reading(venue, market) as read:
        read.venue.fault("btcusdt@aggTrade", "repeat_last")
        await read.until(lambda: BTC in read.feed.stale(), read.moving())
        frozen = read.prices(BTC)[-1]
        assert read.prices(ETH)[-1] != frozen
        await read.until(lambda: read.prices(BTC)[-1] != frozen, read.moving())


@pytest.mark.parametrize("stream", ["*@aggTrade", "*@kline_1m"])
async def test_garbage_opens_the_connection_anew(venue, market, stream):
    async with reading(venue, market) as read:
        read.venue.fault(stream, "garbage", nth=1)
        heard = len(read.prices(BTC))
        await read.until(lambda: len(read.prices(BTC)) > heard + 5, read.moving())
        read.close(0)
        await read.until(lambda: read.closes(BTC) == [0])


@pytest.mark.parametrize("kind", ["omit_event", "silent"])
async def test_a_close_that_is_not_told_is_asked_for(venue, market, kind):
    async with reading(venue, market) as read:
        read.venue.fault("btcusdt@kline_1m", kind)
        read.close(0)
        await read.until(lambda: read.closes(ETH) == [0])
        await read.until(lambda: read.closes(BTC) == [0], read.moving())
        assert read.closes(ETH) == [0]


@pytest.mark.parametrize("kind", ["duplicate_event", "reorder_events"])
async def test_what_comes_twice_or_out_of_order_is_told_once_and_in_order(venue, market, kind):
    async with reading(venue, market) as read:
        read.venue.fault("*@kline_1m", kind)
        for minute in range(3):
            read.close(minute)
            await read.until(lambda: len(read.closes(BTC)) > minute, read.moving())  # noqa: B023  waited for at once
        assert read.closes(BTC) == read.closes(ETH) == [0, 1, 2]


async def test_what_closed_while_the_connection_was_lost_is_not_lost(venue, market):
    async with wire_to(venue.http) as wire, reading(venue, market, url=wire.url) as read:
        read.close(0)
        await read.until(lambda: read.closes(BTC) == [0])
        wire.cut()
        for minute in (1, 2, 3):
            read.close(minute)
        with pytest.raises(VenueUnavailable):
            await read.feed.history(BTC, START + 4 * MINUTE, 4)
        assert read.closes(BTC) == [0]
        wire.mend()
        await read.until(lambda: read.closes(BTC)[-1] == 3)
        # The newest comes by itself; who sees that others are missing before it finds them here.
        assert await read.feed.history(BTC, START + 3 * MINUTE, 2) == [candle(1), candle(2)]
        heard = len(read.prices(BTC))
        await read.until(lambda: len(read.prices(BTC)) > heard, read.moving())


async def test_a_forming_candle_is_never_history(venue, market):
    async with reading(venue, market) as read:
        read.close(0)
        read.move(105.0)
        assert await read.feed.history(BTC, START + 9 * MINUTE, 10) == [candle(0)]


async def test_the_clock_of_the_venue_does_not_matter_to_its_market(venue, market):
    venue.control.post("/clock", json={"offset_ms": -90_000})
    async with reading(venue, market) as read:
        read.close(0)
        await read.until(lambda: all(read.closes(symbol) == [0] for symbol in symbols()))


async def test_while_the_venue_bans_us_nothing_is_asked(venue, market):
    async with reading(venue, market) as read:
        read.venue.fault("GET *", "ban", nth=1, args={"seconds": 1})
        with pytest.raises(VenueUnavailable):
            await read.feed.history(BTC, START, 1)
        asked = asyncio.create_task(read.feed.history(BTC, START + MINUTE, 1))
        await asyncio.sleep(0.3)
        assert not asked.done()
        async with asyncio.timeout(5):
            await asked


async def test_a_feed_of_other_symbols_on_the_same_connection_hears_them_and_no_others(venue, market):
    connection = await connect("binance", None, SystemClock(), base_url=venue.http, patience=2.0)
    clock = MarketClock()

    async def settled() -> None:
        return

    for symbol in (BTC, ETH):  # patient: what was not subscribed to is not noticed for long
        read = Read(venue, market, connection.feed([symbol], Timeframe.M1, clock, settled), clock)
        await read.until(partial(read.prices, symbol), read.moving())
        assert {tick.symbol for event in read.events if isinstance(event, PricesMoved) for tick in event.ticks} == {
            symbol
        }
        read.task.cancel()
        await asyncio.gather(read.task, return_exceptions=True)
    await connection.close()
