"""Brings a database to this program's schema, with Alembic."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DBAPIError

from vela.domain.crashpoints import crashpoint
from vela.domain.errors import StorageError

HEAD = "0006"
MIGRATIONS = Path(__file__).resolve().parents[1] / "migrations"


def bring_up_to_date(connection: Connection) -> None:
    """Create the tables, or upgrade them, in one transaction.

    A database at `HEAD` costs one query: Alembic is imported only if there is something to do.

    Raises:
        StorageError: the file is no database or not Vela's, its schema is newer than this program, or it cannot be
            written.
    """
    name = connection.engine.url.database
    try:
        with connection.begin():
            version = _version(connection)
        if version == HEAD:
            return
        with connection.begin():
            _upgrade(connection, version)
    except DBAPIError as error:
        raise StorageError(f"{name} cannot be used as a record: {error.orig}") from error


def require_current(connection: Connection) -> None:
    """Check that the database is at `HEAD`, without changing anything.

    Raises:
        StorageError: it is not, or cannot be read.
    """
    name = connection.engine.url.database
    try:
        with connection.begin():
            version = _version(connection)
    except DBAPIError as error:
        raise StorageError(f"{name} cannot be used as a record: {error.orig}") from error
    if version != HEAD:
        raise StorageError(f"{name} has schema {version}; accepted: {HEAD}, to which a start of vela up brings it")


def _version(connection: Connection) -> str | None:
    tables = inspect(connection).get_table_names()
    if "alembic_version" in tables:
        version = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
        return None if version is None else str(version)
    if tables:
        raise StorageError(
            f"{connection.engine.url.database} belongs to another program (tables {', '.join(tables)[:80]}); "
            "accepted: a record written by Vela, or no file"
        )
    return None


def _upgrade(connection: Connection, version: str | None) -> None:
    from alembic import command  # noqa: PLC0415  a start without migration does without it
    from alembic.config import Config  # noqa: PLC0415
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    config = Config(MIGRATIONS / "alembic.ini", attributes={"connection": connection})
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if version is not None and version not in known:
        raise StorageError(
            f"{connection.engine.url.database} has schema {version}; this program knows up to {HEAD}: "
            "use the newer Vela that wrote it"
        )
    command.upgrade(config, "head")
    crashpoint("P24")
