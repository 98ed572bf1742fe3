"""The record: what happened, in SQL. The bus only carries; this remembers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Protocol

import msgspec

from vela.domain.candles import CandleFault
from vela.domain.events import AnyMessage
from vela.domain.fill import Fill
from vela.domain.order import Order
from vela.domain.position import Position, Trade, Wallet
from vela.domain.signal import Decision, SignalOutcome
from vela.domain.trading_symbol import TradingSymbol
from vela.ports.outbox import Outbox


class Posting(msgspec.Struct, frozen=True):
    """One side of a ledger transaction: `amount` of `asset` into (+) or out of (-) `account`."""

    account: str
    asset: str
    amount: Decimal


class LedgerTransaction(msgspec.Struct, frozen=True):
    """Postings that sum to zero per asset. `id` is derived from what caused it, so it can be booked once only."""

    id: str
    time: int
    postings: tuple[Posting, ...]


class LimitMarks(msgspec.Struct, frozen=True):
    """What an account's losses are measured from, and which limits on them it has crossed.

    Attributes:
        day: the UTC day that is being measured, days since 1970.
        day_equity: equity when that day began, in quote.
        day_lost: more was lost on that day than may be.
        highest: highest equity so far, in quote.
        drawn_down: equity was further below the highest than it may be; stays until a person lifts it.
        resets: how many requests to count anew were carried out.
    """

    day: int
    day_equity: Decimal
    day_lost: bool
    highest: Decimal
    drawn_down: bool
    resets: int


class Changes(msgspec.Struct, frozen=True):
    """Everything that one step of the order manager changed; written in one transaction or not at all.

    Attributes:
        orders: every state that orders went through, in order; the last one of an id is its present state.
        fills: newly booked.
        positions: as they are now.
        closed: symbols whose position is gone.
        trades: round trips that ended.
        ledger: transactions to book.
        outcomes: what became of signals.
        entries: time of the newest entry per symbol, ms UTC.
        limit_marks: as they are now; None: as they were.
        messages: what is to be told of it, in order; see `Outbox`.
    """

    orders: tuple[Order, ...] = ()
    fills: tuple[Fill, ...] = ()
    positions: tuple[Position, ...] = ()
    closed: tuple[TradingSymbol, ...] = ()
    trades: tuple[Trade, ...] = ()
    ledger: tuple[LedgerTransaction, ...] = ()
    outcomes: tuple[SignalOutcome, ...] = ()
    entries: tuple[tuple[TradingSymbol, int], ...] = ()
    limit_marks: LimitMarks | None = None
    messages: tuple[AnyMessage, ...] = ()


class AccountState(msgspec.Struct, frozen=True):
    """What the orders service needs to go on where it stopped.

    Attributes:
        orders: those that are not final.
        positions: the open ones.
        balances: ledger balance per account and asset.
        entries: time of the newest entry per symbol, ms UTC.
        handled_until: candle time of the newest signal that was dealt with, ms UTC; -1: none yet.
        booked: ids of the fills that are booked, by the client id of each order that is not final.
        limit_marks: None: nothing was measured yet.
        sent: times of the intents of the newest minute, final orders included, ms UTC, ascending.
    """

    orders: tuple[Order, ...]
    positions: tuple[Position, ...]
    balances: Mapping[tuple[str, str], Decimal]
    entries: Mapping[TradingSymbol, int]
    handled_until: int = -1
    booked: Mapping[str, frozenset[str]] = {}
    limit_marks: LimitMarks | None = None
    sent: tuple[int, ...] = ()


class TradingRecord(Protocol):
    """What the orders service writes and reads."""

    @property
    def outbox(self) -> Outbox:
        """The messages that came with what was written, until they are passed on."""
        ...

    async def load(self) -> AccountState:
        """Return the account as it was last committed."""
        ...

    async def commit(self, changes: Changes) -> None:
        """Write all of `changes` in one durable transaction.

        A fill, ledger transaction or outcome that is already there is an error.

        Raises:
            StorageLocked: another instance has taken over; nothing was written.
            StorageUnavailable: not now. Nothing was written, unless a server got the commit and its answer was lost:
                what it holds is then the truth, `load` returns it.
            StorageError: nothing was written.
        """
        ...

    async def has_order(self, client_order_id: str) -> bool:
        """Say whether an order of that id was ever planned."""
        ...

    async def outcome(self, symbol: TradingSymbol, strategy: str, candle_time: int) -> SignalOutcome | None:
        """Return what became of that signal, or None if it was not handled yet."""
        ...


class CandleCount(msgspec.Struct, frozen=True):
    """What came in for one symbol since the last entry of the journal."""

    symbol: TradingSymbol
    accepted: int
    first: int
    last: int
    missing: int
    refused: Mapping[CandleFault, int]


class JournalEntry(msgspec.Struct, frozen=True):
    """A stretch of market time, written in one transaction.

    Attributes:
        cursor: all candles that closed at or before this time (ms UTC) are in.
        candles: what came in, per symbol.
        decisions: every decision made.
        wallets: the account marked at closes; a later one of the same time replaces the earlier.
        begun: time of the newest round whose candles are counted here, ms UTC; None: the cursor.
    """

    cursor: int
    candles: tuple[CandleCount, ...]
    decisions: tuple[Decision, ...]
    wallets: tuple[Wallet, ...]
    begun: int | None = None


class Journal(Protocol):
    """What the persistence service writes."""

    async def cursor(self) -> int | None:
        """Return the time up to which the journal is complete, or None for a new record."""
        ...

    async def begun(self) -> int | None:
        """Return the time of the newest round whose candles are counted, complete or not; None: a new record."""
        ...

    async def append(self, entry: JournalEntry) -> None:
        """Write `entry`; decisions, and candles of rounds that were counted, are left as they are.

        Raises:
            StorageError: nothing was written.
        """
        ...


class Summary(msgspec.Struct, frozen=True):
    """A run in figures, from the record alone. Counts as numbers; money exact; `refused` by reason."""

    candles: int
    decisions: int
    signals: int
    orders: int
    fills: int
    trades: int
    open_positions: int
    refused: Mapping[str, int]
    refused_candles: Mapping[str, int]
    missing_candles: int
    initial_capital: Decimal
    final_equity: Decimal
    realised_pnl: Decimal
    fees: Decimal


class RecordReader(Protocol):
    """What the page and the commands read; newest first, `before` exclusive in ms UTC."""

    def summary(self) -> Summary:
        """Return the run in figures."""
        ...

    def trades(self, *, limit: int, before: int | None = None) -> Sequence[Trade]:
        """Return closed round trips by exit time."""
        ...

    def trade_totals(self) -> tuple[int, int]:
        """Return how many round trips were closed, and how many of them with a profit after fees."""
        ...

    def orders(self, *, limit: int, before: int | None = None) -> Sequence[Order]:
        """Return orders by time of intent."""
        ...

    def fills(self, *, limit: int, before: int | None = None) -> Sequence[Fill]:
        """Return fills by time."""
        ...

    def decisions(
        self, *, limit: int, symbol: TradingSymbol | None = None, before: int | None = None
    ) -> Sequence[Decision]:
        """Return decisions by candle time."""
        ...

    def outcomes(
        self, *, limit: int, symbol: TradingSymbol | None = None, before: int | None = None
    ) -> Sequence[SignalOutcome]:
        """Return handled signals by candle time."""
        ...

    def positions(self) -> Sequence[Position]:
        """Return the open positions."""
        ...

    def equity_curve(self, *, points: int) -> Sequence[tuple[int, float]]:
        """Return up to `points` (time, equity) pairs over the account's whole life, oldest first.

        The first and the last pair are always included.
        """
        ...

    def newest_wallet(self) -> Wallet | None:
        """Return the account as last marked."""
        ...
