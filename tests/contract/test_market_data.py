"""What every `MarketData` must do, wherever its candles come from."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import polars as pl
import pytest
from tests.integration.venue_server import running_venue

from vela.adapters.clock import SimulatedClock, SystemClock
from vela.adapters.exchanges.live import connect
from vela.adapters.exchanges.simulated.feed import SimulatedFeed
from vela.adapters.exchanges.simulated.sources import CandleSource, RecordingSource, SyntheticSource
from vela.domain.candles import candle_fault
from vela.domain.events import MarketEnded, PricesMoved
from vela.domain.timeframe import Timeframe
from vela.domain.trading_symbol import TradingSymbol
from vela.ports.clock import Clock
from vela.ports.market_data import MarketData, MarketEvent
from vela.simulation.synthetic import SyntheticMarket

BTC, ETH = TradingSymbol("BTC"), TradingSymbol("ETH")
CANDLES = 50
LIVE_CANDLES = 12


class Market(NamedTuple):
    """`candles`: how many of each symbol are read."""

    feed: MarketData
    clock: Clock
    candles: int


class Heard(NamedTuple):
    """An event, and what the clock said when it came."""

    event: MarketEvent
    at: int


async def _settled() -> None:
    return


# --------------------------------------------------------------------------------------------------- the markets


def _played(make: Callable[[Path], CandleSource], speed: float | None) -> Opened:
    @asynccontextmanager
    async def opened(directory: Path) -> AsyncIterator[Market]:
        source = make(directory)
        clock = SimulatedClock(source.start, speed)
        until = source.start + CANDLES * source.timeframe.milliseconds
        yield Market(SimulatedFeed(source, clock, _settled, until=until), clock, CANDLES)

    return opened


def _synthetic(_: Path) -> CandleSource:
    return SyntheticSource(SyntheticMarket(1, [BTC, ETH]))


def _recording(directory: Path) -> CandleSource:
    for symbol, candles in SyntheticMarket(2, [BTC, ETH]).candles(0, CANDLES).items():
        names = ("open_time", "open", "high", "low", "close", "volume")
        table = pl.DataFrame({name: getattr(candles, name) for name in names})
        table.write_parquet(directory / f"{symbol.to_long()}_1m.parquet")
    return RecordingSource.from_path(directory)


@asynccontextmanager
async def _binance(_: Path) -> AsyncIterator[Market]:
    clock = SystemClock()
    with running_venue({"speed": 300}) as venue:
        connection = await connect("binance", None, clock, base_url=venue.http)
        try:
            yield Market(connection.feed([BTC, ETH], Timeframe.M1, clock, _settled), clock, LIVE_CANDLES)
        finally:
            await connection.close()


Opened = Callable[[Path], AbstractAsyncContextManager[Market]]
PLAYED: dict[str, Opened] = {
    "synthetic": _played(_synthetic, None),
    "synthetic, paced": _played(_synthetic, 60_000),
    "recording": _played(_recording, None),
    "recording, paced": _played(_recording, 60_000),
}
LIVE: dict[str, Opened] = {"binance": _binance}


@pytest.fixture(params=PLAYED | LIVE)
async def market(request, tmp_path) -> AsyncIterator[Market]:
    async with (PLAYED | LIVE)[request.param](tmp_path) as opened:
        yield opened


@pytest.fixture
async def heard(market) -> list[Heard]:
    """All of a market that ends, so many candles of one that does not."""
    found: list[Heard] = []
    rows = 0
    async with asyncio.timeout(60), aclosing(market.feed.stream()) as stream:
        async for event in stream:
            found.append(Heard(event, market.clock.now()))
            rows += len(event) if isinstance(event, tuple) else 0
            if market.candles == LIVE_CANDLES and rows >= 2 * LIVE_CANDLES:
                break
    return found


@pytest.fixture
def rows(heard):
    return [row for event, _ in heard if isinstance(event, tuple) for row in event]


# ------------------------------------------------------------------------------------------------------ the tests


async def test_time_never_goes_back(heard):
    times = [event.time for event, _ in heard if isinstance(event, PricesMoved | MarketEnded)]
    assert times
    assert times == sorted(times)


async def test_every_symbol_has_rules_and_closed_candles(market, rows):
    assert {rule.symbol for rule in market.feed.instruments()} == {row.symbol for row in rows} == {BTC, ETH}
    assert {candle_fault(row.candle, market.feed.timeframe.milliseconds) for row in rows} == {None}
    assert len(rows) - 2 * market.candles in {0, 1}  # whoever comes between two closes of one moment hears of one


async def test_candles_follow_each_other_without_a_gap(market, rows):
    for symbol in (BTC, ETH):
        times = [row.candle.open_time for row in rows if row.symbol == symbol]
        length = market.feed.timeframe.milliseconds
        assert times == list(range(times[0], times[0] + length * len(times), length))


async def test_candles_of_one_close_come_together_and_never_before_their_close(market, heard):
    for event, at in heard:
        if isinstance(event, tuple):
            assert len({row.candle.open_time for row in event}) == 1
            assert event[0].candle.open_time + market.feed.timeframe.milliseconds <= at


@pytest.mark.parametrize("market", PLAYED, indirect=True)
async def test_they_come_after_the_next_prices(market, heard):
    # What is played tells the next candle's open before the candle; a live market has no such moment.
    now = 0
    for event, _ in heard:
        if isinstance(event, tuple):
            assert event[0].candle.open_time + market.feed.timeframe.milliseconds <= now
        else:
            now = event.time


async def test_prices_stay_inside_their_candles(market, heard, rows):
    length = market.feed.timeframe.milliseconds
    candles = {(row.symbol, row.candle.open_time): row.candle for row in rows}
    last = dict.fromkeys((BTC, ETH), 0)
    for event, _ in heard:
        for tick in event.ticks if isinstance(event, PricesMoved) else ():
            # A live tick may hold what was traded before and after a close.
            opens = range(last[tick.symbol] or event.time // length * length, event.time + 1, length)
            last[tick.symbol] = event.time // length * length
            around = [candles.get((tick.symbol, one)) for one in opens]
            known = [candle for candle in around if candle is not None]
            assert tick.low <= tick.price <= tick.high
            if known and len(known) == len(around):
                assert min(candle.low for candle in known) <= tick.low
                assert tick.high <= max(candle.high for candle in known)


@pytest.mark.parametrize("market", PLAYED, indirect=True)
async def test_prices_reach_the_ends_of_their_candles(market, heard, rows):
    # A live candle's open need not be a trade that anybody told.
    length = market.feed.timeframe.milliseconds
    lows: dict[tuple[TradingSymbol, int], float] = {}
    highs: dict[tuple[TradingSymbol, int], float] = {}
    for event, _ in heard:
        for tick in event.ticks if isinstance(event, PricesMoved) else ():
            key = tick.symbol, event.time // length * length
            lows[key] = min(lows.get(key, tick.low), tick.low)
            highs[key] = max(highs.get(key, tick.high), tick.high)
    for row in rows:
        key = row.symbol, row.candle.open_time
        assert (lows[key], highs[key]) == (row.candle.low, row.candle.high)


@pytest.mark.parametrize("market", PLAYED, indirect=True)
async def test_a_recording_that_is_over_says_so(heard):
    assert sum(isinstance(event, MarketEnded) for event, _ in heard) == 1


async def test_history_ends_before_the_time_asked_for(market, rows):
    length = market.feed.timeframe.milliseconds
    before = rows[-1].candle.open_time
    past = await market.feed.history(BTC, before, 10)
    assert [candle.open_time for candle in past] == [before - length * back for back in range(10, 0, -1)]
    assert [candle.open_time for candle in await market.feed.history(BTC, before + length - 1, 10)] == [
        candle.open_time for candle in past
    ]


async def test_history_is_what_was_told(market, rows):
    told = [row.candle for row in rows if row.symbol == BTC]
    count = min(len(told) - 1, 10)
    assert list(await market.feed.history(BTC, told[-1].open_time, count)) == told[-1 - count : -1]
