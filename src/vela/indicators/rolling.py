"""Means and deviations over a sliding window, compiled; each is added up afresh, oldest value first."""

# mypy: disable-error-code="no-untyped-def"
# ruff: noqa: ANN001, ANN201  compiled functions are typed by their arguments
from __future__ import annotations

import numba
import numpy as np

# Sums worked on at a time: they and their terms stay in the processor's nearest memory.
_BLOCK = 512


@numba.njit(cache=True)
def window_means(values, period):
    """Return the mean of every `period` values in a row at the last of them, shape `(n,)`, NaN before the first.

    Args:
        values: float64, shape `(n,)`.
        period: at least 1.
    """
    means = np.full(values.shape[0], np.nan)
    for start in range(period - 1, values.shape[0], _BLOCK):
        size = min(_BLOCK, values.shape[0] - start)
        # Slices that begin where they are read let the compiler add several at a time.
        part = means[start : start + size]
        part[:] = 0.0
        for offset in range(start - period + 1, start + 1):
            terms = values[offset : offset + size]
            for i in range(size):
                part[i] += terms[i]
        for i in range(size):
            part[i] /= period
    return means


@numba.njit(cache=True)
def window_deviations(values, means, period):
    """Return the population standard deviation of every `period` values in a row, shape `(n,)`, NaN before the first.

    Args:
        values: float64, shape `(n,)`.
        means: of the windows, as `window_means` gives them.
        period: at least 1.
    """
    deviations = np.full(values.shape[0], np.nan)
    for start in range(period - 1, values.shape[0], _BLOCK):
        size = min(_BLOCK, values.shape[0] - start)
        part, middle = deviations[start : start + size], means[start : start + size]
        part[:] = 0.0
        for offset in range(start - period + 1, start + 1):
            terms = values[offset : offset + size]
            for i in range(size):
                distance = terms[i] - middle[i]
                part[i] += distance * distance
        for i in range(size):
            part[i] = np.sqrt(part[i] / period)
    return deviations
