"""Profit factor: gained per unit lost."""

from __future__ import annotations

import math

from vela.analysis.series import Series, quotient


def profit_factor(pnl: Series) -> float | None:
    """Return Σ wins / |Σ losses|; a plain number, 0 or above.

    None without a losing trade.

    Args:
        pnl: net profit of each trade, in quote.
    """
    return quotient(math.fsum(pnl[pnl > 0.0]), -math.fsum(pnl[pnl < 0.0]))
