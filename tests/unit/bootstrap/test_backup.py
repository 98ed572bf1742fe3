"""Copies of the record, on both databases."""

from __future__ import annotations

import asyncio
import threading
import zipfile
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from tests.contract.record_samples import deposit, fill, life, trade
from tests.places import PostgresPlace, RecordPlace
from tests.unit.bootstrap.places import settings_of

from vela.adapters.storage.backup import postgresql
from vela.adapters.storage.backup.archive import MANIFEST, read_manifest
from vela.adapters.storage.sql.database import Purpose
from vela.adapters.storage.sql.migration import HEAD
from vela.adapters.storage.sql.record import RECORD_FILE, Record
from vela.bootstrap.backup import back_up, check_copy, migrate, restore
from vela.domain.errors import ConfigurationError, StorageError, StorageLocked
from vela.domain.order import OrderStatus
from vela.ports.record import Changes

OLDER = f"{int(HEAD) - 1:04}"


def empty_place(place: RecordPlace, tmp_path: Path) -> RecordPlace:
    if isinstance(place, PostgresPlace):
        return PostgresPlace(place.server, place.server.new_database(), tmp_path / "other")
    return type(place)(tmp_path / "other")


def write(record: Record, number: int) -> None:
    """Commit an order, its fill, its booking and its trade: none is there without the others."""
    order = f"o{number}"
    states = life(order, OrderStatus.SENT, OrderStatus.FILLED, time=number * 10)
    changes = Changes(
        orders=states[-1:],
        fills=(fill(f"f{number}", order, time=number),),
        trades=(trade(number),),
        ledger=(deposit(f"d{number}", "0.01"),),
    )
    asyncio.run(record.trading.commit(changes))


def held(place: RecordPlace) -> tuple[int, ...]:
    """Return how much of each kind there is, and whether the books are right."""
    with place.database().connect(Purpose.READING) as connection, connection.begin():
        counts = [
            connection.exec_driver_sql(f"SELECT COUNT(*) FROM {table}").scalar_one()  # noqa: S608  ours
            for table in ("orders", "fills", "trades")
        ]
        lines = connection.exec_driver_sql("SELECT account, amount FROM ledger_entries").all()
        balances = {
            row[0]: Decimal(row[1]) for row in connection.exec_driver_sql("SELECT account, amount FROM balances")
        }
    booked = {
        account: sum((Decimal(amount) for name, amount in lines if name == account), Decimal(0)) for account in balances
    }
    assert booked == balances
    assert sum(balances.values(), Decimal(0)) == 0
    return (*counts, len(lines) // 2)


def test_a_copy_comes_back_whole(place: RecordPlace, tmp_path: Path) -> None:
    with place.open() as record:
        for number in range(1, 6):
            write(record, number)
    copy = back_up(settings_of(place), tmp_path, overwrite=False)
    assert copy.path.parent == tmp_path
    assert (copy.manifest.schema, copy.manifest.database) == (HEAD, place.kind)
    assert {name: copy.manifest.rows[name] for name in ("orders", "ledger_entries")} == {
        "orders": 5,
        "ledger_entries": 10,
    }
    assert check_copy(copy.path) == copy
    other = empty_place(place, tmp_path)
    assert restore(settings_of(other), copy.path, overwrite=False) == copy
    assert held(other) == (5, 5, 5, 5)
    with other.open() as record:
        write(record, 6)
    assert (held(other), held(place)) == ((6, 6, 6, 6), (5, 5, 5, 5))
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == [copy.path.name]


def test_a_copy_taken_while_a_session_writes_is_of_one_moment(place: RecordPlace, tmp_path: Path) -> None:
    stop, numbers = threading.Event(), []
    with place.open() as record:
        write(record, 0)

        def trade_on() -> None:
            number = 1
            while not stop.is_set():
                write(record, number)
                numbers.append(number)
                number += 1

        trading = threading.Thread(target=trade_on)
        trading.start()
        try:
            copies = [back_up(settings_of(place), tmp_path / f"{n}.zip", overwrite=False) for n in range(3)]
        finally:
            stop.set()
            trading.join()
    other = empty_place(place, tmp_path)
    found: list[int] = []
    for copy in copies:
        restore(settings_of(other), copy.path, overwrite=True)
        counts = held(other)
        assert len(set(counts)) == 1, counts
        found.append(counts[0])
    assert found == sorted(found)
    assert held(place)[0] == len(numbers) + 1


def test_a_record_is_never_replaced_without_being_told(place: RecordPlace, tmp_path: Path) -> None:
    with place.open() as record:
        write(record, 1)
    copy = back_up(settings_of(place), tmp_path, overwrite=False)
    with place.open() as record:
        write(record, 2)
    with pytest.raises(ConfigurationError, match=r"holds a record; accepted: .* --overwrite"):
        restore(settings_of(place), copy.path, overwrite=False)
    assert held(place) == (2, 2, 2, 2)
    replaced = restore(settings_of(place), copy.path, overwrite=True)
    assert held(place) == (1, 1, 1, 1)
    if replaced.kept is not None:
        replaced.kept.replace(place.data_dir / RECORD_FILE)
        assert held(place) == (2, 2, 2, 2)
    assert (replaced.kept is not None) == (place.kind == "sqlite")


def test_a_copy_is_never_replaced_without_being_told(place: RecordPlace, tmp_path: Path) -> None:
    place.open().close()
    copy = tmp_path / "copy.zip"
    copy.write_text("precious")
    with pytest.raises(ConfigurationError, match="is there already; accepted: another name, or --overwrite"):
        back_up(settings_of(place), copy, overwrite=False)
    assert copy.read_text() == "precious"
    back_up(settings_of(place), copy, overwrite=True)
    check_copy(copy)


def test_a_running_system_keeps_its_record(place: RecordPlace, tmp_path: Path) -> None:
    with place.open() as record:
        write(record, 1)
        copy = back_up(settings_of(place), tmp_path, overwrite=False)
        for data_dir in (place.data_dir, tmp_path / "elsewhere"):
            if place.kind == "sqlite" and data_dir != place.data_dir:
                continue  # another directory is another record
            with pytest.raises(StorageLocked):
                restore(settings_of(place, data_dir), copy.path, overwrite=True)
            with pytest.raises(StorageLocked):
                migrate(settings_of(place, data_dir), OLDER)
            assert migrate(settings_of(place, data_dir)).before == HEAD  # nothing is to be done
        write(record, 2)
    assert held(place) == (2, 2, 2, 2)


@pytest.mark.parametrize("damage", ["cut", "flipped", "newer", "rows"])
def test_a_damaged_or_newer_copy_is_refused_and_the_record_stays(
    place: RecordPlace, tmp_path: Path, damage: str
) -> None:
    with place.open() as record:
        write(record, 1)
    copy = back_up(settings_of(place), tmp_path, overwrite=False)
    spoil(copy.path, damage)
    for attempt in (lambda: restore(settings_of(place), copy.path, overwrite=True), lambda: check_copy(copy.path)):
        if damage == "rows" and place.kind == "postgresql":
            continue  # what is in a dump is counted where it was restored
        with pytest.raises(StorageError, match=rf"has schema 9999.* knows up to {HEAD}|damaged"):
            attempt()
    assert held(place) == (1, 1, 1, 1)
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == [copy.path.name]


def spoil(copy: Path, damage: str) -> None:
    content = copy.read_bytes()
    if damage == "cut":
        copy.write_bytes(content[: len(content) // 2])
    elif damage == "flipped":
        middle = len(content) // 2
        flipped = bytes(byte ^ 1 for byte in content[middle : middle + 64])
        copy.write_bytes(content[:middle] + flipped + content[middle + 64 :])
    else:
        manifest = read_manifest(copy)
        with zipfile.ZipFile(copy) as archive:
            database = archive.read(manifest.member)
        changed = {"schema": "9999"} if damage == "newer" else {"rows": manifest.rows | {"orders": 7}}
        with zipfile.ZipFile(copy, "w") as archive:
            archive.writestr(MANIFEST, msgspec.json.encode(msgspec.structs.replace(manifest, **changed)))
            archive.writestr(manifest.member, database)


def test_who_was_replaced_can_write_no_more(postgresql_place: RecordPlace, tmp_path: Path) -> None:
    place = postgresql_place
    with place.open() as record:
        write(record, 1)
        token = record.lease.token
        copy = back_up(settings_of(place), tmp_path, overwrite=False)
    restore(settings_of(place), copy.path, overwrite=True)
    [(found,)] = place.execute("SELECT token FROM leases WHERE name = 'record'")
    assert isinstance(found, int)
    assert found > token


def test_tables_that_a_copy_has_not_are_not_left_beside_it(postgresql_place: RecordPlace, tmp_path: Path) -> None:
    place = postgresql_place
    place.open().close()
    settings = settings_of(place)
    migrate(settings, "0006")
    copy = back_up(settings, tmp_path, overwrite=False)
    migrate(settings)
    with pytest.raises(
        ConfigurationError, match=r"tables that the copy has not \(leases, .*outbox\).* migrate --to 0006"
    ):
        restore(settings, copy.path, overwrite=True)
    migrate(settings, "0006")
    restore(settings, copy.path, overwrite=True)
    assert migrate(settings).before == "0006"


def test_an_older_copy_is_brought_up_to_date_by_the_next_start(sqlite_place: RecordPlace, tmp_path: Path) -> None:
    place = sqlite_place
    with place.open() as record:
        write(record, 1)
    assert migrate(settings_of(place), OLDER).before == HEAD
    copy = back_up(settings_of(place), tmp_path, overwrite=False)
    assert copy.manifest.schema == OLDER
    other = empty_place(place, tmp_path)
    restore(settings_of(other), copy.path, overwrite=False)
    with other.open() as record:
        write(record, 2)
    assert held(other) == (2, 2, 2, 2)


def test_a_damaged_record_can_be_replaced_and_is_kept(sqlite_place: RecordPlace, tmp_path: Path) -> None:
    place = sqlite_place
    with place.open() as record:
        write(record, 1)
    copy = back_up(settings_of(place), tmp_path, overwrite=False)
    (place.data_dir / RECORD_FILE).write_bytes(b"garbage" * 1_000)
    with pytest.raises(StorageError, match="is not a database"):
        back_up(settings_of(place), tmp_path / "more.zip", overwrite=False)
    replaced = restore(settings_of(place), copy.path, overwrite=True)
    assert replaced.kept is not None
    assert replaced.kept.read_bytes().startswith(b"garbage")
    assert held(place) == (1, 1, 1, 1)


def test_a_copy_of_the_other_database_is_refused(
    sqlite_place: RecordPlace, postgresql_place: RecordPlace, tmp_path: Path
) -> None:
    sqlite_place.open().close()
    for source, target, accepted in (
        (sqlite_place, postgresql_place, "without --database"),
        (postgresql_place, sqlite_place, "with --database"),
    ):
        copy = back_up(settings_of(source), tmp_path / f"{source.kind}.zip", overwrite=False)
        with pytest.raises(ConfigurationError, match=f"is of a record .*; accepted: .*{accepted}"):
            restore(settings_of(target), copy.path, overwrite=True)


def test_without_the_programs_of_postgresql_that_is_said(
    postgresql_place: RecordPlace, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setattr(postgresql, "_PROGRAMS", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigurationError, match="pg_dump is not on this machine; accepted: with the client programs"):
        back_up(settings_of(postgresql_place), tmp_path, overwrite=False)


def test_no_password_is_shown(postgresql_place: RecordPlace, tmp_path: Path) -> None:
    place = postgresql_place
    assert isinstance(place, PostgresPlace)
    copy = back_up(settings_of(place), tmp_path, overwrite=False)
    text = b"".join(zipfile.ZipFile(copy.path).read(name) for name in (MANIFEST, copy.manifest.member))
    assert b"not:a" not in text
    assert b"not%3Aa" not in text


@pytest.mark.parametrize("to", ["7", "0000", "9999", "head", "00007", "-001"])
def test_only_schemas_that_exist_are_migrated_to(sqlite_place: RecordPlace, to: str) -> None:
    sqlite_place.open().close()
    with pytest.raises(ConfigurationError, match=f"--to was '{to}'; accepted: 0001 to {HEAD}"):
        migrate(settings_of(sqlite_place), to)


def test_an_empty_database_on_a_server_is_made_ready(postgres, tmp_path: Path) -> None:
    place = PostgresPlace(postgres, postgres.new_database(), tmp_path / "data")
    done = migrate(settings_of(place))
    assert (done.before, done.after) == (None, HEAD)
    assert "not:a" not in done.record
    with place.open() as record:
        write(record, 1)
    assert migrate(settings_of(place)).before == HEAD
