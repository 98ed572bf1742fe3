"""Exact money in compiled code: whole numbers of 128 bits as pairs (high, low).

The value of a pair is high × 2**64 + low, low taken as unsigned; a negative number has a negative high. Amounts stay
below 2**126: in units of 1e-22 that is more money than there is.
"""

# mypy: disable-error-code="no-untyped-def,no-untyped-call"
# ruff: noqa: ANN001, ANN201  compiled functions are typed by their arguments
from __future__ import annotations

import numpy as np

from vela.backtest.compiled import compiled

_HALF = np.uint64(0xFFFFFFFF)
_SHIFT = np.uint64(32)
_ONE = np.uint64(1)
_TWO_64 = 18446744073709551616.0


@compiled
def product(a, b):
    """Return a × b of two int64, both 0 or more."""
    x, y = np.uint64(a), np.uint64(b)
    x0, x1, y0, y1 = x & _HALF, x >> _SHIFT, y & _HALF, y >> _SHIFT
    low = x0 * y0
    first = x1 * y0 + (low >> _SHIFT)
    second = x0 * y1 + (first & _HALF)
    high = x1 * y1 + (first >> _SHIFT) + (second >> _SHIFT)
    return np.int64(high), (second << _SHIFT) | (low & _HALF)


@compiled
def times(a, factor):
    """Return a × factor of a pair and an int64, both 0 or more."""
    high, low = product(np.int64(a[1] >> _ONE), factor)
    # The low half may fill all 64 bits: its half is multiplied, doubled, and the odd bit added.
    doubled = (high << 1) | np.int64(low >> np.uint64(63)), low << _ONE
    odd = (np.int64(0), np.uint64(factor) if a[1] & _ONE else np.uint64(0))
    total = add(doubled, odd)
    return total[0] + a[0] * factor, total[1]


@compiled
def add(a, b):
    """Return a + b."""
    low = a[1] + b[1]
    return a[0] + b[0] + (1 if low < a[1] else 0), low


@compiled
def subtract(a, b):
    """Return a - b."""
    return a[0] - b[0] - (1 if a[1] < b[1] else 0), a[1] - b[1]


@compiled
def is_less(a, b):
    """Say whether a < b."""
    return a[0] < b[0] or (a[0] == b[0] and a[1] < b[1])


@compiled
def approximate(a):
    """Return the nearest float, give or take a unit in the last place."""
    return a[0] * _TWO_64 + np.float64(a[1])


@compiled
def quotient(a, b):
    """Return floor(a / b) of two pairs, a 0 or more, b above 0; the result must fit into 62 bits."""
    guess = np.int64(approximate(a) / approximate(b))
    # The floats are good for 50 bits: beyond them the guess may be off, and is mended in strides, then in ones.
    stride = (guess >> 50) + 1
    while is_less(a, times(b, guess)):
        guess = max(guess - stride, np.int64(0))
    while not is_less(a, times(b, guess + 1)):
        guess += 1
    return guess
