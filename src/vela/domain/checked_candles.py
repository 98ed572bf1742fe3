"""Sorts usable candles from others, many at once; what is usable, `CandleSequence` alone defines."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from vela.domain.candles import COLUMNS, CandleFault, Candles, CandleSequence

_NEVER = 2**63  # history has no "now": every candle in it counts as closed


@dataclass(frozen=True, slots=True)
class CheckedCandles:
    """What could be used.

    Attributes:
        candles: usable and strictly ascending.
        rows: how many were looked at.
        faults: how many were refused, by `CandleFault`, in ascending order of its name.
        missing: how many candles are absent between the first and the last one used.
        first_rows: where each fault was met first: the row's place among those that were looked at, from 0.
    """

    candles: Candles
    rows: int
    faults: dict[str, int]
    missing: int
    first_rows: dict[str, int] = field(default_factory=dict)


def check_candles(candles: Candles, timeframe_ms: int) -> CheckedCandles:
    """Keep the candles that a running system would take one after the other, and count the others by fault.

    Args:
        candles: rows as they came, in any order.
        timeframe_ms: length of a candle.
    """
    faults: dict[str, int] = {}
    first_rows: dict[str, int] = {}
    rows = len(candles)
    if not all_usable(candles, timeframe_ms):
        keep, faults, first_rows = _one_by_one(candles, timeframe_ms)
        candles = _chosen(candles, keep)
    times = candles.open_time
    between = (int(times[-1]) - int(times[0])) // timeframe_ms + 1 if len(candles) else 0
    return CheckedCandles(candles, rows, faults, between - len(candles), first_rows)


def check_collected(candles: Candles, timeframe_ms: int, now: int) -> CheckedCandles:
    """Keep what can be used of candles that somebody collected: in any order, the newest perhaps not closed yet.

    Of several with the same open time the first counts.

    Args:
        candles: rows as they came.
        timeframe_ms: length of a candle.
        now: ms UTC; a candle that ends later is not closed.
    """
    order = np.argsort(candles.open_time, kind="stable")
    # No time of a real candle is near the ends of 64 bits; there a sum would wrap around.
    is_open = candles.open_time[order] > now - timeframe_ms
    checked = check_candles(_chosen(candles, order[~is_open]), timeframe_ms)
    closed = order[~is_open]
    first_rows = {fault: int(closed[row]) for fault, row in checked.first_rows.items()}
    faults = dict(checked.faults)
    if is_open.any():
        faults[CandleFault.NOT_CLOSED.value] = int(is_open.sum())
        first_rows[CandleFault.NOT_CLOSED.value] = int(order[is_open].min())
    return CheckedCandles(checked.candles, len(candles), dict(sorted(faults.items())), checked.missing, first_rows)


def _chosen(candles: Candles, rows: NDArray[np.bool_] | NDArray[np.intp]) -> Candles:
    return Candles.from_columns(*(getattr(candles, name)[rows] for name in ("open_time", *COLUMNS)))


def all_usable(candles: Candles, timeframe_ms: int) -> bool:
    """Say whether no row would be refused: `CandleSequence` over all rows, at the speed of arrays."""
    times, volume = candles.open_time, candles.volume
    prices = (candles.open, candles.high, candles.low, candles.close)
    highest, lowest = np.maximum(candles.open, candles.close), np.minimum(candles.open, candles.close)
    tests = (
        np.all(candles.high >= highest),
        np.all(candles.low <= lowest),
        all(np.all(np.isfinite(column)) for column in (*prices, volume)),
        np.all(candles.low > 0.0),
        np.all(volume >= 0.0),
        np.all(times % timeframe_ms == 0),
        np.all(times[1:] > times[:-1]),
    )
    return all(bool(test) for test in tests)


def _one_by_one(candles: Candles, timeframe_ms: int) -> tuple[NDArray[np.bool_], dict[str, int], dict[str, int]]:
    sequence = CandleSequence(timeframe_ms)
    faults: Counter[str] = Counter()
    first_rows: dict[str, int] = {}
    keep = np.zeros(len(candles), dtype=np.bool_)
    for index, candle in enumerate(candles.rows()):
        fault = sequence.fault(candle, _NEVER)
        if fault is not None:
            faults[fault.value] += 1
            first_rows.setdefault(fault.value, index)
            continue
        sequence.take(candle)
        keep[index] = True
    return keep, dict(sorted(faults.items())), first_rows
