"""How fast the candle store takes a year of minutes, gives it back, and reads files of others."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from time import perf_counter

import numpy as np
import polars as pl

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.builders import random_walk

from vela.adapters.storage.candle_import.names import Named
from vela.adapters.storage.parquet import ParquetCandleStore
from vela.bootstrap.candle_import import find_sources, import_file
from vela.domain.candles import COLUMNS, Candles
from vela.domain.resampling import resample
from vela.domain.timeframe import Timeframe
from vela.domain.trading_symbol import TradingSymbol

MINUTE = 60_000
MINUTES = 525_600
JANUARY_2025 = 1_735_689_600_000
JUNE, JULY = 1_748_736_000_000, 1_751_328_000_000
ROUNDS = 5
BTC = TradingSymbol("BTC")
SERIES = ("binance", BTC, Timeframe.M1)


def year() -> Candles:
    walk = random_walk(MINUTES, 1, 0.0005)
    columns = (np.round(getattr(walk, name), 2) for name in COLUMNS)
    return Candles.from_columns(walk.open_time + JANUARY_2025, *columns)


def best_of(work: Callable[[], object], rounds: int = ROUNDS) -> float:
    best = float("inf")
    for _ in range(rounds):
        start = perf_counter()
        work()
        best = min(best, perf_counter() - start)
    return best


def show(what: str, seconds: float, rows: int | None = None) -> None:
    rate = "" if rows is None else f"   {rows / seconds / 1e6:6.2f} M rows/s"
    print(f"{what:<58} {seconds * 1000:9.1f} ms{rate}")


def measure(folder: Path) -> None:
    candles, number = year(), iter(range(100))
    show(
        "write a year of minutes, 12 files",
        best_of(lambda: ParquetCandleStore(folder / f"{next(number)}").write(*SERIES, candles)),
        MINUTES,
    )
    store = ParquetCandleStore(folder / "0")
    show("write it again: nothing is new", best_of(lambda: store.write(*SERIES, candles)), MINUTES)
    last = candles.slice(MINUTES - 1, MINUTES)
    fresh = ParquetCandleStore(folder / "minute by minute")
    fresh.write(*SERIES, candles.slice(0, MINUTES - 1))
    start = perf_counter()
    fresh.write(*SERIES, last)
    show("write one more minute: the last month's file", perf_counter() - start)
    show("read the year", best_of(lambda: store.read(*SERIES)), MINUTES)
    show("read June", best_of(lambda: store.read(*SERIES, since=JUNE, before=JULY)), (JULY - JUNE) // MINUTE)
    show("read the newest 4,096", best_of(lambda: store.read(*SERIES, count=4096)), 4096)
    show("list what is stored, gaps counted", best_of(store.series))
    show("put together 5m out of the year", best_of(lambda: resample(candles, MINUTE, 5 * MINUTE)), MINUTES)
    print(f"{'size on disk':<58} {(store.series()[0].size or 0) / 1e6:9.1f} MB")
    measure_import(folder, candles)


def measure_import(folder: Path, candles: Candles) -> None:
    table = pl.DataFrame({name: getattr(candles, name) for name in ("open_time", *COLUMNS)})
    archive, headed = folder / "BTCUSDT-1m-2025-01.csv", folder / "binance_BTCUSDT_1m.csv"
    table.with_columns(pl.col("open_time") * 1000).write_csv(archive, include_header=False)
    written = pl.from_epoch("open_time", time_unit="ms").dt.to_string("%Y-%m-%d %H:%M:%S").alias("date")
    table.select(written, *COLUMNS).write_csv(headed)
    for what, file in (("µs, no header", archive), ("written times", headed)):
        seconds = best_of(partial(take, file, iter(range(100))), 3)
        show(f"import a year of minutes from CSV, {what}", seconds, MINUTES)


def take(file: Path, numbers: Iterator[int]) -> None:
    [source] = find_sources([file], Named())
    target = ParquetCandleStore(file.with_suffix(f".{next(numbers)}"))
    result = import_file(source, target, JANUARY_2025 * 2, stored_wins=False)
    if result.new != MINUTES:
        sys.exit(f"{file} was not taken as a whole: {result}")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        measure(Path(made))
