"""Sorts usable candles from others, many at once; what is usable, `CandleSequence` alone defines."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vela.domain.candles import COLUMNS, Candles, CandleSequence

_NEVER = 2**63  # history has no "now": every candle in it counts as closed


@dataclass(frozen=True, slots=True)
class CheckedCandles:
    """What could be used.

    Attributes:
        candles: usable and strictly ascending.
        rows: how many were looked at.
        faults: how many were refused, by `CandleFault`, in ascending order of its name.
        missing: how many candles are absent between the first and the last one used.
    """

    candles: Candles
    rows: int
    faults: dict[str, int]
    missing: int


def check_candles(candles: Candles, timeframe_ms: int) -> CheckedCandles:
    """Keep the candles that a running system would take one after the other, and count the others by fault.

    Args:
        candles: rows as they came, in any order.
        timeframe_ms: length of a candle.
    """
    faults: dict[str, int] = {}
    rows = len(candles)
    if not all_usable(candles, timeframe_ms):
        keep, faults = _one_by_one(candles, timeframe_ms)
        candles = Candles.from_columns(*(getattr(candles, name)[keep] for name in ("open_time", *COLUMNS)))
    times = candles.open_time
    between = (int(times[-1]) - int(times[0])) // timeframe_ms + 1 if len(candles) else 0
    return CheckedCandles(candles, rows, faults, between - len(candles))


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


def _one_by_one(candles: Candles, timeframe_ms: int) -> tuple[NDArray[np.bool_], dict[str, int]]:
    sequence = CandleSequence(timeframe_ms)
    faults: Counter[str] = Counter()
    keep = np.zeros(len(candles), dtype=np.bool_)
    for index, candle in enumerate(candles.rows()):
        fault = sequence.fault(candle, _NEVER)
        if fault is not None:
            faults[fault.value] += 1
            continue
        sequence.take(candle)
        keep[index] = True
    return keep, dict(sorted(faults.items()))
