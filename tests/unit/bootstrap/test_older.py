"""The older system's file, taken into a record on either database."""

from __future__ import annotations

import asyncio
import hashlib
import json
import sqlite3
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import select
from tests.contract.record_samples import deposit, fill, life
from tests.places import PostgresPlace, RecordPlace
from tests.unit.bootstrap.places import settings_of

from vela.adapters.storage.sql.database import Purpose
from vela.adapters.storage.sql.schema import market_snapshots, metadata, older_signals, older_trades, older_wallets
from vela.bootstrap.older import Import, import_older
from vela.domain.errors import ConfigurationError, StorageLocked
from vela.domain.order import OrderStatus
from vela.domain.trading_symbol import TradingSymbol
from vela.ports.record import Changes

SCRIPT = """
CREATE TABLE trades (id INTEGER PRIMARY KEY, symbol TEXT, side TEXT, price REAL, quantity REAL, fee REAL, pnl REAL,
    timestamp TEXT, strategy TEXT, note TEXT);
INSERT INTO trades VALUES
    (1, 'BTC', 'BUY', 0.1, 0.3, 1e-05, NULL, '2023-11-14 22:13:20', 'sma', 'first'),
    (2, 'BTCUSDT', 'SELL', 64123.45, 0.3, 0.02, 12.5, '2023-11-14T22:14:20Z', NULL, NULL),
    (3, '{"base": "ETH", "quote": "BTC", "full": "ETHBTC"}', 'buy', 0.05, 1, 0, 0, 1700000000, NULL, NULL),
    (4, 'banana', 'BUY', 1, 1, 0, 0, 1700000000, NULL, NULL),
    (5, 'BTC', 'BUY', -1, 1, 0, 0, 1700000000, NULL, NULL),
    (9, 'BTC', 'BUY', 1, 1e999, 0, 0, 1700000000, NULL, NULL);
CREATE TABLE signals (symbol TEXT, signal TEXT, confidence REAL, ts INTEGER);
INSERT INTO signals VALUES ('ethusdt', 'HOLD', 0.7, 1700000000123), ('ETH', 'perhaps', 0.7, 1700000000123);
CREATE TABLE wallet (balance REAL, timestamp INTEGER);
INSERT INTO wallet VALUES (1000.1, 1700000000), (999.9, 1700000060);
CREATE TABLE market_snapshots (symbol TEXT, price TEXT, volume REAL, timestamp REAL);
INSERT INTO market_snapshots VALUES ('SOL/USDT', '12.340', 5.5, 1700000000.5);
CREATE TABLE settings (name TEXT);
INSERT INTO settings VALUES ('x');
"""
TABLES = (older_trades, older_signals, older_wallets, market_snapshots)


@pytest.fixture
def older(tmp_path: Path) -> Path:
    path = tmp_path / "older" / "trading.db"
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(SCRIPT)
    return path


def take(place: RecordPlace, older: Path, **options: object) -> Import:
    values = {"source": None, "assets": None, "report": None} | options
    return import_older(settings_of(place), older, **values)  # type: ignore[arg-type]


def counts(done: Import) -> dict[str, tuple[int, int, int]]:
    return {name: (table.taken, table.known, table.left) for name, table in done.tables.items()}


def held(place: RecordPlace) -> dict[str, list[tuple[object, ...]]]:
    """Return all rows of all tables but those that the import fills and the leases."""
    with place.database().connect(Purpose.READING) as connection, connection.begin():
        return {
            table.name: sorted(map(tuple, connection.execute(select(table))), key=repr)
            for table in metadata.sorted_tables
            if table not in TABLES and table.name not in {"symbols", "leases"}
        }


FIRST = {
    "trades": (3, 0, 3),
    "signals": (1, 0, 1),
    "wallet": (2, 0, 0),
    "market_snapshots": (1, 0, 0),
    "settings": (0, 0, 1),
}


def test_rows_are_taken_digit_for_digit_and_twice_is_as_once(place: RecordPlace, older: Path) -> None:
    done = take(place, older)
    assert counts(done) == FIRST
    assert done.left == 5
    assert counts(take(place, older)) == {name: (0, taken, left) for name, (taken, _, left) in FIRST.items()}
    with place.database().connect(Purpose.READING) as connection, connection.begin():
        trades = connection.execute(select(older_trades).order_by(older_trades.c.number)).all()
        [signal] = connection.execute(select(older_signals))
        wallets = connection.execute(select(older_wallets).order_by(older_wallets.c.number)).all()
        [snapshot] = connection.execute(select(market_snapshots))
    assert [(row.source, row.number, str(row.symbol), row.side, row.time) for row in trades] == [
        ("trading", 1, "BTC", "BUY", 1_700_000_000_000),
        ("trading", 2, "BTC", "SELL", 1_700_000_060_000),
        ("trading", 3, "ETH/BTC", "BUY", 1_700_000_000_000),
    ]
    assert [(str(row.price), str(row.quantity), row.fee, row.pnl) for row in trades] == [
        ("0.1", "0.3", Decimal("0.00001"), None),
        ("64123.45", "0.3", Decimal("0.02"), Decimal("12.5")),
        ("0.05", "1.0", Decimal(0), Decimal(0)),
    ]
    assert (trades[0].strategy, trades[0].rest) == ("sma", {"id": 1, "note": "first"})
    assert (signal.action, signal.confidence, signal.time) == ("HOLD", Decimal("0.7"), 1_700_000_000_123)
    assert [(row.asset, str(row.amount)) for row in wallets] == [("USDT", "1000.1"), ("USDT", "999.9")]
    assert (snapshot.symbol, str(snapshot.price), snapshot.time) == (TradingSymbol("SOL"), "12.340", 1_700_000_000_500)


def test_the_accounts_books_are_not_touched(place: RecordPlace, older: Path) -> None:
    with place.open() as record:
        states = life("o1", OrderStatus.SENT, OrderStatus.FILLED)
        booked = Changes(orders=states, fills=(fill("f1", "o1"),), ledger=(deposit("d1", "1000"),))
        asyncio.run(record.trading.commit(booked))
        before = asyncio.run(record.trading.load())
        summary = record.reader.summary()
    rows = held(place)
    take(place, older)
    assert held(place) == rows
    with place.open() as record:
        assert asyncio.run(record.trading.load()) == before
        assert record.reader.summary() == summary


def test_every_row_is_accounted_for(place: RecordPlace, older: Path, tmp_path: Path) -> None:
    report = tmp_path / "rows.jsonl"
    take(place, older, report=report)
    lines = [json.loads(line) for line in report.read_text().splitlines()]
    assert [(line["table"], line["row"], line["fate"]) for line in lines if line["table"] == "trades"] == [
        ("trades", 1, "taken"),
        ("trades", 2, "taken"),
        ("trades", 3, "taken"),
        ("trades", 4, "left"),
        ("trades", 5, "left"),
        ("trades", 9, "left"),
    ]
    reasons = [line["reason"] for line in lines if line["fate"] == "left"]
    assert len(lines) == 11
    for reason, begin in zip(
        sorted(reasons),
        (
            "price: -1.0 is not above zero",
            "quantity: 'inf' is not",
            "signal: 'perhaps' is none of",
            "symbol: symbol: 'ban",
        ),
        strict=True,
    ):
        assert reason.startswith(begin)
    with pytest.raises(ConfigurationError, match=r"--report: .* is there already"):
        take(place, older, report=report)


def test_the_older_file_stays_as_it_is(sqlite_place: RecordPlace, older: Path) -> None:
    with closing(sqlite3.connect(older)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")

    def state() -> list[tuple[object, ...]]:
        return [
            (path.name, hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns)
            for path in sorted(older.parent.iterdir())
        ]

    before = state()
    assert counts(take(sqlite_place, older)) == FIRST
    assert state() == before


def test_what_the_older_system_has_not_brought_into_its_file_yet_is_read_too(
    sqlite_place: RecordPlace, older: Path
) -> None:
    with closing(sqlite3.connect(older)) as running:
        running.execute("PRAGMA journal_mode = WAL")
        with running:
            running.execute("INSERT INTO wallet VALUES (5, 1700000120)")
        assert take(sqlite_place, older).tables["wallet"].taken == 3


def test_rows_that_came_later_are_taken_and_changed_ones_are_not(place: RecordPlace, older: Path) -> None:
    take(place, older)
    with closing(sqlite3.connect(older)) as connection, connection:
        connection.execute("INSERT INTO wallet VALUES (5, 1700000120)")
        connection.execute("UPDATE trades SET price = 0.2 WHERE id = 1")
    done = take(place, older)
    assert counts(done) == {
        **{name: (0, taken, left) for name, (taken, _, left) in FIRST.items()},
        "wallet": (1, 2, 0),
        "trades": (0, 2, 4),
    }
    assert counts(take(place, older, source="again"))["trades"] == (3, 0, 3)


def test_a_failure_on_the_way_leaves_nothing(place: RecordPlace, older: Path, tmp_path: Path, monkeypatch) -> None:
    place.open().close()
    rows, report = held(place), tmp_path / "rows.jsonl"

    def fail(*_arguments: object) -> object:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("vela.adapters.storage.older.importer._Taker._digests", _second_time(fail))
        with pytest.raises(KeyboardInterrupt):
            take(place, older, report=report)
    assert held(place) == rows
    assert not report.exists()
    assert counts(take(place, older, report=report)) == FIRST


def _second_time(fail):
    calls: list[object] = []

    def answer(*arguments: object) -> object:
        calls.append(arguments)
        return fail() if len(calls) > 1 else {}

    return answer


def test_a_record_in_use_is_left_alone(place: RecordPlace, older: Path) -> None:
    with place.open(), pytest.raises(StorageLocked):
        take(place, older)


def test_a_record_is_made_where_there_is_none(sqlite_place: RecordPlace, older: Path, postgres) -> None:
    name = postgres.new_database()
    for place in (sqlite_place, PostgresPlace(postgres, name, sqlite_place.data_dir)):
        assert counts(take(place, older)) == FIRST


def test_assets_that_are_not_known_can_be_named(sqlite_place: RecordPlace, older: Path) -> None:
    with closing(sqlite3.connect(older)) as connection, connection:
        connection.execute(
            "INSERT INTO trades SELECT 20, '77COW', side, 1, 1, 0, 0, timestamp, NULL, NULL FROM trades LIMIT 1"
        )
    assert take(sqlite_place, older).tables["trades"].left == 4
    assert take(sqlite_place, older, assets="77cow, BTC").tables["trades"].left == 3
    with pytest.raises(ConfigurationError, match="--assets: '7/7' is no asset name"):
        take(sqlite_place, older, assets="7/7")


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("CREATE TABLE trades (a, b)", "no column for symbol; accepted: symbol, pair"),
        ("CREATE TABLE wallet (time TEXT PRIMARY KEY, balance) WITHOUT ROWID", "its rows have no numbers"),
        ("CREATE TABLE wallet (time, rowid, _rowid_, oid, balance)", "its rows have no numbers"),
        ("CREATE TABLE wallet (time, balance); CREATE TABLE wallets (time, balance)", "another table of this file"),
        ('CREATE TABLE "odd ""name" (time)', "this program has no use for it"),
    ],
)
def test_a_table_that_cannot_be_used_is_left_whole(
    sqlite_place: RecordPlace, tmp_path: Path, script: str, reason: str
) -> None:
    path = tmp_path / "odd.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(script)
    *_, last = take(sqlite_place, path).tables.values()
    assert last.reason.startswith(reason)


@pytest.mark.parametrize("content", [None, b"", b"garbage" * 1_000])
def test_what_is_no_such_file_is_a_mistake(sqlite_place: RecordPlace, tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "x.db"
    if content is not None:
        path.write_bytes(content)
    if content == b"":  # to SQLite an empty file is a database without tables
        assert take(sqlite_place, path).tables == {}
        return
    with pytest.raises(ConfigurationError, match="accepted: the older system's SQLite file"):
        take(sqlite_place, path)


@pytest.mark.parametrize("source", ["", "x" * 101, "a\nb"])
def test_a_source_is_a_name(sqlite_place: RecordPlace, older: Path, source: str) -> None:
    with pytest.raises(ConfigurationError, match="--source was"):
        take(sqlite_place, older, source=source)
