"""The table of months."""

from __future__ import annotations

import msgspec
import numpy as np

from vela.analysis.series import Series, Times
from vela.analysis.total_return import total_return_pct


class MonthlyReturn(msgspec.Struct, frozen=True):
    """One UTC month.

    Attributes:
        year, month: such as 2025 and 1–12.
        return_pct: from the end of the month before, in percent; None where nothing was left to start with.
    """

    year: int
    month: int
    return_pct: float | None


def monthly_returns(times: Times, equity: Series, initial: float) -> tuple[MonthlyReturn, ...]:
    """Return 100 × (E(m) − E(m−1)) / E(m−1) for each UTC month that has candles, oldest first.

    Compounded, the months give the total return.

    Args:
        times: start of each candle, ms UTC, ascending.
        equity: at the close of each candle, in quote.
        initial: equity before the first candle, in quote.
    """
    if not len(times):
        return ()
    months = times.astype("datetime64[ms]").astype("datetime64[M]").astype(np.int64)
    last = np.append(np.flatnonzero(np.diff(months)), len(months) - 1)
    ends = equity[last].tolist()
    return tuple(
        MonthlyReturn(1970 + month // 12, 1 + month % 12, total_return_pct(before, end))
        for month, before, end in zip(months[last].tolist(), [initial, *ends[:-1]], ends, strict=True)
    )
