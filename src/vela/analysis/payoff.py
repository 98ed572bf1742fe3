"""Payoff ratio: the usual win beside the usual loss."""

from __future__ import annotations

import math

from vela.analysis.series import Series, quotient


def payoff(pnl: Series) -> float | None:
    """Return mean win / |mean loss|; a plain number above 0.

    None without a winning or without a losing trade.

    Args:
        pnl: net profit of each trade, in quote.
    """
    gained, lost = pnl[pnl > 0.0], pnl[pnl < 0.0]
    if not len(gained) or not len(lost):
        return None
    return quotient(math.fsum(gained) / len(gained), -math.fsum(lost) / len(lost))
