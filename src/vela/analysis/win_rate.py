"""How many trades win."""

from __future__ import annotations

import numpy as np

from vela.analysis.series import Series


def wins(pnl: Series) -> int:
    """Return how many trades ended above zero, fees paid."""
    return int(np.count_nonzero(pnl > 0.0))


def losses(pnl: Series) -> int:
    """Return how many trades ended below zero, fees paid; one that ended at zero is neither."""
    return int(np.count_nonzero(pnl < 0.0))


def win_rate_pct(pnl: Series) -> float:
    """Return 100 × wins / trades, in percent; 0.0 without trades.

    Args:
        pnl: net profit of each trade, in quote.
    """
    return 100.0 * wins(pnl) / len(pnl) if len(pnl) else 0.0
