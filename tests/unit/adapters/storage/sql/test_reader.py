from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from itertools import pairwise

import pytest
from tests.contract.record_samples import (
    BTC,
    ETH_BTC,
    decision,
    deposit,
    fill,
    life,
    planned,
    position,
    refused,
    trade,
    wallet,
)

from vela.domain.candles import CandleFault
from vela.domain.order import OrderStatus
from vela.ports.record import CandleCount, Changes, JournalEntry, LedgerTransaction, Posting, Summary

BUY = LedgerTransaction(
    "buy",
    2,
    (
        Posting("cash", "USDT", Decimal("-600.6")),
        Posting("cost", "USDT", Decimal(600)),
        Posting("fees", "USDT", Decimal("0.6")),
    ),
)
OTHER_ASSET = LedgerTransaction(
    "base",
    2,
    (
        Posting("fees", "BTC", Decimal("0.1")),
        Posting("holdings", "BTC", Decimal(1)),
        Posting("market", "BTC", Decimal("-1.1")),
    ),
)
# Sold at a profit of 30, for a fee of 0.63.
SELL = LedgerTransaction(
    "sell",
    3,
    (
        Posting("cash", "USDT", Decimal("629.37")),
        Posting("cost", "USDT", Decimal(-600)),
        Posting("realised", "USDT", Decimal(-30)),
        Posting("fees", "USDT", Decimal("0.63")),
    ),
)


@pytest.fixture
def record(place):
    with place.open() as record:
        yield record


def test_a_new_record_reads_as_nothing(record):
    reader = record.reader
    zero = Decimal(0)
    assert reader.summary() == Summary(0, 0, 0, 0, 0, 0, 0, {}, {}, 0, zero, zero, zero, zero)
    for read in (reader.trades, reader.orders, reader.fills, reader.decisions, reader.outcomes):
        assert read(limit=10) == []
    assert reader.positions() == []
    assert reader.newest_wallet() is None
    assert reader.equity_curve(points=10) == []


async def test_the_summary_counts_what_the_tables_hold(record):
    await record.trading.commit(
        Changes(
            orders=(*life("a", OrderStatus.SENT, OrderStatus.FILLED), planned("b")),
            fills=(fill("f", "a"),),
            positions=(position(),),
            trades=(trade(3), trade(4)),
            outcomes=(refused("cooldown", 1), refused("cooldown", 2), refused("balance", 3)),
            ledger=(deposit("start", "1000"), OTHER_ASSET, BUY),
        )
    )
    counts = (
        CandleCount(BTC, 5, 0, 300, 1, {CandleFault.REVISED: 2}),
        CandleCount(ETH_BTC, 6, 0, 300, 0, {CandleFault.REVISED: 1, CandleFault.OFF_GRID: 1}),
    )
    await record.journal.append(JournalEntry(360, counts, (decision(0),), (wallet(60), wallet(120, "700.5"))))
    assert record.reader.summary() == Summary(
        candles=11,
        decisions=1,
        signals=3,
        orders=2,
        fills=1,
        trades=2,
        open_positions=1,
        refused={"balance": 1, "cooldown": 2},
        refused_candles={"off_grid": 1, "revised": 3},
        missing_candles=1,
        initial_capital=Decimal(1000),
        final_equity=Decimal("1099.90"),
        realised_pnl=Decimal(0),
        fees=Decimal("0.60"),
    )


async def test_money_is_right_before_the_account_is_marked_and_after_it_has_moved_on(record):
    await record.trading.commit(Changes(ledger=(deposit("start", "1000"), BUY)))
    assert record.reader.summary().final_equity == Decimal("999.4")
    await record.journal.append(JournalEntry(60, (), (), (wallet(60, "640"),)))
    assert record.reader.summary().final_equity == Decimal("1039.40")
    await record.trading.commit(Changes(ledger=(SELL,)))
    summary = record.reader.summary()
    assert (summary.initial_capital, summary.final_equity) == (Decimal(1000), Decimal("1028.77"))
    assert (summary.realised_pnl, summary.fees) == (Decimal(30), Decimal("1.23"))
    assert summary.initial_capital + summary.realised_pnl - summary.fees == summary.final_equity


async def test_pages_come_newest_first_and_end_before_the_time_given(record):
    await record.trading.commit(
        Changes(
            orders=tuple(planned(name, time=time) for name, time in (("a", 10), ("b", 30), ("c", 20))),
            fills=(fill("f1", "a", time=10), fill("f2", "b", time=30), fill("f3", "c", time=20)),
            trades=(trade(10), trade(30), trade(20)),
            outcomes=(refused("x", 10), refused("x", 30, ETH_BTC), refused("x", 20)),
        )
    )
    await record.journal.append(JournalEntry(40, (), (decision(10), decision(30, ETH_BTC), decision(20)), ()))
    reader = record.reader
    assert [order.client_order_id for order in reader.orders(limit=2)] == ["b", "c"]
    assert [order.client_order_id for order in reader.orders(limit=2, before=20)] == ["a"]
    assert reader.fills(limit=1, before=30) == [fill("f3", "c", time=20)]
    assert reader.trades(limit=9, before=30) == [trade(20), trade(10)]
    assert reader.decisions(limit=1) == [decision(30, ETH_BTC)]
    assert reader.decisions(limit=9, symbol=BTC, before=20) == [decision(10)]
    assert reader.outcomes(limit=9, symbol=BTC) == [refused("x", 20), refused("x", 10)]
    assert reader.outcomes(limit=9, before=11) == [refused("x", 10)]


async def test_open_positions_come_by_symbol(record):
    await record.trading.commit(Changes(positions=(position(ETH_BTC), position(BTC))))
    assert record.reader.positions() == [position(BTC), position(ETH_BTC)]


async def test_a_short_equity_curve_comes_whole(record):
    await record.journal.append(JournalEntry(1, (), (), (wallet(60), wallet(120, "700"), wallet(180, "500"))))
    whole = [(60, 999.4), (120, 1099.4), (180, 899.4)]
    assert record.reader.equity_curve(points=3) == whole
    assert record.reader.equity_curve(points=99) == whole


@pytest.mark.parametrize("points", [1, 2, 3, 10, 49])
async def test_a_long_equity_curve_is_sampled_evenly_from_end_to_end(record, points):
    await record.journal.append(JournalEntry(1, (), (), tuple(wallet(time, str(time)) for time in range(50))))
    times = [time for time, _ in record.reader.equity_curve(points=points)]
    assert len(times) == points
    assert times[0] == 0
    assert times == sorted(times)
    if points > 1:
        assert times[-1] == 49
        steps = [later - earlier for earlier, later in pairwise(times)]
        assert max(steps) - min(steps) <= 1


async def test_a_long_silence_does_not_repeat_a_mark(record):
    times = [0, 1, 2, 3, 4, 1_000]
    await record.journal.append(JournalEntry(1, (), (), tuple(wallet(time) for time in times)))
    assert [time for time, _ in record.reader.equity_curve(points=5)] == [0, 4, 1_000]


async def test_threads_may_read_at_the_same_time(record):
    await record.trading.commit(Changes(orders=tuple(planned(str(number), time=number) for number in range(50))))
    with ThreadPoolExecutor(4) as pool:
        pages = list(pool.map(lambda _: record.reader.orders(limit=50), range(40)))
    assert all(page == pages[0] for page in pages)
