"""Where candles are absent."""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray


class Gap(msgspec.Struct, frozen=True):
    """Candles that are absent one after the other: those that would open from `start` to before `end`, ms UTC."""

    start: int
    end: int
    missing: int


def find_gaps(
    open_time: NDArray[np.int64], timeframe_ms: int, start: int | None = None, end: int | None = None
) -> list[Gap]:
    """List what is absent, oldest first.

    Args:
        open_time: of the candles that are there, strictly ascending and on the grid.
        timeframe_ms: length of a candle.
        start: from where on candles should be there; None: from the first that is.
        end: before which they should; None: up to the last that is.
    """
    if start is None:
        start = int(open_time[0]) if len(open_time) else 0
    if end is None:
        end = int(open_time[-1]) + timeframe_ms if len(open_time) else 0
    first, past = -(-start // timeframe_ms) * timeframe_ms, -(-end // timeframe_ms) * timeframe_ms
    inside = open_time[(open_time >= first) & (open_time < past)]
    # As if a candle stood on either side of what is asked for.
    times = np.concatenate(([first - timeframe_ms], inside, [max(first, past)]))
    before = np.flatnonzero(np.diff(times) > timeframe_ms)
    return [_between(int(times[index]), int(times[index + 1]), timeframe_ms) for index in before]


def _between(earlier: int, later: int, timeframe_ms: int) -> Gap:
    return Gap(earlier + timeframe_ms, later, (later - earlier) // timeframe_ms - 1)
