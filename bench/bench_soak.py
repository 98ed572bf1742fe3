"""Whether anything grows: minutes of candles, orders and cut connections, with all that the process holds counted.

The whole system trades live at a venue in another process. Prices move all the time, a candle closes twice a second,
each of them is an entry or an exit with its stop, every ten seconds all connections are cut and every fifteen the
account's events expire. Told are memory, tasks, files and sockets at the beginning and at the end, and how memory grew
by the hour and by the million messages. In the end every fill is compared with the venue's own account of it.
`python -m bench.bench_soak [SECONDS]`: 180 unless it is said. What grows by less than the figures sway, more seconds
show.
"""

from __future__ import annotations

import asyncio
import gc
import itertools
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.synchronize import Event
from pathlib import Path

import httpx
import numpy as np
from bench.bench_live_path import EveryOther
from bench.books import Books, compare, truth_of
from bench.venue import (
    CREDENTIALS,
    NO_LIMIT,
    data_directory,
    live_settings,
    run_as_the_product,
    venue_process,
)

from vela.bootstrap.application import Application, Ready
from vela.bootstrap.exchange_marketplace import ExchangeMarketplace
from vela.bootstrap.settings import Settings
from vela.cli.session import keep_what_is_loaded
from vela.domain.events import Message
from vela.domain.trading_symbol import TradingSymbol

SECONDS = 180
WARM_UP_SECONDS = 30
CANDLE_SECONDS, CUT_SECONDS, EXPIRY_SECONDS = 0.5, 10.0, 15.0
PRICE_PAUSE = 0.004
CAPITAL = "1000"
BTC = TradingSymbol("BTC")
FILES = Path("/proc/self/fd")


@dataclass(frozen=True)
class Sample:
    """What the process holds `at` so many seconds; `messages`: published on the bus so far."""

    at: float
    messages: int
    memory: float
    tasks: int
    files: int
    sockets: int


def drive(control: str, begin: Event, end: Event) -> None:
    """Keep the venue's market moving, and cut connections."""
    begin.wait()
    due = dict.fromkeys(("/candle", "/disconnect", "/logout"), time.monotonic())
    pauses = dict(zip(due, (CANDLE_SECONDS, CUT_SECONDS, EXPIRY_SECONDS), strict=True))
    with httpx.Client(base_url=control, trust_env=False) as client:
        for price in itertools.cycle(("100.01", "100")):
            if end.is_set():
                return
            client.post("/price", json={"symbol": "BTC", "price": price}).raise_for_status()
            for path in [path for path, moment in due.items() if time.monotonic() >= moment]:
                client.post(path).raise_for_status()
                due[path] += pauses[path]
            time.sleep(PRICE_PAUSE)


def sample(at: float, messages: int) -> Sample:
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    links = [str(path.readlink()) for path in FILES.iterdir() if path.is_symlink()]
    sockets = sum(link.startswith("socket:") for link in links)
    memory = pages * os.sysconf("SC_PAGE_SIZE") / 2**20
    return Sample(at, messages, memory, len(asyncio.all_tasks()), len(links), sockets)


async def soak(settings: Settings, control: str, seconds: int) -> list[Sample]:
    spawn = get_context("spawn")
    begin, end = spawn.Event(), spawn.Event()
    driver = spawn.Process(target=drive, args=(control, begin, end), daemon=True)
    driver.start()
    place = ExchangeMarketplace(settings, CREDENTIALS)
    application = Application(settings, until_end=False, marketplace=place, strategies={BTC: EveryOther()})
    messages, stop, samples = 0, asyncio.Event(), list[Sample]()
    publish = application._bus.publish  # noqa: SLF001  a benchmark listens where nobody else does

    async def counted(message: Message) -> None:
        nonlocal messages
        messages += 1
        await publish(message)

    def on_ready(_ready: Ready) -> None:
        keep_what_is_loaded()
        begin.set()

    application._bus.publish = counted  # type: ignore[method-assign]  # noqa: SLF001
    running = asyncio.create_task(application.run(stop, on_ready))
    began = time.monotonic()
    while (at := time.monotonic() - began) < WARM_UP_SECONDS + seconds and not running.done():
        await asyncio.sleep(1.0)
        if at >= WARM_UP_SECONDS:
            samples.append(sample(at, messages))
    end.set()
    await asyncio.to_thread(driver.join)
    await asyncio.sleep(2)  # what was said last arrives
    stop.set()
    await running
    return samples


def show(samples: Sequence[Sample]) -> None:
    quarter = max(1, len(samples) // 4)
    first, last = samples[:quarter], samples[-quarter:]
    said, passed = samples[-1].messages - samples[0].messages, samples[-1].at - samples[0].at
    print(f"{'messages on the bus':24} {said:12,}   {said / passed:,.0f} a second")
    print(f"{'connections cut':24} {int(passed / CUT_SECONDS):12,} times")
    for name in ("tasks", "files", "sockets"):
        before, after = (np.median([getattr(one, name) for one in part]) for part in (first, last))
        print(f"{name:24} {before:12,.0f} → {after:,.0f}")
    memory = [one.memory for one in samples]
    by_hour, by_message = (
        np.polyfit([getattr(one, axis) for one in samples], memory, 1)[0] for axis in ("at", "messages")
    )
    print(f"{'memory':24} {memory[0]:12.1f} MiB → {memory[-1]:.1f} MiB")
    print(f"{'memory, slope':24} {by_hour * 3600:+12.1f} MiB an hour   {by_message * 1e6:+.1f} MiB a million messages")


def main(arguments: Sequence[str]) -> None:
    seconds = int(arguments[0]) if arguments else SECONDS
    print("load of this machine in the last minute:", f"{os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    market = ("--market", "still", "--flat-book", "--fee-in-quote", "--symbols", "BTC", "--price", "BTC=100")
    limits = ("--weight-limit", NO_LIMIT, "--order-limit", NO_LIMIT)
    with data_directory() as folder, venue_process(*market, *limits, "--balance", f"USDT={CAPITAL}") as venue:
        rules = {"cooldown": "0", "capital": CAPITAL, "max_daily_loss": "0", "max_drawdown": "0"}
        settings = live_settings(venue, folder, symbols="BTC", **rules)
        show(run_as_the_product(lambda: soak(settings, venue.control, seconds)))
        compare(Books(settings.data_dir), truth_of(venue.control, CAPITAL))


if __name__ == "__main__":
    main(sys.argv[1:])
