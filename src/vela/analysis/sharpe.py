"""Sharpe ratio: return per unit of risk."""

from __future__ import annotations

import math

from vela.analysis.daily import YEAR_DAYS
from vela.analysis.deviation import deviation
from vela.analysis.series import Series, quotient


def period_sharpe(returns: Series) -> float | None:
    """Return mean / s of the returns, per period and not annualised; the risk-free rate is 0, s has n − 1.

    None for fewer than two returns or where all are equal.

    Source: W. F. Sharpe, The Sharpe Ratio, Journal of Portfolio Management 21 (1994).
    """
    spread = deviation(returns)
    return None if spread is None else quotient(returns.mean(), spread)


def sharpe(returns: Series) -> float | None:
    """Return mean / s × √365 of daily returns, per √year; the risk-free rate is 0, s has n − 1.

    None for fewer than two returns or where all are equal.
    """
    ratio = period_sharpe(returns)
    return None if ratio is None else ratio * math.sqrt(YEAR_DAYS)
