"""Kills a running `vela up` again and again and looks whether anything was lost.

`python -m tests.faults.kills --kills 100` runs a market once undisturbed and once with kills at random moments, each
followed by a restart; then every invariant must hold and the trades must be the same. The moments are drawn from a
seed, but fall where the machine's speed puts them. Options that are not its own go to `vela up`.
"""

from __future__ import annotations

import argparse
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.faults.checker import breaches, trades


def command(market: str, data_dir: Path, options: list[str]) -> list[str]:
    """Return the command of a run that leaves at the market's end."""
    run = [
        sys.executable,
        "-m",
        "vela",
        "up",
        "--market",
        market,
        "--speed",
        "max",
        "--until-end",
        "--no-page",
        "--json",
    ]
    return [*run, "--data-dir", str(data_dir), *options]


def run_to_end(market: str, data_dir: Path, options: list[str]) -> str:
    """Run undisturbed and return the summary as printed."""
    done = subprocess.run(command(market, data_dir, options), capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"exit {done.returncode}: {done.stderr[-2000:]}")
    return done.stdout


def run_with_kills(market: str, data_dir: Path, options: list[str], kills: int, seed: int, longest: float) -> int:
    """Start, kill after a random time, and so on; returns how many processes died by it before the market's end."""
    moments = random.Random(seed)  # noqa: S311  moments, no secrets
    killed = 0
    for _ in range(kills):
        with subprocess.Popen(
            command(market, data_dir, options), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        ) as process:
            try:
                process.wait(timeout=moments.uniform(0.05, longest))
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                killed += 1
                continue
            if process.returncode and process.stderr is not None:
                raise RuntimeError(f"exit {process.returncode}: {process.stderr.read()[-2000:]}")
            break
    return killed


def compare(market: str, folder: Path, options: list[str], kills: int, seed: int, longest: float) -> list[str]:
    """Run with and without kills and return every difference and breach, in words."""
    undisturbed, disturbed = folder / "undisturbed", folder / "disturbed"
    expected = run_to_end(market, undisturbed, options)
    began = time.monotonic()
    killed = run_with_kills(market, disturbed, options, kills, seed, longest)
    actual = run_to_end(market, disturbed, options)
    print(f"{killed} kills in {time.monotonic() - began:.1f} s, {len(trades(undisturbed))} trades")
    found = [f"undisturbed: {breach}" for breach in breaches(undisturbed)]
    found += [f"disturbed: {breach}" for breach in breaches(disturbed)]
    if trades(disturbed) != trades(undisturbed):
        found.append(f"trades differ: {len(trades(undisturbed))} undisturbed, {len(trades(disturbed))} disturbed")
    if actual != expected:
        found.append(f"summaries differ:\n{expected}\n{actual}")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--market", default="synthetic", help="a recording, or synthetic (then with --candles)")
    parser.add_argument("--candles", type=int, default=None)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--longest", type=float, default=2.5, help="seconds a process may live")
    chosen, rules = parser.parse_known_args()
    options = rules if chosen.candles is None else ["--candles", str(chosen.candles), *rules]
    with tempfile.TemporaryDirectory() as folder:
        found = compare(chosen.market, Path(folder), options, chosen.kills, chosen.seed, chosen.longest)
    print("\n".join(found) or "nothing lost, nothing doubled")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
