"""How much of the time something was held."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vela.analysis.series import Times
from vela.domain.position import Trade


def exposure_pct(times: Times, trades: Sequence[Trade], open_since: Sequence[int] = ()) -> float:
    """Return 100 × candles with a position at their close / all candles, in percent; 0.0 without candles.

    A candle counts once, however many positions are open. That of an entry counts unless the exit is in it too; that of
    an exit does not.

    Args:
        times: start of each candle, ms UTC, ascending.
        trades: closed round trips.
        open_since: entry times of the positions that are still open at the end, ms UTC.
    """
    count = len(times)
    if not count:
        return 0.0
    entries = [*(trade.entry_time for trade in trades), *open_since]
    entered = np.bincount(_candles(times, entries), minlength=count)
    left = np.bincount(_candles(times, [trade.exit_time for trade in trades]), minlength=count)
    return 100.0 * int(np.count_nonzero(np.cumsum(entered - left) > 0)) / count


def _candles(times: Times, moments: Sequence[int]) -> NDArray[np.intp]:
    # The candle in which each moment lies; what came before the first one is counted there.
    return np.maximum(np.searchsorted(times, np.array(moments, dtype=np.int64), side="right") - 1, 0)
