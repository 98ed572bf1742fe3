from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.builders import BTC, ETH, MINUTE, candle
from tests.fakes import ManualClock

from vela.adapters.storage.parquet import ParquetCandleStore
from vela.bootstrap import download as module
from vela.bootstrap.download import Download, Fetched
from vela.domain.candles import Candle, Candles
from vela.domain.errors import VenueUnavailable
from vela.domain.gaps import Gap
from vela.domain.timeframe import Timeframe
from vela.domain.trading_symbol import TradingSymbol


def at(*minutes: int) -> list[Candle]:
    return [candle(minute * MINUTE, 100.0 + minute) for minute in minutes]


class Exchange:
    """Tells candles as an exchange does: at most so many, from a time on, whatever lies between."""

    def __init__(self, candles: Sequence[Candle]) -> None:
        self.candles = candles
        self.asked: list[tuple[int, int]] = []
        self.failures = 0
        self.before_answer: Callable[[], None] = lambda: None

    async def page(
        self, symbol: TradingSymbol, timeframe: Timeframe, since: int | None, count: int
    ) -> Sequence[Candle]:
        if since is None:
            return self.candles[-count:]
        self.asked.append((since // MINUTE, count))
        self.before_answer()
        if self.failures:
            self.failures -= 1
            raise VenueUnavailable("no answer")
        await asyncio.sleep(0)
        return [row for row in self.candles if row.open_time >= since][:count]


class Desk:
    def __init__(self, root: Path, exchange: Exchange) -> None:
        self.store, self.clock, self.exchange = ParquetCandleStore(root), ManualClock(), exchange
        self.download = Download(exchange, self.store, "x", Timeframe.M1, self.clock)
        self.passed: list[int] = []

    async def fetch(self, start: int, end: int, symbol: TradingSymbol = BTC) -> Fetched:
        window = (start * MINUTE, end * MINUTE)
        [plan] = await self.download.plan([symbol], *window)
        try:
            await self.download.run([plan], lambda _, candles: self.passed.append(candles))
        finally:
            await self.download.account(plan, *window)
        return plan

    def stored(self, symbol: TradingSymbol = BTC) -> list[int]:
        times: list[int] = self.store.read("x", symbol, Timeframe.M1).open_time.tolist()
        return [time // MINUTE for time in times]


@pytest.fixture(autouse=True)
def _small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAGE", 10)


async def test_a_window_is_fetched_page_by_page(tmp_path: Path) -> None:
    desk = Desk(tmp_path, Exchange(at(*range(100))))
    plan = await desk.fetch(5, 30)
    assert desk.exchange.asked == [(5, 10), (15, 10), (25, 5)]
    assert desk.stored() == list(range(5, 30))
    assert (plan.wanted, plan.rows, plan.new, plan.refused, plan.gaps, plan.error) == (25, 25, 25, {}, [], None)
    assert sum(desk.passed) == 25


async def test_what_is_stored_is_not_asked_for_and_stays_as_it_is(tmp_path: Path) -> None:
    desk = Desk(tmp_path, Exchange(at(*range(100))))
    own = [msgspec.structs.replace(row, volume=7.0) for row in at(3, 4, 8)]
    desk.store.write("x", BTC, Timeframe.M1, Candles.from_rows(own))
    plan = await desk.fetch(2, 10)
    assert desk.exchange.asked == [(2, 1), (5, 3), (9, 1)]
    assert (plan.wanted, plan.new, plan.gaps) == (5, 5, [])
    assert desk.store.read("x", BTC, Timeframe.M1).volume.tolist() == [1, 7, 7, 1, 1, 1, 7, 1]
    desk.exchange.asked.clear()
    assert (await desk.fetch(2, 10)).wanted == 0
    assert desk.exchange.asked == []


async def test_an_outage_stays_a_gap_and_what_lies_before_a_listing_costs_one_question(tmp_path: Path) -> None:
    desk = Desk(tmp_path, Exchange(at(*range(500, 510), *range(530, 541))))
    plan = await desk.fetch(0, 540)
    assert desk.exchange.asked == [(0, 10), (510, 10)]
    assert plan.gaps == [Gap(0, 500 * MINUTE, 500), Gap(510 * MINUTE, 530 * MINUTE, 20)]
    assert sum(desk.passed) == 540
    assert plan.error is None


async def test_the_newest_candle_may_not_have_closed_and_nothing_is_asked_for_after_it(tmp_path: Path) -> None:
    desk = Desk(tmp_path, Exchange(at(0, 1, 2)))
    plan = await desk.fetch(0, 2500)
    assert desk.stored() == [0, 1]
    assert plan.gaps == [Gap(2 * MINUTE, 2500 * MINUTE, 2498)]
    assert desk.exchange.asked == [(0, 2)]
    assert sum(desk.passed) == 2500


async def test_an_exchange_may_answer_with_nothing_where_it_has_nothing(tmp_path: Path) -> None:
    exchange = Exchange(at(0, 1, *range(25, 30)))
    page = exchange.page

    async def within_its_window(symbol, timeframe, since, count):
        rows = await page(symbol, timeframe, since, count)
        return rows if since is None else [row for row in rows if row.open_time < since + count * MINUTE]

    exchange.page = within_its_window  # type: ignore[method-assign]
    desk = Desk(tmp_path, exchange)
    plan = await desk.fetch(0, 29)
    assert exchange.asked == [(0, 10), (2, 10), (12, 10), (22, 7)]
    assert plan.gaps == [Gap(2 * MINUTE, 25 * MINUTE, 23)]


async def test_rows_that_cannot_be_used_are_counted_and_the_rest_is_kept(tmp_path: Path) -> None:
    rows = at(*range(9))
    rows[1] = msgspec.structs.replace(rows[1], close=math.nan)
    rows[3] = msgspec.structs.replace(rows[3], open_time=3 * MINUTE + 7)
    rows[4] = msgspec.structs.replace(rows[4], low=0.0)
    rows.insert(6, rows[5])
    desk = Desk(tmp_path, Exchange(rows))
    plan = await desk.fetch(0, 8)
    assert plan.refused == {"not_finite": 1, "off_grid": 1, "not_positive": 1, "duplicate": 1}
    assert desk.stored() == [0, 2, 5, 6, 7]
    assert [gap.missing for gap in plan.gaps] == [1, 2]


async def test_an_exchange_that_does_not_answer_is_asked_again_after_a_pause(tmp_path: Path) -> None:
    desk = Desk(tmp_path, Exchange(at(*range(21))))
    desk.exchange.failures = 3
    plan = await desk.fetch(0, 20)
    assert (plan.new, plan.error) == (20, None)
    assert desk.clock.seconds == 8.0


async def test_an_exchange_that_goes_on_failing_leaves_what_came_and_other_symbols(tmp_path: Path) -> None:
    desk = Desk(tmp_path, Exchange(at(*range(41))))

    def fail_from_the_third_page_on() -> None:
        if len(desk.exchange.asked) > 2:
            desk.exchange.failures = 1

    desk.exchange.before_answer = fail_from_the_third_page_on
    plan = await desk.fetch(0, 40)
    assert (plan.new, plan.error) == (20, "no answer")
    assert plan.gaps == [Gap(20 * MINUTE, 40 * MINUTE, 20)]
    desk.exchange.before_answer = lambda: None
    both = await desk.download.plan([BTC, ETH], 0, 40 * MINUTE)
    await desk.download.run(both, lambda *_: None)
    assert [(plan.new, plan.error) for plan in both] == [(20, None), (40, None)]


async def test_interrupted_it_keeps_what_came_and_goes_on_from_there(tmp_path: Path) -> None:
    desk = Desk(tmp_path, Exchange(at(*range(41))))
    work = asyncio.create_task(desk.fetch(0, 40))

    def interrupt_at_the_third_page() -> None:
        if len(desk.exchange.asked) == 3:
            work.cancel()

    desk.exchange.before_answer = interrupt_at_the_third_page
    with pytest.raises(asyncio.CancelledError):
        await work
    assert desk.stored() == list(range(20))
    desk.exchange.asked.clear()
    assert (await desk.fetch(0, 40)).new == 20
    assert desk.exchange.asked == [(20, 10), (30, 10)]


@given(
    told=st.sets(st.integers(0, 60)),
    stored=st.sets(st.integers(0, 60)),
    start=st.integers(0, 60),
    length=st.integers(1, 60),
)
async def test_afterwards_all_is_there_that_the_exchange_has(tmp_path_factory, told, stored, start, length) -> None:
    desk = Desk(tmp_path_factory.mktemp("candles"), Exchange(at(*sorted(told))))
    desk.store.write("x", BTC, Timeframe.M1, Candles.from_rows(at(*sorted(stored))))
    plan = await desk.fetch(start, start + length)
    inside = set(range(start, start + length))
    closed = told - {max(told, default=0)}
    assert set(desk.stored()) == stored | (closed & inside)
    assert plan.new == len(closed & inside - stored)
    assert sum(gap.missing for gap in plan.gaps) == len(inside - closed - stored)
    assert sum(desk.passed) == plan.wanted
