"""Candles: one as a record, many as read-only columns, and the one definition of a usable candle."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

import msgspec
import numpy as np
from numpy.typing import NDArray

from vela.domain.errors import CandleError

COLUMNS = ("open", "high", "low", "close", "volume")


class Candle(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One candle. `open_time` in ms UTC, prices in quote per base, volume in base."""

    open_time: int
    open: float
    high: float
    low: float
    close: float
    volume: float


@dataclass(frozen=True, slots=True, eq=False)
class Candles:
    """Candles as columns, oldest first. All arrays have shape `(n,)` and cannot be written to.

    Attributes:
        open_time: int64, ms UTC, start of each candle.
        open, high, low, close: float64, quote per base.
        volume: float64, base units.
    """

    open_time: NDArray[np.int64]
    open: NDArray[np.float64]
    high: NDArray[np.float64]
    low: NDArray[np.float64]
    close: NDArray[np.float64]
    volume: NDArray[np.float64]

    def __post_init__(self) -> None:
        length = len(self.open_time)
        for name in ("open_time", *COLUMNS):
            column = getattr(self, name)
            if column.shape != (length,):
                raise CandleError(f"column {name} has shape {column.shape}; accepted: ({length},) like open_time")
            column.flags.writeable = False

    @classmethod
    def from_columns(
        cls,
        open_time: NDArray[np.int64],
        open: NDArray[np.float64],  # noqa: A002  the field's own word
        high: NDArray[np.float64],
        low: NDArray[np.float64],
        close: NDArray[np.float64],
        volume: NDArray[np.float64],
    ) -> Candles:
        """Take views of the arrays; the caller's own arrays stay writeable.

        Raises:
            CandleError: the columns differ in length.
        """
        times = np.asarray(open_time, dtype=np.int64).view()
        prices = (np.asarray(column, dtype=np.float64).view() for column in (open, high, low, close, volume))
        return cls(times, *prices)

    @classmethod
    def from_rows(cls, rows: list[Candle] | tuple[Candle, ...]) -> Candles:
        """Gather single candles, oldest first, into columns."""
        times = np.array([row.open_time for row in rows], dtype=np.int64)
        table = np.array([(r.open, r.high, r.low, r.close, r.volume) for r in rows], dtype=np.float64).reshape(-1, 5)
        return cls(times, *(np.ascontiguousarray(table[:, column]) for column in range(5)))

    def __len__(self) -> int:
        return len(self.open_time)

    def row(self, index: int) -> Candle:
        """Return the candle at `index` (negative counts from the end) as a record."""
        return Candle(
            int(self.open_time[index]),
            float(self.open[index]),
            float(self.high[index]),
            float(self.low[index]),
            float(self.close[index]),
            float(self.volume[index]),
        )

    def rows(self) -> list[Candle]:
        """Return all candles as records, oldest first."""
        columns = (self.open_time, self.open, self.high, self.low, self.close, self.volume)
        return [Candle(*values) for values in zip(*(column.tolist() for column in columns), strict=True)]

    def slice(self, start: int, stop: int) -> Candles:
        """Return the candles `start:stop` as views of the same memory."""
        part = np.s_[start:stop]
        return Candles(
            self.open_time[part], self.open[part], self.high[part], self.low[part], self.close[part], self.volume[part]
        )


class CandleFault(StrEnum):
    """Why a candle cannot be used."""

    NOT_FINITE = "not_finite"
    NOT_POSITIVE = "not_positive"
    INCONSISTENT = "inconsistent"
    OFF_GRID = "off_grid"
    NOT_CLOSED = "not_closed"
    DUPLICATE = "duplicate"
    REVISED = "revised"
    OUT_OF_ORDER = "out_of_order"
    OUT_OF_SCALE = "out_of_scale"


def candle_fault(candle: Candle, timeframe_ms: int) -> CandleFault | None:
    """Check one candle by itself: finite, above zero, high and low around open and close, on the grid.

    Args:
        candle: the candle as it came.
        timeframe_ms: its length; candles open at whole multiples of it since 1970.

    Returns:
        The first fault, or None for a usable candle.
    """
    prices = (candle.open, candle.high, candle.low, candle.close)
    if not all(map(math.isfinite, (*prices, candle.volume))):
        return CandleFault.NOT_FINITE
    if min(prices) <= 0.0 or candle.volume < 0.0:
        return CandleFault.NOT_POSITIVE
    if candle.high != max(prices) or candle.low != min(prices):
        return CandleFault.INCONSISTENT
    if candle.open_time % timeframe_ms:
        return CandleFault.OFF_GRID
    return None


class CandleSequence:
    """Checks a symbol's candles one after the other: each by itself and against the one before."""

    def __init__(self, timeframe_ms: int, last: Candle | None = None) -> None:
        """Start after `last`, the newest candle already taken (None: nothing yet)."""
        self._timeframe_ms = timeframe_ms
        self.last = last

    def fault(self, candle: Candle, now: int) -> CandleFault | None:
        """Return why `candle` cannot follow, or None. `now` in ms UTC: a candle that ends later is not closed."""
        fault = candle_fault(candle, self._timeframe_ms)
        if fault is not None:
            return fault
        if candle.open_time + self._timeframe_ms > now:
            return CandleFault.NOT_CLOSED
        if self.last is None or candle.open_time > self.last.open_time:
            return None
        if candle.open_time < self.last.open_time:
            return CandleFault.OUT_OF_ORDER
        return CandleFault.DUPLICATE if candle == self.last else CandleFault.REVISED

    def missing_before(self, candle: Candle) -> int:
        """Return how many candles are absent between the last one taken and `candle`."""
        if self.last is None:
            return 0
        return max(0, (candle.open_time - self.last.open_time) // self._timeframe_ms - 1)

    def take(self, candle: Candle) -> None:
        """Remember `candle` as the newest one."""
        self.last = candle
