"""How old what we know of a market is. A socket that is open proves nothing: only times that go on do."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable
from enum import Enum
from typing import NamedTuple

from vela.domain.trading_symbol import TradingSymbol

_TIMES_EXPECTED = 3.0
_GAPS_KEPT = 20
_LONGEST_PAUSE_S = 300.0


class Remedy(Enum):
    """What is tried against silence, the gentler first."""

    RESUBSCRIBE = "resubscribe"
    RECONNECT = "reconnect"


class Silence(NamedTuple):
    """A channel of which symbols say nothing any more, and what to do about it now."""

    channel: str
    symbols: tuple[TradingSymbol, ...]
    remedy: Remedy


class _Pulse:
    """The progress of one symbol on one channel."""

    __slots__ = ("event_time", "gaps", "seen")

    def __init__(self, now: float) -> None:
        self.seen = now
        self.event_time = 0
        self.gaps: deque[float] = deque(maxlen=_GAPS_KEPT)

    def limit(self, floor: float) -> float:
        # What is expected is what was usual: a symbol that trades once a minute is not silent after ten seconds.
        expected = max(self.gaps) if len(self.gaps) == _GAPS_KEPT else max(floor, *self.gaps, 0.0)
        return max(floor, _TIMES_EXPECTED * expected)


class Freshness:
    """Data age by symbol and channel. Times are seconds of a clock that only measures, but for event times (ms)."""

    def __init__(self, floor_seconds: float) -> None:
        """`floor_seconds`: nothing counts as old before that."""
        self._floor = floor_seconds
        self._pulses: dict[tuple[str, TradingSymbol], _Pulse] = {}
        self._tries: dict[str, tuple[int, float]] = {}  # per channel: how many, and when the next one is due

    def expect(self, channel: str, symbols: Iterable[TradingSymbol], now: float) -> None:
        """Begin to wait for messages. A new connection is no progress: what was old before stays old."""
        for symbol in symbols:
            self._pulses.setdefault((channel, symbol), _Pulse(now))

    def seen(self, channel: str, symbol: TradingSymbol, event_time: int, now: float) -> bool:
        """Take note of a message; returns whether it is progress: its time is later than all before."""
        pulse = self._pulses.get((channel, symbol))
        if pulse is None or event_time <= pulse.event_time:
            return False
        pulse.gaps.append(now - pulse.seen)
        pulse.seen, pulse.event_time = now, event_time
        return True

    def stale(self, now: float, channel: str | None = None) -> frozenset[TradingSymbol]:
        """Return the symbols of which nothing new came for too long, on any channel or on one."""
        return frozenset(
            symbol
            for (name, symbol), pulse in self._pulses.items()
            if channel in {None, name} and now - pulse.seen > pulse.limit(self._floor)
        )

    def silences(self, now: float) -> list[Silence]:
        """Return what is to be done now; each try gives the one before it time to work, more each time.

        A new connection is tried once; after that only where all of a channel is silent: a few symbols that do not
        trade must not cost the others their connection again and again.
        """
        found = []
        for channel, watched in self._watched().items():
            symbols = tuple(sorted(self.stale(now, channel)))
            tries, due = self._tries.get(channel, (0, now))
            if not symbols:
                self._tries.pop(channel, None)
            elif now >= due:
                self._tries[channel] = tries + 1, now + min(self._floor * 2**tries, _LONGEST_PAUSE_S)
                is_reconnected = tries == 1 or (tries > 1 and len(symbols) == watched)
                found.append(Silence(channel, symbols, Remedy.RECONNECT if is_reconnected else Remedy.RESUBSCRIBE))
        return found

    def _watched(self) -> dict[str, int]:
        """Return how many symbols each channel has."""
        return Counter(channel for channel, _ in self._pulses)
