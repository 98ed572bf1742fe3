"""The record's schema, copies of the record, and putting one back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from vela.adapters.clock import SystemClock
from vela.adapters.storage.backup import postgresql, sqlite
from vela.adapters.storage.backup.archive import Manifest, read_manifest
from vela.adapters.storage.lock import DirectoryLock
from vela.adapters.storage.sql.database import Database, Purpose
from vela.adapters.storage.sql.leases import ServerLease
from vela.adapters.storage.sql.migration import HEAD, move_to, version_of
from vela.adapters.storage.sql.record import RECORD_FILE
from vela.bootstrap.record import require_record
from vela.bootstrap.settings import DataSettings
from vela.domain.errors import ConfigurationError, StorageError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Copy(msgspec.Struct, frozen=True):
    """A copy of a record. `kept`: what the record that it replaced is called now; None: there was none."""

    path: Path
    manifest: Manifest
    kept: Path | None = None


class Migration(msgspec.Struct, frozen=True):
    """What became of a schema. `before`: None: the database was empty."""

    record: str
    before: str | None
    after: str


def migrate(settings: DataSettings, to: str | None = None) -> Migration:
    """Bring the record that the settings name to the schema `to`; None: this program's.

    Where there is nothing to do, it may be in use.

    Raises:
        ConfigurationError: there is no record, or no such schema.
        StorageLocked: a running instance uses it.
        StorageError: it cannot be used, or a symbol in it cannot be read; nothing was changed.
    """
    database = require_record(settings)
    if to is not None and not (to.isascii() and to.isdigit() and len(to) == len(HEAD) and "0001" <= to <= HEAD):
        raise ConfigurationError(f"--to was {to[:40]!r}; accepted: 0001 to {HEAD}")
    target = to or HEAD
    with database.connect(Purpose.READING) as connection:
        before = version_of(connection)
    if before != target:
        with held_record(settings), database.connect(Purpose.TRADING) as connection:
            before = move_to(connection, target)
    return Migration(database.name, before, target)


def back_up(settings: DataSettings, to: Path | None, *, overwrite: bool) -> Copy:
    """Copy the record that the settings name, whether a system runs on it or not.

    Args:
        settings: where it lies.
        to: a file, or a directory in which one is named by the time; None: the working directory.
        overwrite: replace a file of that name.

    Raises:
        ConfigurationError: there is no record, or a file of that name.
        StorageError: the record cannot be read, or the copy cannot be written.
    """
    database, now = require_record(settings), SystemClock().now()
    path = to or Path()
    if path.is_dir():
        path /= f"vela-{_EPOCH + timedelta(milliseconds=now):%Y%m%dT%H%M%SZ}.zip"
    if not path.parent.is_dir():
        raise ConfigurationError(
            f"{path.parent} is no directory; accepted: one that exists, in which to write the copy"
        )
    if settings.database is not None:
        return Copy(path, postgresql.back_up(database, path, time=now, overwrite=overwrite))
    record = settings.data_dir / RECORD_FILE
    return Copy(path, sqlite.back_up(record, path, time=now, overwrite=overwrite))


def check_copy(path: Path, scratch: Path | None = None) -> Copy:
    """Make sure that a copy is whole and of a version that this program knows, and change nothing.

    Args:
        path: the copy.
        scratch: a directory with room for what is in it; None: the one of the copy.

    Raises:
        ConfigurationError: there is no such file.
        StorageError: it is damaged, or newer than this program.
    """
    manifest = _known_manifest(path)
    if manifest.database == postgresql.KIND:
        postgresql.verify(path, manifest)
    else:
        unpacked = (scratch or path.parent) / f".{path.name}.unpacked"
        try:
            sqlite.verify(path, manifest, unpacked)
        finally:
            unpacked.unlink(missing_ok=True)
    return Copy(path, manifest)


def restore(settings: DataSettings, path: Path, *, overwrite: bool) -> Copy:
    """Put a copy in place of the record that the settings name.

    Raises:
        ConfigurationError: there is a record and it is not to be replaced, or the copy is of another kind of database.
        StorageLocked: a running instance uses the record.
        StorageError: the copy is damaged or newer than this program; nothing was changed.
    """
    manifest = _known_manifest(path)
    if settings.database is None:
        if manifest.database != sqlite.KIND:
            raise ConfigurationError(f"{path} is of a record on PostgreSQL; accepted: with --database postgresql://…")
        return Copy(path, manifest, sqlite.restore(path, manifest, settings.data_dir, overwrite=overwrite))
    if manifest.database != postgresql.KIND:
        raise ConfigurationError(f"{path} is of a record in SQLite; accepted: with --data-dir and without --database")
    postgresql.restore(path, manifest, require_record(settings), settings.data_dir, overwrite=overwrite)
    return Copy(path, manifest)


def _known_manifest(path: Path) -> Manifest:
    manifest = read_manifest(path)
    if manifest.schema > HEAD:
        raise StorageError(
            f"{path} has schema {manifest.schema[:40]}, written by Vela {manifest.vela[:40]}; "
            f"this program knows up to {HEAD}: use the newer Vela"
        )
    if manifest.database not in {sqlite.KIND, postgresql.KIND}:
        raise StorageError(f"{path} is of a database that this program does not know: {manifest.database[:40]!r}")
    return manifest


@contextmanager
def held_record(settings: DataSettings) -> Iterator[Database]:
    """Lend the database of the record that the settings name, or an empty place for one; nobody may run on it.

    Raises:
        ConfigurationError: the address is none, or the server does not let us in.
        StorageLocked: a running instance uses it.
        StorageError: the directory cannot be written, or the server cannot be reached.
    """
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"{settings.data_dir} cannot be made: {error.strerror}") from error
    lock = DirectoryLock(settings.data_dir)
    try:
        if settings.database is None:
            yield Database.at(settings.data_dir / RECORD_FILE)
            return
        database = require_record(settings)
        lease = ServerLease(database, lock)
        try:
            yield database
        finally:
            lease.release()
    finally:
        lock.release()
