"""Kills the parts of a scaled system, cuts its network, and looks whether anything was lost or doubled.

`python -m tests.faults.service_kills --kills 10 --server-kills 5` replays recorded candles once in one process,
undisturbed, and once with every service in a process of its own on a private Redis and PostgreSQL. There each service's
process is killed so often (SIGKILL), Redis is killed and started again (its log on disk at every write), PostgreSQL is
stopped at once and started again, and the network to either is cut (`--cuts`): once connections break, once nothing is
heard any more. The order is drawn from the seed, and candles go on. After each all must go on within 30 seconds; in the
end trades, ledger, decisions, signals and summary must be those of the undisturbed run.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tests.faults.scaled import Recovery, ScaledRun, run_embedded, write_recordings
from tests.postgres import PostgresServer, programs
from tests.redis_process import free_port

from vela.bootstrap.service_process import SERVICES

REDIS, POSTGRESQL = "redis", "postgresql"
# The market does not wait for these two, and would end before they have come again: they die together with others.
COMPANIONS = {"orders": "dashboard", "persistence": "simulator"}
LONGEST_RECOVERY_SECONDS = 30.0
AWAY_SECONDS = 8.0  # longer than an answer is waited for
_ROUNDS_BETWEEN = (2, 6)
_ROUNDS_PER_KILL = 20

Kill = tuple[str, ...]
_SERVERS = (REDIS, POSTGRESQL)
CUTS: list[Kill] = [(server, how) for server in _SERVERS for how in ("cut off", "silent")]


def plan(kills: int, server_kills: int, cuts: int, seed: int) -> list[Kill]:
    """Return what dies at once, or whose wire is cut, in which order.

    Args:
        kills: how often each service dies.
        server_kills: how often Redis and PostgreSQL do.
        cuts: how often the network to each of them is cut, each way.
        seed: of the order.
    """
    alone = [name for name in SERVICES if name not in COMPANIONS.values()]
    together = [(name, COMPANIONS[name]) if name in COMPANIONS else (name,) for name in alone]
    order = [*kills * together, *server_kills * [(server,) for server in _SERVERS], *cuts * CUTS]
    random.Random(seed).shuffle(order)  # noqa: S311  no secrets
    return order


def run_disturbed(
    folder: Path, postgres: PostgresServer, order: Sequence[Kill], seed: int, seconds: float, away: float = AWAY_SECONDS
) -> tuple[list[str], list[Recovery]]:
    """Run with kills; return every difference from the undisturbed run, in words, and how long recoveries took.

    Args:
        folder: an empty one.
        postgres: a server that may be stopped.
        order: what is killed.
        seed: draws the moments.
        seconds: how long a recovery may take.
        away: how long the network is cut, s.
    """
    dice = random.Random(seed)  # noqa: S311  moments, no secrets
    market = write_recordings(folder / "market", 40 + _ROUNDS_PER_KILL * len(order))
    expected = run_embedded(market, folder / "embedded")
    with ScaledRun(folder, market, postgres, ("--port", str(free_port()))) as system:
        system.pass_rounds(5, seconds)
        for parts in order:
            system.pass_rounds(dice.randint(*_ROUNDS_BETWEEN), seconds)
            if system.is_over:
                break
            _do(system, parts, seconds, away)
        found = system.finish(600)
        recoveries = system.recoveries
    differences = expected.differences(found)
    if len(recoveries) != len(order):
        differences.append(f"the market ended after {len(recoveries)} of {len(order)} kills")
    return differences, recoveries


def _do(system: ScaledRun, parts: Kill, seconds: float, away: float) -> None:
    if parts == (REDIS,):
        system.kill_redis(seconds)
    elif parts == (POSTGRESQL,):
        system.stop_postgres(seconds)
    elif parts in CUTS:
        cut = system.cut_wire if parts[1] == "cut off" else system.silence_wire
        cut(parts[0], seconds, away)
    else:
        system.kill(*parts, seconds=seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=10, help="of each service")
    parser.add_argument("--server-kills", type=int, default=5, help="of Redis and of PostgreSQL")
    parser.add_argument("--cuts", type=int, default=1, help="of the network to each of them, each way")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    found = programs()
    if found is None:
        sys.exit("PostgreSQL is not here: no initdb on the PATH or in /usr/lib/postgresql/*/bin")
    began = time.monotonic()
    postgres = PostgresServer(found)
    try:
        with tempfile.TemporaryDirectory() as folder:
            order = plan(chosen.kills, chosen.server_kills, chosen.cuts, chosen.seed)
            breaches, recoveries = run_disturbed(Path(folder), postgres, order, chosen.seed, 120.0)
    finally:
        postgres.remove()
    breaches += [
        f"{one.part} took {one.seconds} s to recover" for one in recoveries if one.seconds > LONGEST_RECOVERY_SECONDS
    ]
    kinds = dict.fromkeys(one.part for one in recoveries)
    longest = {part: max(one.seconds for one in recoveries if one.part == part) for part in kinds}
    seconds = round(time.monotonic() - began, 1)
    if chosen.json:
        counts = Counter(part for parts in order for part in ((" ".join(parts),) if parts in CUTS else parts))
        told = {"seed": chosen.seed, "done": counts, "seconds": seconds, "longest_recovery": longest}
        print(json.dumps(told | {"breaches": breaches}, indent=2))
    else:
        print(", ".join(f"{part} {time} s" for part, time in longest.items()))
        print(f"{len(order)} times something failed, {seconds} s, seed {chosen.seed}")
        print("\n".join(breaches) or "nothing lost, nothing doubled")
    sys.exit(bool(breaches))


if __name__ == "__main__":
    main()
