"""Kurtosis: how much of the movement comes from few days."""

from __future__ import annotations

import numpy as np

from vela.analysis.deviation import deviation
from vela.analysis.series import Series, defined


def kurtosis(returns: Series) -> float | None:
    """Return m4 / m2² with mk = Σ (r − mean)^k / n; a plain number, 3 for the normal distribution (not the excess).

    None for fewer than two returns or where all are equal.
    """
    if not deviation(returns):
        return None
    standard = (returns - returns.mean()) / returns.std()
    return defined(np.mean(standard**4))
