"""Candles a second through all services at full speed, and the memory that takes.

python bench/bench_replay.py                  # one symbol and eight, 20,000 steps each
python bench/bench_replay.py --steps 525600   # a year of minutes
python bench/bench_replay.py --market FILE    # a recording, to its end
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import tempfile
import time
from pathlib import Path

from vela.bootstrap.application import Application
from vela.bootstrap.settings import load_settings
from vela.ports.record import Summary

EIGHT = "BTC,ETH,BNB,SOL,XRP,ADA,DOGE,LINK"


def run(options: dict[str, object]) -> tuple[Summary, float]:
    """Run a session to its market's end; returns its summary and the seconds it took, imports not counted."""
    with tempfile.TemporaryDirectory() as folder:
        settings = load_settings({"speed": "max", "page": False, "data_dir": folder, **options}, {}, Path("/dev/null"))
        began = time.perf_counter()
        summary = asyncio.run(Application(settings, until_end=True).run(asyncio.Event(), lambda _ready: None))
        return summary, time.perf_counter() - began


def report(title: str, options: dict[str, object]) -> None:
    """Run and print one line."""
    summary, seconds = run(options)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{title:<28}{summary.candles:>10,} candles {summary.candles / seconds:>8,.0f}/s {summary.fills:>8,} fills"
        f" {summary.decisions:>10,} decisions {peak:>6,.0f} MB at most"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=20_000)
    parser.add_argument("--market", default=None)
    chosen = parser.parse_args()
    if chosen.market is not None:
        report(Path(chosen.market).name, {"market": chosen.market})
        return
    report("synthetic, 1 symbol", {"symbols": "BTC", "candles": chosen.steps})
    report("synthetic, 8 symbols", {"symbols": EIGHT, "candles": chosen.steps})


if __name__ == "__main__":
    main()
