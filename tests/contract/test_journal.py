from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from tests.contract.record_samples import BTC, ETH_BTC, decision, wallet
from tests.places import RecordPlace

from vela.adapters.storage.sql.record import Record
from vela.domain.candles import CandleFault
from vela.ports.record import CandleCount, JournalEntry

Reopen = Callable[[], Record]


@pytest.fixture
def reopen(place: RecordPlace) -> Iterator[Reopen]:
    """Opens the record; called again, closes and opens it as a restart would."""
    opened: list[Record] = []

    def again() -> Record:
        if opened:
            opened.pop().close()
        opened.append(place.open())
        return opened[-1]

    yield again
    for record in opened:
        record.close()


@pytest.fixture
def record(reopen: Reopen) -> Record:
    return reopen()


def counted(accepted: int, first: int, last: int, symbol=BTC, missing: int = 0, **refused: int) -> CandleCount:
    return CandleCount(symbol, accepted, first, last, missing, {CandleFault(k): n for k, n in refused.items()})


async def test_a_new_journal_has_no_cursor(record):
    assert await record.journal.cursor() is None


async def test_an_entry_is_there_after_a_restart(record, reopen):
    entry = JournalEntry(
        180,
        (counted(3, 0, 120, missing=1, not_finite=2),),
        (decision(0), decision(60), decision(60, ETH_BTC)),
        (wallet(60), wallet(120)),
    )
    await record.journal.append(entry)
    record = reopen()
    assert await record.journal.cursor() == 180
    summary = record.reader.summary()
    assert (summary.candles, summary.decisions, summary.missing_candles) == (3, 3, 1)
    assert summary.refused_candles == {"not_finite": 2}
    assert record.reader.decisions(limit=10) == [decision(60), decision(60, ETH_BTC), decision(0)]
    assert record.reader.newest_wallet() == wallet(120)


async def test_the_same_stretch_again_changes_nothing(record):
    entry = JournalEntry(180, (counted(3, 0, 120, duplicate=1),), (decision(0), decision(60)), (wallet(120),))
    await record.journal.append(entry)
    once = record.reader.summary()
    await record.journal.append(entry)
    assert record.reader.summary() == once
    assert await record.journal.cursor() == 180


async def test_an_older_entry_neither_counts_nor_moves_the_cursor_back(record):
    await record.journal.append(JournalEntry(180, (counted(3, 0, 120),), (decision(60),), ()))
    await record.journal.append(JournalEntry(120, (counted(2, 0, 60),), (decision(0),), ()))
    assert await record.journal.cursor() == 180
    assert record.reader.summary().candles == 3
    assert record.reader.decisions(limit=10) == [decision(60), decision(0)]


async def test_entries_add_up(record):
    await record.journal.append(JournalEntry(120, (counted(2, 0, 60, duplicate=1),), (), ()))
    await record.journal.append(
        JournalEntry(
            240, (counted(1, 180, 180, missing=1, duplicate=2, revised=1), counted(1, 180, 180, ETH_BTC)), (), ()
        )
    )
    summary = record.reader.summary()
    assert (summary.candles, summary.missing_candles) == (4, 1)
    assert summary.refused_candles == {"duplicate": 3, "revised": 1}


async def test_a_decision_already_made_stays_as_it_is(record):
    await record.journal.append(JournalEntry(60, (), (decision(0, reason="no_signal"),), ()))
    await record.journal.append(JournalEntry(120, (), (decision(0, reason="not_applicable"), decision(60)), ()))
    assert [made.reason for made in record.reader.decisions(limit=10)] == ["no_signal", "no_signal"]


async def test_a_later_mark_of_the_same_moment_replaces_the_earlier(record):
    await record.journal.append(JournalEntry(60, (), (), (wallet(60, "600"), wallet(60, "601"))))
    assert record.reader.newest_wallet() == wallet(60, "601")
    await record.journal.append(JournalEntry(120, (), (), (wallet(60, "602"),)))
    assert record.reader.newest_wallet() == wallet(60, "602")


async def test_symbols_that_only_sent_bad_candles_are_counted(record):
    await record.journal.append(JournalEntry(60, (counted(0, 0, 0, not_positive=4),), (), ()))
    await record.journal.append(JournalEntry(120, (counted(1, 60, 60),), (), ()))
    summary = record.reader.summary()
    assert summary.candles == 1
    assert summary.refused_candles == {"not_positive": 4}


async def test_candles_of_a_round_that_has_only_begun_are_counted_once(record, reopen):
    assert await record.journal.begun() is None
    await record.journal.append(JournalEntry(60, (counted(1, 0, 0),), (), (), 120))
    assert (await record.journal.cursor(), await record.journal.begun()) == (60, 120)
    await record.journal.append(JournalEntry(60, (), (decision(60),), (), 120))
    record = reopen()
    assert (await record.journal.cursor(), await record.journal.begun()) == (60, 120)
    await record.journal.append(JournalEntry(60, (counted(1, 0, 0),), (decision(60),), (), 120))
    summary = record.reader.summary()
    assert (summary.candles, summary.decisions) == (1, 1)
    await record.journal.append(JournalEntry(120, (counted(1, 60, 60),), (), (), 180))
    assert (await record.journal.cursor(), await record.journal.begun()) == (120, 180)
    assert record.reader.summary().candles == 2


async def test_whole_rounds_go_on_after_one_that_had_begun(record):
    await record.journal.append(JournalEntry(60, (counted(1, 0, 0),), (), (), 120))
    await record.journal.append(JournalEntry(180, (counted(1, 60, 60),), (), ()))
    assert (await record.journal.cursor(), await record.journal.begun()) == (180, 180)
    assert record.reader.summary().candles == 2
