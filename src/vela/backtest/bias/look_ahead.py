"""Does a row change once later candles are known?

A history that is cut off after a row must give the same answer for every row up to there. Cutting everywhere would
take the square of the history's length; so the history is cut at a few dozen rows, and every row (or as many as can be
afforded) is compared with what a window that ends there says, which is cheap. Only where the two differ the history is
cut, too: that tells the use of the future from a dependence on where the candles begin.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

import numpy as np
from numpy.typing import NDArray

from vela.backtest.bias.answers import FLAGS, column_of, disagree, shown_value
from vela.backtest.bias.examination import Examination
from vela.backtest.bias.findings import Check, Finding, Severity

_CONFIRMED_AT_MOST = 60
_EXCUSED_AT_MOST = 12
_EARLY = "; this happens only while there are fewer candles than its warm-up"


def look_ahead(examination: Examination, suspects: Iterable[int] = ()) -> list[Finding]:
    """Return a finding for each column whose rows change once later candles are known.

    Args:
        examination: strategy and candles.
        suspects: rows to cut at beside the usual ones.
    """
    warmup = examination.strategy.warmup
    # Before the warm-up a strategy may say nothing at all; but somewhere it must have been tried.
    excused = range(warmup - 1) if examination.cuts[-1] >= warmup else range(0)
    worst: dict[str, tuple[bool, int, int]] = {}
    for cut in [*examination.cuts, *suspects]:
        for name, row in _changed(examination, cut).items():
            seen = (cut in excused, row, cut)
            worst[name] = min(worst.get(name, seen), seen)
    # Flags first: they are what trades.
    names = sorted(worst, key=lambda name: (name not in FLAGS, name))
    return [_finding(examination, name, *worst[name]) for name in names]


def suspicious_rows(examination: Examination, window: int, ignored: Collection[str] = ()) -> tuple[list[int], int]:
    """Return rows at which a window says something else than the whole history, and how many rows were compared.

    Args:
        examination: strategy and candles.
        window: length of the windows, enough for the newest row not to depend on where they begin.
        ignored: columns for which no window is long enough.
    """
    rows = examination.rows_to_compare(0, examination.rows_affordable(window))
    whole = examination.whole
    newest = [examination.newest(int(row), window) for row in rows]
    suspicious = np.zeros(len(rows), dtype=np.int64)
    for name in whole.keys() - set(ignored):
        came = np.array([answer.get(name, np.nan) for answer in newest])
        different = disagree(name, whole[name][rows], came, examination.scales[name])
        suspicious += different * (len(whole) if name in FLAGS else 1)
    # Where flags differ first; among equals spread over the history.
    order = np.argsort(-suspicious, kind="stable")[: int((suspicious > 0).sum())]
    return rows[_spread(order, suspicious)].tolist(), len(rows)


def _spread(order: NDArray[np.int64], weight: NDArray[np.int64]) -> NDArray[np.int64]:
    if len(order) <= _CONFIRMED_AT_MOST:
        return order
    heaviest = order[weight[order] == weight[order[0]]]
    chosen = heaviest if len(heaviest) >= _CONFIRMED_AT_MOST else order
    return chosen[np.linspace(0, len(chosen) - 1, _CONFIRMED_AT_MOST).astype(np.int64)]


def _changed(examination: Examination, cut: int) -> dict[str, int]:
    """Return the first row of each column that is not what it was without the candles after `cut`."""
    whole, known = examination.whole, examination.prefix(cut)
    changed = {}
    for name in whole.keys() | known.keys():
        later, now = column_of(whole, name)[: cut + 1], column_of(known, name)
        rows = np.flatnonzero(disagree(name, later, now, examination.scales.get(name, 0.0)))
        part = examination.candles.slice(0, cut + 1)
        for row in rows[:_EXCUSED_AT_MOST].tolist():
            if not examination.is_rounding(name, part, row):
                changed[name] = row
                break
    return changed


def _finding(examination: Examination, name: str, is_early: bool, row: int, cut: int) -> Finding:  # noqa: FBT001
    expected = shown_value(name, examination.prefix(cut), row)
    came = shown_value(name, examination.whole, row)
    known = "itself the newest" if row == cut else f"candle {cut} the newest"
    return Finding(
        Check.LOOK_AHEAD,
        Severity.WARNING if is_early else Severity.ERROR,
        row,
        int(examination.candles.open_time[row]),
        expected,
        came,
        f"{name} of candle {row} uses the future: it was {expected} with {known}, "
        f"and {came} once later ones were known{_EARLY if is_early else ''}",
    )
