"""How much the account moves."""

from __future__ import annotations

import math

from vela.analysis.daily import YEAR_DAYS
from vela.analysis.deviation import deviation
from vela.analysis.series import Series


def volatility_pct(returns: Series) -> float | None:
    """Return 100 × s × √365, in percent per year; s is the sample deviation (n − 1) of daily returns.

    None for fewer than two returns.
    """
    spread = deviation(returns)
    return None if spread is None else 100.0 * spread * math.sqrt(YEAR_DAYS)
