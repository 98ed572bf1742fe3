"""The page's state, built from what services publish."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

from vela.dashboard.account_stream import AccountStream
from vela.dashboard.facts import SessionFacts
from vela.dashboard.shapes import SymbolSummary
from vela.dashboard.stream import Stream
from vela.dashboard.symbol_stream import SymbolStream
from vela.dashboard.views import fill_marker
from vela.domain.candles import Candle
from vela.domain.errors import SymbolError
from vela.domain.events import (
    Alert,
    CandlesClosed,
    DecisionsMade,
    Envelope,
    JobChanged,
    MarketEnded,
    Message,
    OrderChanged,
    OrderFilled,
    PositionChanged,
    PositionClosed,
    PricesMoved,
    RegimeChanged,
    ServiceBeat,
    SignalHandled,
    SignalsRaised,
    WalletChanged,
)
from vela.domain.instrument import Instrument
from vela.domain.money import plain
from vela.domain.trading_symbol import TradingSymbol

CANDLES = 500
_HEALTH_EVERY_MS = 5000


class Projection:
    """Account and symbols as the page shows them. Synchronous, without clock or I/O.

    A message that comes twice changes nothing.
    """

    def __init__(self, facts: SessionFacts, candles: int = CANDLES) -> None:
        """Start empty. `candles`: how many are kept of each symbol."""
        self.facts = facts
        self.account = AccountStream(facts, self.price, self.summaries)
        self.symbols: dict[TradingSymbol, SymbolStream] = {}
        self._candles = candles
        self._names: dict[str, SymbolStream] = {}
        self._health_shown = 0
        self._takers: dict[type[Message], Callable[[Any], None]] = {
            CandlesClosed: self._candles_closed,
            MarketEnded: self._market_ended,
            PricesMoved: self._prices_moved,
            RegimeChanged: self._regime_changed,
            DecisionsMade: self._decisions_made,
            SignalsRaised: self._signals_raised,
            SignalHandled: self._signal_handled,
            OrderChanged: self._order_changed,
            OrderFilled: self._order_filled,
            PositionChanged: self._position_changed,
            PositionClosed: self._position_closed,
            WalletChanged: self._wallet_changed,
            Alert: self._alert,
            ServiceBeat: self._beat,
            JobChanged: self._job_changed,
        }
        for instrument in facts.instruments:
            self._add(instrument, facts.strategies.get(instrument.symbol, ""))

    def apply(self, envelope: Envelope) -> None:
        """Take a message; one of a kind that the page does not show is ignored."""
        take = self._takers.get(type(envelope.message))
        if take is not None:
            take(envelope.message)

    def refresh(self, now: int) -> None:
        """Let newer prices, counts and ages show with the next flush; meant for once a second.

        Args:
            now: wall clock, ms UTC.
        """
        self.account.now = now
        if now - self._health_shown >= _HEALTH_EVERY_MS:
            self._health_shown = now
            self.account.show("session", "health")
        else:
            self.account.show("session")

    # ------------------------------------------------------------------------------------------------------- asking

    def stream(self, name: str) -> Stream | None:
        """Return the stream of that name, or of the symbol that the text means; None if there is none."""
        return self.account if name == self.account.name else self.symbol(name)

    def symbol(self, text: str) -> SymbolStream | None:
        """Return the stream of the symbol that the text means; None if there is none."""
        known = self._names.get(text)
        if known is not None:
            return known
        try:
            return self.symbols.get(TradingSymbol.from_str(text))
        except (SymbolError, TypeError):
            return None

    def streams(self) -> Iterable[Stream]:
        """Return all streams, the account's first."""
        return [self.account, *self.symbols.values()]

    def names(self) -> list[str]:
        """Return the short names of all symbols."""
        return list(self._names)

    def price(self, symbol: TradingSymbol) -> float | None:
        """Return a symbol's newest price, in quote per base."""
        stream = self.symbols.get(symbol)
        return None if stream is None else stream.price

    def summaries(self) -> list[SymbolSummary]:
        """Return every symbol's line in the list."""
        return [stream.summary() for stream in self.symbols.values()]

    def of(self, symbol: TradingSymbol) -> SymbolStream:
        """Return a symbol's stream, beginning it where the symbol is new."""
        stream = self.symbols.get(symbol)
        if stream is None:
            stream = self._add(*self.facts.newcomer(symbol))
            self.account.outdate()
        return stream

    def _add(self, instrument: Instrument, strategy: str) -> SymbolStream:
        symbol, timeframe = instrument.symbol, self.facts.timeframe.milliseconds
        stream = SymbolStream(symbol, plain(instrument.tick), strategy, timeframe, self._candles)
        self.symbols[symbol] = self._names[stream.name] = stream
        return stream

    # -------------------------------------------------------------------------------------------------------- taking

    def _candles_closed(self, message: CandlesClosed) -> None:
        account = self.account
        account.time = max(account.time, message.time)
        for symbol, candle in ((one.symbol, one.candle) for one in message.candles):
            if self.of(symbol).close(candle):
                account.counts.candles += 1
        late: defaultdict[TradingSymbol, list[Candle]] = defaultdict(list)
        for symbol, candle in ((one.symbol, one.candle) for one in message.backfilled):
            late[symbol].append(candle)
        for symbol, candles in late.items():
            self.of(symbol).backfill(candles)
        account.refused_candles.update(refused.fault.value for refused in message.refused)
        account.counts.missing += sum(gap.count for gap in message.gaps)

    def _prices_moved(self, message: PricesMoved) -> None:
        time = message.time
        self.account.time = max(self.account.time, time)
        for tick in message.ticks:
            self.of(tick.symbol).move(tick, time)

    def _decisions_made(self, message: DecisionsMade) -> None:
        for decision in message.decisions:
            if self.of(decision.symbol).decide(decision):
                self.account.counts.decisions += 1

    def _market_ended(self, message: MarketEnded) -> None:
        self.account.time = max(self.account.time, message.time)
        self.account.end()

    def _regime_changed(self, message: RegimeChanged) -> None:
        self.of(message.symbol).turn(message)

    def _signals_raised(self, message: SignalsRaised) -> None:
        self.account.counts.signals += len(message.signals)

    def _signal_handled(self, message: SignalHandled) -> None:
        self.of(message.outcome.signal.symbol).handled(message.outcome, message.time)

    def _order_changed(self, message: OrderChanged) -> None:
        self.account.order(message.order)

    def _order_filled(self, message: OrderFilled) -> None:
        if self.account.fill(message):
            self.of(message.fill.symbol).mark(fill_marker(message.fill, message.purpose, message.reason))

    def _position_changed(self, message: PositionChanged) -> None:
        self.account.hold(message)

    def _position_closed(self, message: PositionClosed) -> None:
        self.account.closed(message.trade)

    def _wallet_changed(self, message: WalletChanged) -> None:
        self.account.mark(message.wallet)

    def _alert(self, message: Alert) -> None:
        self.account.alert(message)

    def _beat(self, message: ServiceBeat) -> None:
        self.account.beat(message)

    def _job_changed(self, message: JobChanged) -> None:
        self.account.jobs.take(message.job)
