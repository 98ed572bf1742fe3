"""Several processes write the same month of candles, and some are killed over it."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

from vela.adapters.storage.parquet import ParquetCandleStore
from vela.domain.timeframe import Timeframe
from vela.domain.trading_symbol import TradingSymbol

BTC = TradingSymbol("BTC")
MINUTE = 60_000
JANUARY_2024 = 1_704_067_200_000

# Writes every STEP-th minute from FIRST on, one candle at a time, and says so.
_WRITER = """
import sys
import numpy as np
from pathlib import Path
from vela.adapters.storage.parquet import ParquetCandleStore
from vela.domain.candles import Candle, Candles
from vela.domain.timeframe import Timeframe
from vela.domain.trading_symbol import TradingSymbol

root, first, step, count = sys.argv[1], *map(int, sys.argv[2:])
store = ParquetCandleStore(Path(root))
print("ready", flush=True)
sys.stdin.readline()
for number in range(count):
    time = 1_704_067_200_000 + (first + number * step) * 60_000
    store.write("x", TradingSymbol("BTC"), Timeframe.M1, Candles.from_rows([Candle(time, 1.0, 2.0, 0.5, 1.5, 10.0)]))
    print(time, flush=True)
"""


def writer(root: Path, first: int, step: int, count: int) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", _WRITER, str(root), str(first), str(step), str(count)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def begin(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def minutes(store: ParquetCandleStore) -> list[int]:
    times: list[int] = store.read("x", BTC, Timeframe.M1).open_time.tolist()
    return [(time - JANUARY_2024) // MINUTE for time in times]


def test_two_processes_write_the_same_month_and_nothing_is_lost(tmp_path: Path) -> None:
    writers = [writer(tmp_path, first, 2, 40) for first in (0, 1)]
    for process in writers:
        begin(process)
    for process in writers:
        process.communicate(timeout=60)
        assert process.returncode == 0
    assert minutes(ParquetCandleStore(tmp_path)) == list(range(80))


def test_a_writer_is_killed_at_any_time_and_all_that_it_said_is_there(tmp_path: Path) -> None:
    store, said = ParquetCandleStore(tmp_path), 0
    for round_ in range(4):
        process = writer(tmp_path, said, 1, 5_000)
        assert process.stdout is not None
        begin(process)
        for _ in range(3 + round_):
            said = (int(process.stdout.readline()) - JANUARY_2024) // MINUTE + 1
        time.sleep(0.003 * round_)  # somewhere in the next write
        process.send_signal(signal.SIGKILL)
        rest, _ = process.communicate(timeout=60)
        said = max([said, *((int(line) - JANUARY_2024) // MINUTE + 1 for line in rest.splitlines())])
        found = minutes(store)
        assert found == list(range(len(found)))
        assert said <= len(found) <= said + 1  # the last one may have been written and not been said
    [series] = store.series()
    assert (series.count, series.missing) == (len(found), 0)


def test_a_reader_meets_whole_months_while_another_process_writes(tmp_path: Path) -> None:
    process = writer(tmp_path, 0, 1, 60)
    begin(process)
    store, seen = ParquetCandleStore(tmp_path), 0
    while process.poll() is None:
        found = minutes(store)
        assert found == list(range(len(found)))
        assert len(found) >= seen
        seen = len(found)
    assert len(minutes(store)) == 60
    process.communicate()
