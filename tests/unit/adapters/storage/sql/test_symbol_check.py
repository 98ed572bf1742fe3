from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, inspect
from tests.many_rows import columns_of, fingerprint, write_many

from vela.adapters.storage.sql.database import Database, Purpose
from vela.adapters.storage.sql.migration import HEAD, bring_up_to_date, move_to, version_of
from vela.domain.errors import StorageError

OLDER = "0006"
ROWS = 20_000


@pytest.fixture
def connection(empty_database: Database) -> Iterator[Connection]:
    with empty_database.connect(Purpose.TRADING) as connection:
        yield connection


def test_many_rows_go_up_and_down_without_loss(connection: Connection) -> None:
    assert move_to(connection, OLDER) is None
    write_many(connection, ROWS)
    columns = columns_of(connection)
    before = fingerprint(connection, columns)
    assert sum(count for count, _ in before.values()) == ROWS + 5
    assert move_to(connection, HEAD) == OLDER
    assert fingerprint(connection, columns) == before
    assert move_to(connection, OLDER) == HEAD
    assert (version_of(connection), fingerprint(connection, columns), columns_of(connection)) == (
        OLDER,
        before,
        columns,
    )


def test_the_fingerprint_sees_a_single_digit(connection: Connection) -> None:
    move_to(connection, OLDER)
    write_many(connection, 100)
    columns = columns_of(connection)
    before = fingerprint(connection, columns)
    with connection.begin():
        connection.exec_driver_sql("UPDATE fills SET fee = '3.00000012' WHERE fill_id = 'f3'")  # was …1230
    changed = fingerprint(connection, columns)
    assert [table for table in before if before[table] != changed[table]] == ["fills"]


@pytest.mark.parametrize("direction", ["up", "down"])
def test_a_symbol_that_cannot_be_read_stops_everything_before_anything_is_changed(
    connection: Connection, direction: str
) -> None:
    if direction == "up":
        move_to(connection, OLDER)
    else:
        bring_up_to_date(connection)
    start, target = version_of(connection), HEAD if direction == "up" else OLDER
    write_many(connection, 100)
    with connection.begin():
        connection.exec_driver_sql("INSERT INTO symbols VALUES ('banana', 'banana', 'USDT')")
        for number in (3, 7):
            connection.exec_driver_sql(f"UPDATE orders SET symbol = 'banana' WHERE client_order_id = 'o{number}'")  # noqa: S608
        connection.exec_driver_sql("UPDATE trades SET symbol = 'banana' WHERE id < 8")
    columns = columns_of(connection)
    before = fingerprint(connection, columns), _tables(connection)
    with pytest.raises(StorageError) as stopped:
        move_to(connection, target)
    said = str(stopped.value)
    assert "nothing was migrated: orders (client_order_id 'o3') holds the symbol 'banana'; orders (client" in said
    assert "symbols holds the symbol 'banana'" in said
    assert (
        "trades (id 5) holds the symbol 'banana'; trades holds 2 more; accepted: base/quote, such as BTC/USDT" in said
    )
    assert "trades (id 6)" not in said
    assert (version_of(connection), fingerprint(connection, columns), _tables(connection)) == (start, *before)


def _tables(connection: Connection) -> list[str]:
    with connection.begin():
        return sorted(inspect(connection).get_table_names())


@pytest.mark.parametrize(
    "symbol", ["BTC", "btc/USDT", "BTC/usdt", "BTC/", "/USDT", "BTC/XYZ", "USDT/USDT", "", "A/B/USDT"]
)
def test_only_what_the_column_writes_can_be_read(connection: Connection, symbol: str) -> None:
    move_to(connection, OLDER)
    with connection.begin():
        connection.exec_driver_sql(f"INSERT INTO symbols VALUES ('{symbol}', 'x', 'y')")  # noqa: S608  ours
    with pytest.raises(StorageError, match="symbols"):
        bring_up_to_date(connection)


def test_a_revision_that_does_not_exist_is_refused(connection: Connection) -> None:
    with pytest.raises(StorageError, match=f"schema '9999' is unknown; accepted: 0001 to {HEAD}"):
        move_to(connection, "9999")
    assert version_of(connection) is None
