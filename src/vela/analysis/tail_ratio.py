"""Tail ratio: the best days beside the worst."""

from __future__ import annotations

import numpy as np

from vela.analysis.series import Series, quotient


def tail_ratio(returns: Series) -> float | None:
    """Return |95th percentile| / |5th percentile| of daily returns, linearly interpolated; a plain number.

    None for fewer than two returns or where the 5th percentile is zero.
    """
    if len(returns) < 2:
        return None
    low, high = np.quantile(returns, [0.05, 0.95])
    return quotient(abs(high), abs(low))
