"""Closed trades by what they have in common. Keys are texts, in ascending order; trades keep theirs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from vela.domain.position import Trade

Groups = dict[str, list[Trade]]


def by_regime(trades: Sequence[Trade]) -> Groups:
    """Return the trades by the regime in which they were entered, such as `bull_trend`."""
    return _grouped(trades, lambda trade: trade.regime.value)


def by_symbol(trades: Sequence[Trade]) -> Groups:
    """Return the trades by symbol as it is written, such as `BTC` or `ETH/BTC`."""
    return _grouped(trades, lambda trade: str(trade.symbol))


def by_exit_reason(trades: Sequence[Trade]) -> Groups:
    """Return the trades by why they were closed, such as `stop_loss`."""
    return _grouped(trades, lambda trade: trade.exit_reason.value)


def by_month(trades: Sequence[Trade]) -> Groups:
    """Return the trades by the UTC month in which they were closed, such as `2025-01`."""
    return _grouped(trades, lambda trade: _month(trade.exit_time))


def _month(time: int) -> str:
    moment = datetime.fromtimestamp(time // 1000, UTC)
    return f"{moment.year:04}-{moment.month:02}"


def _grouped(trades: Sequence[Trade], key: Callable[[Trade], str]) -> Groups:
    groups: Groups = {}
    for trade in trades:
        groups.setdefault(key(trade), []).append(trade)
    return dict(sorted(groups.items()))
