"""The account's equity over its whole life, in bounded memory."""

from __future__ import annotations

from dataclasses import dataclass

from vela.dashboard.shapes import Point


@dataclass(slots=True)
class _Stretch:
    """The lowest and highest point of a stretch of time."""

    index: int
    low: Point
    high: Point

    def include(self, low: Point, high: Point) -> None:
        if low[1] < self.low[1]:
            self.low = low
        if high[1] > self.high[1]:
            self.high = high

    def points(self) -> tuple[Point, ...]:
        if self.low == self.high:
            return (self.low,)
        return (self.low, self.high) if self.low[0] < self.high[0] else (self.high, self.low)


class EquityCurve:
    """At most `limit` points. When there are too many, neighbouring stretches merge: each keeps its extremes.

    All stretches are equally long, so the curve is as fine at its beginning as at its end.
    """

    def __init__(self, limit: int, interval_ms: int) -> None:
        """Start empty. `limit`: at least 4; `interval_ms`: the finest stretch, above 0."""
        self._stretches: list[_Stretch] = []
        self._most = (limit - 2) // 2
        self._interval = interval_ms
        self._first: Point | None = None
        self._newest: Point | None = None

    def add(self, time: int, equity: float) -> None:
        """Add a point; one older than the newest is ignored. `time` in ms UTC."""
        if self._newest is not None and time < self._newest[0]:
            return
        point = (time, equity)
        self._first = self._first or point
        self._newest = point
        self._include(time // self._interval, point, point)
        while len(self._stretches) > self._most:
            self._widen()

    def points(self) -> list[Point]:
        """Return the curve, oldest first; its very first and its newest point are always there."""
        if self._first is None or self._newest is None:
            return []
        inner = [point for stretch in self._stretches for point in stretch.points()]
        start, end = self._first, self._newest
        between = [point for point in inner if start[0] < point[0] < end[0]]
        return [start, *between, end] if end[0] > start[0] else [end]

    def _include(self, index: int, low: Point, high: Point) -> None:
        if self._stretches and self._stretches[-1].index == index:
            self._stretches[-1].include(low, high)
        else:
            self._stretches.append(_Stretch(index, low, high))

    def _widen(self) -> None:
        self._interval *= 2
        narrow, self._stretches = self._stretches, []
        for stretch in narrow:
            self._include(stretch.low[0] // self._interval, stretch.low, stretch.high)
