"""A system of service processes on servers of its own, for tests that kill parts of it or cut its network."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Self

import polars as pl
from sqlalchemy import text
from tests.builders import random_walk
from tests.postgres import PostgresServer
from tests.redis_process import RedisProcess
from tests.wire_cutter import wire_in_thread

from vela.adapters.storage.sql.database import Database, Purpose
from vela.adapters.storage.sql.record import RECORD_FILE
from vela.domain.candles import COLUMNS

RULES = ("--stop-loss", "0.4", "--take-profit", "0.6", "--trailing", "0.3", "--cooldown", "1m")
_TABLES = {
    "trades": "SELECT symbol, entry_time, entry_price, exit_time, exit_price, quantity, pnl, exit_reason FROM trades",
    "ledger": "SELECT transaction_id, line, time, account, asset, amount FROM ledger_entries",
    "decisions": "SELECT symbol, candle_time, action, strategy, regime, reason FROM decisions",
    "signals": "SELECT symbol, candle_time, action, client_order_id, refusal FROM signals",
    "outbox": "SELECT number FROM outbox",
}


def write_recordings(folder: Path, count: int) -> Path:
    """Write a walk of one-minute candles for two symbols."""
    folder.mkdir(parents=True)
    for seed, name in enumerate(("BTCUSDT", "ETHUSDT"), start=1):
        candles = random_walk(count, seed, 0.002)
        frame = pl.DataFrame({column: getattr(candles, column) for column in ("open_time", *COLUMNS)})
        frame.write_parquet(folder / f"{name}_1m.parquet")
    return folder


@dataclass(frozen=True)
class Outcome:
    """What a run left: its summary, and the rows of the record by table."""

    summary: Mapping[str, Any]
    rows: Mapping[str, Sequence[tuple[object, ...]]]

    def differences(self, other: Outcome, but: str = "") -> list[str]:
        """Say in words in what another one differs; `but`: a table that does not matter."""
        found = []
        if other.summary != self.summary:
            found.append(f"summaries differ: {dict(self.summary)} and {dict(other.summary)}")
        for table, rows in ((table, rows) for table, rows in self.rows.items() if table != but):
            lost, more = set(rows) - set(other.rows[table]), set(other.rows[table]) - set(rows)
            if lost or more or len(rows) != len(other.rows[table]):
                found.append(f"{table}: {len(lost)} lost {sorted(lost)[:3]}, {len(more)} besides {sorted(more)[:3]}")
        return found


def command(market: Path, data_dir: Path, *options: str) -> list[str]:
    """Return the command of a run that leaves at the market's end."""
    run = [sys.executable, "-m", "vela", "up", "--market", str(market), "--speed", "max", "--until-end", "--json"]
    return [*run, "--data-dir", str(data_dir), *RULES, *options]


def run_embedded(market: Path, data_dir: Path) -> Outcome:
    """Run all in one process, undisturbed."""
    done = subprocess.run(
        command(market, data_dir, "--no-page"), capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return outcome(json.loads(done.stdout), Database.at(data_dir / RECORD_FILE))


def outcome(summary: Mapping[str, Any], database: Database) -> Outcome:
    """Return what a run left."""
    with database.connect(Purpose.READING) as connection, connection.begin():
        rows = {name: sorted(map(_plain, connection.execute(text(query)))) for name, query in _TABLES.items()}
    return Outcome(summary, rows)


def _plain(row: Sequence[object]) -> tuple[str, ...]:
    # Amounts are texts in the one database and numbers in the other.
    return tuple(str(_number(value)) for value in row)


def _number(value: object) -> object:
    try:
        return Decimal(str(value)).normalize()
    except ArithmeticError:
        return value


@dataclass
class Recovery:
    """How long it took until all went on after a part had died."""

    part: str
    seconds: float


@dataclass
class ScaledRun:
    """`vela up --scaled` on a Redis and a PostgreSQL of its own, each at the end of a wire."""

    folder: Path
    market: Path
    postgres: PostgresServer
    options: Sequence[str] = ()
    lines: list[str] = field(default_factory=list)
    recoveries: list[Recovery] = field(default_factory=list)

    def __enter__(self) -> Self:
        self.redis = RedisProcess(self.folder / "redis", "--appendfsync", "always").start()
        self.database = self.postgres.new_database()
        self._stack = ExitStack()
        self._wires = {
            part: self._stack.enter_context(wire_in_thread(port))
            for part, port in {"redis": self.redis.port, "postgresql": self.postgres.port}.items()
        }
        bus = self.redis.url.replace(f":{self.redis.port}/", f":{self._wires['redis'].port}/")
        database = self.postgres.network_url(self.database).set(port=self._wires["postgresql"].port)
        address = database.render_as_string(hide_password=False)
        run = command(self.market, self.folder / "data", "--scaled", *self.options)
        self.process = subprocess.Popen(
            run,
            env={**os.environ, "VELA_BUS": bus, "VELA_DATABASE": address},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self._reader.join(10)
        for stream in (self.process.stdout, self.process.stderr):
            assert stream is not None
            stream.close()
        self._stack.close()
        self.redis.stop()
        self.postgres.drop(self.database)

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.lines.append(line.strip())

    # ----------------------------------------------------------------------------------------------------- watching

    @property
    def is_over(self) -> bool:
        """Whether the market has ended."""
        return self.process.poll() is not None

    def rounds(self) -> int:
        """Return how many candles have closed on the bus."""
        with self.redis.client() as client:
            if not client.exists("vela:market.candles"):
                return 0
            return int(client.xinfo_stream("vela:market.candles")["entries-added"])

    def starts(self, service: str) -> int:
        """Return how often a service has come to run."""
        return sum(line.startswith(f"{service} runs") for line in self.lines)

    def wait_until(self, condition: Callable[[], object], what: str, seconds: float) -> None:
        """Wait, as long as the system runs."""
        deadline = time.monotonic() + seconds
        while not condition() and not self.is_over:
            assert time.monotonic() < deadline, f"{what} took more than {seconds:g} s\n" + "\n".join(self.lines[-40:])
            time.sleep(0.02)

    def pass_rounds(self, count: int, seconds: float = 60.0) -> None:
        """Let the market go on."""
        goal = self.rounds() + count
        self.wait_until(lambda: self.rounds() >= goal, f"{count} candles", seconds)

    # ------------------------------------------------------------------------------------------------------- killing

    def kill(self, *services: str, seconds: float) -> None:
        """Kill services' processes at once, and wait until others run in their places and the market goes on."""
        before, began = {service: self.starts(service) for service in services}, time.monotonic()
        for process in [self._process_of(service) for service in services]:
            os.kill(process, signal.SIGKILL)
        for service, starts in before.items():
            self.wait_until(lambda: self.starts(service) > starts, f"another {service}", seconds)  # noqa: B023  within this turn
        self._recovered(" + ".join(services), began, seconds)

    def kill_redis(self, seconds: float, away: float = 1.0) -> None:
        """Kill Redis and start it again on what it has on disk."""
        self._without("redis", self.redis.kill, self.redis.start, seconds, away)

    def stop_postgres(self, seconds: float, away: float = 1.0) -> None:
        """Stop PostgreSQL at once, without a word to those who are connected, and start it again."""
        self._without("postgresql", lambda: self.postgres.stop("immediate"), self.postgres.start, seconds, away)

    def cut_wire(self, part: str, seconds: float, away: float) -> None:
        """Break all connections to `redis` or `postgresql`, and each new one for a while."""
        wire = self._wires[part]
        self._without(f"{part} cut off", wire.cut, wire.mend, seconds, away)

    def silence_wire(self, part: str, seconds: float, away: float) -> None:
        """Let nothing through to `redis` or `postgresql` for a while, without a word to who waits for it."""
        wire = self._wires[part]
        self._without(f"{part} silent", wire.silence, wire.mend, seconds, away)

    def _without(
        self, what: str, take: Callable[[], object], give_back: Callable[[], object], seconds: float, away: float
    ) -> None:
        began = time.monotonic()
        take()
        time.sleep(away)
        give_back()
        self._recovered(what, began, seconds)

    def _recovered(self, part: str, began: float, seconds: float) -> None:
        self.pass_rounds(3, seconds)
        self.recoveries.append(Recovery(part, round(time.monotonic() - began, 1)))

    def _process_of(self, service: str) -> int:
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                words = (folder / "cmdline").read_bytes().decode(errors="replace").split("\0")
                status = (folder / "status").read_text()
            except OSError:  # it has just ended
                continue
            is_child = f"PPid:\t{self.process.pid}\n" in status
            if is_child and "run" in words and words[words.index("run") + 1] == service:
                return int(folder.name)
        raise AssertionError(f"{service} does not run\n" + "\n".join(self.lines[-40:]))

    # ------------------------------------------------------------------------------------------------------- the end

    def finish(self, seconds: float) -> Outcome:
        """Let the market come to its end and return what is left."""
        self.wait_until(lambda: self.is_over, "the market", seconds)
        assert self.process.stdout is not None
        printed = self.process.stdout.read()
        assert self.process.returncode == 0, "\n".join(self.lines[-40:])
        return outcome(json.loads(printed), Database(self.postgres.url(self.database)))
