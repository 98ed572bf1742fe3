"""Where a session's record lies: in the data directory, or on a server."""

from __future__ import annotations

from vela.adapters.storage.sql.database import Database, Purpose
from vela.adapters.storage.sql.leases import ServerLease
from vela.adapters.storage.sql.record import RECORD_FILE, Record, SharedRecord, open_record
from vela.bootstrap.settings import DataSettings
from vela.domain.errors import ConfigurationError


def open_record_of(settings: DataSettings, *, trading: Purpose = Purpose.TRADING) -> Record:
    """Open the record that the settings name; see `open_record`.

    Raises:
        ConfigurationError: the address is none, or the server does not let us in.
        StorageError: it cannot be opened, or another instance holds it.
    """
    return open_record(settings.data_dir, database=_server(settings), trading=trading)


def open_shared_record(settings: DataSettings) -> SharedRecord:
    """Open the record on a server beside other processes.

    Raises:
        ConfigurationError: the address is none or missing, or the server does not let us in.
        StorageUnavailable: the server cannot be reached.
        StorageError: it cannot be used.
    """
    return SharedRecord(_required_server(settings))


def open_leased_record(settings: DataSettings, *, trading: Purpose) -> Record:
    """Open the record on a server to trade on it; no directory is locked.

    Args:
        settings: name it.
        trading: see `Record`.

    Raises:
        ConfigurationError: the address is none or missing, or the server does not let us in.
        StorageLocked: another instance trades on it.
        StorageUnavailable: the server cannot be reached.
        StorageError: it cannot be used.
    """
    database = _required_server(settings)
    return Record(database, ServerLease(database, None), trading=trading)


def require_record(settings: DataSettings) -> Database:
    """Return the database of a record that is there; on a server that is seen when it is opened.

    Raises:
        ConfigurationError: the data directory holds none, or the address is none.
    """
    server = _server(settings)
    if server is not None:
        return server
    path = settings.data_dir / RECORD_FILE
    if not path.exists():
        raise ConfigurationError(
            f"data_dir {str(settings.data_dir)!r} holds no account; accepted: the --data-dir of a vela up"
        )
    return Database.at(path)


def _required_server(settings: DataSettings) -> Database:
    server = _server(settings)
    if server is None:
        raise ConfigurationError("setting database is missing; accepted: postgresql://USER:PASSWORD@HOST:5432/NAME")
    return server


def _server(settings: DataSettings) -> Database | None:
    return None if settings.database is None else Database.from_url(settings.database.get_secret_value())
