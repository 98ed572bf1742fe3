"""Lives through seeds in virtual time and looks whether anything was lost or doubled.

`python -m tests.faults.seeded --seeds 500` runs the real orders service, record and exchange adapter against the
simulated exchange, all in one process and without waiting for anything. What happens follows from the seed alone;
`--seed 17 --trace` shows it. Exit code 1 if an invariant does not hold.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter

from rich.console import Console
from tests.faults.seeded.sweep import quiet_lives, run


def trace(seed: int) -> bool:
    """Show everything that happens in one life; returns whether all holds."""
    account = quiet_lives().live(seed, print)
    print("\n".join(account.breaches) or "all invariants hold")
    return not account.breaches


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=500, help="how many")
    parser.add_argument("--first", type=int, default=0, help="the first of them")
    parser.add_argument("--seed", type=int, default=None, help="this one alone")
    parser.add_argument("--trace", action="store_true", help="with --seed: show what happens")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    if chosen.trace:
        sys.exit(not trace(chosen.first if chosen.seed is None else chosen.seed))
    first, count = (chosen.first, chosen.seeds) if chosen.seed is None else (chosen.seed, 1)
    began = time.monotonic()
    accounts = run(first, count, chosen.jobs, Console(stderr=True))
    seconds = round(time.monotonic() - began, 1)
    met = sum((account.met for account in accounts), Counter())
    failed = {account.seed: account.breaches for account in accounts if account.breaches}
    if chosen.json:
        told = {"first": first, "seeds": count, "seconds": seconds, "met": dict(sorted(met.items()))}
        print(json.dumps(told | {"failed": failed}, indent=2))
    else:
        print(", ".join(f"{name} {number}" for name, number in sorted(met.items())))
        print(f"{count} lives from seed {first}, {seconds} s")
        print(f"{len(failed)} failed: {', '.join(map(str, failed))}" if failed else "nothing lost, nothing doubled")
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
