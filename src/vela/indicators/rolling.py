"""Sums over a sliding window, compiled. Each is added up afresh, oldest value first: what came before has no say."""

# mypy: disable-error-code="no-untyped-def"
# ruff: noqa: ANN001, ANN201  compiled functions are typed by their arguments
from __future__ import annotations

import numba
import numpy as np

# Sums worked on at a time: they and their terms stay in the processor's nearest memory.
_BLOCK = 512


@numba.njit(cache=True)
def window_sums(values, period):
    """Return the sum of every `period` values in a row, shape `(n - period + 1,)`.

    Args:
        values: float64, shape `(n,)`, n at least `period`.
        period: at least 1.
    """
    count = values.shape[0] - period + 1
    sums = np.zeros(count)
    for start in range(0, count, _BLOCK):
        size = min(_BLOCK, count - start)
        # Slices that begin where they are read let the compiler add several at a time.
        part = sums[start : start + size]
        for offset in range(start, start + period):
            terms = values[offset : offset + size]
            for i in range(size):
                part[i] += terms[i]
    return sums


@numba.njit(cache=True)
def window_squares(values, means, period):
    """Return, for every `period` values in a row, the sum of their squared distances from the window's mean.

    Args:
        values: float64, shape `(n,)`, n at least `period`.
        means: float64, shape `(n - period + 1,)`.
        period: at least 1.
    """
    count = values.shape[0] - period + 1
    sums = np.zeros(count)
    for start in range(0, count, _BLOCK):
        size = min(_BLOCK, count - start)
        part, middle = sums[start : start + size], means[start : start + size]
        for offset in range(start, start + period):
            terms = values[offset : offset + size]
            for i in range(size):
                distance = terms[i] - middle[i]
                part[i] += distance * distance
    return sums
