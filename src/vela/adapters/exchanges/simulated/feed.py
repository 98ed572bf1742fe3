"""Plays candles as a market: prices while a candle lasts, the candle when it has closed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from vela.adapters.clock import SimulatedClock
from vela.adapters.exchanges.simulated.sources import CandleSource, Step
from vela.domain.candles import Candle, CandleSequence
from vela.domain.events import MarketEnded, PricesMoved, SymbolCandle, Tick
from vela.domain.instrument import Instrument
from vela.domain.timeframe import Timeframe
from vela.domain.trading_symbol import TradingSymbol
from vela.ports.market_data import MarketEvent

_MOVES_PER_SECOND = 10  # of real time, at most
_CORNERS = 3  # low, high and close


class SimulatedFeed:
    """The market data of a `CandleSource`, paced by a `SimulatedClock`.

    At every step, in this order:

    1. The clock moves to the candles' open and their open prices come, as jumps.
    2. The candles of the step before come, raw, faulty ones included: they have closed. Orders that are decided on them
       therefore meet the new open. Then the feed waits until everybody has settled.
    3. The prices inside the candles come: at full speed one tick that holds the whole range, else a path from the open
       to the low, the high and the close. Then the feed waits again.

    A candle that no consumer would let in has no prices. After the last step come `MarketEnded` and the last candles.
    """

    def __init__(
        self,
        source: CandleSource,
        clock: SimulatedClock,
        settled: Callable[[], Awaitable[None]],
        *,
        resume_after: int | None = None,
        until: int | None = None,
    ) -> None:
        """Prepare to play `source`.

        Args:
            source: the candles.
            clock: moved by this feed alone.
            settled: returns when all that followed from what was yielded has been handled.
            resume_after: candles that closed at or before this time (ms UTC) are not played again.
            until: candles that open at or after this time (ms UTC) are not played.
        """
        self._source = source
        self._clock = clock
        self._settled = settled
        self._until = until
        self._length = source.timeframe.milliseconds
        self._from = None if resume_after is None else resume_after - self._length + 1
        self._instruments = {rule.symbol: rule for rule in source.instruments()}
        self._sequences = {symbol: self._sequence(symbol, resume_after) for symbol in self._instruments}
        self.steps_done = 0

    @property
    def timeframe(self) -> Timeframe:
        """See `MarketData.timeframe`."""
        return self._source.timeframe

    @property
    def steps_total(self) -> int | None:
        """How many steps this feed plays, `steps_done` of which are over; None: there is no end."""
        return self._source.count(self._from, self._until)

    def instruments(self) -> Sequence[Instrument]:
        """See `MarketData.instruments`."""
        return self._source.instruments()

    async def history(self, symbol: TradingSymbol, before: int, count: int) -> Sequence[Candle]:
        """See `MarketData.history`."""
        return self._source.history(symbol, before, count)

    async def stream(self) -> AsyncIterator[MarketEvent]:
        """See `MarketData.stream`."""
        closed: tuple[SymbolCandle, ...] = ()
        for opens, rows in self._steps():
            await self._open(opens)
            usable = self._usable(rows)
            if usable:
                yield PricesMoved(time=self._clock.now(), ticks=tuple(map(_jump, usable)))
            if closed:
                yield closed
            await self._settled()
            if usable:
                for time, ticks in self._inside(opens, usable):
                    await self._clock.sleep_until(time)
                    self._clock.set(time)
                    yield PricesMoved(time=self._clock.now(), ticks=ticks)
            closed = rows
            self.steps_done += 1
        if closed:
            self._clock.set(opens + self._length)
        yield MarketEnded(time=self._clock.now())
        if closed:
            yield closed
        await self._settled()

    def _sequence(self, symbol: TradingSymbol, resume_after: int | None) -> CandleSequence:
        known = () if resume_after is None else self._source.history(symbol, resume_after, 1)
        return CandleSequence(self._length, known[-1] if known else None)

    def _steps(self) -> Iterator[Step]:
        for opens, rows in self._source.steps(self._from):
            if self._until is not None and opens >= self._until:
                return
            yield opens, rows

    async def _open(self, opens: int) -> None:
        if opens - self._clock.now() > self._length:
            self._clock.skip(opens)  # nobody wants to wait for an outage to pass
        await self._clock.sleep_until(opens)
        self._clock.set(opens)

    def _usable(self, rows: Iterable[SymbolCandle]) -> list[_Row]:
        usable = []
        for row in rows:
            sequence = self._sequences[row.symbol]
            if sequence.fault(row.candle, row.candle.open_time + self._length) is None:
                usable.append(_Row(row, 0.0 if sequence.last is None else sequence.last.volume))
                sequence.take(row.candle)
        return usable

    def _inside(self, opens: int, rows: Sequence[_Row]) -> Iterator[tuple[int, tuple[Tick, ...]]]:
        last = opens + self._length - 1
        if self._clock.speed is None:
            yield last, tuple(row.moved(row.candle.close, row.candle.low, row.candle.high) for row in rows)
            return
        moves = max(_CORNERS, int(self._length / 1000 / self._clock.speed * _MOVES_PER_SECOND))
        paths = [_path(row.candle, moves, self._instruments[row.entry.symbol]) for row in rows]
        for move in range(moves):
            ticks = (
                row.moved(path[move + 1], min(path[move : move + 2]), max(path[move : move + 2]))
                for row, path in zip(rows, paths, strict=True)
            )
            yield opens + self._length * (move + 1) // moves - 1, tuple(ticks)


class _Row(NamedTuple):
    """A candle to be played, and what was traded in the one before."""

    entry: SymbolCandle
    volume: float

    @property
    def candle(self) -> Candle:
        return self.entry.candle

    def moved(self, price: float, low: float, high: float) -> Tick:
        return Tick(self.entry.symbol, price, low, high, volume=self.volume)


def _jump(row: _Row) -> Tick:
    price = row.candle.open
    return Tick(row.entry.symbol, price, price, price, jump=True, volume=row.volume)


def _path(candle: Candle, moves: int, instrument: Instrument) -> list[float]:
    """Return `moves` + 1 prices from open over low (first, so that stops count before targets) and high to close."""
    corners = (candle.open, candle.low, candle.high, candle.close)
    prices = [candle.open]
    for leg in range(_CORNERS):
        count = moves * (leg + 1) // _CORNERS - moves * leg // _CORNERS
        start, end = corners[leg], corners[leg + 1]
        between = (start + (end - start) * step / count for step in range(1, count))
        prices += [_on_grid(price, candle, instrument) for price in between]
        prices.append(end)
    return prices


def _on_grid(price: float, candle: Candle, instrument: Instrument) -> float:
    rounded = float(instrument.price(instrument.price_ticks(price)))
    return min(max(rounded, candle.low), candle.high)
