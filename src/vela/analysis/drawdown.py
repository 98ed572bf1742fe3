"""Drawdown: how far, and how long, the account was below its own best."""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

from vela.analysis.daily import DAY_MS
from vela.analysis.series import Series, Times


class Drawdown(msgspec.Struct, frozen=True):
    """One stay below the peak.

    Attributes:
        peak_time: last candle at the peak, ms UTC.
        trough_time: first candle at the lowest point, ms UTC.
        recovery_time: first candle back at the peak or above; None: not yet.
        depth_pct: from peak to trough, in percent of the peak, above 0 and at most 100.
        days: from the peak to the recovery, or to the last candle.
    """

    peak_time: int
    trough_time: int
    recovery_time: int | None
    depth_pct: float
    days: float


def drawdown_curve(equity: Series) -> Series:
    """Return 100 × (peak − E) / peak for each candle, shape `(n,)`, in percent of the highest equity so far.

    Within 0–100: an account below zero has lost all it had. 0 while the peak itself is not above zero.

    Args:
        equity: at the close of each candle, in quote.
    """
    peak = np.maximum.accumulate(equity)
    lost = np.minimum(peak - equity, peak)
    return 100.0 * np.divide(lost, peak, out=np.zeros_like(equity), where=peak > 0.0)


def max_drawdown_pct(equity: Series) -> float:
    """Return the deepest drawdown, in percent of the peak before it; 0.0 if there is none."""
    return float(drawdown_curve(equity).max(initial=0.0))


def max_drawdown_days(times: Times, equity: Series) -> float:
    """Return the longest time below a peak, in days; 0.0 if there is none.

    Counted from the last candle at the peak to the first one back at it, or to the last candle of all. The longest
    drawdown need not be the deepest one.
    """
    peaks, recoveries = _stays(drawdown_curve(equity))
    ends = np.minimum(recoveries, len(times) - 1)
    return float((times[ends] - times[peaks]).max(initial=0)) / DAY_MS


def worst_drawdowns(times: Times, equity: Series, count: int = 5) -> tuple[Drawdown, ...]:
    """Return the `count` deepest drawdowns, deepest first, the earlier one first among equals."""
    curve = drawdown_curve(equity)
    peaks, recoveries = _stays(curve)
    if not len(peaks):
        return ()
    depths = np.maximum.reduceat(curve, peaks)
    deepest = np.argsort(-depths, kind="stable")[:count]
    return tuple(_drawdown(times, curve, int(peaks[i]), int(recoveries[i])) for i in deepest)


def _stays(curve: Series) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    # Index of the last candle at each peak and of the recovery from it; n for one that has not come.
    below = np.concatenate(([False], curve > 0.0, [False])).astype(np.int8)
    turns = np.diff(below)
    return np.flatnonzero(turns > 0) - 1, np.flatnonzero(turns < 0)


def _drawdown(times: Times, curve: Series, peak: int, recovery: int) -> Drawdown:
    trough = peak + int(curve[peak:recovery].argmax())
    recovered = recovery < len(times)
    end = times[recovery if recovered else -1]
    return Drawdown(
        peak_time=int(times[peak]),
        trough_time=int(times[trough]),
        recovery_time=int(end) if recovered else None,
        depth_pct=float(curve[trough]),
        days=float(end - times[peak]) / DAY_MS,
    )
