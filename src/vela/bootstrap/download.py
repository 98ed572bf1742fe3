"""Fetches what the candle store lacks from an exchange."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import structlog

from vela.adapters.exchanges.unified.streams import CandleHistory
from vela.domain.candles import Candle, Candles
from vela.domain.checked_candles import check_collected
from vela.domain.errors import ExecutionError, VelaError, VenueUnavailable
from vela.domain.gaps import Gap
from vela.domain.timeframe import Timeframe
from vela.domain.trading_symbol import TradingSymbol
from vela.ports.candle_store import CandleStore, Written
from vela.ports.clock import Clock

PAGE = 1000
"""Candles that are asked for at a time."""

_PAUSES = (1.0, 2.0, 5.0, 10.0, 30.0)  # before an exchange that did not answer is asked again
_SYMBOLS_AT_ONCE = 4

_log = structlog.get_logger("vela.download")

Progress = Callable[[TradingSymbol, int], None]
"""Told that so many more of a symbol's candles have been asked for."""


@dataclass(slots=True)
class Fetched:
    """What came of one symbol.

    Attributes:
        symbol: whose candles they are.
        wanted: how many were missing at the start.
        rows: how many came, usable or not.
        new: how many are stored now and were not before.
        refused: how many could not be used, by `CandleFault`.
        gaps: what is still missing.
        error: why not everything was asked for; None: it was.
    """

    symbol: TradingSymbol
    wanted: int = 0
    rows: int = 0
    new: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    gaps: Sequence[Gap] = ()
    error: str | None = None


class Download:
    """Fetches one window of several symbols; what is stored already is not asked for.

    Every page is stored before the next is asked for: whenever it ends, it goes on from there the next time.
    """

    def __init__(
        self, history: CandleHistory, store: CandleStore, exchange: str, timeframe: Timeframe, clock: Clock
    ) -> None:
        """Prepare to fetch.

        Args:
            history: the exchange's candles of the past.
            store: where they are kept.
            exchange: the name under which they are kept.
            timeframe: their length.
            clock: for pauses.
        """
        self._history = history
        self._store = store
        self._series = exchange, timeframe
        self._length = timeframe.milliseconds
        self._clock = clock
        self._turns = asyncio.Semaphore(_SYMBOLS_AT_ONCE)

    async def plan(self, symbols: Sequence[TradingSymbol], start: int, end: int) -> list[Fetched]:
        """Look what is missing from `start` to before `end`, ms UTC.

        Raises:
            StorageError: the store cannot be read.
        """
        plans = [Fetched(symbol, gaps=await self._gaps(symbol, start, end)) for symbol in symbols]
        for plan in plans:
            plan.wanted = sum(gap.missing for gap in plan.gaps)
        return plans

    async def run(self, plans: Sequence[Fetched], progress: Progress) -> None:
        """Fetch what is missing; the plans tell what came of it. An exchange that fails ends one symbol only.

        Raises:
            StorageError: the store cannot be written.
        """
        try:
            async with asyncio.TaskGroup() as group:
                for plan in plans:
                    group.create_task(self._fetch(plan, progress))
        except* VelaError as errors:
            raise errors.exceptions[0] from None

    async def account(self, plan: Fetched, start: int, end: int) -> None:
        """Look what is missing now."""
        plan.gaps = await self._gaps(plan.symbol, start, end)

    async def _gaps(self, symbol: TradingSymbol, start: int, end: int) -> Sequence[Gap]:
        exchange, timeframe = self._series
        return await asyncio.to_thread(self._store.gaps, exchange, symbol, timeframe, start, end)

    async def _fetch(self, plan: Fetched, progress: Progress) -> None:
        async with self._turns:
            plan.error = "interrupted"
            try:
                forming = await self._forming(plan)
                for gap in plan.gaps:
                    end = max(gap.start, min(gap.end, forming))
                    await self._fill(plan, gap.start, end, progress)
                    progress(plan.symbol, (gap.end - end) // self._length)
            except (VenueUnavailable, ExecutionError) as error:
                plan.error = str(error)
            else:
                plan.error = None

    async def _forming(self, plan: Fetched) -> int:
        """Return when the exchange's newest candle opened: it may not have closed, and there is nothing after it."""
        newest = await self._page(plan.symbol, None, 1) if plan.gaps else ()
        return newest[-1].open_time if newest else 0

    async def _fill(self, plan: Fetched, since: int, end: int, progress: Progress) -> None:
        while since < end:
            count = min(PAGE, (end - since) // self._length)
            page = await self._page(plan.symbol, since, count)
            await self._keep(plan, [candle for candle in page if candle.open_time < end], end)
            # Before a listing, and in an outage, an exchange may answer with what came after, or with nothing.
            newest = page[-1].open_time if page else since + (count - 1) * self._length
            upto = min((max(newest, since) // self._length + 1) * self._length, end)
            progress(plan.symbol, (upto - since) // self._length)
            since = upto

    async def _page(self, symbol: TradingSymbol, since: int | None, count: int) -> Sequence[Candle]:
        _, timeframe = self._series
        for pause in _PAUSES:
            try:
                return await self._history.page(symbol, timeframe, since, count)
            except (VenueUnavailable, ExecutionError) as error:
                _log.warning("no candles", symbol=str(symbol), error=str(error), again_in_seconds=pause)
                await self._clock.sleep(pause)
        return await self._history.page(symbol, timeframe, since, count)

    async def _keep(self, plan: Fetched, rows: list[Candle], now: int) -> None:
        checked = check_collected(Candles.from_rows(rows), self._length, now)
        plan.rows += len(rows)
        plan.refused.update(checked.faults)
        if len(checked.candles):
            plan.new += (await self._write(plan.symbol, checked.candles)).new

    async def _write(self, symbol: TradingSymbol, candles: Candles) -> Written:
        exchange, timeframe = self._series
        writing = asyncio.ensure_future(
            asyncio.to_thread(self._store.write, exchange, symbol, timeframe, candles, stored_wins=True)
        )
        try:
            return await asyncio.shield(writing)
        except asyncio.CancelledError:  # what came is kept
            await writing
            raise
