"""A record on a server: `pg_dump` takes the copy from one moment, `pg_restore` puts it back in one transaction."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sqlalchemy import URL, Connection, func, inspect, select, table, text, update

from vela.adapters.storage.backup.archive import Manifest, beside, digest_of, extract, write_archive
from vela.adapters.storage.lock import DirectoryLock
from vela.adapters.storage.sql.database import Database, Purpose, transaction
from vela.adapters.storage.sql.leases import ServerLease
from vela.adapters.storage.sql.migration import version_of
from vela.adapters.storage.sql.schema import leases
from vela.domain.errors import ConfigurationError, StorageError
from vela.version import __version__

KIND: Final = "postgresql"
_PROGRAMS: Final = Path("/usr/lib/postgresql")  # where Debian puts those of every version


def back_up(database: Database, to: Path, *, time: int, overwrite: bool) -> Manifest:
    """Copy the record at `database`, which may be in use, into the archive `to`. See `sqlite.back_up`.

    Raises:
        ConfigurationError: there is an archive of that name, or `pg_dump` is not on this machine.
        StorageError: the record cannot be read, or the archive cannot be written.
    """
    program = _program("pg_dump")
    with database.connect(Purpose.READING) as connection, beside(to, overwrite=overwrite) as partial:
        schema = version_of(connection)
        if schema is None:
            raise StorageError(f"{database.name} holds no record")
        dump = partial.with_name(partial.name + ".pgdump")
        try:
            with transaction(connection):
                # The program may run for longer than a transaction may rest.
                connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
                connection.execute(text("SET LOCAL statement_timeout = 0"))
                moment = connection.execute(select(func.pg_export_snapshot())).scalar_one()
                rows = _rows(connection)
                options = ["--format=custom", "--compress=0", "--no-owner", "--no-privileges", f"--snapshot={moment}"]
                _run(database.url, program, *options, f"--file={dump}")
            size, digest = dump.stat().st_size, digest_of(dump)
            manifest = Manifest(
                vela=__version__, database=KIND, schema=schema, time=time, rows=rows, bytes=size, sha256=digest
            )
            write_archive(partial, manifest, dump)
        finally:
            dump.unlink(missing_ok=True)
    return manifest


def restore(archive: Path, manifest: Manifest, database: Database, data_dir: Path, *, overwrite: bool) -> None:
    """Put a copy in place of the record at `database`, all of it or nothing.

    Raises:
        ConfigurationError: there is a record, and it is not to be replaced; or `pg_restore` is not on this machine.
        StorageLocked: a running instance holds the record.
        StorageError: the copy is damaged, or cannot be put there.
    """
    with _verified(archive, manifest) as dump, _held(database, data_dir):
        with database.connect(Purpose.TRADING) as connection:
            there, token = _tables(connection), _newest_token(connection)
        if there and not overwrite:
            raise ConfigurationError(
                f"database {database.name} holds a record; accepted: an empty database, or --overwrite"
            )
        more = sorted(set(there) - set(manifest.rows))
        if more:
            raise ConfigurationError(
                f"database {database.name} holds tables that the copy has not ({', '.join(more)[:80]}); "
                f"accepted: an empty database, or vela migrate --to {manifest.schema} first"
            )
        options = ["--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges"]
        clean = ["--clean", "--if-exists"] if there else []
        _run(database.url, _program("pg_restore"), *options, *clean, str(dump))
        with database.connect(Purpose.TRADING) as connection:
            with transaction(connection):
                rows = _rows(connection)
            _fence(connection, token)
            if (version_of(connection), rows) != (manifest.schema, manifest.rows):
                raise StorageError(f"{database.name} does not hold what the manifest of {archive} says")


def verify(archive: Path, manifest: Manifest) -> None:
    """Make sure that a copy is whole, as far as that can be seen without a server.

    Raises:
        ConfigurationError: `pg_restore` is not on this machine.
        StorageError: it is damaged.
    """
    with _verified(archive, manifest):
        pass


@contextmanager
def _verified(archive: Path, manifest: Manifest) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="vela-restore-") as folder:
        dump = Path(folder) / manifest.member
        extract(archive, manifest, dump)
        _run_plainly(_program("pg_restore"), "--list", str(dump))
        yield dump


@contextmanager
def _held(database: Database, data_dir: Path) -> Iterator[None]:
    """Make sure that nobody trades on the record meanwhile."""
    data_dir.mkdir(parents=True, exist_ok=True)
    lock = DirectoryLock(data_dir)
    try:
        lease = ServerLease(database, lock)
    except BaseException:
        lock.release()
        raise
    try:
        yield
    finally:
        lease.release()


def _tables(connection: Connection) -> list[str]:
    with transaction(connection):
        return inspect(connection).get_table_names()


def _newest_token(connection: Connection) -> int:
    with transaction(connection):
        if not inspect(connection).has_table(leases.name):
            return 0
        return int(connection.execute(select(func.coalesce(func.max(leases.c.token), 0))).scalar_one())


def _fence(connection: Connection, token: int) -> None:
    """Let nobody write who held the lease before: the copy brought an older token along."""
    with transaction(connection):
        if inspect(connection).has_table(leases.name):
            connection.execute(update(leases).values(token=func.greatest(leases.c.token, token) + 1))


def _rows(connection: Connection) -> dict[str, int]:
    names = sorted(inspect(connection).get_table_names())
    return {name: connection.execute(select(func.count()).select_from(table(name))).scalar_one() for name in names}


def _program(name: str) -> str:
    """Return the newest program of that name: it must not be older than the server."""
    found = [str(path) for path in _PROGRAMS.glob(f"*/bin/{name}")]
    newest = max(found, key=lambda path: float(Path(path).parts[-3]), default=None) or shutil.which(name)
    if newest is None:
        raise ConfigurationError(
            f"{name} is not on this machine; accepted: with the client programs of PostgreSQL (postgresql-client)"
        )
    return newest


def _run(url: URL, program: str, *arguments: str) -> None:
    # Neither the list of processes nor a message shows the password.
    address = URL.create("postgresql", url.username, None, url.host, url.port, url.database, url.query)
    _run_plainly(program, f"--dbname={address.render_as_string()}", *arguments, password=url.password)


def _run_plainly(program: str, *arguments: str, password: str | None = None) -> None:
    environment = {**os.environ} | ({} if password is None else {"PGPASSWORD": password})
    done = subprocess.run(  # noqa: S603  PostgreSQL's own programs
        [program, *arguments], env=environment, capture_output=True, stdin=subprocess.DEVNULL, check=False
    )
    if done.returncode:
        why = " ".join(done.stderr.decode(errors="replace").split())[:300]
        raise StorageError(f"{Path(program).name} failed: {why}")
