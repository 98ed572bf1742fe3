"""A record in a file: copied page by page from one moment, while others write; put back as a whole."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from vela.adapters.storage.backup.archive import Manifest, beside, digest_of, extract, move_aside, write_archive
from vela.adapters.storage.lock import DirectoryLock
from vela.adapters.storage.sql.dialect import BUSY_TIMEOUT_MS
from vela.adapters.storage.sql.record import RECORD_FILE
from vela.domain.errors import ConfigurationError, StorageError
from vela.version import __version__

KIND = "sqlite"


def back_up(record: Path, to: Path, *, time: int, overwrite: bool) -> Manifest:
    """Copy the record in the file `record`, which may be in use, into the archive `to`.

    Args:
        record: a file that exists.
        to: the archive.
        time: now, ms UTC.
        overwrite: replace an archive of that name.

    Raises:
        ConfigurationError: there is an archive of that name.
        StorageError: the record cannot be read, or the archive cannot be written.
    """
    with beside(to, overwrite=overwrite) as partial:
        copy = partial.with_name(partial.name + ".sqlite")
        try:
            with _our_errors(record), closing(_open(record)) as source, closing(_open(copy)) as target:
                source.backup(target)  # all pages in one step: one moment, and in WAL mode writers go on
                # A copy stands alone: no second file belongs to it.
                target.execute("PRAGMA journal_mode = DELETE")
            schema, rows = check(copy)
            size, digest = copy.stat().st_size, digest_of(copy)
            manifest = Manifest(
                vela=__version__, database=KIND, schema=schema, time=time, rows=rows, bytes=size, sha256=digest
            )
            write_archive(partial, manifest, copy)
        finally:
            for leftover in (copy, copy.with_name(copy.name + "-journal"), copy.with_name(copy.name + "-wal")):
                leftover.unlink(missing_ok=True)
    return manifest


def restore(archive: Path, manifest: Manifest, data_dir: Path, *, overwrite: bool) -> Path | None:
    """Put a copy in place of the record in `data_dir`; return what the one that was there is called now, if any.

    Raises:
        ConfigurationError: there is a record, and it is not to be replaced.
        StorageLocked: a running instance holds the directory.
        StorageError: the copy is damaged, or the directory cannot be written; the record is as it was.
    """
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"{data_dir} cannot be made: {error.strerror}; accepted: a writable directory") from error
    lock = DirectoryLock(data_dir)
    try:
        record = data_dir / RECORD_FILE
        if record.exists() and not overwrite:
            raise ConfigurationError(
                f"data_dir {str(data_dir)!r} holds a record; accepted: another --data-dir, or --overwrite, "
                "which keeps the present one under another name"
            )
        kept: list[Path | None] = []
        with beside(record, overwrite=True) as partial:
            verify(archive, manifest, partial)
            _close_log(record)
            kept.append(move_aside(record))
        return kept[0]
    finally:
        lock.release()


def verify(archive: Path, manifest: Manifest, to: Path) -> None:
    """Unpack a copy to the file `to`, and make sure that it is whole.

    Raises:
        StorageError: it is damaged.
    """
    extract(archive, manifest, to)
    found = check(to)
    if found != (manifest.schema, manifest.rows):
        raise StorageError(f"{archive} is damaged: its tables do not hold what its manifest says")


def check(path: Path) -> tuple[str, dict[str, int]]:
    """Return schema and rows by table of the database in a file that nobody uses.

    Raises:
        StorageError: it is damaged, or no record.
    """
    with _our_errors(path), closing(_open(path)) as connection:
        for pragma in ("integrity_check", "foreign_key_check"):
            faults = [row for row in connection.execute(f"PRAGMA {pragma}") if row[0] != "ok"]
            if faults:
                raise StorageError(f"{path} is damaged: {pragma}: {faults[0]}")
        names = [
            str(name)
            for (name,) in connection.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!'"
            )
        ]
        if "alembic_version" not in names:
            raise StorageError(f"{path} is no record of Vela")
        [(schema,)] = connection.execute("SELECT version_num FROM alembic_version")
        rows = {
            name: int(connection.execute(f'SELECT COUNT(*) FROM "{name}"').fetchone()[0])  # noqa: S608  names it told us
            for name in sorted(names)
        }
        return str(schema), rows


def _close_log(record: Path) -> None:
    """Bring what is in the log of a record into its file, if it is sound enough for that."""
    if not record.exists():
        return
    try:
        with closing(_open(record)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.Error:
        return  # damaged, perhaps the reason for all this: its files move as they are


def _open(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=BUSY_TIMEOUT_MS / 1000, isolation_level=None)


@contextmanager
def _our_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError, ValueError) as error:
        raise StorageError(f"{path} cannot be used: {error}") from error
