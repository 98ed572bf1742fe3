"""Sortino ratio: return per unit of downside risk."""

from __future__ import annotations

import math

import numpy as np

from vela.analysis.daily import YEAR_DAYS
from vela.analysis.series import Series, quotient


def sortino(returns: Series) -> float | None:
    """Return mean / d × √365 of daily returns, with d = √(Σ min(r, 0)² / (n − 1)) over all n days, per √year.

    Target and risk-free rate are 0. None for fewer than two returns or where none is below zero.

    Source: F. A. Sortino and L. N. Price, Performance Measurement in a Downside Risk Framework, Journal of Investing 3
    (1994); with n − 1 as in the Sharpe ratio beside it.
    """
    if len(returns) < 2:
        return None
    downside = math.sqrt(float(np.square(np.minimum(returns, 0.0)).sum()) / (len(returns) - 1))
    ratio = quotient(returns.mean(), downside)
    return None if ratio is None else ratio * math.sqrt(YEAR_DAYS)
