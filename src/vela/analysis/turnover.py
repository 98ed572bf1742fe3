"""How often the account is traded."""

from __future__ import annotations

import math
from collections.abc import Sequence

from vela.analysis.daily import YEAR_DAYS
from vela.analysis.series import Series, defined
from vela.domain.position import Trade


def turnover(trades: Sequence[Trade], equity: Series, days: float) -> float | None:
    """Return Σ (entry value + exit value) / mean equity × 365 / days: how often a year the account is traded.

    Both sides count, so that turnover × fee rate is what fees cost a year. None without candles, where no time has
    passed, or where the mean equity is not above zero.

    Args:
        trades: closed round trips.
        equity: at the close of each candle, in quote.
        days: time that the candles cover (`daily.elapsed_days`).
    """
    if not len(equity) or days <= 0.0:
        return None
    mean = float(equity.mean())
    if mean <= 0.0:
        return None
    traded = math.fsum(float((trade.entry_price + trade.exit_price) * trade.quantity) for trade in trades)
    return defined(traded / mean * YEAR_DAYS / days)
