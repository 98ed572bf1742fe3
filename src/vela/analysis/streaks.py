"""Trades won and lost in a row."""

from __future__ import annotations

import msgspec
import numpy as np

from vela.analysis.series import Series


class Streaks(msgspec.Struct, frozen=True):
    """Runs of equal outcome.

    Attributes:
        longest_winning, longest_losing: trades in a row, 0 or above.
        current: the run at the end: above 0 wins, below 0 losses, 0 if there is none.
    """

    longest_winning: int
    longest_losing: int
    current: int


def streaks(pnl: Series) -> Streaks:
    """Return the longest runs and the one at the end; a trade that ended at zero breaks both kinds.

    Args:
        pnl: net profit of each trade, in quote, in the order in which the trades were closed.
    """
    if not len(pnl):
        return Streaks(0, 0, 0)
    outcome = np.sign(pnl)
    starts = np.concatenate(([0], np.flatnonzero(np.diff(outcome)) + 1))
    runs = np.diff(np.append(starts, len(pnl))) * outcome[starts].astype(np.int64)
    return Streaks(max(int(runs.max()), 0), max(-int(runs.min()), 0), int(runs[-1]))
