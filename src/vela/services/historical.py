"""historical: keeps closed candles and serves them."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence

from vela.domain.candles import Candle, Candles, CandleSequence
from vela.domain.events import CandlesClosed, Envelope, HistoryRequested, HistoryServed, SymbolHistory, Topic
from vela.domain.trading_symbol import TradingSymbol
from vela.ports.bus import Bus
from vela.ports.candle_store import CandleStore
from vela.ports.clock import Clock
from vela.ports.market_data import MarketData
from vela.services.service import Service

KEPT_AT_HAND = 4_096
"""Candles per symbol that are fetched before trading starts, as far as the venue has them."""

_WRITE_AFTER = 5_000
_WRITE_SECONDS = 60.0
_MADE_UP_FOR = max(KEPT_AT_HAND, _WRITE_AFTER)  # candles that may have waited when the service before died


class HistoricalService(Service):
    """Writes closed candles to the store in batches and answers requests for the newest ones.

    What is missing is asked of the venue.
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
        self._followed: set[TradingSymbol] = set()
        bus.subscribe(self.name, Topic.CANDLES, Topic.HISTORY)

    async def start(self) -> None:
        """Fetch what the charts and the warm-up will ask for."""
        for instrument in self._feed.instruments():
            await self._history(instrument.symbol, self._clock.now(), KEPT_AT_HAND)

    async def work(self) -> None:
        """Store and serve until cancelled."""
        writing = asyncio.create_task(self._write_now_and_then())
        try:
            await self.bus.consume(self.name, self._handle)
        finally:
            writing.cancel()

    async def stop(self) -> None:
        """Write what is still waiting."""
        self._write()

    async def _write_now_and_then(self) -> None:
        while True:
            await self.wall_clock.sleep(_WRITE_SECONDS)
            self._write()

    async def _handle(self, envelope: Envelope) -> None:
        message = envelope.message
        if isinstance(message, CandlesClosed):
            for entry in (*message.backfilled, *message.candles):
                await self._make_up(entry.symbol, entry.candle.open_time)
                waiting = self._waiting[entry.symbol]
                waiting[entry.candle.open_time] = entry.candle
                if len(waiting) >= _WRITE_AFTER:
                    self._write()
        elif isinstance(message, HistoryRequested):
            self._write()
            histories = [await self._history(symbol, message.time, message.count) for symbol in message.symbols]
            await self.bus.publish(
                HistoryServed(time=message.time, request_id=message.request_id, histories=tuple(histories))
            )

    async def _make_up(self, symbol: TradingSymbol, before: int) -> None:
        """Before a symbol's first candle: fetch what the service before took with it, lest a hole stays unseen."""
        if symbol not in self._followed:
            await self._history(symbol, before, _MADE_UP_FOR)
            self._followed.add(symbol)

    def _write(self) -> None:
        for symbol, candles in self._waiting.items():
            if candles:
                rows = [candles[open_time] for open_time in sorted(candles)]
                self._store.write(self._exchange, symbol, self._feed.timeframe, Candles.from_rows(rows))
                candles.clear()

    async def _history(self, symbol: TradingSymbol, before: int, count: int) -> SymbolHistory:
        timeframe = self._feed.timeframe
        stored = self._store.read(self._exchange, symbol, timeframe, before=before, count=count)
        reaches_end = len(stored) > 0 and int(stored.open_time[-1]) + timeframe.milliseconds == before
        if reaches_end and len(stored) == count:
            return SymbolHistory(symbol, tuple(stored.rows()))
        fetched = self._checked(await self._feed.history(symbol, before, count), before)
        if fetched:
            self._store.write(self._exchange, symbol, timeframe, Candles.from_rows(fetched))
            stored = self._store.read(self._exchange, symbol, timeframe, before=before, count=count)
        return SymbolHistory(symbol, tuple(stored.rows()))

    def _checked(self, candles: Sequence[Candle], before: int) -> list[Candle]:
        sequence, usable = CandleSequence(self._feed.timeframe.milliseconds), []
        for candle in candles:
            if sequence.fault(candle, before) is None:
                sequence.take(candle)
                usable.append(candle)
        return usable
