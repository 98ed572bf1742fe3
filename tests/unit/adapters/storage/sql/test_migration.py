from __future__ import annotations

import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, insert, select, text
from sqlalchemy.exc import IntegrityError
from tests.contract.record_samples import BTC, decision
from tests.jobs import REQUEST
from tests.postgres import PostgresServer

from vela.adapters.storage.sql.database import Database, Purpose
from vela.adapters.storage.sql.migration import HEAD, MIGRATIONS, bring_up_to_date, require_current
from vela.adapters.storage.sql.schema import (
    decisions,
    job_results,
    jobs,
    kill_switch,
    leases,
    limit_marks,
    metadata,
    older_wallets,
    outbox,
    symbols,
)
from vela.domain.crashpoints import arm, disarm
from vela.domain.errors import StorageError
from vela.domain.jobs import JobState

INI = MIGRATIONS / "alembic.ini"
QUEUED = JobState.QUEUED


# Every column, constraint and index of every table, a line each.
POSTGRES_SCHEMA = """
SELECT relname::text, format('%s %s %s %s', attname, format_type(atttypid, atttypmod), attnotnull, collname)
FROM pg_attribute JOIN pg_class t ON t.oid = attrelid LEFT JOIN pg_collation c ON c.oid = attcollation
WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND attnum > 0 AND NOT attisdropped
UNION ALL SELECT relname, conname || ' ' || pg_get_constraintdef(c.oid)
FROM pg_constraint c JOIN pg_class t ON t.oid = conrelid WHERE relnamespace = 'public'::regnamespace
UNION ALL SELECT tablename, indexdef FROM pg_indexes WHERE schemaname = 'public'
ORDER BY 1, 2
"""


@pytest.fixture
def connection(empty_database: Database) -> Iterator[Connection]:
    with empty_database.connect(Purpose.TRADING) as connection:
        yield connection


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Connection]:
    with Database.at(tmp_path / "vela.sqlite").connect(Purpose.TRADING) as connection:
        yield connection


def statements(connection: Connection) -> dict[str, list[str]]:
    """Return what defines each table; the order inside one means nothing."""
    defined: defaultdict[str, list[str]] = defaultdict(list)
    with connection.begin():
        if connection.dialect.name == "postgresql":
            for name, line in connection.execute(text(POSTGRES_SCHEMA)):
                defined[name].append(line)
        else:
            named = "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite!_%' ESCAPE '!'"
            for name, lines in connection.execute(text(named)):
                defined[name] = sorted(
                    line.strip(" \t,") for line in lines.replace(", leaving", ",\nleaving").splitlines()
                )
    defined.pop("alembic_version", None)
    return dict(defined)


def test_the_program_and_the_scripts_agree_on_the_head():
    assert ScriptDirectory.from_config(Config(INI)).get_current_head() == HEAD


def test_migrations_and_tables_agree(connection):
    bring_up_to_date(connection)
    with connection.begin():
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, metadata) == []


def test_migrations_make_the_same_tables_checks_included(connection):
    with connection.begin():
        metadata.create_all(connection)
    expected = statements(connection)
    with connection.begin():
        metadata.drop_all(connection)
    bring_up_to_date(connection)
    assert statements(connection) == expected


def test_down_leaves_nothing_and_up_again_works(connection):
    bring_up_to_date(connection)
    with connection.begin():
        command.downgrade(Config(INI, attributes={"connection": connection}), "base")
    assert statements(connection) == {}
    bring_up_to_date(connection)
    assert "orders" in statements(connection)


def migrate(connection: Connection, direction: Callable[[Config, str], None], revision: str) -> None:
    with connection.begin():
        direction(Config(INI, attributes={"connection": connection}), revision)


def test_open_positions_go_up_and_down_with_what_their_targets_close(connection):
    def targets() -> list[tuple[str, int | None]]:
        with connection.begin():
            rows = connection.exec_driver_sql("SELECT symbol, target_ticks FROM positions").all()
        return [(str(row[0]), row[1]) for row in rows]

    migrate(connection, command.upgrade, "0001")
    columns = (
        "symbol, side, quantity, cost, entry_quantity, entry_value, entry_time, fees, strategy, entry_reason, regime, "
        "stop_ticks, stop_reason, target_ticks, best_ticks, realised_pnl, exit_quantity, exit_value, revision"
    )
    rest = "'LONG', '0.50', '50', '0.50', '50', 1, '0.05', 'S', 'signal', 'unknown', 9800, 'stop_loss'"
    with connection.begin():
        for name, target in (("BTC", "11000"), ("ETH", "NULL")):
            connection.exec_driver_sql(f"INSERT INTO symbols VALUES ('{name}/USDT', '{name}', 'USDT')")  # noqa: S608  the same
            values = f"'{name}/USDT', {rest}, {target}, 10000, '0', '0', '0', 1"
            connection.exec_driver_sql(f"INSERT INTO positions ({columns}) VALUES ({values})")  # noqa: S608  our own words
    migrate(connection, command.upgrade, "0002")
    with connection.begin():
        quantities = connection.exec_driver_sql("SELECT symbol, target_quantity FROM positions").all()
        assert [(symbol, str(quantity)) for symbol, quantity in quantities] == [
            ("BTC/USDT", "0.50"),
            ("ETH/USDT", "0"),
        ]
    migrate(connection, command.downgrade, "0001")
    assert targets() == [("BTC/USDT", 11_000), ("ETH/USDT", None)]
    migrate(connection, command.upgrade, "0002")
    with connection.begin():
        connection.exec_driver_sql("UPDATE positions SET target_quantity = '0.20'")
    migrate(connection, command.downgrade, "0001")
    assert targets() == [("BTC/USDT", None), ("ETH/USDT", None)]


MARKS = {"day": 1, "day_equity": Decimal("1.5"), "day_lost": True, "highest": Decimal(2), "drawn_down": False}
OLDER = {"source": "trading", "number": 3, "time": 5, "rest": {"note": None}, "digest": "d"}
NEW_TABLES = {
    "0004": (
        (jobs, {"number": 1, "id": "a", "request": REQUEST, "created": 5, "state": QUEUED, "error": ""}),
        (job_results, {"number": 1, "document": b"{}", "report": b"<p>"}),
    ),
    "0005": (
        (
            kill_switch,
            {"number": 1, "time": 5, "is_on": True, "flatten": False, "reason": "", "by": "command", "resets": 0},
        ),
        (limit_marks, {"id": 1, **MARKS, "resets": 0}),
    ),
    "0006": (
        (leases, {"name": "record", "holder": "me", "token": 3, "expires_at": None}),
        (outbox, {"number": 1, "message": b"told"}),
    ),
    "0008": ((older_wallets, {**OLDER, "asset": "USDT", "amount": Decimal("0.10")}),),
}


@pytest.mark.parametrize("revision", NEW_TABLES)
def test_a_record_from_before_new_tables_keeps_all_that_it_holds_up_and_down(connection, revision):
    def held() -> list[str]:
        with connection.begin():
            return list(connection.execute(select(symbols.c.base)).scalars())

    older = f"{int(revision) - 1:04}"
    migrate(connection, command.upgrade, older)
    with connection.begin():
        connection.execute(insert(symbols).values(symbol=BTC, base="BTC", quote="USDT"))
    before = statements(connection)
    bring_up_to_date(connection)
    with connection.begin():
        for table, values in NEW_TABLES[revision]:
            connection.execute(insert(table).values(values))
            row = connection.execute(select(table)).one()._asdict()
            assert {name: row[name] for name in values} == values
    assert held() == ["BTC"]
    migrate(connection, command.downgrade, older)
    assert (statements(connection), held()) == (before, ["BTC"])
    bring_up_to_date(connection)
    with connection.begin():
        for table, _ in NEW_TABLES[revision]:
            assert connection.execute(select(table)).all() == []


def test_decisions_keep_what_they_were_based_on_up_and_down(connection):
    def held() -> list[object]:
        with connection.begin():
            return list(connection.execute(select(decisions)).one())

    bring_up_to_date(connection)
    with connection.begin():
        connection.execute(insert(symbols).values(symbol=BTC, base="BTC", quote="USDT"))
        connection.execute(insert(decisions).values(msgspec.structs.asdict(decision(5))))
    before = held()
    migrate(connection, command.downgrade, "0005")
    assert held() == before
    bring_up_to_date(connection)
    assert held() == before


def test_only_one_row_holds_what_losses_are_measured_from(connection):
    bring_up_to_date(connection)
    with connection.begin(), pytest.raises(IntegrityError, match="one_row"):
        connection.execute(insert(limit_marks).values(id=2, **MARKS, resets=0))


def test_what_must_be_current_is_looked_at_and_not_changed(connection):
    migrate(connection, command.upgrade, "0004")
    before = statements(connection)
    with pytest.raises(StorageError, match=f"has schema 0004; accepted: {HEAD}"):
        require_current(connection)
    assert statements(connection) == before
    bring_up_to_date(connection)
    require_current(connection)


def test_a_second_time_alembic_is_not_needed(tmp_path):
    code = f"""
import sys
from pathlib import Path
from vela.adapters.storage.sql.record import open_record
open_record(Path({str(tmp_path)!r})).close()
print("alembic" in sys.modules)
"""
    outputs = [
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    ]
    assert outputs == ["True\n", "False\n"]


def test_a_failing_migration_leaves_nothing_behind(connection, monkeypatch):
    def upgrade(config: Config, _revision: str) -> None:
        config.attributes["connection"].exec_driver_sql("CREATE TABLE half (id INTEGER)")
        raise StorageError("half-way")

    monkeypatch.setattr(command, "upgrade", upgrade)
    with pytest.raises(StorageError, match="half-way"):
        bring_up_to_date(connection)
    assert statements(connection) == {}


def test_a_process_that_ends_inside_a_migration_leaves_nothing_behind(connection):
    def die() -> None:
        raise KeyboardInterrupt

    arm("P24", die)
    with pytest.raises(KeyboardInterrupt):
        bring_up_to_date(connection)
    disarm()
    assert statements(connection) == {}
    bring_up_to_date(connection)
    assert "orders" in statements(connection)


def test_a_newer_schema_is_named(connection):
    bring_up_to_date(connection)
    with connection.begin():
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0099'")
    with pytest.raises(StorageError, match=f"has schema 0099; this program knows up to {HEAD}"):
        bring_up_to_date(connection)


def test_a_database_of_another_program_is_left_alone(connection):
    with connection.begin():
        connection.exec_driver_sql("CREATE TABLE bookmarks (id INTEGER)")
    with pytest.raises(StorageError, match=r"belongs to another program \(tables bookmarks\)"):
        bring_up_to_date(connection)
    assert list(statements(connection)) == ["bookmarks"]


def alembic(*arguments: str) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "alembic", "-c", str(INI), *arguments]
    return subprocess.run(line, capture_output=True, text=True, check=False)


@pytest.fixture(params=["record", "database"])
def named(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A record as the command line names it."""
    if request.param == "record":
        yield f"record={tmp_path / 'vela.sqlite'}"
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    name = server.new_database()
    yield f"database={server.network_url(name).set(drivername='postgresql').render_as_string(hide_password=False)}"
    server.drop(name)


def test_the_alembic_command_works_on_a_file_and_on_a_server(named):
    record = ("-x", named)
    assert alembic(*record, "upgrade", "head").returncode == 0
    assert alembic(*record, "current").stdout.strip() == f"{HEAD} (head)"
    assert alembic(*record, "check").returncode == 0
    assert alembic(*record, "downgrade", "base").returncode == 0
    assert alembic(*record, "current").stdout.strip() == ""


def test_the_alembic_command_asks_for_the_file():
    assert (
        "no record given; accepted: alembic -x record=FILE … or -x database=postgresql://…" in alembic("current").stderr
    )
