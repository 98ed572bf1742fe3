"""How long a brain that starts takes until it can decide on 50 symbols: it gets their history back, from disk.

The store holds three weeks of minutes of each symbol. The brain starts, a minute closes, and the brain asks for what it
must remember; timed is the way from its start to its decisions on that minute. What strategies and regimes look back at
are 200 candles; what the brain asks for is more, because an average that began 200 candles ago still depends on where
it did. Both are measured: as the product asks, and for 200 candles alone. The service that keeps candles has just
started as well, or runs on ("brain alone").

Measured over the bus in memory, with that service in the same process, and over Redis with `vela run historical` in a
process of its own. The brain's process runs already: `start` tells how long a process takes to come up.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from unittest.mock import patch

import numpy as np
from bench.servers import Servers, servers, service_processes
from bench.venue import run_as_the_product
from pydantic import SecretStr

from vela.adapters.clock import SystemClock
from vela.adapters.storage.parquet import ParquetCandleStore
from vela.bootstrap.market import open_market
from vela.bootstrap.marketplace import SimulatedMarketplace
from vela.bootstrap.record import open_shared_record
from vela.bootstrap.service_process import HISTORICAL
from vela.bootstrap.services import Services, Standing
from vela.bootstrap.settings import load_settings
from vela.bootstrap.transport import Transport, in_memory, on_redis
from vela.domain.assets import TradingPair
from vela.domain.candles import Candles
from vela.domain.events import CandlesClosed, Envelope, HistoryServed, SymbolCandle, Topic
from vela.domain.signal import Signals
from vela.domain.trading_symbol import TradingSymbol
from vela.ports.record import JournalEntry
from vela.services import brain as brain_service
from vela.simulation.synthetic import SyntheticMarket
from vela.strategies.base import Strategy

SYMBOLS = 50
CANDLES = 200
STORED = 30_000
BRAINS = 4
AIM = "2 s"
PATIENCE_SECONDS = 60.0


class Counting(Strategy):
    """Looks at 200 candles, notes how many it was given, and wants nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: dict[TradingSymbol, int] = {}

    @property
    def warmup(self) -> int:
        return CANDLES

    def analyze(self, symbol: TradingSymbol, candles: Candles) -> Signals:
        self.seen[symbol] = len(candles)
        nothing = np.zeros(len(candles), dtype=bool)
        return Signals(nothing, nothing)


class Scene:
    """A market that was traded for three weeks: its candles are stored, and the next minute closes now."""

    def __init__(self, folder: Path) -> None:
        names = [pair.value for pair in islice(TradingPair, SYMBOLS)]
        self.given = {"symbols": ",".join(names), "data_dir": str(folder / "data"), "page": False}
        self.settings = load_settings(self.given, {}, folder / "none.toml")
        self.market = open_market(self.settings)
        self.timeframe = self.market.source.timeframe
        made_up = SyntheticMarket(self.settings.seed, self.market.symbols, self.timeframe)
        self.cursor = made_up.start + STORED * self.timeframe.milliseconds
        self.next: list[SymbolCandle] = []
        self._store(made_up)

    def _store(self, made_up: SyntheticMarket) -> None:
        store = ParquetCandleStore(self.settings.candle_place)
        for symbol, candles in made_up.candles(0, STORED + 1).items():
            store.write(self.market.exchange, symbol, self.timeframe, candles.slice(0, STORED))
            self.next.append(SymbolCandle(symbol, candles.row(STORED)))

    def services(self, transport: Transport, strategy: Strategy) -> Services:
        place = SimulatedMarketplace(self.market, self.settings)
        return Services(self.settings, place, dict.fromkeys(place.symbols, strategy), transport, SystemClock())

    def standing(self) -> Standing:
        return Standing(self.cursor, SimulatedMarketplace(self.market, self.settings).clock(self.cursor))

    def closing(self) -> CandlesClosed:
        time = self.cursor + self.timeframe.milliseconds
        return CandlesClosed(time=time, timeframe=self.timeframe, candles=tuple(self.next))


@dataclass
class WarmUp:
    """One start of a brain: how long until it had decided, and what it was served for that."""

    seconds: float = 0.0
    computed: float = 0.0
    answers: int = 0
    candles: int = 0
    seen: dict[TradingSymbol, int] = field(default_factory=dict)


async def warm_up(scene: Scene, transport: Transport) -> WarmUp:
    bus, strategy, result, decided = transport.bus, Counting(), WarmUp(), asyncio.Event()

    async def hear(_decisions: Envelope) -> None:
        decided.set()

    async def count(envelope: Envelope) -> None:
        if isinstance(envelope.message, HistoryServed):
            result.answers += 1
            result.candles += sum(len(history.candles) for history in envelope.message.histories)

    bus.subscribe("decided", Topic.DECISIONS)
    bus.subscribe("served", Topic.HISTORY)
    hearing = asyncio.create_task(bus.consume("decided", hear))
    began, spent = time.perf_counter(), time.process_time()
    brain = scene.services(transport, strategy).brain()
    await brain.start()
    working = asyncio.create_task(brain.work())
    await bus.publish(scene.closing())
    await asyncio.wait_for(decided.wait(), PATIENCE_SECONDS)
    result.seconds, result.computed = time.perf_counter() - began, time.process_time() - spent
    result.seen = strategy.seen
    # Only now, lest it is timed that the answers are read a second time.
    counting = asyncio.create_task(bus.consume("served", count))
    await bus.settled()
    await end(working, hearing, counting)
    for consumer in (*brain.consumers, "decided", "served"):
        bus.unsubscribe(consumer)
    return result


async def end(*tasks: asyncio.Task[None]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def embedded(scene: Scene) -> list[WarmUp]:
    transport = in_memory(SystemClock())
    historical = scene.services(transport, Counting()).historical(scene.standing())
    await historical.start()
    keeping = asyncio.create_task(historical.work())
    found = [await warm_up(scene, transport) for _ in range(BRAINS)]
    await end(keeping)
    return found


async def over_redis(scene: Scene, addresses: Servers) -> list[WarmUp]:
    transport = on_redis(SecretStr(addresses.bus), SystemClock(), source="bench")
    with service_processes([HISTORICAL], scene.given | addresses._asdict()):
        found = [await warm_up(scene, transport) for _ in range(BRAINS)]
    transport.bus.unsubscribe(HISTORICAL)
    await transport.close()
    return found


async def begin_record(scene: Scene, addresses: Servers) -> None:
    """Make a record that ends where the stored candles do."""
    settings = load_settings(scene.given | addresses._asdict(), {}, Path("none.toml"))
    with open_shared_record(settings) as record:
        await record.journal.append(JournalEntry(scene.cursor, (), (), ()))


def show(shape: str, found: Sequence[WarmUp]) -> bool:
    first, others = found[0], found[1:]
    print(f"{shape}: {first.candles:,} candles served in {first.answers} answer(s)")
    for what, some in (("all new", [first]), ("brain alone", others)):
        seconds = statistics.median(one.seconds for one in some)
        computed = statistics.median(one.computed for one in some)
        print(
            f"  {what:12} {seconds:6.2f} s   {seconds / SYMBOLS * 1e3:6.1f} ms a symbol"
            f"   this process computed {computed:5.2f} s   aim: {AIM}"
        )
    complete = sum(one.seen.get(symbol) == CANDLES for one in found for symbol in first.seen)
    print(f"  {complete} of {SYMBOLS * len(found)} symbols were decided on with {CANDLES} candles")
    return complete == SYMBOLS * len(found)


def main() -> None:
    print("load of this machine in the last minute:", f"{os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    print(f"{SYMBOLS} symbols, {STORED:,} candles stored of each")
    results = []
    with tempfile.TemporaryDirectory() as folder, servers() as addresses:
        scene = Scene(Path(folder))
        if addresses is not None:
            asyncio.run(begin_record(scene, addresses))
        asked = brain_service._WARMUP_CANDLES  # noqa: SLF001  a benchmark changes what nobody else does
        for count in (asked, CANDLES):
            with patch.object(brain_service, "_WARMUP_CANDLES", count):
                results.append(show(f"memory, {count:,} asked for", run_as_the_product(lambda: embedded(scene))))
                if addresses is not None:
                    found = run_as_the_product(lambda: over_redis(scene, addresses))
                    results.append(show(f"Redis, {count:,} asked for", found))
    sys.exit(0 if all(results) else 1)


if __name__ == "__main__":
    main()
