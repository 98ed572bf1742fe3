from __future__ import annotations

import asyncio
import math

import pytest

from vela.adapters.clock import SimulatedClock
from vela.adapters.exchanges.simulated.feed import SimulatedFeed
from vela.adapters.exchanges.simulated.sources import RecordingSource, SyntheticSource
from vela.domain.candles import Candle
from vela.domain.events import MarketEnded, PricesMoved, SymbolCandle
from vela.domain.instrument import Instrument
from vela.domain.timeframe import Timeframe
from vela.domain.trading_symbol import TradingSymbol
from vela.simulation.synthetic import SyntheticMarket

BTC, ETH = TradingSymbol("BTC"), TradingSymbol("ETH")
MINUTE = 60_000


def candle(minute: float, open_=100.0, high=110.0, low=90.0, close=105.0, volume=1.0) -> Candle:
    return Candle(int(minute * MINUTE), open_, high, low, close, volume)


class Steps:
    """A source whose steps are written down."""

    timeframe = Timeframe.M1
    fingerprint = ""

    def __init__(self, *steps: tuple[int, list[tuple[TradingSymbol, Candle]]], past=()) -> None:
        self._steps = [(minute * MINUTE, tuple(SymbolCandle(*row) for row in rows)) for minute, rows in steps]
        self._past = past
        self.start = self._steps[0][0] if self._steps else 0

    def instruments(self):
        return [Instrument.raw(BTC), Instrument.raw(ETH)]

    def steps(self, from_time=None):
        return iter([step for step in self._steps if from_time is None or step[0] >= from_time])

    def count(self, from_time=None, until=None):
        return len([s for s, _ in self.steps(from_time) if until is None or s < until])

    def history(self, symbol, before, count):
        return [c for s, c in self._past if s == symbol and c.open_time + MINUTE <= before][-count:]


class Played:
    def __init__(self, source, *, speed=None, **options) -> None:
        self.clock = SimulatedClock(source.start, speed)
        self.feed = SimulatedFeed(source, self.clock, self.settle, **options)
        self.events: list[object] = []
        self.log: list[str] = []

    async def settle(self) -> None:
        self.log.append("settled")

    async def run(self) -> Played:
        async for event in self.feed.stream():
            self.events.append(event)
            self.log.append(self._told(event))
        return self

    def _told(self, event) -> str:
        if isinstance(event, tuple):
            return "closed " + " ".join(f"{row.symbol}@{row.candle.open_time / MINUTE:g}" for row in event)
        assert event.time == self.clock.now()
        at = f"{event.time // MINUTE}:{event.time % MINUTE / 1000:06.3f}"
        if isinstance(event, MarketEnded):
            return f"{at} end"
        return at + "".join(
            f" {t.symbol}={t.price:g}{' jump' if t.jump else f' [{t.low:g},{t.high:g}]'}" for t in event.ticks
        )

    @property
    def prices(self) -> list[PricesMoved]:
        return [event for event in self.events if isinstance(event, PricesMoved)]

    @property
    def closed(self) -> list[SymbolCandle]:
        return [row for event in self.events if isinstance(event, tuple) for row in event]


async def test_the_order_of_events_at_full_speed():
    source = Steps(
        (10, [(BTC, candle(10))]), (11, [(BTC, candle(11, 106.0)), (ETH, candle(11, 50.0, 60.0, 40.0, 45.0))])
    )
    played = await Played(source).run()
    assert played.log == [
        "10:00.000 BTC=100 jump",
        "settled",
        "10:59.999 BTC=105 [90,110]",
        "11:00.000 BTC=106 jump ETH=50 jump",
        "closed BTC@10",
        "settled",
        "11:59.999 BTC=105 [90,110] ETH=45 [40,60]",
        "12:00.000 end",
        "closed BTC@11 ETH@11",
        "settled",
    ]
    assert (played.feed.steps_done, played.feed.steps_total) == (2, 2)


async def test_after_a_gap_candles_close_with_the_next_step():
    played = await Played(Steps((10, [(BTC, candle(10))]), (20, [(BTC, candle(20))]))).run()
    assert played.log[3:5] == ["20:00.000 BTC=100 jump", "closed BTC@10"]


@pytest.mark.parametrize(
    "faulty",
    [
        candle(11, math.nan),
        candle(11, high=1.0),
        candle(11, low=-1.0),
        candle(11.5),
        candle(10),
        candle(10, close=91.0),
        candle(9),
    ],
    ids=["nan", "inconsistent", "negative", "off_grid", "duplicate", "revised", "out_of_order"],
)
async def test_a_faulty_candle_is_told_but_has_no_prices(faulty):
    source = Steps((10, [(BTC, candle(10))]), (11, [(BTC, faulty), (ETH, candle(11))]), (12, [(BTC, candle(12))]))
    played = await Played(source).run()
    assert [p.time // 1000 for p in played.prices for t in p.ticks if t.symbol == BTC] == [600, 659, 720, 779]
    assert len(played.closed) == 4


async def test_rows_of_one_step_that_repeat_have_prices_once():
    played = await Played(Steps((10, [(BTC, candle(10)), (BTC, candle(10)), (BTC, candle(9))]))).run()
    assert [len(p.ticks) for p in played.prices] == [1, 1]
    assert len(played.closed) == 3


async def test_a_step_without_a_usable_candle_still_closes_the_one_before():
    source = Steps((10, [(BTC, candle(10))]), (11, [(BTC, candle(11, math.nan))]), (12, [(BTC, candle(12))]))
    played = await Played(source).run()
    assert "closed BTC@10" in played.log
    assert played.log.index("closed BTC@11") > played.log.index("12:00.000 BTC=100 jump")


async def test_a_resumed_feed_begins_with_the_first_open_candle():
    source = Steps(*((minute, [(BTC, candle(minute))]) for minute in range(10, 14)), past=[(BTC, candle(11))])
    played = await Played(source, resume_after=12 * MINUTE).run()
    assert [row.candle.open_time // MINUTE for row in played.closed] == [12, 13]
    assert played.log[0] == "12:00.000 BTC=100 jump"
    assert played.feed.steps_total == 2


async def test_a_resumed_feed_knows_what_came_before():
    source = Steps((12, [(BTC, candle(11)), (BTC, candle(12))]), past=[(BTC, candle(11))])
    played = await Played(source, resume_after=12 * MINUTE).run()
    assert [tick.symbol for tick in played.prices[0].ticks] == [BTC]
    assert len(played.closed) == 2


@pytest.mark.parametrize(("options", "count"), [({"until": 12 * MINUTE}, 2), ({"until": 13 * MINUTE}, 3), ({}, 5)])
async def test_a_run_can_be_limited(options, count):
    source = Steps(*((minute, [(BTC, candle(minute))]) for minute in range(10, 15)))
    played = await Played(source, **options).run()
    assert (played.feed.steps_done, played.feed.steps_total, len(played.closed)) == (count, count, count)
    assert isinstance(played.events[-2], MarketEnded)


async def test_an_empty_run_ends_at_once():
    played = await Played(Steps((10, [(BTC, candle(10))])), until=0).run()
    assert played.log == ["10:00.000 end", "settled"]


@pytest.mark.parametrize(("speed", "moves"), [(60_000, 3), (600, 3), (60, 10), (20, 30)])
async def test_at_a_finite_speed_the_path_runs_over_low_and_high_to_the_close(monkeypatch, speed, moves):
    async def at_once(*_):
        return

    monkeypatch.setattr(SimulatedClock, "sleep_until", at_once)
    source = Steps((10, [(BTC, candle(10, 100.0, 110.0, 90.0, 105.0)), (ETH, candle(10, 5.0, 5.0, 5.0, 5.0))]))
    played = await Played(source, speed=speed).run()
    path = [p for p in played.prices if not p.ticks[0].jump]
    assert len(path) == moves
    assert path[-1].time == 11 * MINUTE - 1
    times = [p.time for p in played.prices]
    assert times == sorted(set(times))
    last = 100.0
    seen = []
    for tick in (p.ticks[0] for p in path):
        assert (tick.low, tick.high) == (min(last, tick.price), max(last, tick.price))
        last = tick.price
        seen.append(last)
    assert seen.index(90.0) < seen.index(110.0)
    assert (min(seen), max(seen), last) == (90.0, 110.0, 105.0)
    assert {p.ticks[1].price for p in path} == {5.0}


async def test_a_finite_speed_takes_its_time():
    source = Steps(*((minute, [(BTC, candle(minute))]) for minute in range(10, 14)))
    loop = asyncio.get_running_loop()
    began = loop.time()
    await Played(source, speed=1200).run()  # 50 ms per candle
    assert 0.19 < loop.time() - began < 0.6


async def test_an_outage_is_not_waited_for():
    source = Steps((10, [(BTC, candle(10))]), (10_000, [(BTC, candle(10_000))]))
    await asyncio.wait_for(Played(source, speed=6000).run(), timeout=5)


async def test_path_prices_lie_on_the_grid():
    source = SyntheticSource(SyntheticMarket(1, [BTC]), history_candles=10)
    tick = source.instruments()[0].tick
    clock = SimulatedClock(source.start, 12_000)

    async def settled() -> None:
        return

    async for event in SimulatedFeed(source, clock, settled, until=source.start + 5 * MINUTE).stream():
        if isinstance(event, PricesMoved):
            assert all(round(t.price / float(tick)) * float(tick) == pytest.approx(t.price) for t in event.ticks)


@pytest.mark.parametrize(
    "name", ["binance_BTCUSDT_1m_2019-11_duplicates.parquet", "binance_BNBUSDT_5m_2018-02_offgrid.parquet"]
)
async def test_real_anomalies_reach_the_checks_and_time_never_goes_back(shared_data, name):
    source = RecordingSource.from_path(shared_data / "candles" / "anomalies" / name)
    played = await Played(source).run()
    every = [row for _, rows in source.steps() for row in rows]
    assert played.closed == every
    times = [price.time for price in played.prices]
    assert times == sorted(times)
    assert played.feed.steps_done == source.count()


@pytest.mark.parametrize("speed", [None, 1e6])
async def test_prices_tell_what_was_traded_in_the_candle_before(speed):
    rows = [(minute, [(BTC, candle(minute, volume=10.0 * minute))]) for minute in (10, 11, 12)]
    played = await Played(Steps(*rows), speed=speed).run()
    told = [(prices.time // MINUTE, prices.ticks[0].volume) for prices in played.prices]
    assert sorted(set(told)) == [(10, 0.0), (11, 100.0), (12, 110.0)]
    resumed = await Played(
        Steps(*rows, past=[(BTC, candle(10, volume=100.0))]), speed=speed, resume_after=11 * MINUTE
    ).run()
    assert resumed.prices[0].ticks[0].volume == 100.0
