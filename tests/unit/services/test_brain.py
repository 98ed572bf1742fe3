from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Sequence

import numpy as np
import pytest
from tests.builders import BTC, ETH, MINUTE, SOL, candle, random_walk
from tests.fakes import Listener, ManualClock, until

from vela.adapters.bus.memory import MemoryBus
from vela.adapters.bus.redis.bus import MAX_BYTES
from vela.domain.candles import Candle, Candles
from vela.domain.codec import encode
from vela.domain.events import (
    Alert,
    CandlesClosed,
    DecisionsMade,
    Envelope,
    HistoryRequested,
    HistoryServed,
    MarketEnded,
    RegimeChanged,
    SignalsRaised,
    SymbolCandle,
    SymbolHistory,
    Topic,
)
from vela.domain.regime import MarketRegime
from vela.domain.signal import Action, Decision, Signals
from vela.domain.timeframe import Timeframe
from vela.domain.trading_symbol import TradingSymbol
from vela.services import brain
from vela.services.brain import BrainService
from vela.strategies.base import Strategy
from vela.strategies.sma_crossover import SmaCrossover

ADA, XRP = TradingSymbol("ADA"), TradingSymbol("XRP")


class Quiet(Strategy):
    warmup = 50

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[Candles] = []

    def analyze(self, symbol: TradingSymbol, candles: Candles) -> Signals:
        self.seen.append(Candles.from_rows(candles.rows()))
        return self.answer(len(candles))

    def answer(self, length: int) -> Signals:
        nothing = np.zeros(length, dtype=bool)
        return Signals(nothing, nothing)


class Eager(Quiet):
    confidence = 0.75

    def answer(self, length: int) -> Signals:
        every = np.ones(length, dtype=bool)
        return Signals(every, ~every, np.full(length, self.confidence), {"ones": np.ones(length)})


class Unsure(Eager):
    confidence = float("nan")


class Boastful(Eager):
    confidence = 1.5


class Torn(Quiet):
    def answer(self, length: int) -> Signals:
        every = np.ones(length, dtype=bool)
        return Signals(every, every)


class Unready(Quiet):
    def answer(self, length: int) -> Signals:
        nothing = np.zeros(length, dtype=bool)
        return Signals(nothing, nothing, series={"average": np.full(length, np.nan)})


class Picky(Quiet):
    def is_applicable(self, symbol: TradingSymbol) -> bool:
        return False


class Raising(Quiet):
    def answer(self, length: int) -> Signals:
        raise ZeroDivisionError("by my own fault")


class TooShort(Quiet):
    def answer(self, length: int) -> Signals:
        nothing = np.zeros(length - 1, dtype=bool)
        return Signals(nothing, nothing)


class Mute(Quiet):
    def answer(self, length: int) -> Signals:
        return None  # type: ignore[return-value]


class Archive:
    """Answers requests for history, as the historical service does, from candles that it is given."""

    def __init__(self, bus: MemoryBus, candles: dict[TradingSymbol, Sequence[Candle]]) -> None:
        self._bus = bus
        self._candles = candles
        self.requests: list[HistoryRequested] = []
        bus.subscribe("archive", Topic.HISTORY)
        self._task = asyncio.create_task(bus.consume("archive", self._answer))

    async def _answer(self, envelope: Envelope) -> None:
        request = envelope.message
        if not isinstance(request, HistoryRequested):
            return
        self.requests.append(request)
        await self._bus.publish(HistoryServed(time=0, request_id="somebody else's", histories=()))
        histories = tuple(
            SymbolHistory(s, tuple(c for c in self._candles.get(s, ()) if c.open_time + MINUTE <= request.time))
            for s in request.symbols
        )
        await self._bus.publish(HistoryServed(time=request.time, request_id=request.request_id, histories=histories))


class Session:
    """A brain on a bus of its own."""

    def __init__(
        self,
        strategies: dict[TradingSymbol, Strategy],
        history: dict[TradingSymbol, Sequence[Candle]] | None = None,
        strategy_seconds: float | None = None,
    ) -> None:
        self.bus = MemoryBus(ManualClock())
        self.archive = Archive(self.bus, history or {})
        self.heard = Listener(self.bus)
        self._brain = BrainService(self.bus, ManualClock(), strategies, strategy_seconds)
        self._working = asyncio.create_task(self._brain.work())

    async def close(self, minute: int, *entries: SymbolCandle, backfilled: tuple[SymbolCandle, ...] = ()) -> None:
        message = CandlesClosed(
            time=(minute + 1) * MINUTE, timeframe=Timeframe.M1, candles=entries, backfilled=backfilled
        )
        await self.bus.publish(message)
        await asyncio.wait_for(self.bus.settled(), 5)
        assert not self._working.done()

    @property
    def decisions(self) -> list[Decision]:
        return [decision for message in self.heard.of(DecisionsMade) for decision in message.decisions]


def row(minute: int, close: float = 100.0, symbol: TradingSymbol = BTC) -> SymbolCandle:
    return SymbolCandle(symbol, candle(minute * MINUTE, close))


@pytest.mark.parametrize(
    ("strategy", "action", "reason", "confidence"),
    [
        (Quiet(), Action.HOLD, "no_signal", 0.0),
        (Eager(), Action.BUY, "signal", 0.75),
        (Torn(), Action.HOLD, "contradictory", 0.0),
        (Unready(), Action.HOLD, "warming_up 1/50", 0.0),
        (Picky(), Action.HOLD, "not_applicable", 0.0),
        (Raising(), Action.HOLD, "failed ZeroDivisionError", 0.0),
        (TooShort(), Action.HOLD, "failed StrategyError", 0.0),
        (Unsure(), Action.HOLD, "failed StrategyError", 0.0),
        (Boastful(), Action.HOLD, "failed StrategyError", 0.0),
        (Mute(), Action.HOLD, "failed AttributeError", 0.0),
    ],
    ids=lambda value: getattr(value, "name", None),
)
async def test_every_candle_gets_one_decision_with_its_reason(strategy, action, reason, confidence) -> None:
    session = Session({BTC: strategy})
    await session.close(5, row(5))
    [decision] = session.decisions
    assert (decision.symbol, decision.candle_time, decision.strategy) == (BTC, 5 * MINUTE, strategy.name)
    assert (decision.action, decision.reason, decision.confidence) == (action, reason, confidence)
    assert decision.regime is MarketRegime.UNKNOWN
    failed = reason.startswith("failed")
    assert [a.level for a in session.heard.of(Alert)] == ["warning"] * failed
    assert bool(session.heard.of(SignalsRaised)) == (action is not Action.HOLD)


class Slow(Eager):
    def __init__(self) -> None:
        super().__init__()
        self.go_on = threading.Event()

    def answer(self, length: int) -> Signals:
        self.go_on.wait(5)
        return super().answer(length)


async def test_a_strategy_that_thinks_too_long_holds_up_nobody_and_is_asked_again_when_it_is_done() -> None:
    slow = Slow()
    session = Session({BTC: slow, ETH: Eager()}, strategy_seconds=0.05)
    for minute in (5, 6):
        await session.close(minute, *(row(minute, symbol=symbol) for symbol in (BTC, ETH)))
    assert [d.reason for d in session.decisions] == ["failed TimeoutError", "signal"] * 2
    texts = [alert.text for alert in session.heard.of(Alert)]
    assert ["no answer within 0.05 s" in texts[0], "an earlier candle" in texts[1]] == [True, True]
    slow.go_on.set()
    await until(lambda: not session._brain._watches[BTC].is_thinking)
    await session.close(7, row(7), row(7, symbol=ETH))
    assert [d.reason for d in session.decisions[-2:]] == ["signal", "signal"]


class Compiling(Eager):
    """Takes long for its first answer, as what Numba compiles does."""

    def answer(self, length: int) -> Signals:
        if len(self.seen) == 1:
            time.sleep(0.3)
        return super().answer(length)


async def test_what_a_strategy_must_compile_costs_it_no_candle() -> None:
    session = Session({BTC: Compiling()}, history={BTC: [candle(n * MINUTE) for n in range(5)]}, strategy_seconds=0.1)
    await session.close(5, row(5))
    assert [d.reason for d in session.decisions] == ["signal"]
    assert session.heard.of(Alert) == []


async def test_a_strategy_that_fails_stops_no_other_symbol_and_not_itself_for_ever() -> None:
    session = Session({BTC: Raising(), ETH: Eager(), SOL: Quiet()})
    for minute in (5, 6):
        await session.close(minute, *(row(minute, symbol=symbol) for symbol in (BTC, ETH, SOL)))
    reasons = ["failed ZeroDivisionError", "signal", "no_signal"]
    assert [d.reason for d in session.decisions] == reasons * 2
    assert [[s.symbol for s in m.signals] for m in session.heard.of(SignalsRaised)] == [[ETH], [ETH]]
    assert all("Raising failed on BTC" in alert.text for alert in session.heard.of(Alert))


async def test_a_signal_says_what_was_decided_and_comes_after_its_decision() -> None:
    session = Session({BTC: Eager()})
    await session.close(5, row(5))
    [decision], [message] = session.decisions, session.heard.of(SignalsRaised)
    [signal] = message.signals
    assert message.time == 6 * MINUTE
    assert (signal.symbol, signal.candle_time, signal.action) == (BTC, 5 * MINUTE, Action.BUY)
    assert (signal.strategy, signal.regime, signal.confidence) == ("Eager", decision.regime, 0.75)
    assert decision.indicators == {"ones": 1.0}
    kinds = [type(m) for m in session.heard.messages]
    assert kinds.index(DecisionsMade) < kinds.index(SignalsRaised)


async def test_history_is_asked_for_once_for_all_symbols_and_without_the_candles_at_hand() -> None:
    strategies: dict[TradingSymbol, Strategy] = {BTC: Quiet(), ETH: Quiet()}
    past = [candle(minute * MINUTE, 100.0 + minute) for minute in range(20)]
    session = Session(strategies, {BTC: past, ETH: past})
    await session.close(10, row(10, symbol=ETH), row(10))
    await session.close(11, row(11), row(11, symbol=ETH))
    [request] = session.archive.requests
    assert (request.time, set(request.symbols)) == (10 * MINUTE, {BTC, ETH})
    first, second = strategies[BTC].seen  # type: ignore[attr-defined]
    assert first.rows() == [*past[:10], candle(10 * MINUTE)]
    assert second.rows() == [*past[:10], candle(10 * MINUTE), candle(11 * MINUTE)]
    assert len(session.decisions) == 4


async def test_the_history_of_many_symbols_is_asked_for_a_few_at_a_time(monkeypatch) -> None:
    monkeypatch.setattr("vela.services.brain._SYMBOLS_AT_ONCE", 2)
    symbols = [BTC, ETH, SOL, ADA, XRP]
    strategies = {symbol: Quiet() for symbol in symbols}
    session = Session({**strategies}, {symbol: [candle(3 * MINUTE), candle(4 * MINUTE)] for symbol in symbols})
    await session.close(5, *(row(5, symbol=symbol) for symbol in symbols))
    assert [request.symbols for request in session.archive.requests] == [(BTC, ETH), (SOL, ADA), (XRP,)]
    assert len({request.request_id for request in session.archive.requests}) == 3
    assert [len(strategy.seen[0]) for strategy in strategies.values()] == [3] * 5


def test_the_largest_answer_fits_into_a_message_of_the_bus_between_processes() -> None:
    candles = tuple(candle(1_790_000_000_000 + number * MINUTE, 0.1) for number in range(brain._WARMUP_CANDLES))
    histories = tuple(SymbolHistory(BTC, candles) for _ in range(brain._SYMBOLS_AT_ONCE))
    served = HistoryServed(time=1_790_000_000_000, request_id="brain-1-of-2", histories=histories)
    assert len(encode(Envelope("historical", 1_790_000_000_000, served))) < MAX_BYTES


async def test_of_a_long_history_a_strategy_sees_what_it_asks_for() -> None:
    strategy, past = Quiet(), random_walk(500, seed=4).rows()
    session = Session({BTC: strategy}, {BTC: past})
    await session.close(500, row(500))
    assert strategy.seen[0].rows() == [*past[-49:], candle(500 * MINUTE)]


async def test_candles_that_fill_a_gap_are_remembered_and_not_decided_on() -> None:
    strategy = Quiet()
    session = Session({BTC: strategy}, {BTC: [candle(0)]})
    await session.close(4, row(4), backfilled=(row(2), row(3)))
    await session.close(7, row(7), backfilled=(row(5),))
    assert [d.candle_time for d in session.decisions] == [4 * MINUTE, 7 * MINUTE]
    assert [c.open_time // MINUTE for c in strategy.seen[-1].rows()] == [0, 2, 3, 4, 5, 7]
    assert session.archive.requests[0].time == 2 * MINUTE


async def test_candles_that_come_again_are_not_decided_on_again() -> None:
    session = Session({BTC: Eager(), ETH: Eager()})
    await session.close(5, row(5))
    await session.close(5, row(5), row(5, symbol=ETH))
    await session.close(4, row(4))
    assert [(d.symbol, d.candle_time) for d in session.decisions] == [(BTC, 5 * MINUTE), (ETH, 5 * MINUTE)]
    assert len(session.heard.of(SignalsRaised)) == 2


async def test_symbols_it_does_not_know_and_messages_without_candles_lead_to_nothing() -> None:
    session = Session({BTC: Eager()})
    await session.close(5)
    await session.close(6, row(6, symbol=SOL), backfilled=(row(5, symbol=SOL),))
    await session.bus.publish(MarketEnded(time=1))
    await session.bus.settled()
    assert session.decisions == []
    assert session.heard.of(SignalsRaised) == []


@pytest.mark.parametrize("at", [450, 730])
async def test_after_a_restart_decisions_and_regimes_are_the_same(at: int) -> None:
    rows = random_walk(900, seed=3).rows()
    minutes = range(400, 900)
    whole = Session({BTC: SmaCrossover()}, {BTC: rows})
    for minute in minutes:
        await whole.close(minute, SymbolCandle(BTC, rows[minute]))
    later = Session({BTC: SmaCrossover()}, {BTC: rows})
    for minute in range(at, 900):
        await later.close(minute, SymbolCandle(BTC, rows[minute]))
    assert later.decisions == whole.decisions[at - 400 :]
    assert {d.action for d in later.decisions} == {Action.BUY, Action.SELL, Action.HOLD}
    changes = [message for message in whole.heard.of(RegimeChanged) if message.time > at * MINUTE]
    assert changes
    assert later.heard.of(RegimeChanged) == changes


async def test_a_request_that_nobody_answers_is_made_again(monkeypatch) -> None:
    monkeypatch.setattr("vela.services.brain._ASK_AGAIN_SECONDS", 0.02)
    bus = MemoryBus(ManualClock())
    heard = Listener(bus)
    working = asyncio.create_task(BrainService(bus, ManualClock(), {BTC: Quiet()}).work())
    await bus.publish(CandlesClosed(time=MINUTE, timeframe=Timeframe.M1, candles=(row(0),)))
    await asyncio.sleep(0.05)
    Archive(bus, {})
    await asyncio.wait_for(bus.settled(), 5)
    assert len(heard.of(HistoryRequested)) > 1
    assert len(heard.of(DecisionsMade)) == 1
    working.cancel()
