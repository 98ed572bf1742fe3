"""The calendar of statistics: days are UTC days, and a year has 365 of them."""

from __future__ import annotations

import numpy as np

from vela.analysis.series import Series, Times

DAY_MS = 86_400_000
YEAR_DAYS = 365


def elapsed_days(times: Times) -> float:
    """Return the time from the start of the first candle to the end of the last one, in days.

    A candle is as long as the smallest step between two. 0.0 for fewer than two candles: their length is unknown.

    Args:
        times: start of each candle, ms UTC, ascending.
    """
    if len(times) < 2:
        return 0.0
    return float(times[-1] - times[0] + np.diff(times).min()) / DAY_MS


def day_ends(times: Times, equity: Series) -> Series:
    """Return the last equity of every UTC day from the first to the last, in quote.

    A day without candles keeps the equity of the day before: nothing was marked, and √365 counts every day.

    Args:
        times: start of each candle, ms UTC, ascending; the candle that starts at 23:59 ends its day.
        equity: at the close of each candle, in quote.
    """
    if not len(times):
        return equity
    days = times // DAY_MS
    last = np.append(np.flatnonzero(np.diff(days)), len(days) - 1)
    return np.repeat(equity[last], np.append(np.diff(days[last]), 1))


def daily_returns(times: Times, equity: Series) -> Series:
    """Return E(d) / E(d−1) − 1 between the ends of successive UTC days, as fractions.

    The first day has no day before and brings none. The series ends with the first day that ends at zero or below:
    nothing is left that could earn a return.

    Args:
        times: start of each candle, ms UTC, ascending.
        equity: at the close of each candle, in quote.
    """
    ends = day_ends(times, equity)
    ruined = np.flatnonzero(ends <= 0.0)
    if len(ruined):
        ends = ends[: ruined[0] + 1]
    return ends[1:] / ends[:-1] - 1.0
