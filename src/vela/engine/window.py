"""The newest candles of one symbol, ready for a strategy."""

from __future__ import annotations

import numpy as np

from vela.domain.candles import Candle, Candles


class CandleWindow:
    """Keeps the newest `length` candles as columns; appending is cheap, `candles` gives views without copying."""

    def __init__(self, length: int) -> None:
        """`length`: candles kept, at least 1."""
        self._length = length
        self._times = np.empty(2 * length, dtype=np.int64)
        self._table = np.empty((5, 2 * length), dtype=np.float64)
        self._end = 0
        self.last_time = -1

    def __len__(self) -> int:
        return min(self._end, self._length)

    def append(self, candle: Candle) -> None:
        """Add the next candle."""
        if self._end == 2 * self._length:
            # Strategies hold no views across calls, so the newest half may move to the front in place.
            self._times[: self._length] = self._times[self._length :]
            self._table[:, : self._length] = self._table[:, self._length :]
            self._end = self._length
        position = self._end
        self._times[position] = candle.open_time
        self._table[:, position] = (candle.open, candle.high, candle.low, candle.close, candle.volume)
        self._end = position + 1
        self.last_time = candle.open_time

    def candles(self) -> Candles:
        """Return the candles, oldest first, as read-only views that hold until the next `append`."""
        start = max(0, self._end - self._length)
        part = slice(start, self._end)
        return Candles(self._times[part], *(column[part] for column in self._table))
