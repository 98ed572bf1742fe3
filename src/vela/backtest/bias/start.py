"""Does the newest row depend on where the candles begin?

Live keeps a window of as many candles as the strategy declares as its warm-up. If that is too short, live decides
otherwise than the backtest, which has the whole history.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from vela.backtest.bias.answers import FLAGS, shown_value
from vela.backtest.bias.examination import Examination
from vela.backtest.bias.findings import Check, Finding, Severity

_DECIDES = frozenset((*FLAGS, "confidence"))


class Measured(NamedTuple):
    """What windows of different lengths say.

    Attributes:
        warmup: shortest window that gives what the whole history gives; None: no window up to half of it does.
        never: columns that no window settles.
        too_short: per column that the declared warm-up does not settle, a row that shows it.
    """

    warmup: int | None
    never: frozenset[str]
    too_short: dict[str, int]


def measure(examination: Examination, rows: Sequence[int]) -> Measured:
    """Measure the warm-up at those rows; see `Measured`."""
    longest = max(1, len(examination.candles) // 2)
    excused: set[tuple[int, str]] = set()

    def unsettled(row: int, window: int) -> set[str]:
        names = {name for name in examination.disagreeing(row, window) if (row, name) not in excused}
        for name in names & set(FLAGS):
            part = examination.candles.slice(max(0, row + 1 - window), row + 1)
            if examination.is_rounding(name, part, -1):
                excused.add((row, name))
        return {name for name in names if (row, name) not in excused}

    never = frozenset(name for row in rows for name in unsettled(row, longest))
    too_short: dict[str, int] = {}
    for row in rows:
        for name in unsettled(row, min(examination.strategy.warmup, row + 1)):
            too_short.setdefault(name, row)

    def settles(window: int) -> bool:
        return not any(unsettled(row, window) - never for row in rows)

    if never >= examination.whole.keys() or (never & _DECIDES):
        return Measured(None, never, too_short)
    return Measured(_shortest(settles, longest), never, too_short)


def _shortest(settles: Callable[[int], bool], longest: int) -> int | None:
    below, above = 0, 1
    while not settles(above):
        if above >= longest:
            return None
        below, above = above, min(2 * above, longest)
    while above - below > 1:
        middle = (below + above) // 2
        if settles(middle):
            above = middle
        else:
            below = middle
    return above


def dependence_on_start(examination: Examination, measured: Measured) -> list[Finding]:
    """Return a finding if the declared warm-up does not give what a long history gives."""
    declared, length = examination.strategy.warmup, len(examination.candles)
    if 2 * declared > length:
        sentence = f"a warm-up of {declared} candles cannot be checked with {length}; accepted: {2 * declared} or more"
        return [Finding(Check.START, Severity.WARNING, None, None, f"{2 * declared} candles", f"{length}", sentence)]
    shown = measured.too_short
    if not shown:
        return []
    name = min(shown, key=lambda column: (column not in _DECIDES, column))
    harmless = name not in _DECIDES and shown.keys() <= measured.never
    return [_finding(examination, measured, name, shown[name], Severity.WARNING if harmless else Severity.ERROR)]


def _finding(examination: Examination, measured: Measured, name: str, row: int, severity: Severity) -> Finding:
    declared = examination.strategy.warmup
    expected = shown_value(name, examination.prefix(row), row)
    newest = examination.newest(row, declared)
    value = newest.get(name, math.nan)
    came = str(bool(value)) if name in FLAGS else f"{value:.12g}"
    if name in measured.never or measured.warmup is None:
        needs = "no window settles it: the value depends on where the candles begin"
    else:
        needs = f"at least {max(measured.warmup, declared + 1)} are needed"
    return Finding(
        Check.START,
        severity,
        row,
        int(examination.candles.open_time[row]),
        expected,
        came,
        f"{name} of candle {row} is {came} with the declared warm-up of {declared} candles and {expected} with the "
        f"whole history; {needs}",
    )
