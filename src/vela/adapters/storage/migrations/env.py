"""Alembic's entry: runs migrations on the connection handed in, on `-x record=FILE` or on `-x database=URL`."""

from __future__ import annotations

from pathlib import Path

from alembic import context
from sqlalchemy import Connection

from vela.adapters.storage.sql.database import Database, Purpose
from vela.adapters.storage.sql.schema import metadata
from vela.adapters.storage.sql.symbol_check import require_readable_symbols
from vela.domain.errors import StorageError


def _run(connection: Connection) -> None:
    # One transaction around everything: SQLite rolls back tables as well as rows.
    context.configure(connection=connection, target_metadata=metadata, transactional_ddl=True, render_as_batch=True)
    with context.begin_transaction():
        require_readable_symbols(connection)
        context.run_migrations()


def _named() -> Database:
    given = context.get_x_argument(as_dictionary=True)
    path, url = given.get("record"), given.get("database")
    if isinstance(path, str):
        return Database.at(Path(path))
    if isinstance(url, str):
        return Database.from_url(url)
    raise StorageError("no record given; accepted: alembic -x record=FILE … or -x database=postgresql://…")


given = context.config.attributes.get("connection")
if given is None:
    with _named().connect(Purpose.TRADING) as connection:
        _run(connection)
else:
    _run(given)
