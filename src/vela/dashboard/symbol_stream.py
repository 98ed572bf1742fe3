"""What the page knows of one symbol."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

from vela.dashboard.newest import Newest
from vela.dashboard.shapes import CandleRow, DecisionView, MarkerView, SymbolName, SymbolSummary
from vela.dashboard.stream import Event, Stream
from vela.dashboard.views import candle_row, decision_view, outcome_words, symbol_name
from vela.domain.candles import Candle
from vela.domain.events import RegimeChanged, Tick
from vela.domain.regime import MarketRegime
from vela.domain.signal import Decision, SignalOutcome
from vela.domain.trading_symbol import TradingSymbol

DECISIONS = 100
DECISIONS_PER_FLUSH = 20
MARKERS = 200
SPARK = 60
RARE_PER_FLUSH = 100

DAY_MS = 86_400_000
_REFERENCE_MS = 900_000


class SymbolStream(Stream):
    """Prices, candles, indicators and decisions of one symbol.

    The methods that take news only store; shapes are made at the flush.
    """

    def __init__(self, symbol: TradingSymbol, tick: str, strategy: str, timeframe_ms: int, candles: int) -> None:
        """Start empty.

        Args:
            symbol: whose stream it is.
            tick: smallest price difference, as text.
            strategy: the one in charge until a decision names another.
            timeframe_ms: length of a candle.
            candles: how many of the newest are kept.
        """
        super().__init__(str(symbol))
        self.trading_symbol = symbol
        self.symbol: SymbolName = symbol_name(symbol)
        self.tick = tick
        self.strategy = strategy
        self.regime = MarketRegime.UNKNOWN
        self.price: float | None = None
        self.time = 0
        self.moves = 0
        self.updates = 0
        self._timeframe = timeframe_ms
        self._candles: deque[Candle] = deque(maxlen=candles)
        self._forming: list[Any] | None = None
        self._decisions: deque[Decision] = deque(maxlen=DECISIONS)
        self._outcomes: Newest[tuple[int, str], SignalOutcome] = Newest(DECISIONS)
        self._values: deque[tuple[int, dict[str, float]]] = deque(maxlen=candles)
        self._markers: deque[MarkerView] = deque(maxlen=MARKERS)
        self._references: deque[tuple[int, float]] = deque(maxlen=DAY_MS // _REFERENCE_MS + 2)
        self._news: deque[Event] = deque(maxlen=RARE_PER_FLUSH)
        self._moved = False
        self._closed = 0
        self._decided = 0
        self._rewritten = False

    # ------------------------------------------------------------------------------------------------------ news

    def close(self, candle: Candle) -> bool:
        """Take a closed candle; False if it is not newer than the last one."""
        if self._candles and candle.open_time <= self._candles[-1].open_time:
            return False
        self._candles.append(candle)
        self._closed += 1
        end = candle.open_time + self._timeframe
        if self._forming is not None and self._forming[0] <= candle.open_time:
            self._forming = None
        if end >= self.time:
            self.time = end
            self.price = candle.close
        if not self._references or end - self._references[-1][0] >= _REFERENCE_MS:
            self._references.append((end, candle.close))
        return True

    def backfill(self, candles: Iterable[Candle]) -> None:
        """Put late candles in their places; whoever follows the stream needs its snapshot again."""
        known = {candle.open_time: candle for candle in self._candles}
        late = {candle.open_time: candle for candle in candles if candle.open_time not in known}
        if late:
            everything = sorted({**known, **late}.values(), key=lambda candle: candle.open_time)
            self._candles = deque(everything, maxlen=self._candles.maxlen)
            self._rewritten = True

    def move(self, tick: Tick, time: int) -> None:
        """Take a new price of the moment `time` (ms UTC)."""
        price = tick.price
        self.price = price
        self.time = time
        self.moves += 1
        self._moved = True
        forming = self._forming
        # A candle ends with the price at its very end; the next one begins with what comes after.
        moment = time if tick.jump else time - 1
        start = moment - moment % self._timeframe
        if forming is None or start > forming[0]:
            if not self._candles or start > self._candles[-1].open_time:
                self._forming = [start, price, price, price, price, 0.0]
        elif start == forming[0]:
            low, high = (price, price) if tick.jump else (tick.low, tick.high)
            forming[2] = max(forming[2], high)
            forming[3] = min(forming[3], low)
            forming[4] = price

    def recall_price(self, price: float, time: int) -> None:
        """Take the price that somebody wrote down last; an older one than what is known is passed over."""
        if time > self.time:
            self.price, self.time = price, time

    def recall_regime(self, regime: MarketRegime, time: int) -> None:
        """Take the regime that holds since `time` (ms UTC); an older one than what is known is passed over."""
        if not self._decisions or time > self._decisions[-1].candle_time:
            self.regime = regime

    def turn(self, change: RegimeChanged) -> None:
        """Take a change of the market's regime."""
        self.regime = change.regime
        body = {"time": change.time, "regime": change.regime.value, "previous": change.previous.value}
        self._news.append(("regime_update", body))

    def decide(self, decision: Decision) -> bool:
        """Take a decision; False if it is known or older than the last one."""
        for known in reversed(self._decisions):
            if known.candle_time < decision.candle_time:
                break
            if known.candle_time > decision.candle_time or known.strategy == decision.strategy:
                return False
        self._decisions.append(decision)
        self._decided += 1
        self.strategy = decision.strategy
        if decision.indicators:
            self._values.append((decision.candle_time, decision.indicators))
        return True

    def recall(self, decision: Decision) -> None:
        """Take a decision from the record."""
        if self.decide(decision):
            self.regime = decision.regime

    def handled(self, outcome: SignalOutcome, time: int) -> None:
        """Take what became of a signal at `time` (ms UTC)."""
        if not self.recall_outcome(outcome):
            return
        signal = outcome.signal
        became, reason = outcome_words(outcome)
        body = {
            "time": time,
            "candle_time": signal.candle_time,
            "action": signal.action.value,
            "strategy": signal.strategy,
            "confidence": signal.confidence,
            "outcome": became,
            "outcome_reason": reason,
        }
        self._news.append(("signal", body))

    def recall_outcome(self, outcome: SignalOutcome) -> bool:
        """Take what became of a signal from the record; False if it is known."""
        key = (outcome.signal.candle_time, outcome.signal.strategy)
        if key in self._outcomes:
            return False
        self._outcomes.put(key, outcome)
        return True

    def mark(self, marker: MarkerView) -> None:
        """Put an arrow on the chart; an order's partial fills share one a candle."""
        candle = marker["time"] // self._timeframe
        for known in reversed(self._markers):
            if known["time"] // self._timeframe < candle:
                break
            if known["kind"] == marker["kind"] and known["side"] == marker["side"]:
                return
        self._markers.append(marker)

    # ---------------------------------------------------------------------------------------------------- shapes

    def summary(self) -> SymbolSummary:
        """Return the symbol's line in the list."""
        newest = list(islice(reversed(self._candles), SPARK))
        return {
            "symbol": self.symbol,
            "price": self.price,
            "change_pct": self._change_pct(),
            "regime": self.regime.value,
            "strategy": self.strategy,
            "spark": [candle.close for candle in reversed(newest)],
        }

    def short_snapshot(self, candles: int) -> bytes:
        """Return the snapshot with the newest `candles` only, for who draws no chart. Call it as `snapshot`."""
        return self._encode(self._state_with(candles))

    def candle_rows(self) -> list[CandleRow]:
        """Return the closed candles, oldest first."""
        return [candle_row(candle) for candle in self._candles]

    def _is_changed(self) -> bool:
        return bool(self._moved or self._closed or self._decided or self._news or self._rewritten)

    def _needs_snapshot(self) -> bool:
        # More candles closed than are kept: the rest could not be sent any more.
        return self._rewritten or self._closed > len(self._candles)

    def _changes(self) -> list[Event]:
        events: list[Event] = []
        if self._moved or self._closed:
            self.updates += 1
            events.append(("price_update", self._price_update()))
        events += [(event, {"symbol": self.symbol, **body}) for event, body in self._news]
        sent = min(self._decided, DECISIONS_PER_FLUSH)
        skipped = self._decided - sent
        for decision in islice(self._decisions, len(self._decisions) - sent, None):
            events.append(("decision", {**self._view(decision), "skipped": skipped}))
            skipped = 0
        return events

    def _price_update(self) -> dict[str, Any]:
        closed = [candle_row(candle) for candle in islice(reversed(self._candles), self._closed)][::-1]
        update: dict[str, Any] = {
            "symbol": self.symbol,
            "time": self.time,
            "price": self.price,
            "forming": self._forming,
            "closed": closed[0] if len(closed) == 1 else None,
            "change_pct": self._change_pct(),
        }
        if len(closed) > 1:
            update["closed_many"] = closed
        return update

    def _forget(self) -> None:
        self._news.clear()
        self._closed = self._decided = 0
        self._moved = self._rewritten = False

    def _state(self) -> dict[str, Any]:
        return self._state_with(len(self._candles))

    def _state_with(self, count: int) -> dict[str, Any]:
        candles = list(islice(self._candles, max(0, len(self._candles) - count), None))
        return {
            "symbol": self.symbol,
            "strategy": self.strategy,
            "regime": self.regime.value,
            "tick": self.tick,
            "candles": [candle_row(candle) for candle in candles],
            "forming": self._forming,
            "markers": list(self._markers),
            "series": self._series(candles),
            "decisions": [self._view(decision) for decision in reversed(self._decisions)],
        }

    def _series(self, candles: Sequence[Candle]) -> dict[str, list[float | None]]:
        places = {candle.open_time: place for place, candle in enumerate(candles)}
        series: dict[str, list[float | None]] = {}
        for time, values in self._values:
            place = places.get(time)
            if place is None:
                continue
            for name, value in values.items():
                if name not in series:
                    series[name] = [None] * len(places)
                series[name][place] = value
        return series

    def _view(self, decision: Decision) -> DecisionView:
        outcome = self._outcomes.get((decision.candle_time, decision.strategy))
        return decision_view(decision, self._timeframe, outcome)

    def _change_pct(self) -> float | None:
        references = self._references
        while len(references) > 1 and references[1][0] <= self.time - DAY_MS:
            references.popleft()
        if self.price is None or not references:
            return None
        return (self.price / references[0][1] - 1.0) * 100.0
