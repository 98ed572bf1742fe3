"""brain: looks at every closed candle, decides, and says why."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial

import structlog

from vela.domain.candles import Candle
from vela.domain.crashpoints import crashpoint
from vela.domain.events import (
    Alert,
    CandlesClosed,
    DecisionsMade,
    Envelope,
    HistoryRequested,
    HistoryServed,
    Message,
    RegimeChanged,
    SignalsRaised,
    SymbolCandle,
    Topic,
)
from vela.domain.regime import MarketRegime
from vela.domain.signal import Action, Decision, Signal
from vela.domain.trading_symbol import TradingSymbol
from vela.engine.decide import decide
from vela.engine.regime import RegimeTracker
from vela.engine.window import CandleWindow
from vela.ports.bus import Bus
from vela.ports.clock import Clock
from vela.ports.latest_values import REGIMES, STRATEGIES, LatestRegime, LatestStrategy, LatestValues
from vela.services.beside import Beside
from vela.services.noticeboard import Noticeboard
from vela.services.service import Service
from vela.strategies.base import Strategy

# With so many candles an EMA of 200 no longer depends on where it began: its start weighs less than a double shows.
_WARMUP_CANDLES = 4_096
_SYMBOLS_AT_ONCE = 32  # so many candles of so many symbols are 7 MiB: a message on the bus has no more than 16
_FIRST_THOUGHT_SECONDS = 60.0
_ASK_AGAIN_SECONDS = 10.0  # who answers may have died over the request

_log = structlog.get_logger("vela.brain")


def warmup_consumer(brain: str) -> str:
    """Return the name under which a brain collects the history that it asked for."""
    return f"{brain}-warmup"


class _Watch:
    """One symbol: its window, regime and strategy."""

    def __init__(self, symbol: TradingSymbol, strategy: Strategy) -> None:
        self.symbol = symbol
        self.strategy = strategy
        self.window = CandleWindow(strategy.warmup)
        self.regime = RegimeTracker()
        self.is_thinking = False
        self.noted: MarketRegime | None = None  # what others can read of it

    def question(self) -> Callable[[], Decision]:
        return partial(decide, self.strategy, self.symbol, self.window.candles(), self.regime.regime)

    async def decide_within(self, seconds: float, beside: Beside) -> Decision:
        if self.is_thinking:
            raise TimeoutError("it still thinks about an earlier candle")
        self.is_thinking = True
        return await beside.run(partial(self._think, self.question()), seconds)

    def _think(self, question: Callable[[], Decision]) -> Decision:
        try:
            return question()
        finally:
            self.is_thinking = False

    def remember(self, history: Sequence[Candle]) -> None:
        """Take candles of the past, oldest first; most of them matter to the regime alone."""
        new = [candle for candle in history if candle.open_time > self.window.last_time]
        for candle in new:
            self.regime.update(candle)
        for candle in new[-self.strategy.warmup :]:
            self.window.append(candle)

    def take(self, candle: Candle) -> bool:
        if candle.open_time <= self.window.last_time:
            return False
        self.window.append(candle)
        self.regime.update(candle)
        return True


class BrainService(Service):
    """One strategy per symbol; a decision for every candle, with the signal or the reason for none."""

    name = "brain"

    def __init__(
        self,
        bus: Bus,
        wall_clock: Clock,
        strategies: Mapping[TradingSymbol, Strategy],
        strategy_seconds: float | None = None,
        *,
        latest: LatestValues | None = None,
        consumer: str = "brain",
    ) -> None:
        """Prepare to decide.

        Args:
            bus: where candles come from.
            wall_clock: times beats.
            strategies: which one looks at which symbol; candles of other symbols are passed over.
            strategy_seconds: for how long a strategy may think; None: all wait.
            latest: takes regimes, and by what each symbol is traded; None: nobody asks for them.
            consumer: under which name it collects and beats: several brains share the symbols, each with its own name.
        """
        super().__init__(bus, wall_clock)
        self.name = consumer
        self._board = None if latest is None else Noticeboard(latest, wall_clock)
        self._strategy_seconds = strategy_seconds
        self._beside = Beside()
        self._watches = {symbol: _Watch(symbol, strategy) for symbol, strategy in strategies.items()}
        self._is_warm = False
        self._served: asyncio.Future[HistoryServed] | None = None
        self._request_id = ""
        self._warmup_consumer = warmup_consumer(self.name)
        bus.subscribe(self.name, Topic.CANDLES)
        bus.subscribe(self._warmup_consumer, Topic.HISTORY)

    @property
    def consumers(self) -> tuple[str, ...]:
        """The brain listens to candles and, separately, to the history it asked for."""
        return (self.name, self._warmup_consumer)

    async def work(self) -> None:
        """Decide until cancelled."""
        helping = [asyncio.create_task(self.bus.consume(self._warmup_consumer, self._receive_history))]
        if self._board is not None:
            helping.append(asyncio.create_task(self._board.write(), name="write regimes"))
        try:
            await self.bus.consume(self.name, self._handle)
        finally:
            for task in helping:
                task.cancel()
            self._beside.close()

    async def _receive_history(self, envelope: Envelope) -> None:
        message = envelope.message
        if not isinstance(message, HistoryServed) or self._served is None or self._served.done():
            return
        # An answer to somebody else may reach into what is to be decided on.
        if message.request_id == self._request_id:
            self._served.set_result(message)

    async def _handle(self, envelope: Envelope) -> None:
        message = envelope.message
        if not isinstance(message, CandlesClosed):
            return
        crashpoint("P01")
        if not self._is_warm:
            await self._warm_up(message)
        decisions = []
        messages: list[Message] = []
        for entry in message.backfilled:
            self._take(entry)
        for entry in message.candles:
            regime_before = self._regime_of(entry.symbol)
            if self._take(entry):
                watch = self._watches[entry.symbol]
                decisions.append(await self._decide(watch, message.time, messages))
                self._note(watch, message.time)
                if watch.regime.regime is not regime_before:
                    messages.append(
                        RegimeChanged(
                            time=message.time, symbol=entry.symbol, regime=watch.regime.regime, previous=regime_before
                        )
                    )
        crashpoint("P02")
        await self._tell(message.time, decisions, messages)

    async def _warm_up(self, message: CandlesClosed) -> None:
        # Up to just before the candles at hand: those are to be decided on, not remembered.
        before = min(
            (entry.candle.open_time for entry in (*message.backfilled, *message.candles)),
            default=message.time - message.timeframe.milliseconds,
        )
        symbols = tuple(self._watches)
        for first in range(0, len(symbols), _SYMBOLS_AT_ONCE):
            served = await self._ask(before, symbols[first : first + _SYMBOLS_AT_ONCE])
            for history in served.histories:
                self._watches[history.symbol].remember(history.candles)
        if self._strategy_seconds is not None:
            await self._think_once()
        self._is_warm = True

    async def _think_once(self) -> None:
        """Let every kind of strategy think for nothing: what it calls is compiled, for which it would have no time."""
        for watch in {type(watch.strategy): watch for watch in self._watches.values()}.values():
            with suppress(Exception):  # what is wrong with it is told with its first decision
                await watch.decide_within(_FIRST_THOUGHT_SECONDS, self._beside)

    async def _ask(self, before: int, symbols: tuple[TradingSymbol, ...]) -> HistoryServed:
        """Return the candles of some symbols that closed at or before `before` (ms UTC), all in one answer."""
        self._served = asyncio.get_running_loop().create_future()
        self._request_id = f"{self.name}-{before}-{symbols[0]}"
        request = HistoryRequested(time=before, request_id=self._request_id, symbols=symbols, count=_WARMUP_CANDLES)
        pause = _ASK_AGAIN_SECONDS
        while not self._served.done():
            await self.bus.publish(request)
            await asyncio.wait([self._served], timeout=pause)
            pause *= 2  # who is merely slow answers every one of them
        return self._served.result()

    def _note(self, watch: _Watch, time: int) -> None:
        regime = watch.regime.regime
        if self._board is None or watch.noted is regime:
            return
        if watch.noted is None:
            strategy = watch.strategy
            traded_by = LatestStrategy(time=time, strategy=strategy.name, params=dict(strategy.settings))
            self._board.note(STRATEGIES, watch.symbol, traded_by)
        watch.noted = regime
        self._board.note(REGIMES, watch.symbol, LatestRegime(time=time, regime=regime))

    def _regime_of(self, symbol: TradingSymbol) -> MarketRegime:
        watch = self._watches.get(symbol)
        return watch.regime.regime if watch is not None else MarketRegime.UNKNOWN

    def _take(self, entry: SymbolCandle) -> bool:
        watch = self._watches.get(entry.symbol)
        return watch is not None and watch.take(entry.candle)

    async def _decide(self, watch: _Watch, time: int, messages: list[Message]) -> Decision:
        try:
            if self._strategy_seconds is None:
                return watch.question()()
            return await watch.decide_within(self._strategy_seconds, self._beside)
        except Exception as e:  # noqa: BLE001  a strategy may raise anything; it must not stop the other symbols
            _log.warning("strategy failed", symbol=str(watch.symbol), strategy=watch.strategy.name, error=repr(e))
            text = f"{watch.strategy.name} failed on {watch.symbol}: {e!r}"[:200]
            messages.append(Alert(time=time, level="warning", text=text))
            return Decision(
                symbol=watch.symbol,
                candle_time=watch.window.last_time,
                action=Action.HOLD,
                strategy=watch.strategy.name,
                regime=watch.regime.regime,
                confidence=0.0,
                reason=f"failed {type(e).__name__}",
                indicators={},
            )

    async def _tell(self, time: int, decisions: list[Decision], messages: list[Message]) -> None:
        if decisions:
            await self.bus.publish(DecisionsMade(time=time, decisions=tuple(decisions)))
        for message in messages:
            await self.bus.publish(message)
        signals = tuple(
            Signal(d.symbol, d.candle_time, d.action, d.strategy, d.regime, d.confidence)
            for d in decisions
            if d.action is not Action.HOLD
        )
        if signals:
            await self.bus.publish(SignalsRaised(time=time, signals=signals))
