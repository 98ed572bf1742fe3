"""Closed candles: gathered by the moment at which they closed, and missed when they do not come."""

from __future__ import annotations

from collections.abc import Iterable

from vela.domain.candles import Candle
from vela.domain.events import SymbolCandle
from vela.domain.trading_symbol import TradingSymbol

_LONGEST_PAUSE_S = 60.0


class _Progress:
    """How far one symbol came. `newest`: open time of its newest candle; a guess by the clock until `is_known`."""

    __slots__ = ("asked", "is_known", "newest", "pause", "told")

    def __init__(self, newest: int) -> None:
        self.newest = newest
        self.is_known = False
        self.told: Candle | None = None
        self.asked = 0.0
        self.pause = 0.0  # for how long after `asked` it is not missed again

    def reached(self, open_time: int) -> None:
        self.newest = max(self.newest, open_time) if self.is_known else open_time
        self.is_known = True
        self.pause = 0.0


class _Group:
    """Candles that closed at the same moment, the first of which came at `since`."""

    __slots__ = ("candles", "since")

    def __init__(self, since: float) -> None:
        self.since = since
        self.candles: dict[TradingSymbol, Candle] = {}


class ClosedCandles:
    """What has closed and was not told yet, and which symbol's next close is overdue.

    Times of the market are ms UTC; `now` is the market's time, `real` seconds of a clock that only measures.
    """

    def __init__(
        self, symbols: Iterable[TradingSymbol], length_ms: int, now: int, *, gather_seconds: float, patience: float
    ) -> None:
        """Expect the candle that is forming at `now`, and those after it.

        Args:
            symbols: whose candles.
            length_ms: of a candle.
            now: the time.
            gather_seconds: how long candles wait for those of other symbols that close at the same moment.
            patience: seconds after a close at which its candle is missed.
        """
        self._length = length_ms
        self._gather = gather_seconds
        self._patience = patience
        self._symbols = {symbol: _Progress(now - now % length_ms - length_ms) for symbol in symbols}
        self._groups: dict[int, _Group] = {}
        self._lag_ms = 0  # of the newest close on the stream behind the clock

    def begin(self, symbol: TradingSymbol, candle: Candle) -> bool:
        """Take the newest candle that closed before; it is not told. Returns False if one came already."""
        progress = self._symbols[symbol]
        if progress.is_known:
            return False
        progress.reached(candle.open_time)
        progress.told = candle
        return True

    def take(self, symbol: TradingSymbol, candle: Candle, now: int, real: float, *, by_stream: bool) -> bool:
        """Take a closed candle; returns False for one that is known as it is, or older than what was told."""
        progress, group = self._symbols[symbol], self._groups.get(candle.open_time)
        told = progress.told
        if told is not None and (candle == told or candle.open_time < told.open_time):
            return False
        if group is None:
            group = self._groups[candle.open_time] = _Group(real)
        if group.candles.get(symbol) == candle:
            return False
        group.candles[symbol] = candle
        progress.reached(candle.open_time)
        if by_stream:
            self._lag_ms = max(0, now - candle.open_time - self._length)
        return True

    def due(self, now: int, real: float) -> tuple[SymbolCandle, ...]:
        """Return the oldest group, if it waits for nobody any more and the clock is past its close; else nothing."""
        if not self._groups or self._wait(min(self._groups), now, real) > 0:
            return ()
        candles = self._groups.pop(min(self._groups)).candles
        for symbol, candle in candles.items():
            self._symbols[symbol].told = candle
        return tuple(SymbolCandle(symbol, candle) for symbol, candle in candles.items())

    def wait(self, now: int, real: float) -> float | None:
        """Return the seconds until the oldest group is due; None: there is none."""
        return max(0.0, self._wait(min(self._groups), now, real)) if self._groups else None

    def overdue(self, now: int, real: float) -> list[TradingSymbol]:
        """Return the symbols whose next candle should have come; each is named less often the longer that lasts."""
        found = []
        for symbol, progress in self._symbols.items():
            closes = progress.newest + 2 * self._length
            is_late = now >= closes + self._lag_ms + self._patience * 1000
            if is_late and (not progress.pause or real >= progress.asked + progress.pause):
                progress.asked = real
                progress.pause = min(max(2 * progress.pause, self._patience), _LONGEST_PAUSE_S)
                found.append(symbol)
        return found

    def newest(self, symbol: TradingSymbol) -> int:
        """Return the open time of a symbol's newest candle; before the first one, what it must be by the clock."""
        return self._symbols[symbol].newest

    def _wait(self, opens: int, now: int, real: float) -> float:
        is_complete = all(progress.is_known and progress.newest >= opens for progress in self._symbols.values())
        gathering = 0.0 if is_complete else self._groups[opens].since + self._gather - real
        return max((opens + self._length - now) / 1000, gathering)
