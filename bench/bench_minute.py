"""The close of a minute of 200 symbols: how long until all is decided, answered, on record and on the page's service.

Every service runs in a process of its own, as `vela up --scaled` starts them, on a private Redis and PostgreSQL. The
market is made up from a fixed seed; a minute of it takes two seconds, in which prices move twenty times, and none
begins before all that followed from the one before is done. Timed is from the entry of the closed candles in Redis
until

- the brain's decisions on all symbols are in Redis,
- what the orders service made of every signal of that minute is in Redis, and it has handled that minute's messages,
- the decisions on all symbols are committed in PostgreSQL, read by somebody else,
- the page's service has taken candles and decisions in: what a browser would be shown.

Entries of Redis carry its clock; the others are looked for every few milliseconds. The first minute, in which the
brain gets its history, is told apart. In one process, for comparison, the end is when the bus has settled.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import redis
from bench.bench_start import free_port
from bench.servers import Servers, servers, service_processes
from bench.venue import run_as_the_product
from sqlalchemy import Connection, text

from vela.adapters.storage.sql.database import Database, Purpose
from vela.bootstrap.application import Application
from vela.bootstrap.service_process import SERVICES
from vela.bootstrap.settings import load_settings
from vela.domain.codec import decode
from vela.domain.events import CandlesClosed, DecisionsMade, Message, SignalHandled, SignalsRaised
from vela.domain.trading_symbol import register_assets

SYMBOLS = 200
MINUTES = 8
WARM_UP = 1  # of them; with the first, the brain asks for all of its history
REAL_SECONDS = 2.0  # that a minute takes
AIM: Final = "1 s"
PATIENCE_SECONDS = 120.0
LOOK_SECONDS = 0.005

ASSETS = [f"BENCH{number}" for number in range(SYMBOLS)]
GIVEN = {"symbols": ",".join(ASSETS), "speed": str(60 / REAL_SECONDS), "candles": str(WARM_UP + MINUTES + 1)}

MINUTE_MS = 60_000
CANDLES, DECISIONS, SIGNALS = "vela:market.candles", "vela:decisions", "vela:signals"
DECIDED, ANSWERED = "candles → all decisions", "candles → all signals answered"
ORDERED, RECORDED = "candles → orders is done", "candles → decisions in SQL"
SHOWN, SETTLED = "candles → the page's service", "candles → all is handled"


@dataclass
class Minute:
    """One minute: when its candles closed, and the seconds from there to the end of each stage."""

    closed: float
    stages: dict[str, float] = field(default_factory=dict)
    signals: int = 0
    answers: int = 0
    entries: dict[str, bytes] = field(default_factory=dict)  # where its candles, decisions and signals lie

    def reach(self, stage: str, at: float) -> None:
        self.stages.setdefault(stage, at - self.closed)

    @property
    def is_over(self) -> bool:
        """Whether all is done that the service processes do; a minute may have no signals."""
        wanted = {DECIDED, RECORDED, SHOWN} | ({ANSWERED, ORDERED} if self.signals else set())
        return wanted <= self.stages.keys()


class Minutes:
    """What the bus tells, sorted by minute."""

    def __init__(self) -> None:
        self.by_time: dict[int, Minute] = {}

    def hear(self, message: Message, at: float, stream: str = "", entry: bytes = b"") -> None:
        if isinstance(message, CandlesClosed):
            self.by_time[message.time] = minute = Minute(at)
        elif isinstance(message, DecisionsMade):
            minute = self.by_time[message.time]
            if len(message.decisions) == SYMBOLS:
                minute.reach(DECIDED, at)
        elif isinstance(message, SignalsRaised):
            minute = self.by_time[message.time]
            minute.signals = len(message.signals)
        elif isinstance(message, SignalHandled):
            minute = self.by_time[message.outcome.signal.candle_time + MINUTE_MS]
            minute.answers += 1
            if minute.answers == minute.signals:
                minute.reach(ANSWERED, at)
            return
        else:
            return
        minute.entries[stream] = entry

    @property
    def measured(self) -> list[Minute]:
        return list(self.by_time.values())[: WARM_UP + MINUTES]


class Watch:
    """Looks at Redis and PostgreSQL from outside."""

    def __init__(self, client: redis.Redis, connection: Connection) -> None:
        self._client = client
        self._connection = connection
        self._read_until = dict.fromkeys((CANDLES, DECISIONS, SIGNALS), b"0")
        self._minutes = Minutes()

    def run(self) -> list[Minute]:
        """Watch until all minutes are over."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            self._read()
            measured = self._minutes.measured
            if len(measured) == WARM_UP + MINUTES and all(minute.is_over for minute in measured):
                return measured
            self._look()
            time.sleep(LOOK_SECONDS)
        shown = [sorted(minute.stages) for minute in self._minutes.measured]
        raise SystemExit(
            f"the minutes did not come to their end within {PATIENCE_SECONDS:g} s; what each reached: {shown}"
        )

    def _read(self) -> None:
        streams: dict[Any, Any] = {**self._read_until}
        answer: Any = self._client.xread(streams)
        for stream, entries in answer or ():
            name = stream.decode()
            for entry, fields in entries:
                self._read_until[name] = entry
                self._minutes.hear(decode(fields[b"envelope"]).message, _moment(entry), name, entry)

    def _look(self) -> None:
        for closed, minute in self._minutes.by_time.items():
            if DECIDED not in minute.stages or minute.is_over:
                continue
            if RECORDED not in minute.stages and self._recorded(closed - MINUTE_MS) == SYMBOLS:
                minute.reach(RECORDED, time.time())
            if self._has_handled("dashboard", minute, CANDLES, DECISIONS):
                minute.reach(SHOWN, time.time())
            if minute.signals and self._has_handled("orders", minute, CANDLES, SIGNALS):
                minute.reach(ORDERED, time.time())

    def _recorded(self, candle_time: int) -> int:
        query = text("SELECT count(*) FROM decisions WHERE candle_time = :time")
        with self._connection.begin():
            return int(self._connection.execute(query, {"time": candle_time}).scalar_one())

    def _has_handled(self, consumer: str, minute: Minute, *streams: str) -> bool:
        return all(self._is_acknowledged(stream, consumer, minute.entries[stream]) for stream in streams)

    def _is_acknowledged(self, stream: str, consumer: str, entry: bytes) -> bool:
        groups: Any = self._client.xinfo_groups(stream)
        given = {group["name"].decode(): group["last-delivered-id"] for group in groups}
        if _order(given[consumer]) < _order(entry):
            return False
        return not self._client.xpending_range(stream, consumer, entry, entry, 1)


def _moment(entry: bytes) -> float:
    """Return when an entry was made, in seconds: ids are the server's ms, and µs within."""
    milliseconds, microseconds = _order(entry)
    return milliseconds / 1e3 + microseconds / 1e6


def _order(entry: bytes) -> tuple[int, int]:
    milliseconds, _, rest = entry.partition(b"-")
    return int(milliseconds), int(rest)


def in_many_processes(folder: Path, addresses: Servers) -> list[Minute]:
    given = GIVEN | addresses._asdict() | {"data_dir": str(folder / "many"), "port": free_port()}
    client, database = redis.Redis.from_url(addresses.bus, protocol=2), Database.from_url(addresses.database)
    with service_processes(SERVICES, given, ASSETS) as processes, client, database.connect(Purpose.READING) as reading:
        spent = computed(processes)
        minutes = Watch(client, reading).run()
        show_computed({name: seconds - spent[name] for name, seconds in computed(processes).items()})
    return minutes


def computed(processes: Mapping[str, int]) -> dict[str, float]:
    """Return how many seconds each process has had a processor for; none where the system does not tell."""
    tick, found = os.sysconf("SC_CLK_TCK"), {}
    for name, number in processes.items():
        with suppress(OSError):
            fields = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()
            found[name] = (int(fields[11]) + int(fields[12])) / tick
    return found


def show_computed(seconds: Mapping[str, float]) -> None:
    share = {name: one / (WARM_UP + MINUTES) for name, one in seconds.items()}
    print("computed in a minute, prices and history included:", end=" ")
    print(", ".join(f"{name} {one:.2f} s" for name, one in share.items()))


async def in_one_process(folder: Path) -> list[Minute]:
    given = GIVEN | {"data_dir": str(folder / "one"), "port": free_port()}
    application = Application(load_settings(given, {}, folder / "none.toml"), until_end=True)
    bus, minutes = application._bus, Minutes()  # noqa: SLF001  a benchmark listens where nobody else does
    publish, settled = bus.publish, bus.settled

    async def heard(message: Message) -> None:
        minutes.hear(message, time.time())
        await publish(message)

    async def all_settled() -> None:
        await settled()
        for minute in minutes.by_time.values():
            minute.reach(SETTLED, time.time())

    bus.publish, bus.settled = heard, all_settled  # type: ignore[method-assign]
    await application.run(asyncio.Event(), lambda _ready: None)
    return minutes.measured


def show(shape: str, minutes: Sequence[Minute], *stages: str) -> None:
    signals = sum(minute.signals for minute in minutes[WARM_UP:])
    print(f"{shape}: {len(minutes) - WARM_UP} minutes of {SYMBOLS} symbols, {signals} signals")
    for stage in stages:
        reached = [minute.stages[stage] for minute in minutes[WARM_UP:] if stage in minute.stages]
        first = minutes[0].stages.get(stage)
        if reached:
            print(
                f"  {stage:34} p50 {statistics.median(reached) * 1e3:7.0f} ms   worst {max(reached) * 1e3:7.0f} ms"
                f"   aim: {AIM}   the first, with the history {f'{first:.2f} s' if first else '–':>8}"
            )


def main() -> None:
    print("load of this machine in the last minute:", f"{os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    register_assets(ASSETS)
    with tempfile.TemporaryDirectory() as folder:
        with servers() as addresses:
            if addresses is not None:
                minutes = in_many_processes(Path(folder), addresses)
                show("many processes", minutes, DECIDED, ANSWERED, ORDERED, RECORDED, SHOWN)
        minutes = run_as_the_product(lambda: in_one_process(Path(folder)))
        show("one process", minutes, DECIDED, ANSWERED, SETTLED)


if __name__ == "__main__":
    main()
