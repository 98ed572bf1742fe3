from __future__ import annotations

import pytest
from sqlalchemy import Connection, select, text

from vela.adapters.storage.sql.database import Database, PreparedQuery, Purpose, transaction
from vela.adapters.storage.sql.schema import kill_switch, metadata
from vela.domain.errors import StorageError, StorageUnavailable


@pytest.fixture
def database(tmp_path):
    return Database.at(tmp_path / "vela.sqlite")


def pragma(connection, name: str) -> object:
    with connection.begin():
        return connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()


@pytest.mark.parametrize(("purpose", "synchronous"), [(Purpose.TRADING, 2), (Purpose.JOURNAL, 1)])
def test_orders_wait_for_the_disk_and_the_journal_does_not(database, purpose, synchronous):
    with database.connect(purpose) as connection:
        assert pragma(connection, "synchronous") == synchronous
        assert pragma(connection, "journal_mode") == "wal"
        assert pragma(connection, "foreign_keys") == 1
        assert pragma(connection, "busy_timeout") == 10_000


def test_a_reading_connection_cannot_write(database):
    with database.connect(Purpose.TRADING) as writer, database.connect(Purpose.READING) as reader:
        with transaction(writer):
            writer.execute(text("CREATE TABLE t (n INTEGER)"))
        with pytest.raises(StorageError, match="readonly"), transaction(reader):
            reader.execute(text("INSERT INTO t VALUES (1)"))


def test_a_reader_sees_one_moment_while_another_writes(database):
    with database.connect(Purpose.TRADING) as writer, database.connect(Purpose.READING) as reader:
        with transaction(writer):
            writer.execute(text("CREATE TABLE t (n INTEGER)"))
        count = text("SELECT count(*) FROM t")
        with transaction(reader):
            assert reader.execute(count).scalar_one() == 0
            with transaction(writer):
                writer.execute(text("INSERT INTO t VALUES (1)"))
            assert reader.execute(count).scalar_one() == 0
        with transaction(reader):
            assert reader.execute(count).scalar_one() == 1


def create_and_fail(connection: Connection) -> None:
    with transaction(connection):
        connection.execute(text("CREATE TABLE t (n INTEGER)"))
        raise ZeroDivisionError


def test_an_error_of_the_caller_rolls_back_and_comes_through(database):
    with database.connect(Purpose.TRADING) as connection:
        with pytest.raises(ZeroDivisionError):
            create_and_fail(connection)
        with pytest.raises(StorageError, match="no such table"), transaction(connection):
            connection.execute(text("SELECT * FROM t"))


def test_a_file_that_is_no_database_is_named(database, tmp_path):
    (tmp_path / "vela.sqlite").write_bytes(b"once upon a time " * 100)
    with pytest.raises(StorageError, match=r"vela\.sqlite cannot be opened: file is not a database"):
        database.connect(Purpose.TRADING)


def test_a_prepared_query_returns_what_the_query_itself_returns_and_always_the_newest(database):
    query = select(kill_switch).where(kill_switch.c.number > 1).order_by(kill_switch.c.number.desc()).limit(1)
    with database.connect(Purpose.TRADING) as writer, database.connect(Purpose.READING) as reader:
        metadata.create_all(writer)
        writer.commit()
        prepared = PreparedQuery(reader, query)
        for number in (1, 2, 3):
            switch = {"time": 5, "is_on": number % 2, "flatten": False, "reason": "r", "by": "b", "resets": 0}
            with transaction(writer):
                writer.execute(kill_switch.insert(), {"number": number, **switch})
            with transaction(reader):
                row, plain = prepared.first(), reader.execute(query).first()
                assert row == (None if plain is None else plain._asdict())
        assert row is not None
        assert row["is_on"] is True, "not 1: columns have their types"


def test_a_prepared_query_that_fails_is_an_error_of_ours(database):
    with database.connect(Purpose.READING) as reader:
        prepared = PreparedQuery(reader, select(kill_switch))
        with pytest.raises(StorageUnavailable, match="no such table"), transaction(reader):
            prepared.first()
