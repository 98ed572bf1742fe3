from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import select
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

from vela.adapters.storage.sql.database import Database, Purpose
from vela.adapters.storage.sql.record import RECORD_FILE, Record, open_record
from vela.adapters.storage.sql.schema import leases, ledger_entries, metadata, order_events
from vela.domain.candles import CandleFault
from vela.domain.errors import StorageError, StorageLocked
from vela.domain.money import ZERO, add
from vela.domain.order import OrderStatus
from vela.ports.record import CandleCount, Changes, JournalEntry

READ_ONLY = """
import os, sys
from pathlib import Path
from vela.adapters.storage.sql.record import open_record
from vela.domain.errors import StorageError
open_record(Path(sys.argv[1])).close()  # imports what another user might not be able to read
if os.geteuid() == 0:
    os.setuid(65534)
try:
    open_record(Path(sys.argv[2]))
except StorageError as error:
    print(error)
"""

COMMITTER = """
import asyncio, sys
from pathlib import Path
from tests.contract.record_samples import BTC, decision, deposit, planned
from vela.adapters.storage.sql.record import open_record
from vela.ports.record import Changes, JournalEntry

async def work(record):
    number = 0
    while True:
        number += 1
        await record.trading.commit(Changes(
            orders=(planned(f"order-{number}"),),
            ledger=(deposit(f"deposit-{number}", "0.1"),),
            entries=((BTC, number),),
        ))
        await record.journal.append(JournalEntry(number, (), (decision(number),), ()))
        print(number, flush=True)

asyncio.run(work(open_record(Path(sys.argv[1]))))
"""


def dump(directory: Path) -> bytes:
    with Database.at(directory / RECORD_FILE).connect(Purpose.READING) as connection, connection.begin():
        lines = [
            f"{table.name}|{tuple(row)!r}"
            for table in metadata.sorted_tables
            if table is not leases  # they name the process
            for row in connection.execute(select("*").select_from(table)).all()
        ]
    return "\n".join(sorted(lines)).encode()


async def short_life(record: Record) -> None:
    record.claim({"exchange": "simulated", "timeframe": "1m"})
    await record.trading.commit(Changes(ledger=(deposit("start", "1000"),), orders=(planned("a"),)))
    await record.journal.append(
        JournalEntry(
            180,
            (CandleCount(BTC, 2, 0, 60, 1, {CandleFault.DUPLICATE: 1}), CandleCount(ETH_BTC, 1, 0, 0, 0, {})),
            (decision(0), decision(60, ETH_BTC)),
            (wallet(60),),
        )
    )
    await record.trading.commit(
        Changes(
            orders=life("a", OrderStatus.SENT, OrderStatus.FILLED)[1:],
            fills=(fill("f", "a"),),
            positions=(position(), position(ETH_BTC)),
            trades=(trade(3_000),),
            outcomes=(refused("cooldown"), refused("balance", 1_000)),
            entries=((BTC, 1_002),),
        )
    )


async def test_equal_runs_leave_equal_rows(tmp_path):
    for name in ("one", "two"):
        with open_record(tmp_path / name) as record:
            await short_life(record)
    assert dump(tmp_path / "one") == dump(tmp_path / "two")
    assert len(dump(tmp_path / "one").splitlines()) == 26


async def test_every_state_of_an_order_is_kept_in_order(place):
    with place.open() as record:
        await record.trading.commit(Changes(orders=(*life("a", OrderStatus.SENT), planned("b"))))
        await record.trading.commit(Changes(orders=life("a", OrderStatus.SENT, OrderStatus.ACCEPTED)[2:]))
    with place.database().connect(Purpose.READING) as connection, connection.begin():
        events = select(order_events.c.client_order_id, order_events.c.seq, order_events.c.status, order_events.c.time)
        assert connection.execute(events.order_by(*order_events.primary_key)).all() == [
            ("a", 1, OrderStatus.PLANNED, 1_000),
            ("a", 2, OrderStatus.SENT, 1_001),
            ("a", 3, OrderStatus.ACCEPTED, 1_002),
            ("b", 1, OrderStatus.PLANNED, 1_000),
        ]


def test_what_is_claimed_first_holds_and_what_is_not_known_yet_is_added(place):
    with place.open() as record:
        assert record.identity() == {}
        assert record.claim({"exchange": "binance"}) == {"exchange": "binance"}
    with place.open() as record:
        assert record.identity() == {"exchange": "binance"}
        assert record.claim({"exchange": "kraken", "seed": "7"}) == {"exchange": "binance", "seed": "7"}
        assert record.claim({}) == {"exchange": "binance", "seed": "7"}


async def test_identity_and_cursor_do_not_touch_each_other(place):
    with place.open() as record:
        await record.journal.append(JournalEntry(60, (), (), ()))
        record.claim({"exchange": "kraken"})
        assert await record.journal.cursor() == 60
        assert record.identity() == {"exchange": "kraken"}


def test_one_instance_at_a_time(tmp_path):
    with open_record(tmp_path), pytest.raises(StorageLocked, match=f"process {os.getpid()}"):
        open_record(tmp_path)
    open_record(tmp_path).close()


def test_a_failed_opening_lets_go_of_the_directory(tmp_path):
    (tmp_path / RECORD_FILE).write_bytes(b"once upon a time " * 100)
    for _ in range(2):
        with pytest.raises(StorageError, match="is not a database"):
            open_record(tmp_path)
    (tmp_path / RECORD_FILE).unlink()
    open_record(tmp_path).close()


def test_a_directory_that_is_a_file_is_named(tmp_path):
    (tmp_path / "data").write_text("")
    with pytest.raises(StorageError, match="data cannot be made: File exists; accepted: a writable directory"):
        open_record(tmp_path / "data")


def test_a_read_only_directory_is_named():
    # Not below pytest's own directory, which others than its owner may not enter.
    with tempfile.TemporaryDirectory() as folder:
        open_to_all = Path(folder)
        open_to_all.chmod(0o755)
        data = open_to_all / "data"
        data.mkdir(mode=0o555)
        done = subprocess.run(
            [sys.executable, "-c", READ_ONLY, str(open_to_all / "warm"), str(data)],
            capture_output=True,
            text=True,
            check=False,
        )
    assert "data cannot be written: Permission denied; accepted: a writable one" in done.stdout, done.stderr


def test_a_new_record_is_there_at_once(tmp_path):
    open_record(tmp_path / "warm").close()
    begin = time.process_time()  # not what others on this machine take
    open_record(tmp_path / "new").close()
    assert time.process_time() - begin < 0.5


async def test_both_writers_and_the_reader_take_turns(place):
    with place.open() as record:
        for number in range(1, 51):
            await record.trading.commit(Changes(orders=(planned(str(number), time=number),)))
            await record.journal.append(JournalEntry(number, (), (decision(number),), (wallet(number),)))
            summary = record.reader.summary()
            assert (summary.orders, summary.decisions) == (number, number)


async def test_the_journal_need_not_know_a_symbol_that_the_trading_record_added(place):
    with place.open() as record:
        await record.trading.commit(Changes(orders=(planned("a"),)))
        await record.journal.append(JournalEntry(1, (), (decision(1),), ()))
        with pytest.raises(StorageError):
            await record.trading.commit(Changes(orders=(planned("b", ETH_BTC),), fills=(fill("f", "ghost", ETH_BTC),)))
        await record.trading.commit(Changes(orders=(planned("b", ETH_BTC),)))


def commit_until_killed(directory: Path) -> int:
    root = Path(__file__).resolve().parents[5]
    with subprocess.Popen(
        [sys.executable, "-c", COMMITTER, str(directory)], stdout=subprocess.PIPE, text=True, cwd=root
    ) as process:
        assert process.stdout is not None
        while (line := process.stdout.readline()) and int(line) < 200:
            pass
        process.kill()
        return int([line, *process.stdout.read().splitlines()][-1])


async def test_a_killed_process_loses_nothing_it_acknowledged(tmp_path):
    acknowledged = commit_until_killed(tmp_path)
    with open_record(tmp_path) as record:
        account = await record.trading.load()
        assert len(account.orders) in (acknowledged, acknowledged + 1)
        assert record.reader.summary().decisions >= acknowledged
        assert account.entries[BTC] == len(account.orders)
        assert account.balances["cash", "USDT"] * 10 == len(account.orders)
    assert sums_of_entries(tmp_path) == account.balances
    assert add(*account.balances.values()) == ZERO


def sums_of_entries(directory: Path) -> dict[tuple[str, str], Decimal]:
    sums: dict[tuple[str, str], Decimal] = {}
    with Database.at(directory / RECORD_FILE).connect(Purpose.READING) as connection, connection.begin():
        for row in connection.execute(select(ledger_entries)):
            sums[row.account, row.asset] = add(sums.get((row.account, row.asset), ZERO), row.amount)
    return sums
