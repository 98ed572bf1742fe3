"""Vela's backtest beside its peers, at the same work on the same candles in one run.

python -m bench.peers.run                       # all of them; environments are made the first time
python -m bench.peers.run vectorbt backtrader   # only these, beside the loops and Vela
python -m bench.peers.run --python python3.13   # another Python for the peers' environments
python -m bench.peers.run --longest 420         # seconds for a tool and task: what has not ended by then is left out

Figures go to bench/peers/results.json, the picture to docs/images/peers.svg.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import count, islice
from pathlib import Path

import msgspec
import numpy as np
from bench.bench_backtest import CANDLES, MANY_CANDLES, MANY_SYMBOLS, market
from bench.environments import CACHE, environment
from bench.peers import drawing
from bench.peers.results import TASKS, YARDSTICK, Figure, Machine, Results, read, write
from bench.peers.work import FAST, SLOW

from vela.domain.candles import COLUMNS, Candles

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
OURS = (YARDSTICK, "numba", "vela", "vela_full")
PEERS = tuple(path.stem for path in sorted((HERE / "requirements").glob("*.txt")))


def tied(candles: Candles) -> bool:
    """Say whether the two averages are ever equal: then rounding decides, in each tool otherwise, when they cross."""
    sums = np.concatenate(([0], np.cumsum(np.rint(100 * candles.close).astype(np.int64))))
    fast, slow = sums[SLOW:] - sums[SLOW - FAST : -FAST], sums[SLOW:] - sums[:-SLOW]
    return bool(np.any(fast * SLOW == slow * FAST))


def markets(length: int) -> Iterator[Candles]:
    return (candles for candles in (market(seed, length) for seed in count(1)) if not tied(candles))


def write_candles(folder: Path) -> dict[str, Path]:
    one = next(markets(CANDLES))
    many = list(islice(markets(MANY_CANDLES), MANY_SYMBOLS))
    single, several = folder / "one.npz", folder / "many.npz"
    for file, columns in ((single, [one]), (several, many)):
        table = {name: np.array([getattr(part, name) for part in columns]).squeeze() for name in COLUMNS}
        np.savez(file, allow_pickle=False, open_time=one.open_time[: len(columns[0])], **table)
    return {"crossover": single, "reversion": single, "shared": several}


def measure(command: Sequence[Path | str], path: Sequence[str], out: Path, longest: float) -> bool:
    """Run one adapter in a process of its own, modules from `path`; say whether it knows the task and ended in time."""
    try:
        # Its own folder, for some leave logs where they run.
        with tempfile.TemporaryDirectory() as folder:
            surroundings = os.environ | {"PYTHONPATH": os.pathsep.join(path)}
            done = subprocess.run(command, cwd=folder, env=surroundings, timeout=longest, check=False)
    except subprocess.TimeoutExpired:
        print(f"{out.name}: not done after {longest:g} s", file=sys.stderr)
        return False
    if done.returncode:
        print(f"{out.name}: failed with {done.returncode}", file=sys.stderr)
    return out.with_suffix(".json").exists()


def compared(peer: str, task: str, out: Path, reference: Path) -> Figure:
    """Read what an adapter left, and compare its entries and equity with the yardstick's."""
    figures = msgspec.json.decode(out.with_suffix(".json").read_bytes())
    expected = msgspec.json.decode(reference.with_suffix(".json").read_bytes())
    mine, theirs = np.load(out.with_suffix(".npy")), np.load(reference.with_suffix(".npy"))
    same = np.array_equal(mine, theirs)
    if not same:
        more, fewer = len(np.setdiff1d(mine, theirs)), len(np.setdiff1d(theirs, mine))
        print(f"{peer}, {task}: {more} entries that are not in the reference, {fewer} of it missing", file=sys.stderr)
    near = abs(figures["equity"] / expected["equity"] - 1) < 1e-6
    return Figure(peer=peer, task=task, agrees=same and near, **figures)


def environments(peers: list[str], python: str) -> Iterator[tuple[str, Path | str]]:
    """Yield each tool with its Python, ours first; a peer that cannot be installed is named and left out."""
    yield from ((name, sys.executable) for name in OURS)
    for peer in peers:
        try:
            yield peer, environment(HERE / "requirements" / f"{peer}.txt", CACHE / "peers" / peer, python)
        except subprocess.CalledProcessError as e:
            print(f"{peer}: left out, for it cannot be installed: {e}", file=sys.stderr)


def figures(peers: list[str], python: str, longest: float) -> Iterator[Figure]:
    executables = dict(environments(peers, python))
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        files = write_candles(folder)
        for task in TASKS:
            for peer, executable in executables.items():
                out = folder / f"{peer}-{task}"
                command = (executable, "-W", "ignore", "-m", f"bench.peers.peer_{peer}", task, files[task], out)
                path = [str(ROOT), *(part for part in sys.path if peer in OURS and part)]
                if measure(command, path, out, longest):
                    yield compared(peer, task, out, folder / f"{YARDSTICK}-{task}")


def shown(one: Figure) -> str:
    agrees = "agrees" if one.agrees else "DIFFERS"
    return (
        f"{one.task:<10} {one.peer:<12} {one.version:<11} {one.ns:>10,.1f} ns a candle, first {one.first_ns:>10,.1f}, "
        f"{one.entries:>7,} entries, equity {one.equity:,.2f}, {one.peak_mib:>6,.0f} MiB, {agrees}"
    )


def machine() -> Machine:
    information = Path("/proc/cpuinfo")
    lines = information.read_text().splitlines() if information.exists() else []
    named = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    processor = named[0] if named else platform.processor() or platform.machine()
    return Machine(processor, os.cpu_count() or 1, round(memory, 1), f"{platform.system()} {platform.machine()}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("peers", nargs="*", metavar="PEER", help=f"of {', '.join(PEERS)}; none: all")
    parser.add_argument("--python", default=sys.executable, help="for the peers' environments")
    parser.add_argument("--longest", type=float, default=3600, help="seconds that a tool may take for a task")
    chosen = parser.parse_args()
    if unknown := sorted(set(chosen.peers) - set(PEERS)):
        parser.error(f"no peer {', '.join(unknown)}; there are: {', '.join(PEERS)}")
    measured = []
    for one in figures(chosen.peers or list(PEERS), chosen.python, chosen.longest):
        print(shown(one), flush=True)
        measured.append(one)
    candles = {"crossover": CANDLES, "reversion": CANDLES, "shared": MANY_SYMBOLS * MANY_CANDLES}
    results = Results(datetime.now(UTC).date().isoformat(), machine(), candles, tuple(measured))
    write(results, drawing.RESULTS)
    drawing.PICTURE.write_text(drawing.draw(read(drawing.RESULTS)), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
