"""A PostgreSQL server of the tests' own: private, in a temporary folder, gone afterwards."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from contextlib import closing
from itertools import count
from pathlib import Path

from sqlalchemy import URL, create_engine, text

USER = "vela"
PASSWORD = "not:a/real@secret"
# Another order of texts than by code points, as a user's database may have one.
_INIT = ("--locale-provider=icu", "--icu-locale=en-US", "--locale=C.UTF-8", "--encoding=UTF8", "--no-sync")
_HBA = "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n"
_CONFIG = """
fsync = off
full_page_writes = off
max_connections = 60
wal_level = minimal
max_wal_senders = 0
autovacuum = off
unix_socket_directories = '{folder}'
port = {port}
listen_addresses = '127.0.0.1'
timezone = 'Asia/Tokyo'
log_min_messages = fatal
"""


def programs() -> Path | None:
    """Return the folder of the newest PostgreSQL on this machine that has a server."""
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).resolve().parent
    found = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    return max((path.parent for path in found), key=lambda path: float(path.parent.name), default=None)


class PostgresServer:
    """Starts at once; `stop` ends it for good."""

    def __init__(self, folder_of_programs: Path) -> None:
        self._programs = folder_of_programs
        self._as_user = ("runuser", "-u", "nobody", "--") if os.geteuid() == 0 else ()
        self._folder = Path(tempfile.mkdtemp(prefix="vela-pg-"))
        self._data = self._folder / "data"
        if self._as_user:
            shutil.chown(self._folder, "nobody")
        self.port = _free_port()
        self._numbers = count(1)
        self._initialise()
        self.start()

    def _initialise(self) -> None:
        secret = self._folder / "password"
        secret.write_text(PASSWORD)
        secret.chmod(0o644)
        self._run("initdb", "-D", str(self._data), "-U", USER, f"--pwfile={secret}", "-A", "scram-sha-256", *_INIT)
        secret.unlink()
        with (self._data / "postgresql.conf").open("a") as file:
            file.write(_CONFIG.format(folder=self._folder, port=self.port))
        (self._data / "pg_hba.conf").write_text(_HBA)

    def start(self) -> None:
        log = str(self._folder / "log")
        self._run("pg_ctl", "-D", str(self._data), "-w", "-l", log, "start")

    def stop(self, mode: str = "immediate") -> None:
        self._run("pg_ctl", "-D", str(self._data), "-w", "-m", mode, "stop")

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self._folder)

    def url(self, database: str) -> URL:
        """Return an address over the Unix socket, which asks for no password."""
        query = {"host": str(self._folder), "port": str(self.port)}
        return URL.create("postgresql+psycopg", username=USER, database=database, query=query)

    def network_url(self, database: str, password: str = PASSWORD) -> URL:
        """Return an address as users write it."""
        return URL.create("postgresql+psycopg", USER, password, "127.0.0.1", self.port, database)

    def new_database(self, template: str = "template0") -> str:
        """Make a database like `template` and return its name."""
        name = f"d{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def drop(self, database: str) -> None:
        self.execute(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")

    def execute(self, statement: str) -> list[tuple[object, ...]]:
        """Run a statement as the server's owner, outside of transactions, and return its rows."""
        engine = create_engine(self.url("postgres"), isolation_level="AUTOCOMMIT")
        try:
            with engine.connect() as connection:
                result = connection.execute(text(statement))
                return [tuple(row) for row in result] if result.returns_rows else []
        finally:
            engine.dispose()

    def _run(self, program: str, *arguments: str) -> None:
        line = [*self._as_user, str(self._programs / program), *arguments]
        done = subprocess.run(
            line, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, cwd="/", check=False
        )
        if done.returncode:
            raise RuntimeError(f"{program} failed: {done.stdout.decode(errors='replace')}")


def _free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
