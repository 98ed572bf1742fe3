"""What differs between a session's trades and those of its backtest, trade by trade."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal
from enum import StrEnum

import msgspec

from vela.domain.money import multiply, plain, subtract
from vela.domain.position import Trade
from vela.domain.trading_symbol import TradingSymbol


class DriftKind(StrEnum):
    """In what a trade differs."""

    MISSED = "missed"
    EXTRA = "extra"
    TIMING = "timing"
    PRICE = "price"
    SIZE = "size"
    FEE = "fee"
    REASON = "reason"


class Drift(msgspec.Struct, frozen=True):
    """One difference.

    Attributes:
        kind: in what the trades differ.
        symbol, entry_time: which trade; the session's entry, or the backtest's where there is none, ms UTC.
        session, backtest: the differing values as text; where there is no such trade, why, or nothing if that is not
            known.
        cost: what the difference cost the session, in quote; below zero where it gained. For a missed or extra trade
            its whole result; None where it cannot be told apart from the others.
    """

    kind: DriftKind
    symbol: TradingSymbol
    entry_time: int
    session: str
    backtest: str
    cost: Decimal | None


def explain_drift(session: Iterable[Trade], backtest: Iterable[Trade], *, within_ms: int) -> tuple[Drift, ...]:
    """Compare a session with its backtest.

    A session's trade and a backtest's belong together if they are of one symbol and direction and were entered within
    `within_ms` of each other, the nearest first; each has one partner at most.

    Args:
        session: what was traded, on paper or for real.
        backtest: what should have been.
        within_ms: how far apart entries of the same trade may lie, 0 or more.

    Returns:
        All differences by entry time and symbol; none where the trades are the same.
    """
    pairs, extra, missed = _pair(list(session), list(backtest), within_ms)
    found = [drift for ours, theirs in pairs for drift in _differences(ours, theirs)]
    found += [Drift(DriftKind.EXTRA, t.symbol, t.entry_time, _told(t), "", -t.pnl) for t in extra]
    found += [Drift(DriftKind.MISSED, t.symbol, t.entry_time, "", _told(t), t.pnl) for t in missed]
    return tuple(sorted(found, key=lambda drift: (drift.entry_time, drift.symbol, drift.kind)))


def _pair(
    session: Sequence[Trade], backtest: Sequence[Trade], within_ms: int
) -> tuple[list[tuple[Trade, Trade]], list[Trade], list[Trade]]:
    open_places: defaultdict[object, list[int]] = defaultdict(list)
    for place, trade in enumerate(backtest):
        open_places[trade.symbol, trade.side].append(place)
    candidates = sorted(
        (abs(ours.entry_time - backtest[place].entry_time), number, place)
        for number, ours in enumerate(session)
        for place in open_places[ours.symbol, ours.side]
        if abs(ours.entry_time - backtest[place].entry_time) <= within_ms
    )
    partner: dict[int, int] = {}
    taken: set[int] = set()
    for _, number, place in candidates:
        if number not in partner and place not in taken:
            partner[number] = place
            taken.add(place)
    pairs = [(session[number], backtest[place]) for number, place in sorted(partner.items())]
    extra = [trade for number, trade in enumerate(session) if number not in partner]
    missed = [trade for place, trade in enumerate(backtest) if place not in taken]
    return pairs, extra, missed


def _differences(ours: Trade, theirs: Trade) -> Iterable[Drift]:
    def drift(kind: DriftKind, session: object, backtest: object, cost: Decimal | None = None) -> Drift:
        return Drift(kind, ours.symbol, ours.entry_time, str(session), str(backtest), cost)

    for name in ("entry_time", "exit_time"):
        if getattr(ours, name) != getattr(theirs, name):
            yield drift(DriftKind.TIMING, f"{name} {getattr(ours, name)}", f"{name} {getattr(theirs, name)}")
    if (ours.entry_price, ours.exit_price) != (theirs.entry_price, theirs.exit_price):
        # Of what the prices brought per unit, the session's size: the rest of the gap is size and fee.
        per_unit = subtract(_gain_per_unit(theirs), _gain_per_unit(ours))
        yield drift(DriftKind.PRICE, _prices(ours), _prices(theirs), multiply(per_unit, ours.quantity))
    if ours.quantity != theirs.quantity:
        less = subtract(theirs.quantity, ours.quantity)
        yield drift(
            DriftKind.SIZE, plain(ours.quantity), plain(theirs.quantity), multiply(less, _gain_per_unit(theirs))
        )
    if ours.fees != theirs.fees:
        yield drift(DriftKind.FEE, plain(ours.fees), plain(theirs.fees), subtract(ours.fees, theirs.fees))
    if ours.exit_reason is not theirs.exit_reason:
        yield drift(DriftKind.REASON, ours.exit_reason.value, theirs.exit_reason.value)


def _gain_per_unit(trade: Trade) -> Decimal:
    return multiply(Decimal(trade.side.sign), subtract(trade.exit_price, trade.entry_price))


def _prices(trade: Trade) -> str:
    return f"{plain(trade.entry_price)} → {plain(trade.exit_price)}"


def _told(trade: Trade) -> str:
    return f"{trade.side.value} {plain(trade.quantity)} at {_prices(trade)}, {trade.exit_reason.value}"
