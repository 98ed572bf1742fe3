"""Brings a database to this program's schema, with Alembic."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from vela.adapters.storage.sql.database import transaction
from vela.adapters.storage.sql.dialect import described, dialect_of
from vela.domain.crashpoints import crashpoint
from vela.domain.errors import StorageError

HEAD = "0008"
MIGRATIONS = Path(__file__).resolve().parents[1] / "migrations"


def bring_up_to_date(connection: Connection) -> None:
    """Create the tables, or upgrade them, in one transaction.

    A database at `HEAD` costs one query: Alembic is imported only if there is something to do.

    Raises:
        StorageError: the file is no database or not Vela's, its schema is newer than this program, or it cannot be
            written.
    """
    move_to(connection, HEAD)


def move_to(connection: Connection, revision: str) -> str | None:
    """Upgrade or downgrade to `revision`, in one transaction; return where the database was. See `bring_up_to_date`.

    Raises:
        StorageError: besides, there is no such revision, or a symbol cannot be read: then nothing was changed.
    """
    try:
        with transaction(connection):
            version = _version(connection)
        if version == revision == HEAD:
            return version
        with transaction(connection):
            dialect_of(connection).take_turns(connection, "migration")
            dialect_of(connection).take_time(connection)
            version = _version(connection)
            _move(connection, version, revision)
            return version
    except StorageError as error:
        raise _of(connection, error) from error


def version_of(connection: Connection) -> str | None:
    """Return the schema's version; None: the database is empty.

    Raises:
        StorageError: it is no record, or cannot be read.
    """
    try:
        with transaction(connection):
            return _version(connection)
    except StorageError as error:
        raise _of(connection, error) from error


def require_current(connection: Connection) -> None:
    """Check that the database is at `HEAD`, without changing anything.

    Raises:
        StorageError: it is not, or cannot be read.
    """
    name = described(connection.engine.url)
    try:
        with transaction(connection):
            version = _version(connection)
    except StorageError as error:
        raise _of(connection, error) from error
    if version != HEAD:
        raise StorageError(f"{name} has schema {version}; accepted: {HEAD}, to which a start of vela up brings it")


def _of(connection: Connection, error: StorageError) -> StorageError:
    """Return the same error with the record's name, where the database spoke."""
    if error.__cause__ is None:
        return error
    why = str(error).partition(": ")[2]
    return type(error)(f"{described(connection.engine.url)} cannot be used as a record: {why}")


def _version(connection: Connection) -> str | None:
    tables = inspect(connection).get_table_names()
    if "alembic_version" in tables:
        version = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
        return None if version is None else str(version)
    if tables:
        raise StorageError(
            f"{described(connection.engine.url)} belongs to another program (tables {', '.join(tables)[:80]}); "
            "accepted: a record written by Vela, or an empty place"
        )
    return None


def _move(connection: Connection, version: str | None, revision: str) -> None:
    from alembic import command  # noqa: PLC0415  a start without migration does without it
    from alembic.config import Config  # noqa: PLC0415
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    config = Config(MIGRATIONS / "alembic.ini", attributes={"connection": connection})
    known = sorted(script.revision for script in ScriptDirectory.from_config(config).walk_revisions())
    if version is not None and version not in known:
        raise StorageError(
            f"{described(connection.engine.url)} has schema {version}; this program knows up to {HEAD}: "
            "use the newer Vela that wrote it"
        )
    if revision not in known:
        raise StorageError(f"schema {revision[:40]!r} is unknown; accepted: {known[0]} to {known[-1]}")
    if version is None or revision > version:
        command.upgrade(config, revision)
    elif revision < version:
        command.downgrade(config, revision)
    crashpoint("P24")
