"""persistence: writes down what came in and what was decided."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from vela.domain.candles import CandleFault
from vela.domain.events import CandlesClosed, DecisionsMade, Envelope, OrderFilled, Topic, WalletChanged
from vela.domain.position import Wallet
from vela.domain.signal import Decision
from vela.domain.trading_symbol import TradingSymbol
from vela.ports.bus import Bus
from vela.ports.clock import Clock
from vela.ports.record import CandleCount, Journal, JournalEntry
from vela.services.service import Service

_WRITE_AFTER_DECISIONS = 2_000
_WRITE_AFTER_DECISIONS_AND_FILLS = 200
_WRITE_AFTER_SECONDS = 1.0
_LET_OTHERS_GO_FIRST_SECONDS = 0.01


@dataclass(slots=True)
class _Count:
    accepted: int = 0
    first: int = 0
    last: int = 0
    missing: int = 0
    refused: Counter[CandleFault] = field(default_factory=Counter)


class PersistenceService(Service):
    """Journals whole rounds.

    A round counts as whole once a later one has begun, because only then is everything that it led to done: after a
    crash the market is taken up where the journal ends, and nothing between is lost.

    Who shares its process with those who decide and trade goes back with them, so parts of a round may wait in memory.
    Who has a process of its own (`at_once`) writes each part before the message counts as handled.
    """

    name = "persistence"

    def __init__(self, bus: Bus, wall_clock: Clock, journal: Journal, *, at_once: bool = False) -> None:
        """`journal`: where to write; `at_once`: nothing waits in memory."""
        super().__init__(bus, wall_clock)
        self._journal = journal
        self._at_once = at_once
        self._round: int | None = None
        self._whole: int | None = None
        self._written_at = wall_clock.monotonic()
        self._is_urgent = False
        self._counts: dict[TradingSymbol, _Count] = {}
        self._decisions: list[Decision] = []
        self._wallets: list[Wallet] = []
        bus.subscribe(self.name, Topic.CANDLES, Topic.DECISIONS, Topic.WALLET, Topic.FILLS)

    async def start(self) -> None:
        """Find out how far the journal reaches."""
        self._whole, self._round = await self._journal.cursor(), await self._journal.begun()

    async def work(self) -> None:
        """Journal until cancelled."""
        await self.bus.consume(self.name, self._handle)

    async def stop(self) -> None:
        """Write the last round; the bus has settled, so it is whole. Where all is written, nobody can say that."""
        if not self._at_once:
            self._whole = self._round
            await self._write()

    async def _handle(self, envelope: Envelope) -> None:
        message = envelope.message
        if isinstance(message, CandlesClosed):
            await self._begin_round(message)
        elif isinstance(message, DecisionsMade):
            if message.time == self._round or self._is_late(message.time):
                self._decisions.extend(message.decisions)
        elif isinstance(message, WalletChanged):
            if message.marked and message.time == self._round:
                self._wallets.append(message.wallet)
        elif isinstance(message, OrderFilled):
            # The account moved: keep the journal close behind it, because equity cannot be marked again afterwards.
            self._is_urgent = True
        if self._at_once:
            await self._write()

    def _is_late(self, time: int) -> bool:
        # A brain in another process may decide after the next candles have closed.
        return self._at_once and self._round is not None and time < self._round

    async def _begin_round(self, message: CandlesClosed) -> None:
        if self._round is not None and message.time <= self._round:
            return
        self._whole = self._round
        if self._whole is None:
            self._whole = message.time - message.timeframe.milliseconds
        elif self._is_due():
            # Whoever decides on these candles and trades shares the event loop, which a write holds up.
            await self.wall_clock.sleep(_LET_OTHERS_GO_FIRST_SECONDS)
            await self._write()
        self._round = message.time
        for entry in (*message.backfilled, *message.candles):
            count = self._counts.setdefault(entry.symbol, _Count())
            open_time = entry.candle.open_time
            count.first = min(count.first, open_time) if count.accepted else open_time
            count.last = max(count.last, open_time)
            count.accepted += 1
        for gap in message.gaps:
            self._counts.setdefault(gap.symbol, _Count()).missing += gap.count
        for refused in message.refused:
            self._counts.setdefault(refused.symbol, _Count()).refused[refused.fault] += 1

    def _is_due(self) -> bool:
        waited = self.wall_clock.monotonic() - self._written_at
        enough = _WRITE_AFTER_DECISIONS_AND_FILLS if self._is_urgent else _WRITE_AFTER_DECISIONS
        return len(self._decisions) >= enough or waited >= _WRITE_AFTER_SECONDS

    async def _write(self) -> None:
        if self._whole is None or not (self._counts or self._decisions or self._wallets):
            return
        counts = tuple(
            CandleCount(symbol, c.accepted, c.first, c.last, c.missing, dict(c.refused))
            for symbol, c in self._counts.items()
        )
        begun = self._round if self._at_once else None
        entry = JournalEntry(self._whole, counts, tuple(self._decisions), tuple(self._wallets), begun)
        await self._journal.append(entry)
        self._counts.clear()
        self._decisions.clear()
        self._wallets.clear()
        self._is_urgent = False
        self._written_at = self.wall_clock.monotonic()
