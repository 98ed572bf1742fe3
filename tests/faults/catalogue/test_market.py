"""The market at a venue that falls silent, repeats itself, or tells it in the wrong order: rows A18 to A24."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import NamedTuple

import pytest
from tests.builders import BTC, ETH, MINUTE
from tests.fakes import Listener, until
from tests.faults.catalogue.wire import PRICES, STILL
from tests.integration.venue_server import RunningVenue, running_venue

from vela.adapters.bus.memory import MemoryBus
from vela.adapters.clock import SystemClock
from vela.adapters.exchanges.live import connect
from vela.adapters.exchanges.unified.feed import FeedPatience, LiveFeed
from vela.domain.events import CandlesClosed, Envelope, PricesMoved, Topic
from vela.domain.timeframe import Timeframe
from vela.domain.trading_symbol import TradingSymbol
from vela.services.market_data import MarketDataService

PATIENCE = FeedPatience(gather=0.05, candle=0.3, silence=0.4, look=0.05, retry=0.05)


@pytest.fixture
def venue() -> Iterator[RunningVenue]:
    """A venue whose candles of a minute last a tenth of a second."""
    with running_venue({"speed": 600}) as server:
        yield server


class Market(NamedTuple):
    feed: LiveFeed
    bus: MemoryBus
    heard: Listener

    def prices(self, symbol: TradingSymbol) -> int:
        return sum(tick.symbol == symbol for message in self.heard.of(PricesMoved) for tick in message.ticks)

    def opened(self, symbol: TradingSymbol) -> list[int]:
        """When the candles opened that can be decided on or were filled in, as they came."""
        told = [(*message.backfilled, *message.candles) for message in self.heard.of(CandlesClosed)]
        return [row.candle.open_time for rows in told for row in rows if row.symbol == symbol]

    def is_whole(self, symbol: TradingSymbol, count: int) -> bool:
        """Whether so many candles came, each once and each after the one before."""
        times = self.opened(symbol)
        return len(times) >= count and times == [times[0] + index * MINUTE for index in range(len(times))]


@asynccontextmanager
async def watched(venue: RunningVenue) -> AsyncIterator[Market]:
    clock = SystemClock()
    connection = await connect("binance", None, clock, base_url=venue.http)
    bus = MemoryBus(clock)
    feed = connection.feed([BTC, ETH], Timeframe.M1, clock, bus.settled, patience=PATIENCE)
    market = Market(feed, bus, Listener(bus, Topic.TICKERS, Topic.CANDLES))
    service = MarketDataService(bus, clock, feed, clock, None)
    await service.start()
    working = asyncio.create_task(service.work())
    try:
        await until(lambda: market.prices(BTC) and market.prices(ETH) and market.opened(BTC) and market.opened(ETH))
        yield market
    finally:
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
        await connection.close()


# -------------------------------------------------------------------------------------------------------------- silence


@pytest.mark.parametrize(
    ("stream", "quiet"), [("aggTrade", {BTC, ETH}), ("btcusdt@aggTrade", {BTC})], ids=["a18", "a19"]
)
async def test_a18_a19_a_stream_that_says_nothing_is_noticed_by_symbol_and_opened_anew(
    venue: RunningVenue, stream: str, quiet: set[TradingSymbol]
) -> None:
    async with watched(venue) as market:
        venue.fault(stream, "silent")
        await until(lambda: market.feed.stale() == quiet)
        before = {symbol: market.prices(symbol) for symbol in (BTC, ETH)}
        candles = len(market.opened(BTC))
        await asyncio.sleep(0.3)
        grown = {symbol for symbol, count in before.items() if market.prices(symbol) > count}
        assert grown == {BTC, ETH} - quiet
        venue.control.delete("/faults")
        await until(lambda: not market.feed.stale())
        await until(lambda: market.prices(BTC) > before[BTC])
        assert market.is_whole(BTC, candles + 1), "candles never stopped"


async def test_a20_a_message_that_is_repeated_for_ever_is_no_news(venue: RunningVenue) -> None:
    async with watched(venue) as market:
        venue.fault("btcusdt@aggTrade", "repeat_last")
        await until(lambda: market.feed.stale() == {BTC})
        venue.control.delete("/faults")
        await until(lambda: not market.feed.stale())


# ------------------------------------------------------------------------------------------------- missing and doubled


@pytest.mark.parametrize("how", ["omit_event", "disconnect"])
async def test_a21_candles_that_were_not_told_are_asked_for_before_the_next_one_counts(
    venue: RunningVenue, how: str
) -> None:
    async with watched(venue) as market:
        if how == "disconnect":
            venue.control.post("/disconnect")
        else:
            venue.fault("kline", "omit_event")
        await asyncio.sleep(0.45)
        venue.control.delete("/faults")
        count = len(market.opened(BTC)) + 8
        await until(lambda: len(market.opened(BTC)) >= count)
        assert market.is_whole(BTC, count)
        assert not [gap for message in market.heard.of(CandlesClosed) for gap in message.gaps]


async def test_a22_who_falls_behind_misses_prices_and_no_candle(venue: RunningVenue) -> None:
    async with watched(venue) as market:
        release = asyncio.Event()

        async def wait(_: Envelope) -> None:
            await release.wait()

        market.bus.subscribe("slow", Topic.TICKERS)
        slow = asyncio.create_task(market.bus.consume("slow", wait))
        await asyncio.sleep(0.1)
        prices, candles = market.prices(BTC), len(market.opened(BTC))
        await asyncio.sleep(0.6)
        assert market.prices(BTC) <= prices + 12, "only the newest prices wait, those before a close with its candles"
        release.set()
        await until(lambda: market.is_whole(BTC, candles + 6))
        slow.cancel()


@pytest.mark.parametrize(("kind", "args"), [("duplicate_event", {}), ("reorder_events", {"count": 5})])
async def test_a23_candles_count_once_and_in_order_however_they_come(
    venue: RunningVenue, kind: str, args: dict[str, int]
) -> None:
    async with watched(venue) as market:
        venue.fault("kline", kind, args=args)
        count = len(market.opened(BTC)) + 12
        await until(lambda: len(market.opened(BTC)) >= count)
        assert market.is_whole(BTC, count)


async def test_a24_the_candle_that_is_forming_is_in_no_history() -> None:
    clock = SystemClock()
    with running_venue(STILL, prices=PRICES) as venue:
        forming = venue.public("klines?symbol=BTCUSDT&interval=1m&limit=1")[0][0]
        connection = await connect("binance", None, clock, base_url=venue.http)
        try:
            feed = connection.feed([BTC], Timeframe.M1, clock, MemoryBus(clock).settled)
            told = await feed.history(BTC, forming + MINUTE // 2, 10)
        finally:
            await connection.close()
    assert told[-1].open_time == forming - MINUTE
