"""An exchange's market as it happens: prices as fast as they are taken, every closed candle."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

import structlog

from vela.adapters.exchanges.unified.closing import ClosedCandles
from vela.adapters.exchanges.unified.conflation import Conflation
from vela.adapters.exchanges.unified.errors import described
from vela.adapters.exchanges.unified.freshness import Freshness, Remedy, Silence
from vela.adapters.exchanges.unified.streams import CANDLES, PRICES, CandleHistory, Channel, MarketStreams
from vela.domain.candles import Candle
from vela.domain.errors import VelaError
from vela.domain.instrument import Instrument
from vela.domain.timeframe import Timeframe
from vela.domain.trading_symbol import TradingSymbol
from vela.ports.clock import Clock
from vela.ports.market_data import MarketEvent

_PAGE = 1000

_log = structlog.get_logger("vela.feed")


@dataclass(frozen=True, slots=True)
class FeedPatience:
    """How long a feed waits, in seconds of real time.

    Attributes:
        gather: closed candles, for those of other symbols that close at the same moment.
        candle: after a close, for its candle, before it is asked for.
        silence: for news of a symbol, at least, before what is known of it counts as old.
        look: between two looks at all that.
        retry: before a lost connection is opened anew.
    """

    gather: float = 0.25
    candle: float = 3.0
    silence: float = 10.0
    look: float = 1.0
    retry: float = 0.5


class LiveFeed:
    """`MarketData` of an exchange.

    Prices are conflated: as long as what followed from those told last is not handled, only the newest of each symbol
    is kept, with the range it went through. Closed candles wait for nobody but each other, and none is dropped: what
    the sockets do not tell is asked for.
    """

    def __init__(
        self,
        streams: MarketStreams,
        history: CandleHistory,
        instruments: Sequence[Instrument],
        timeframe: Timeframe,
        clock: Clock,
        settled: Callable[[], Awaitable[None]],
        *,
        patience: FeedPatience | None = None,
    ) -> None:
        """Prepare to read.

        Args:
            streams: the exchange's sockets.
            history: its candles of the past.
            instruments: rules of the symbols that are streamed.
            timeframe: length of the candles.
            clock: the market's time.
            settled: returns when all that followed from what was yielded has been handled.
            patience: how long to wait for what.
        """
        self._streams = streams
        self._history = history
        self._instruments = {rule.symbol: rule for rule in instruments}
        self._timeframe = timeframe
        self._clock = clock
        self._settled = settled
        self._patience = patience or FeedPatience()
        self._prices = Conflation()
        self._freshness = Freshness(self._patience.silence)
        self._closed: ClosedCandles
        self._wake = asyncio.Event()
        self._settling: asyncio.Future[None] | None = None
        self._old: frozenset[TradingSymbol] = frozenset()
        self._mute: frozenset[TradingSymbol] = frozenset()

    @property
    def timeframe(self) -> Timeframe:
        """See `MarketData.timeframe`."""
        return self._timeframe

    def instruments(self) -> Sequence[Instrument]:
        """See `MarketData.instruments`."""
        return [*self._instruments.values()]

    def stale(self) -> frozenset[TradingSymbol]:
        """Return the symbols of which nothing new came for too long: nothing should be decided on them."""
        return self._freshness.stale(self._clock.monotonic())

    async def history(self, symbol: TradingSymbol, before: int, count: int) -> Sequence[Candle]:
        """See `MarketData.history`. The newest candle is left out until a later one shows that it is closed.

        Of a symbol that is not streamed nothing is asked: it may not be listed any more.

        Raises:
            VenueUnavailable: no answer that can be used.
        """
        if symbol not in self._instruments:
            return []
        length = self._timeframe.milliseconds
        since, rows = before - before % length - count * length, list[Candle]()
        while True:
            wanted = min(_PAGE, (before - since) // length + 1)
            page = await self._history.page(symbol, self._timeframe, since, wanted)
            rows += page
            if len(page) < wanted or page[-1].open_time + length > before:
                break
            since = page[-1].open_time + length
        return [candle for candle in rows[:-1] if candle.open_time + length <= before]

    # ------------------------------------------------------------------------------------------------- the stream

    async def stream(self) -> AsyncIterator[MarketEvent]:
        """See `MarketData.stream`. It never ends."""
        self._begin()
        channels = self._streams.channels([*self._instruments], self._timeframe)
        tasks = [asyncio.create_task(self._hold(channel)) for channel in channels]
        tasks.append(asyncio.create_task(self._watch(channels)))
        for task in tasks:
            task.add_done_callback(self._woken)
        try:
            while True:
                self._wake.clear()
                if events := self._events():
                    for event in events:
                        yield event
                    self._settle()
                    continue
                for task in filter(asyncio.Task.done, tasks):
                    task.result()
                await self._next()
        finally:
            for future in (*tasks, self._settling):
                if future is not None:
                    future.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _begin(self) -> None:
        patience = self._patience
        self._closed = ClosedCandles(
            self._instruments,
            self._timeframe.milliseconds,
            self._clock.now(),
            gather_seconds=patience.gather,
            patience=patience.candle,
        )
        self._streams.listen(self)

    def _events(self) -> list[MarketEvent]:
        """Return what can be told now: the prices up to a close come before its candles."""
        closed = self._closed.due(self._clock.now(), self._clock.monotonic())
        if not closed and not self._is_settled():
            return []
        prices = self._prices.tell(self._mute)
        return [event for event in (prices, closed) if event]

    def _is_settled(self) -> bool:
        return self._settling is None or self._settling.done()

    def _settle(self) -> None:
        if not self._is_settled():
            return
        if self._settling is not None:
            self._settling.result()
        self._settling = asyncio.ensure_future(self._settled())
        self._settling.add_done_callback(self._woken)

    def _woken(self, _future: asyncio.Future[None]) -> None:
        self._wake.set()

    async def _next(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(self._closed.wait(self._clock.now(), self._clock.monotonic())):
                await self._wake.wait()

    # ------------------------------------------------------------------------------------- told by the exchange

    def traded(self, symbol: TradingSymbol, price: float, time: int) -> None:
        """See `StreamListener.traded`."""
        if self._freshness.seen(PRICES, symbol, time, self._clock.monotonic()):
            self._mute -= {symbol}
        self._prices.take(symbol, price, time)
        self._wake.set()

    def candle(self, symbol: TradingSymbol, candle: Candle, time: int, *, is_closed: bool) -> None:
        """See `StreamListener.candle`."""
        self._freshness.seen(CANDLES, symbol, time, self._clock.monotonic())
        if is_closed:
            self._take(symbol, candle, by_stream=True)

    def _take(self, symbol: TradingSymbol, candle: Candle, *, by_stream: bool) -> None:
        now, real = self._clock.now(), self._clock.monotonic()
        if self._closed.take(symbol, candle, now, real, by_stream=by_stream):
            self._prices.closed(symbol, candle.volume)
            self._wake.set()

    # ------------------------------------------------------------------------------------------- keeping it alive

    async def _hold(self, channel: Channel) -> None:
        self._freshness.expect(channel.kind, channel.symbols, self._clock.monotonic())
        while True:
            try:
                await self._streams.hold(channel)
            except Exception as error:  # noqa: BLE001  whatever ended it, it is opened anew
                _log.warning("stream lost", channel=channel.kind, error=described(error))
            await self._clock.sleep(self._patience.retry)

    async def _watch(self, channels: Sequence[Channel]) -> None:
        await asyncio.gather(*map(self._newest_before, self._instruments))
        while True:
            await self._clock.sleep(self._patience.look)
            real = self._clock.monotonic()
            self._look_at_age(real)
            for silence in self._freshness.silences(real):
                await self._break(silence, channels)
            missed = self._closed.overdue(self._clock.now(), real)
            await asyncio.gather(*map(self._fetch, missed))

    async def _newest_before(self, symbol: TradingSymbol) -> None:
        """Find the candle before the first one that is told."""
        newest = await self._newest_closed(symbol)
        if newest is not None and self._closed.begin(symbol, newest):
            self._prices.closed(symbol, newest.volume)

    async def _fetch(self, symbol: TradingSymbol) -> None:
        """Ask for the candle that did not come; those that are missing before it are left to whoever sees the gap."""
        newest = await self._newest_closed(symbol)
        if newest is None:
            return
        if newest.open_time > self._closed.newest(symbol):
            _log.info("candle asked for", symbol=str(symbol), open_time=newest.open_time)
            self._take(symbol, newest, by_stream=False)
        else:
            self._closed.begin(symbol, newest)

    async def _newest_closed(self, symbol: TradingSymbol) -> Candle | None:
        try:
            rows = await self._history.page(symbol, self._timeframe, None, 2)
        except VelaError as error:
            _log.warning("candle not told", symbol=str(symbol), error=str(error))
            return None
        return rows[-2] if len(rows) > 1 else None

    def _look_at_age(self, real: float) -> None:
        self._mute, old = self._freshness.stale(real, PRICES), self._freshness.stale(real)
        if old != self._old:
            _log.warning("data age", old=sorted(map(str, old)), fresh_again=sorted(map(str, self._old - old)))
            self._old = old

    async def _break(self, silence: Silence, channels: Sequence[Channel]) -> None:
        _log.warning("silent stream", channel=silence.channel, remedy=silence.remedy.value, count=len(silence.symbols))
        for channel in channels:
            quiet = [symbol for symbol in channel.symbols if symbol in silence.symbols]
            if channel.kind != silence.channel or not quiet:
                continue
            if silence.remedy is Remedy.RECONNECT:
                self._streams.reconnect(channel)
                continue
            with suppress(Exception):  # a connection that is lost already is being opened anew
                await self._streams.resubscribe(channel, quiet)
