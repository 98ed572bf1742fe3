"""Alembic's entry: runs migrations on the connection that the program hands in, or on `-x record=FILE`."""

from __future__ import annotations

from pathlib import Path

from alembic import context
from sqlalchemy import Connection

from vela.adapters.storage.sql.database import Database, Purpose
from vela.adapters.storage.sql.schema import metadata
from vela.domain.errors import StorageError


def _run(connection: Connection) -> None:
    # One transaction around everything: SQLite rolls back tables as well as rows.
    context.configure(connection=connection, target_metadata=metadata, transactional_ddl=True, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()


def _run_on_file() -> None:
    path = context.get_x_argument(as_dictionary=True).get("record")
    if not isinstance(path, str):
        raise StorageError("no record given; accepted: alembic -x record=FILE …")
    with Database.at(Path(path)).connect(Purpose.TRADING) as connection:
        _run(connection)


given = context.config.attributes.get("connection")
if given is None:
    _run_on_file()
else:
    _run(given)
