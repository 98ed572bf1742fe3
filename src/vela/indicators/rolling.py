"""Means and deviations over a sliding window, compiled; each is added up afresh, oldest value first."""

# mypy: disable-error-code="no-untyped-def"
# ruff: noqa: ANN001, ANN201  compiled functions are typed by their arguments
from __future__ import annotations

import numba
import numpy as np

# Sums worked on at a time: they and their terms stay in the processor's nearest memory.
_BLOCK = 256
# Terms added to a sum before it is put back: memory is slower than adding. The order of the additions stays the same.
_AT_ONCE = 5


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
        offset, end = start - period + 1, start + 1
        while offset + _AT_ONCE <= end:
            a, b = values[offset : offset + size], values[offset + 1 : offset + 1 + size]
            c, d = values[offset + 2 : offset + 2 + size], values[offset + 3 : offset + 3 + size]
            e = values[offset + 4 : offset + 4 + size]
            for i in range(size):
                part[i] = part[i] + a[i] + b[i] + c[i] + d[i] + e[i]
            offset += _AT_ONCE
        while offset < end:
            a = values[offset : offset + size]
            for i in range(size):
                part[i] += a[i]
            offset += 1
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
        offset, end = start - period + 1, start + 1
        while offset + _AT_ONCE <= end:
            a, b = values[offset : offset + size], values[offset + 1 : offset + 1 + size]
            c, d = values[offset + 2 : offset + 2 + size], values[offset + 3 : offset + 3 + size]
            e = values[offset + 4 : offset + 4 + size]
            for i in range(size):
                m = middle[i]
                total = part[i] + (a[i] - m) * (a[i] - m) + (b[i] - m) * (b[i] - m)
                part[i] = total + (c[i] - m) * (c[i] - m) + (d[i] - m) * (d[i] - m) + (e[i] - m) * (e[i] - m)
            offset += _AT_ONCE
        while offset < end:
            a = values[offset : offset + size]
            for i in range(size):
                distance = a[i] - middle[i]
                part[i] += distance * distance
            offset += 1
        for i in range(size):
            part[i] = np.sqrt(part[i] / period)
    return deviations
