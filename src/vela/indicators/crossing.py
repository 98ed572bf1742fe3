"""Where one series crosses another."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vela.indicators.averages import Series


def crosses_above(first: Series, second: Series) -> NDArray[np.bool_]:
    """Say for each row whether `first` is above `second` now and was not one row earlier; False where either is NaN."""
    crossed = np.zeros(len(first), dtype=np.bool_)
    np.logical_and(first[1:] > second[1:], first[:-1] <= second[:-1], out=crossed[1:])
    return crossed


def crosses_below(first: Series, second: Series) -> NDArray[np.bool_]:
    """Say for each row whether `first` is below `second` now and was not one row earlier; False where either is NaN."""
    return crosses_above(second, first)
