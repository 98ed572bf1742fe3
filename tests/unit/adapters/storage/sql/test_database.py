from __future__ import annotations

import msgspec
import pytest
from sqlalchemy import Connection, bindparam, insert, select, text
from tests.contract.record_samples import BTC, trade

from vela.adapters.storage.sql import schema
from vela.adapters.storage.sql.database import Database, Prepared, PreparedQuery, Purpose, transaction
from vela.adapters.storage.sql.migration import bring_up_to_date
from vela.adapters.storage.sql.schema import account_meta, kill_switch, metadata
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


def test_a_prepared_query_takes_parameters_as_the_query_itself_does(empty_database):
    newer = account_meta.c.key > bindparam("key")
    query = select(account_meta).where(newer).order_by(account_meta.c.key).limit(bindparam("most"))
    with empty_database.connect(Purpose.TRADING) as connection:
        bring_up_to_date(connection)
        with transaction(connection):
            connection.execute(insert(account_meta), [{"key": key, "value": f"{key}%"} for key in "abcd"])
        prepared = PreparedQuery(connection, query)
        for given in ({"key": "a", "most": 2}, {"key": "c", "most": 9}, {"key": "d", "most": 1}):
            with transaction(connection):
                plain = connection.execute(query, given)
                assert prepared.rows(**given) == [row._asdict() for row in plain]


def test_a_prepared_query_that_fails_is_an_error_of_ours(database):
    with database.connect(Purpose.READING) as reader:
        prepared = PreparedQuery(reader, select(kill_switch))
        with pytest.raises(StorageUnavailable, match="no such table"), transaction(reader):
            prepared.first()


@pytest.mark.parametrize("count", [1, 2, 99, 100, 141, 142, 143, 500])
def test_any_number_of_rows_goes_in_whole_and_in_order(empty_database, count):
    rows = [{"key": f"k{number:04}", "value": f"v{number}\t\\N"} for number in range(count)]
    with empty_database.connect(Purpose.TRADING) as connection:
        bring_up_to_date(connection)
        prepared = Prepared(connection, insert(account_meta), account_meta.columns.keys())
        with transaction(connection):
            prepared.run(rows)
        with transaction(connection):
            found = connection.execute(select(account_meta).order_by(account_meta.c.key)).all()
        assert [row._asdict() for row in found] == rows


@pytest.mark.parametrize("wrong", [{"key": "k0005", "value": "twice"}, {"key": "k9999", "value": None}])
def test_one_wrong_row_among_many_lets_none_of_them_in(empty_database, wrong):
    rows = [{"key": f"k{number:04}", "value": "v"} for number in range(300)] + [wrong]
    with empty_database.connect(Purpose.TRADING) as connection:
        bring_up_to_date(connection)
        prepared = Prepared(connection, insert(account_meta), account_meta.columns.keys())
        with pytest.raises(StorageError, match="contradict the record"), transaction(connection):
            prepared.run(rows)
        with transaction(connection):
            assert connection.execute(select(account_meta)).all() == []


def test_a_value_that_fits_no_column_lets_none_of_many_rows_in(empty_database):
    trades = [trade(number) for number in range(200)]
    trades[150] = msgspec.structs.replace(trades[150], pnl=1.5)
    with empty_database.connect(Purpose.TRADING) as connection:
        bring_up_to_date(connection)
        prepared = Prepared(connection, insert(schema.trades), set(schema.trades.columns.keys()) - {"id"})
        with transaction(connection):
            connection.execute(insert(schema.symbols).values(symbol=BTC, base="BTC", quote="USDT"))
        with pytest.raises(StorageError, match=r"float .1\.5. is no amount"), transaction(connection):
            prepared.run_records(trades)
        with transaction(connection):
            assert connection.execute(select(schema.trades)).all() == []
