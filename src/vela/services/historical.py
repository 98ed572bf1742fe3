"""historical: keeps closed candles and serves them."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from functools import partial

import structlog

from vela.domain.candles import Candle, Candles, CandleSequence
from vela.domain.errors import ExecutionError, StorageUnavailable, VenueUnavailable
from vela.domain.events import CandlesClosed, Envelope, HistoryRequested, HistoryServed, SymbolHistory, Topic
from vela.domain.trading_symbol import TradingSymbol
from vela.ports.bus import Bus
from vela.ports.candle_store import CandleStore
from vela.ports.clock import Clock
from vela.ports.market_data import MarketData
from vela.services.service import Service, run_together

_WRITE_AFTER = 5_000
KEPT_AT_HAND = _WRITE_AFTER
"""Candles per symbol that are fetched at the start, as far as the venue has them.

More than a brain asks for, and as many as may have waited when the service before died.
"""

_WRITE_SECONDS = 60.0
_PAUSES = (1.0, 2.0, 4.0)  # at the start, before the venue is asked again
_LONGEST_PAUSE = 60.0

_log = structlog.get_logger("vela.historical")


class HistoricalService(Service):
    """Writes closed candles to the store in batches and answers requests for the newest ones.

    What is missing is asked of the venue. Nobody else waits for the disk: files are read and written beside the loop.
    """

    name = "historical"

    def __init__(
        self, bus: Bus, wall_clock: Clock, clock: Clock, store: CandleStore, feed: MarketData, exchange: str
    ) -> None:
        """`clock`: the market's time; `exchange`: the name under which the feed's candles are stored."""
        super().__init__(bus, wall_clock)
        self._clock = clock
        self._store = store
        self._feed = feed
        self._exchange = exchange
        # By open time: after a restart of those who trade, the last candles come again.
        self._waiting: defaultdict[TradingSymbol, dict[int, Candle]] = defaultdict(dict)
        self._writing = asyncio.Lock()
        self._without_history: dict[TradingSymbol, str] = {}
        self._unwritten = ""
        self._followed: set[TradingSymbol] = set()
        self._fetched_until: dict[TradingSymbol, int] = {}  # where the newest candle that was fetched at the start ends
        bus.subscribe(self.name, Topic.CANDLES, Topic.HISTORY)

    async def start(self) -> None:
        """Fetch what the charts and the warm-up will ask for; a venue that does not answer is asked again later."""
        for instrument in self._feed.instruments():
            await self._fetch(instrument.symbol)
        for pause in _PAUSES:
            if not self._without_history:
                return
            await self.wall_clock.sleep(pause)
            await self._fetch_again()

    async def work(self) -> None:
        """Store and serve until cancelled."""
        await run_together(
            self.bus.consume(self.name, self._handle), self._write_now_and_then(), self._fetch_now_and_then()
        )

    async def stop(self) -> None:
        """Write what is still waiting."""
        await self._write()

    async def _handle(self, envelope: Envelope) -> None:
        message = envelope.message
        if isinstance(message, CandlesClosed):
            for entry in (*message.backfilled, *message.candles):
                await self._make_up(entry.symbol, entry.candle.open_time)
                self._waiting[entry.symbol][entry.candle.open_time] = entry.candle
            if not self._unwritten and any(len(waiting) >= _WRITE_AFTER for waiting in self._waiting.values()):
                await self._write()
        elif isinstance(message, HistoryRequested):
            await self._serve(message)

    async def _make_up(self, symbol: TradingSymbol, before: int) -> None:
        """Before a symbol's first candle: fetch what the service before took with it, lest a hole stays unseen."""
        if symbol in self._followed:
            return
        self._followed.add(symbol)
        if self._fetched_until.pop(symbol, None) != before:  # else nothing lies between the start and this candle
            await self._history(symbol, before, KEPT_AT_HAND)

    # ------------------------------------------------------------------------------------------------------ writing

    async def _write_now_and_then(self) -> None:
        while True:
            await self.wall_clock.sleep(_WRITE_SECONDS)
            await self._write()

    async def _write(self) -> None:
        async with self._writing:
            try:
                for symbol, waiting in self._waiting.items():
                    await self._write_series(symbol, waiting)
            except StorageUnavailable as error:  # they wait on, and are served from here meanwhile
                self._unwritten = str(error)
                _log.warning("candles not stored yet", error=str(error))
            else:
                self._unwritten = ""
        self._tell()

    async def _write_series(self, symbol: TradingSymbol, waiting: dict[int, Candle]) -> None:
        candles = dict(waiting)
        if not candles:
            return
        await self._keep(symbol, [candles[open_time] for open_time in sorted(candles)])
        for open_time, candle in candles.items():
            if waiting[open_time] is candle:  # else it came again meanwhile
                del waiting[open_time]

    async def _keep(self, symbol: TradingSymbol, rows: list[Candle]) -> None:
        candles, timeframe = Candles.from_rows(rows), self._feed.timeframe
        await asyncio.to_thread(self._store.write, self._exchange, symbol, timeframe, candles)

    async def _keep_fetched(self, symbol: TradingSymbol, rows: list[Candle]) -> None:
        try:
            async with self._writing:
                await self._keep(symbol, rows)
        except StorageUnavailable as error:
            self._unwritten = str(error)
            waiting = self._waiting[symbol]
            for candle in rows:
                waiting.setdefault(candle.open_time, candle)

    # ------------------------------------------------------------------------------------------------------ serving

    async def _serve(self, request: HistoryRequested) -> None:
        """Answer a request, unless the venue does not: then whoever asked has to ask again."""
        histories = []
        for symbol in request.symbols:
            rows = await self._history(symbol, request.time, request.count)
            if rows is None:
                return
            histories.append(SymbolHistory(symbol, tuple(rows)))
        await self.bus.publish(
            HistoryServed(time=request.time, request_id=request.request_id, histories=tuple(histories))
        )

    async def _history(self, symbol: TradingSymbol, before: int, count: int) -> list[Candle] | None:
        """Return the newest candles, None if the venue was needed and did not answer."""
        timeframe = self._feed.timeframe
        rows = await self._at_hand(symbol, before, count)
        if len(rows) == count and rows[-1].open_time + timeframe.milliseconds == before:
            return rows
        try:
            fetched = self._checked(await self._feed.history(symbol, before, count), before)
        except (VenueUnavailable, ExecutionError) as error:
            self._miss(symbol, str(error))
            return None
        if fetched:
            await self._keep_fetched(symbol, fetched)
            rows = await self._at_hand(symbol, before, count)
        self._without_history.pop(symbol, None)
        self._tell()
        return rows

    async def _at_hand(self, symbol: TradingSymbol, before: int, count: int) -> list[Candle]:
        """Return the newest candles of the store and of those that wait to be written."""
        timeframe = self._feed.timeframe
        read = partial(self._store.read, self._exchange, symbol, timeframe, before=before, count=count)
        # Whatever is written between the two stands in both.
        waiting = dict(self._waiting[symbol])
        stored = await asyncio.to_thread(read)
        newest = {open_time: one for open_time, one in waiting.items() if open_time + timeframe.milliseconds <= before}
        if not newest:
            return stored.rows()
        merged = {candle.open_time: candle for candle in stored.rows()} | newest
        return [merged[open_time] for open_time in sorted(merged)][-count:] if count else []

    # ----------------------------------------------------------------------------------------------- a venue at fault

    async def _fetch(self, symbol: TradingSymbol) -> None:
        rows = await self._history(symbol, self._clock.now(), KEPT_AT_HAND)
        if rows:
            self._fetched_until[symbol] = rows[-1].open_time + self._feed.timeframe.milliseconds

    async def _fetch_again(self) -> None:
        for symbol in tuple(self._without_history):
            await self._fetch(symbol)

    async def _fetch_now_and_then(self) -> None:
        pause = _PAUSES[-1]
        while True:
            await self.wall_clock.sleep(pause)
            await self._fetch_again()
            pause = min(2 * pause, _LONGEST_PAUSE) if self._without_history else _PAUSES[-1]

    def _miss(self, symbol: TradingSymbol, error: str) -> None:
        self._without_history[symbol] = error
        _log.warning("history not told", symbol=str(symbol), error=error)
        self._tell()

    def _tell(self) -> None:
        """Say in the next beat what is wrong."""
        words = []
        if self._without_history:
            symbols, error = ", ".join(map(str, self._without_history)), next(iter(self._without_history.values()))
            words.append(f"the venue does not tell the history of {symbols} and is asked again ({error})")
        if self._unwritten:
            words.append(f"candles wait to be stored ({self._unwritten})")
        self.detail = "; ".join(words)[:300]

    def _checked(self, candles: Sequence[Candle], before: int) -> list[Candle]:
        sequence, usable = CandleSequence(self._feed.timeframe.milliseconds), []
        for candle in candles:
            if sequence.fault(candle, before) is None:
                sequence.take(candle)
                usable.append(candle)
        return usable
