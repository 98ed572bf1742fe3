from __future__ import annotations

from pathlib import Path

import pytest
from tests.places import RecordPlace

from vela.adapters.storage.sql.database import Purpose
from vela.adapters.storage.sql.record import open_record
from vela.domain.errors import StorageError


def test_entries_come_back_in_order_under_their_numbers(place: RecordPlace) -> None:
    with place.open() as record:
        record.paper_log.append("first")
        record.paper_log.append("second ✓")
    with place.open() as record:
        record.paper_log.append("third")
        assert list(record.paper_log.entries()) == [(1, "first"), (2, "second ✓"), (3, "third")]


def test_an_entry_that_cannot_be_written_leaves_nothing_and_the_next_takes_its_number(place: RecordPlace) -> None:
    with place.open() as record:
        record.paper_log.append("first")
        place.execute("INSERT INTO paper_events VALUES (2, 'from elsewhere')")
        with pytest.raises(StorageError):
            record.paper_log.append("second")
        place.execute("DELETE FROM paper_events WHERE number = 2")
        record.paper_log.append("second")
        assert list(record.paper_log.entries()) == [(1, "first"), (2, "second")]


def test_an_entry_whose_answer_was_lost_counts_when_the_log_is_read_again(place: RecordPlace) -> None:
    with place.open() as record:
        record.paper_log.append("first")
        place.execute("INSERT INTO paper_events VALUES (2, 'committed, but never told')")
        assert [number for number, _ in record.paper_log.entries()] == [1, 2]
        record.paper_log.append("third")
        assert [number for number, _ in record.paper_log.entries()] == [1, 2, 3]


@pytest.mark.parametrize(("trading", "expected"), [(Purpose.TRADING, 2), (Purpose.JOURNAL, 1)])
def test_how_durable_trading_is_can_be_chosen(tmp_path: Path, trading: Purpose, expected: int) -> None:
    with open_record(tmp_path, trading=trading) as record:
        assert record._own.exec_driver_sql("PRAGMA synchronous").scalar_one() == expected
