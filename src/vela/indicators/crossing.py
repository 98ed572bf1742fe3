"""Where one series crosses another."""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from vela.indicators.averages import Series

# What recursive averages may be off by, as a share of the price: far above the spacing of doubles, far below a tick.
ROUNDING = 1e-12


def crosses_above(first: Series, second: Series) -> NDArray[np.bool_]:
    """Say for each row whether `first` is above `second` now and was not one row earlier; False where either is NaN."""
    crossed: NDArray[np.bool_] = _crossings(first, second)
    return crossed


@numba.njit(cache=True)
def _crossings(first, second):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202  typed by its arguments
    crossed = np.zeros(first.shape[0], dtype=np.bool_)
    for i in range(1, first.shape[0]):
        crossed[i] = (first[i] > second[i]) & (first[i - 1] <= second[i - 1])
    return crossed


def crosses_below(first: Series, second: Series) -> NDArray[np.bool_]:
    """Say for each row whether `first` is below `second` now and was not one row earlier; False where either is NaN."""
    return crosses_above(second, first)


def snap(values: Series, level: Series, price: Series) -> Series:
    """Return `values`, put on `level` wherever the two differ by no more than rounding leaves of `price`.

    Averages of a market that stands still meet, but only up to their last digits; which of them ends up on top depends
    on what came before. Compared after `snap` they are equal, as they are on paper.
    """
    return np.where(np.abs(values - level) <= ROUNDING * price, level, values)


def begins(holds: NDArray[np.bool_], known: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Say for each row whether it `holds` now and did not one row earlier, when that was `known` already."""
    begun = np.zeros(len(holds), dtype=np.bool_)
    np.logical_and(holds[1:], ~holds[:-1] & known[:-1], out=begun[1:])
    return begun
