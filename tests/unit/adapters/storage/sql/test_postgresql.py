"""What only a server can do to a record: be away, cut connections, refuse."""

from __future__ import annotations

import asyncio
import threading
import time
import traceback
from collections.abc import Callable, Iterator

import msgspec
import pytest
from sqlalchemy import Connection, TextClause, text
from tests.contract.record_samples import BTC, decision, deposit, planned, trade
from tests.places import PostgresPlace, RecordPlace
from tests.postgres import PASSWORD, PostgresServer

from vela.adapters.storage.lock import DirectoryLock
from vela.adapters.storage.sql.database import Database, Purpose, transaction
from vela.adapters.storage.sql.leases import ServerLease
from vela.adapters.storage.sql.record import Record
from vela.domain.errors import ConfigurationError, StorageError, StorageLocked, StorageUnavailable
from vela.ports.record import Changes, JournalEntry

CUT = "SELECT pid, pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = '{name}'"


@pytest.fixture
def place(postgresql_place: RecordPlace) -> PostgresPlace:
    assert isinstance(postgresql_place, PostgresPlace)
    return postgresql_place


@pytest.fixture
def connection(place: PostgresPlace) -> Iterator[Connection]:
    with place.database().connect(Purpose.TRADING) as connection:
        yield connection


def cut(place: PostgresPlace) -> None:
    """End connections from the server's side, and wait until they have ended."""
    ended = ", ".join(str(pid) for pid, _ in place.server.execute(CUT.format(name=place.name))) or "0"
    left = f"SELECT count(*) FROM pg_stat_activity WHERE pid IN ({ended})"  # noqa: S608  numbers
    for _ in range(500):
        if place.server.execute(left) == [(0,)]:
            return
        time.sleep(0.01)
    raise AssertionError("connections did not end")


def one(connection: Connection, query: str) -> object:
    with transaction(connection):
        return connection.execute(text(query)).scalar_one()


def work(connection: Connection, *steps: TextClause | Callable[[], None]) -> None:
    """Do all of it in one transaction."""
    with transaction(connection):
        for step in steps:
            if isinstance(step, TextClause):
                connection.execute(step)
            else:
                step()


# ------------------------------------------------------------------------------------------------------------ addresses


@pytest.mark.parametrize(
    "address",
    ["banana", "", "mysql://u:hush@h/d", "postgresql+asyncpg://u:hush@h/d", "postgresql://u:hush@h", "sqlite:///f"],
)
def test_only_addresses_of_postgresql_are_taken_and_no_password_is_shown(address):
    with pytest.raises(ConfigurationError, match="accepted: postgresql://USER:PASSWORD@HOST:5432/NAME") as raised:
        Database.from_url(address)
    assert "u:hush" not in str(raised.value)


def test_an_address_is_written_as_users_write_it_and_named_without_its_password():
    database = Database.from_url(
        f"postgresql://vela:p%40ss@db.example:5433/trading?sslmode=require&password={PASSWORD}"
    )
    assert database.name == "postgresql://vela@db.example:5433/trading"
    assert "p@ss" not in repr(database.url)


def test_without_the_driver_it_is_said_how_to_get_it(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "psycopg", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'vela-trading\[postgres\]'"):
        Database.from_url("postgresql://u@h/d")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"password": "wrong-" + PASSWORD}, "password authentication failed"),
        ({"password": None}, "no password supplied"),
        ({"database": "nowhere"}, 'database "nowhere" does not exist'),
        ({"username": "nobody-here"}, "password authentication failed"),
    ],
)
def test_wrong_credentials_are_the_users_mistake_told_in_one_line(place, change, why):
    url = place.server.network_url(place.name).set(**change)
    if change.get("password", "") is None:
        url = url._replace(password=None)
    with pytest.raises(ConfigurationError, match=why) as raised:
        Database(url).connect(Purpose.TRADING)
    assert "\n" not in str(raised.value)
    assert PASSWORD not in "".join(traceback.format_exception(raised.value))


def test_a_server_that_is_not_there_may_come_later(place):
    url = place.server.network_url(place.name).set(port=1)
    with pytest.raises(StorageUnavailable, match=r"cannot be reached: .*refused") as raised:
        Database(url).connect(Purpose.TRADING)
    assert "\n" not in str(raised.value)
    assert PASSWORD not in "".join(traceback.format_exception(raised.value))


def test_a_record_is_opened_over_the_network_as_well(place):
    url = place.server.network_url(place.name).set(drivername="postgresql").render_as_string(hide_password=False)
    with Database.from_url(url).connect(Purpose.TRADING) as connection:
        assert one(connection, "SELECT 1") == 1


# ------------------------------------------------------------------------------------------------------------- sessions


@pytest.mark.parametrize("purpose", list(Purpose))
def test_a_session_is_set_up_and_stays_so_when_it_is_made_anew(place, purpose):
    is_reading = purpose is Purpose.READING
    with place.database().connect(purpose) as connection:
        for _ in range(2):
            assert one(connection, "SHOW timezone") == "UTC"
            assert one(connection, "SHOW synchronous_commit") == "on"
            assert one(connection, "SHOW lock_timeout") == "10s"
            assert one(connection, "SHOW transaction_read_only") == ("on" if is_reading else "off")
            assert one(connection, "SHOW transaction_isolation") == (
                "repeatable read" if is_reading else "read committed"
            )
            cut(place)


async def test_a_database_without_an_encoding_holds_every_text(postgres: PostgresServer):
    without = "ENCODING 'SQL_ASCII' LOCALE_PROVIDER libc LOCALE 'C'"
    postgres.execute(f"CREATE DATABASE plain TEMPLATE template0 {without}")
    try:
        place = PostgresPlace(postgres, "plain")
        with place.open() as record:
            refused = msgspec.structs.replace(planned("a"), reason="zu groß: 1 € → 2 €")
            await record.trading.commit(Changes(orders=(refused,)))
            [order] = (await record.trading.load()).orders
            assert order.reason == refused.reason
    finally:
        postgres.drop("plain")


def test_options_of_the_address_come_on_top(place):
    url = place.server.url(place.name).update_query_dict({"options": "-c work_mem=9MB", "application_name": "mine"})
    with Database(url).connect(Purpose.TRADING) as connection:
        assert one(connection, "SHOW work_mem") == "9MB"
        assert one(connection, "SHOW application_name") == "mine"
        assert one(connection, "SHOW timezone") == "UTC"


# ------------------------------------------------------------------------------------------------------------- failures


@pytest.mark.parametrize(
    "state",
    ["08006", "40001", "40P01", "53100", "53200", "53300", "55P03", "57014", "57P01", "57P03", "58030", "25006"],
)
def test_what_may_pass_is_unavailable_and_nothing_is_written(connection, state):
    fails = text(f"DO $$ BEGIN RAISE EXCEPTION 'planned' USING ERRCODE = '{state}'; END $$")
    with transaction(connection):
        connection.execute(text("CREATE TABLE t (n INTEGER)"))
    with pytest.raises(StorageUnavailable, match="the record cannot be used: planned"):
        work(connection, text("INSERT INTO t VALUES (1)"), fails)
    assert one(connection, "SELECT count(*) FROM t") == 0


@pytest.mark.parametrize("state", ["42601", "22003", "XX000"])
def test_what_stays_wrong_is_not_tried_again(connection, state):
    with pytest.raises(StorageError) as raised, transaction(connection):
        connection.execute(text(f"DO $$ BEGIN RAISE EXCEPTION 'planned' USING ERRCODE = '{state}'; END $$"))
    assert not isinstance(raised.value, StorageUnavailable)


def test_two_who_wait_for_each_other_are_told_so(place):
    with place.database().connect(Purpose.TRADING) as a, place.database().connect(Purpose.TRADING) as b:
        with transaction(a):
            a.execute(text("CREATE TABLE t (n INTEGER PRIMARY KEY, v INTEGER)"))
            a.execute(text("INSERT INTO t VALUES (1, 0), (2, 0)"))
        errors: list[StorageError] = []
        both = threading.Barrier(2)

        def meet() -> None:
            both.wait()

        def update(connection: Connection, *numbers: int) -> None:
            first, second = (text("UPDATE t SET v = 1 WHERE n = :n").bindparams(n=number) for number in numbers)
            try:
                work(connection, first, meet, second)
            except StorageError as error:
                errors.append(error)

        threads = [threading.Thread(target=update, args=order) for order in ((a, 1, 2), (b, 2, 1))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        [error] = errors
        assert isinstance(error, StorageUnavailable)
        assert "deadlock detected" in str(error)


def test_too_many_connections_are_a_matter_of_time(place):
    place.server.execute("CREATE ROLE few LOGIN PASSWORD 'few' CONNECTION LIMIT 0")
    try:
        url = place.server.network_url(place.name).set(username="few", password="few")
        with pytest.raises(StorageUnavailable, match="too many connections"):
            Database(url).connect(Purpose.TRADING)
    finally:
        place.server.execute("DROP ROLE few")


def test_a_connection_that_was_cut_at_rest_is_replaced_before_anybody_notices(place, connection):
    assert one(connection, "SELECT 1") == 1
    cut(place)
    assert one(connection, "SELECT 2") == 2


def test_a_connection_that_is_cut_at_work_loses_the_transaction_and_serves_again(place, connection):
    with transaction(connection):
        connection.execute(text("CREATE TABLE t (n INTEGER)"))
    for _ in range(2):
        with pytest.raises(StorageUnavailable):
            work(connection, text("INSERT INTO t VALUES (1)"), lambda: cut(place), text("INSERT INTO t VALUES (2)"))
        assert one(connection, "SELECT count(*) FROM t") == 0


async def test_a_step_that_is_cut_off_is_lost_whole_and_the_next_is_not(place):
    with place.open() as record:
        await record.trading.commit(Changes(orders=(planned("a"),)))
        place.execute(
            "CREATE FUNCTION cut_off() RETURNS trigger LANGUAGE plpgsql AS "
            "'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NEW; END'"
        )
        place.execute("CREATE TRIGGER cut BEFORE INSERT ON ledger_entries FOR EACH ROW EXECUTE FUNCTION cut_off()")
        for _ in range(2):
            with pytest.raises(StorageUnavailable):
                await record.trading.commit(Changes(orders=(planned("b"),), ledger=(deposit("d", "5"),)))
            account = await record.trading.load()
            assert [order.client_order_id for order in account.orders] == ["a"]
        place.execute("DROP TRIGGER cut ON ledger_entries")
        await record.trading.commit(Changes(orders=(planned("b"),), ledger=(deposit("d", "5"),)))
        assert len((await record.trading.load()).orders) == 2


async def test_while_the_server_is_away_nothing_can_be_used_and_afterwards_everything(place):
    with place.open() as record:
        await record.trading.commit(Changes(orders=(planned("a"),)))
        place.server.stop("immediate")
        try:
            for _ in range(2):
                with pytest.raises(StorageUnavailable):
                    await record.trading.commit(Changes(orders=(planned("b"),)))
                with pytest.raises(StorageUnavailable):
                    await record.journal.append(JournalEntry(1, (), (decision(1),), ()))
                with pytest.raises(StorageUnavailable):
                    record.reader.summary()
                with pytest.raises(StorageUnavailable):
                    await record.jobs.jobs()
                with pytest.raises(StorageUnavailable):
                    record.lease.renew()
        finally:
            place.server.start()
        await record.trading.commit(Changes(orders=(planned("b"),)))
        await record.journal.append(JournalEntry(1, (), (decision(1),), ()))
        record.lease.renew()
        assert (record.reader.summary().orders, record.reader.summary().decisions) == (2, 1)


# --------------------------------------------------------------------------------------------------------------- leases


def locked_by(place: PostgresPlace) -> list[tuple[object, ...]]:
    return place.execute("SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted")


async def test_a_lock_that_went_with_its_connection_is_taken_again_under_the_same_token(place):
    with place.open() as record:
        before = locked_by(place)
        cut(place)
        record.lease.renew()
        assert record.lease.token == 1
        assert len(locked_by(place)) == 1
        assert locked_by(place) != before
        await record.trading.commit(Changes(orders=(planned("a"),)))


async def test_who_loses_the_lock_to_another_is_deposed_and_the_other_trades(place, tmp_path):
    with place.open() as record:
        await record.trading.commit(Changes(orders=(planned("a"),)))
        cut(place)
        with place.open(tmp_path / "other") as other:
            with pytest.raises(StorageLocked):
                await record.trading.commit(Changes(orders=(planned("b"),)))
            with pytest.raises(StorageLocked):
                record.lease.renew()
            await other.trading.commit(Changes(orders=(planned("c"),)))
            assert [order.client_order_id for order in (await other.trading.load()).orders] == ["a", "c"]


async def test_who_would_take_over_waits_for_a_transaction_that_has_begun(place):
    with place.open() as record, place.database().connect(Purpose.TRADING) as other:
        connection = record.trading._connection
        with transaction(connection):
            record.lease.fence(connection).require()
            with pytest.raises(StorageUnavailable, match="lock timeout"):
                work(other, text("SET LOCAL lock_timeout = '50ms'"), text("UPDATE leases SET token = token + 1"))


def test_released_it_can_be_taken_before_the_server_notices_that_the_connection_has_ended(place, monkeypatch):
    first = ServerLease(place.database(), None)
    with monkeypatch.context() as unnoticed:
        unnoticed.setattr(first._connection, "close", lambda: None)
        first.release()
    ServerLease(place.database(), None).release()
    first._connection.close()


def test_a_thread_looks_after_it_and_tells_until_when_it_is_to_be_believed(place, tmp_path):
    directory = tmp_path / "data"
    directory.mkdir()
    lease = ServerLease(place.database(), DirectoryLock(directory), beat_seconds=0.01)
    with place.database().connect(Purpose.TRADING) as connection:
        lease.register(connection)
    cut(place)
    for _ in range(500):
        if locked_by(place):
            break
        time.sleep(0.01)
    assert len(locked_by(place)) == 1
    [(expires,)] = place.execute("SELECT expires_at - extract(epoch FROM clock_timestamp()) * 1000 FROM leases")
    assert 0 < expires <= 15_000
    lease.release()
    assert place.execute("SELECT expires_at FROM leases") == [(None,)]
    assert locked_by(place) == []


def test_two_who_start_at_once_are_one(place, tmp_path):
    async def start(number: int) -> Record:
        return await asyncio.to_thread(lambda: place.open(tmp_path / str(number)))

    async def all_at_once() -> list[Record | BaseException]:
        return await asyncio.gather(*(start(number) for number in range(6)), return_exceptions=True)

    results = asyncio.run(all_at_once())
    records = [one for one in results if not isinstance(one, BaseException)]
    assert len(records) == 1
    assert all(isinstance(one, StorageLocked) for one in results if isinstance(one, BaseException))
    records[0].close()


def test_two_who_make_the_tables_at_once_make_them_once(postgres: PostgresServer):
    empty = PostgresPlace(postgres, postgres.new_database())
    threads = [threading.Thread(target=empty.prepare) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert empty.execute("SELECT count(*) FROM alembic_version") == [(1,)]
    postgres.drop(empty.name)


# ------------------------------------------------------------------------------------------------------------ many rows


async def test_many_rows_are_copied_in_and_are_the_same(place):
    trades = tuple(trade(time) for time in range(250))
    with place.open() as record:
        await record.trading.commit(Changes(trades=trades))
        assert list(reversed(record.reader.trades(limit=300))) == list(trades)
        many = tuple(deposit(str(number), "0.000000000000000001") for number in range(150))
        await record.trading.commit(Changes(ledger=many))
        with pytest.raises(StorageError, match="contradict the record"):
            await record.trading.commit(Changes(orders=(planned("a", BTC),), ledger=many))
        assert (await record.trading.load()).orders == ()
