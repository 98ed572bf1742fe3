"""market-data: lets in what the market says, once it was checked."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterable
from typing import NamedTuple

from vela.domain.candles import CandleFault, CandleSequence
from vela.domain.errors import ConfigurationError
from vela.domain.events import Alert, CandlesClosed, Gap, PricesMoved, RefusedCandle, SymbolCandle, Tick
from vela.domain.trading_symbol import TradingSymbol
from vela.ports.bus import Bus
from vela.ports.clock import Clock
from vela.ports.latest_values import PRICES, LatestPrice, LatestValues
from vela.ports.market_data import MarketData
from vela.services.noticeboard import Noticeboard
from vela.services.price_scale import PriceScale
from vela.services.service import Service

# Faults of what the venue says, not of how often or how early it says it.
_ALARMING = frozenset(
    {
        CandleFault.NOT_FINITE,
        CandleFault.NOT_POSITIVE,
        CandleFault.INCONSISTENT,
        CandleFault.OFF_GRID,
        CandleFault.REVISED,
    }
)


MOST_AT_ONCE = 50_000
"""Candles that fill gaps in one message, or a few more: some 3 MiB, and a message on the bus has no more than 16."""

# The journal is at most a round behind what was told.
_MOST_REPEATED = 3


class Told(NamedTuple):
    """Times of the newest prices and the newest candles that were told, ms UTC."""

    prices: int
    candles: int


NOTHING_TOLD = Told(-1, -1)


class MarketDataService(Service):
    """Publishes prices and closed candles; fills gaps from the venue's history or marks them.

    `ended` is set when a recording is over and everything that followed from it is done.
    """

    name = "market-data"

    def __init__(
        self,
        bus: Bus,
        wall_clock: Clock,
        feed: MarketData,
        clock: Clock,
        resume_after: int | None,
        latest: LatestValues | None = None,
        told: Told = NOTHING_TOLD,
    ) -> None:
        """Prepare to publish.

        Args:
            bus: where to.
            wall_clock: times beats.
            feed: the market.
            clock: the market's time.
            resume_after: candles that closed at or before this time (ms UTC) were dealt with before; None: none.
            latest: takes the newest prices; None: nobody asks for them.
            told: up to where a market that repeats itself was told before; that is not told again.
        """
        super().__init__(bus, wall_clock)
        self._told = told
        self._repeated = 0
        self._board = None if latest is None else Noticeboard(latest, wall_clock)
        self._feed = feed
        self._clock = clock
        self._resume_after = resume_after
        self._sequences: dict[TradingSymbol, CandleSequence] = {}
        self._scale = PriceScale()
        self._warned: set[TradingSymbol] = set()
        self._reading: asyncio.Task[None] | None = None
        self.ended = asyncio.Event()

    async def start(self) -> None:
        """Find the candle that each symbol's next one must follow."""
        timeframe_ms = self._feed.timeframe.milliseconds
        for instrument in self._feed.instruments():
            last = None
            if self._resume_after is not None:
                known = await self._feed.history(instrument.symbol, self._resume_after, 1)
                last = known[-1] if known else None
            self._sequences[instrument.symbol] = CandleSequence(timeframe_ms, last)
        if self._board is not None:
            self._board.in_use(self._sequences)

    async def work(self) -> None:
        """Publish the feed until it ends or `finish` is called; what follows from its last message is done by then."""
        self._reading = asyncio.create_task(self._read())
        noting = None if self._board is None else asyncio.create_task(self._board.write(), name="write prices")
        try:
            await asyncio.wait([self._reading])
        finally:
            self._reading.cancel()
            if noting is not None:
                noting.cancel()
        if not self._reading.cancelled():
            self._reading.result()
            await self.bus.settled()
            self.ended.set()

    def finish(self) -> None:
        """Read no further; `work` returns."""
        if self._reading is not None:
            self._reading.cancel()

    async def _read(self) -> None:
        async for event in self._feed.stream():
            if isinstance(event, tuple):
                await self._close(event)
            elif isinstance(event, PricesMoved):
                await self._move(event)
            else:
                await self.bus.publish(event)

    async def _move(self, prices: PricesMoved) -> None:
        usable = [tick for tick in prices.ticks if _is_price(tick) and await self._fits(tick.symbol, tick.price)]
        if not usable or prices.time <= self._told.prices:
            return
        whole = len(usable) == len(prices.ticks)
        await self.bus.publish(prices if whole else PricesMoved(time=prices.time, ticks=tuple(usable)))
        if self._board is not None:
            for tick in usable:
                self._board.note(PRICES, tick.symbol, LatestPrice(time=prices.time, price=tick.price))

    async def _fits(self, symbol: TradingSymbol, price: float) -> bool:
        fits = self._scale.fits(symbol, price)
        if not fits and (text := self._scale.freeze(symbol, price)) is not None:
            await self.bus.publish(Alert(time=self._clock.now(), level="critical", text=text))
        return fits

    async def _close(self, rows: tuple[SymbolCandle, ...]) -> None:
        now = self._clock.now()
        accepted, backfilled, gaps, refused = [], [], [], []
        for row in rows:
            sequence = self._sequences[row.symbol]
            fault = await self._fault(row, sequence, now)
            if fault is not None:
                refused.append(RefusedCandle(row.symbol, row.candle.open_time, fault))
                continue
            if sequence.missing_before(row.candle):
                found, left = await self._backfill(row, sequence)
                backfilled.extend(found)
                gaps.extend(left)
            sequence.take(row.candle)
            accepted.append(row)
        await self._warn(accepted, refused, now)
        while len(backfilled) > MOST_AT_ONCE:
            backfilled, gaps = await self._tell_oldest(backfilled, gaps)
        time = self._time_of(accepted, now)
        if self._is_told(time):
            return
        await self.bus.publish(
            CandlesClosed(
                time=time,
                timeframe=self._feed.timeframe,
                candles=tuple(accepted),
                backfilled=tuple(backfilled),
                gaps=tuple(gaps),
                refused=tuple(refused),
            )
        )

    async def _tell_oldest(
        self, backfilled: list[SymbolCandle], gaps: list[Gap]
    ) -> tuple[list[SymbolCandle], list[Gap]]:
        """Publish what a long absence left to be filled up to some candle's close; return what lies after it."""
        # By time, not by symbol: if this process dies in between, all that comes after is still to be dealt with.
        backfilled = sorted(backfilled, key=lambda row: row.candle.open_time)
        end = backfilled[MOST_AT_ONCE - 1].candle.open_time
        oldest = tuple(row for row in backfilled if row.candle.open_time <= end)
        over = tuple(gap for gap in gaps if gap.last <= end)
        time = end + self._feed.timeframe.milliseconds
        if not self._is_told(time):
            await self.bus.publish(
                CandlesClosed(time=time, timeframe=self._feed.timeframe, candles=(), backfilled=oldest, gaps=over)
            )
        return backfilled[len(oldest) :], [gap for gap in gaps if gap.last > end]

    def _is_told(self, time: int) -> bool:
        if time > self._told.candles:
            return False
        self._repeated += 1
        if self._repeated > _MOST_REPEATED:
            raise ConfigurationError(
                f"the bus holds this market's candles up to {self._told.candles}, far beyond the record; "
                "accepted: a Redis that only this record's services use"
            )
        return True

    def _time_of(self, accepted: list[SymbolCandle], now: int) -> int:
        # A live market tells a little later than it happened; after an outage, now is when it counts.
        length = self._feed.timeframe.milliseconds
        closed = max((row.candle.open_time + length for row in accepted), default=now)
        return closed if now - closed < length else now

    async def _fault(self, row: SymbolCandle, sequence: CandleSequence, now: int) -> CandleFault | None:
        fault = sequence.fault(row.candle, now)
        if fault is None and not await self._fits(row.symbol, row.candle.close):
            return CandleFault.OUT_OF_SCALE
        return fault

    async def _warn(self, accepted: Iterable[SymbolCandle], refused: Iterable[RefusedCandle], now: int) -> None:
        """Tell of a symbol's first candle that cannot be used; again only after good ones came."""
        self._warned -= {row.symbol for row in accepted}
        for one in refused:
            if one.fault in _ALARMING and one.symbol not in self._warned:
                self._warned.add(one.symbol)
                text = f"a candle of {one.symbol} cannot be used ({one.fault}): it opens at {one.open_time}"
                await self.bus.publish(Alert(time=now, level="warning", text=text))

    async def _backfill(self, row: SymbolCandle, sequence: CandleSequence) -> tuple[list[SymbolCandle], list[Gap]]:
        # The history may have holes of its own, and rows that are as faulty as any.
        length, found, gaps = self._feed.timeframe.milliseconds, [], []
        history = await self._feed.history(row.symbol, row.candle.open_time, sequence.missing_before(row.candle))
        for older in (SymbolCandle(row.symbol, candle) for candle in history):
            if await self._fault(older, sequence, row.candle.open_time) is None:
                gaps += _gaps(older, sequence, length)
                sequence.take(older.candle)
                found.append(older)
        return found, [*gaps, *_gaps(row, sequence, length)]


def _is_price(tick: Tick) -> bool:
    return tick.low > 0.0 and math.isfinite(tick.high) and tick.low <= tick.price <= tick.high


def _gaps(row: SymbolCandle, sequence: CandleSequence, timeframe_ms: int) -> list[Gap]:
    missing = sequence.missing_before(row.candle)
    if not missing or sequence.last is None:
        return []
    first = sequence.last.open_time + timeframe_ms
    return [Gap(row.symbol, first, row.candle.open_time - timeframe_ms, missing)]
