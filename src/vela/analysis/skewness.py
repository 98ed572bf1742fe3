"""Skewness: whether the rare days are the good or the bad ones."""

from __future__ import annotations

import numpy as np

from vela.analysis.deviation import deviation
from vela.analysis.series import Series, defined


def skewness(returns: Series) -> float | None:
    """Return m3 / m2^(3/2) with mk = Σ (r − mean)^k / n; a plain number, 0 for a symmetric distribution.

    None for fewer than two returns or where all are equal.
    """
    if not deviation(returns):
        return None
    standard = (returns - returns.mean()) / returns.std()
    return defined(np.mean(standard**3))
