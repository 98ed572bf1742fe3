"""What a process is to go through."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Self

POINTS = [f"P{number:02}" for number in range(1, 26)]
OUTCOMES = ("answered", "execute_and_timeout", "drop_before")
FILLS = ("none", "partial", "full", "dead")

RANDOM = "random"
WAYS_OUT = ("signal", "thin", "stop", "target", "part")
# How often a point is passed before the process ends there: a life passes these often enough.
_MOST_PASSES = dict.fromkeys(POINTS, 2) | {"P01": 4, "P02": 4, "P04": 4, "P11": 4, "P23": 3, "P24": 1, "P21": 1}
# Two requests one after the other are needed only where more than a single stop rests.
_NEEDS_TWO_STEPS = {"P18", "P19"}


@dataclass(frozen=True, slots=True)
class Scenario:
    """One death and what goes with it.

    Attributes:
        point: where the process ends, or `random`.
        passes: at which pass.
        moment: of a random death, in seconds after the start.
        outcome: of the first request of each kind: `answered`, `execute_and_timeout` or `drop_before`.
        fill: what the market does with resting orders meanwhile: `none`, `partial` (a part is executed), `full` (a
            target is reached, or the stop where there is none) or `dead` (the price falls through all stops).
        by_term: the process is asked to leave, not killed.
        again: the next process is killed while it starts.
        exits: how positions have to be protected; None: any way.
    """

    point: str
    outcome: str
    fill: str
    passes: int = 1
    moment: float = 0.0
    by_term: bool = False
    again: bool = False
    exits: str | None = None

    @classmethod
    def at(
        cls, point: str, outcome: str, fill: str, dice: random.Random, *, by_term: bool = False, again: bool = False
    ) -> Self:
        passes = dice.randint(1, _MOST_PASSES[point])
        exits = dice.choice(("target", "part")) if point in _NEEDS_TWO_STEPS else None
        # Who is asked to leave while it starts has not begun to trade.
        return cls(point, outcome, fill, passes, by_term=by_term, again=again, exits=exits)

    @classmethod
    def somewhere(cls, outcome: str, fill: str, moment: float) -> Self:
        return cls(RANDOM, outcome, fill, moment=moment)

    @property
    def crash_at(self) -> str | None:
        """Return what the process is told."""
        if self.point == RANDOM:
            return None
        return f"{self.point}:{self.passes}" + (":TERM" if self.by_term else "")

    def way_out(self, dice: random.Random) -> str:
        """Return how to leave a position so that the point is passed, one of `WAYS_OUT`."""
        if self.point == "P21" or self.fill == "partial":
            return "thin"
        return "signal" if self.point in {"P19", "P20"} else dice.choice(WAYS_OUT)

    def __str__(self) -> str:
        where = f"{self.moment:.2f}s" if self.point == RANDOM else self.crash_at
        return f"{where} {self.outcome} {self.fill}" + (" twice" if self.again else "")
