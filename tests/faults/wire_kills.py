"""Kills live trading at named points and looks whether anything was lost or doubled.

`python -m tests.faults.wire_kills --points P05-P22 --outcomes all --fills all` runs a real `vela up --live` against a
real `vela venue`, kills it where it passes a point, lets the market move while it is dead, starts it again, kills it at
the next point on the same account, and so on. In the end every invariant of the checker must hold. `--random N` adds
kills at random moments. What is done follows from the seed, what happens in between from the machine's speed.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.progress import Progress
from tests.faults.life import Life, NotSurvived
from tests.faults.scenario import FILLS, OUTCOMES, POINTS, Scenario
from tests.faults.wire import EXITS

PER_LIFE = 8


@dataclass(slots=True)
class Plan:
    """The kills of one account. `exits`: how its positions are protected."""

    number: int
    exits: str
    is_flat: bool
    seed: int
    scenarios: list[Scenario]


@dataclass(slots=True)
class Result:
    """What came of it."""

    kills: Counter[str] = field(default_factory=Counter)
    breaches: list[str] = field(default_factory=list)
    lives: int = 0

    def add(self, other: Result) -> None:
        self.kills += other.kills
        self.breaches += other.breaches
        self.lives += other.lives


def live(plan: Plan, folder: Path) -> Result:
    """Run one account through its kills; whatever is wrong is a breach, in words."""
    result = Result(lives=1)
    home = folder / f"life-{plan.number}"
    home.mkdir()
    done: list[str] = []
    try:
        with Life(home, exits=plan.exits, is_flat=plan.is_flat, seed=plan.seed) as life:
            for scenario in plan.scenarios:
                done.append(str(scenario))
                result.kills += Counter(life.survive(scenario))
                found = life.breaches(is_settled=False)
                result.breaches += [f"life {plan.number} after {scenario}: {breach}" for breach in found]
            life.settle()
        found = life.breaches(is_settled=True)
        result.breaches += [f"life {plan.number} ({', '.join(done)}): {breach}" for breach in found]
    except NotSurvived as problem:
        result.breaches.append(f"life {plan.number} ({', '.join(done)}): {problem}")
    return result


def plans(scenarios: Sequence[Scenario], seed: int, per_life: int = PER_LIFE) -> list[Plan]:
    """Deal the scenarios out to accounts that can come to their points."""
    kinds = {name: [s for s in scenarios if s.exits == name] for name in EXITS}
    first = [s for s in scenarios if s.exits is None]
    for scenario, name in zip(first, itertools.cycle(EXITS), strict=False):
        kinds[name].append(scenario)
    dealt: list[Plan] = []
    for name, members in kinds.items():
        # A migration happens on a new account only.
        births = [s for s in members if s.point == "P24"]
        others = [s for s in members if s.point != "P24"]
        count = max(len(births), -(-len(others) // per_life))
        for index in range(count):
            mine = [*births[index : index + 1], *others[index::count]]
            number = len(dealt)
            dealt.append(Plan(number, name, number % 2 == 0, seed * 1_000_003 + number, mine))
    return dealt


def run(chosen: Iterable[Plan], folder: Path, jobs: int, console: Console) -> Result:
    """Run accounts side by side, with progress."""
    total, begun = Result(), [*chosen]
    with Progress(console=console) as progress, ThreadPoolExecutor(jobs) as pool:
        kills = sum(len(plan.scenarios) for plan in begun)
        task = progress.add_task("kills", total=kills)
        waiting = {pool.submit(live, plan, folder): plan for plan in begun}
        for future in as_completed(waiting):
            result = future.result()
            total.add(result)
            progress.advance(task, len(waiting[future].scenarios))
            for breach in result.breaches:
                progress.console.print(breach, style="red", markup=False)
    return total


# ------------------------------------------------------------------------------------------------- the command line


def scenarios(chosen: argparse.Namespace) -> list[Scenario]:
    """Return what the options ask for, in an order drawn from the seed."""
    dice = random.Random(chosen.seed)  # noqa: S311  no secrets
    combined = itertools.product(
        _points(chosen.points), _names(chosen.outcomes, OUTCOMES), _names(chosen.fills, FILLS), range(chosen.repeat)
    )
    found = [
        Scenario.at(point, outcome, fill, dice, by_term=dice.random() < chosen.term, again=dice.random() < chosen.again)
        for point, outcome, fill, _ in combined
    ]
    found += [
        Scenario.somewhere(dice.choice(OUTCOMES), dice.choice(FILLS), dice.uniform(0, chosen.longest))
        for _ in range(chosen.random)
    ]
    dice.shuffle(found)
    return found


def _points(text: str) -> list[str]:
    first, _, last = text.partition("-")
    if "," in text or not text:
        return [name for name in text.split(",") if name]
    return [point for point in POINTS if first <= point <= (last or first)]


def _names(text: str, known: Sequence[str]) -> list[str]:
    return [*known] if text == "all" else [name for name in text.split(",") if name in known]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", default="P01-P24", help="P05-P22, P07 or P05,P07; empty: none")
    parser.add_argument("--outcomes", default="all", help=f"of requests: {', '.join(OUTCOMES)}")
    parser.add_argument("--fills", default="all", help=f"while the process is dead: {', '.join(FILLS)}")
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--random", type=int, default=0, help="kills at random moments besides")
    parser.add_argument("--longest", type=float, default=6.0, help="seconds until a random kill")
    parser.add_argument("--again", type=float, default=0.1, help="share of starts that are killed in their turn")
    parser.add_argument("--term", type=float, default=0.1, help="share that is asked to leave instead of killed")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--keep", type=Path, default=None, help="folder in which everything is left")
    chosen = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as temporary:
        folder = chosen.keep or Path(temporary)
        folder.mkdir(exist_ok=True)
        result = run(plans(scenarios(chosen), chosen.seed), folder, chosen.jobs, Console(stderr=True))
    seconds = round(time.monotonic() - began, 1)
    points = dict(sorted(result.kills.items()))
    if chosen.json:
        told = {"seed": chosen.seed, "lives": result.lives, "kills": result.kills.total(), "seconds": seconds}
        print(json.dumps(told | {"points": points, "breaches": result.breaches}, indent=2))
    else:
        print(", ".join(f"{point} {count}" for point, count in points.items()))
        print(f"{result.kills.total()} kills in {result.lives} lives, {seconds} s, seed {chosen.seed}")
        print("\n".join(result.breaches) or "nothing lost, nothing doubled")
    sys.exit(bool(result.breaches))


if __name__ == "__main__":
    main()
