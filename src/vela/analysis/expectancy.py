"""What a trade brings on average."""

from __future__ import annotations

import math

from vela.analysis.series import Series


def expectancy(pnl: Series) -> float:
    """Return the mean net profit of a trade, in quote; 0.0 without trades.

    The same as win rate × mean win − loss rate × mean loss.

    Args:
        pnl: net profit of each trade, in quote.
    """
    return math.fsum(pnl) / len(pnl) if len(pnl) else 0.0
