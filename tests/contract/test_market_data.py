"""What every `MarketData` must do, wherever its candles come from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from vela.adapters.clock import SimulatedClock
from vela.adapters.exchanges.simulated.feed import SimulatedFeed
from vela.adapters.exchanges.simulated.sources import CandleSource, RecordingSource, SyntheticSource
from vela.domain.candles import candle_fault
from vela.domain.events import MarketEnded, PricesMoved
from vela.domain.trading_symbol import TradingSymbol
from vela.ports.market_data import MarketData, MarketEvent
from vela.simulation.synthetic import SyntheticMarket

BTC, ETH = TradingSymbol("BTC"), TradingSymbol("ETH")
CANDLES = 50


async def _settled() -> None:
    return


def _feed(source: CandleSource, speed: float | None) -> MarketData:
    until = source.start + CANDLES * source.timeframe.milliseconds
    return SimulatedFeed(source, SimulatedClock(source.start, speed), _settled, until=until)


def _synthetic(_: Path) -> CandleSource:
    return SyntheticSource(SyntheticMarket(1, [BTC, ETH]))


def _recording(directory: Path) -> CandleSource:
    for symbol, candles in SyntheticMarket(2, [BTC, ETH]).candles(0, CANDLES).items():
        names = ("open_time", "open", "high", "low", "close", "volume")
        table = pl.DataFrame({name: getattr(candles, name) for name in names})
        table.write_parquet(directory / f"{symbol.to_long()}_1m.parquet")
    return RecordingSource.from_path(directory)


FEEDS: dict[str, Callable[[Path], MarketData]] = {
    "synthetic": lambda directory: _feed(_synthetic(directory), None),
    "synthetic, paced": lambda directory: _feed(_synthetic(directory), 60_000),
    "recording": lambda directory: _feed(_recording(directory), None),
    "recording, paced": lambda directory: _feed(_recording(directory), 60_000),
}


@pytest.fixture(params=FEEDS)
def feed(request, tmp_path) -> MarketData:
    made: MarketData = FEEDS[request.param](tmp_path)
    return made


@pytest.fixture
async def events(feed) -> list[MarketEvent]:
    return [event async for event in feed.stream()]


async def test_time_never_goes_back(events):
    times = [event.time for event in events if isinstance(event, PricesMoved | MarketEnded)]
    assert times == sorted(times)


async def test_every_symbol_has_rules_and_closed_candles(feed, events):
    rows = [row for event in events if isinstance(event, tuple) for row in event]
    assert {rule.symbol for rule in feed.instruments()} == {row.symbol for row in rows} == {BTC, ETH}
    assert {candle_fault(row.candle, feed.timeframe.milliseconds) for row in rows} == {None}
    assert len(rows) == 2 * CANDLES


async def test_candles_of_one_close_come_together_after_the_next_prices_and_never_before_their_close(feed, events):
    now = 0
    for event in events:
        if isinstance(event, tuple):
            assert len({row.candle.open_time for row in event}) == 1
            assert event[0].candle.open_time + feed.timeframe.milliseconds <= now
        else:
            now = event.time


async def test_prices_stay_inside_their_candles_and_reach_their_ends(feed, events):
    length = feed.timeframe.milliseconds
    lows: dict[tuple[TradingSymbol, int], float] = {}
    highs: dict[tuple[TradingSymbol, int], float] = {}
    for event in events:
        for tick in event.ticks if isinstance(event, PricesMoved) else ():
            assert tick.low <= tick.price <= tick.high
            key = tick.symbol, event.time // length * length
            lows[key] = min(lows.get(key, tick.low), tick.low)
            highs[key] = max(highs.get(key, tick.high), tick.high)
    for row in (row for event in events if isinstance(event, tuple) for row in event):
        key = row.symbol, row.candle.open_time
        assert (lows[key], highs[key]) == (row.candle.low, row.candle.high)


async def test_a_recording_that_is_over_says_so(events):
    assert sum(isinstance(event, MarketEnded) for event in events) == 1


async def test_history_ends_before_the_time_asked_for(feed, events):
    length = feed.timeframe.milliseconds
    before = next(event for event in events if isinstance(event, PricesMoved)).time + 20 * length
    past = await feed.history(BTC, before, 10)
    assert [candle.open_time for candle in past] == [before - length * back for back in range(10, 0, -1)]
    assert [candle.open_time for candle in await feed.history(BTC, before + length - 1, 10)] == [
        candle.open_time for candle in past
    ]
