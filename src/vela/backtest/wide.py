"""Exact money in compiled code: whole numbers of 128 bits as pairs (high, low).

The value of a pair is high × 2**64 + low, low taken as unsigned; a negative number has a negative high. Amounts stay
below 2**126: in units of 1e-22 that is more money than there is.
"""

# mypy: disable-error-code="no-untyped-def,no-untyped-call"
# ruff: noqa: ANN001, ANN201, ANN202  compiled functions are typed by their arguments
from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from vela.backtest.compiled import compiled

_WIDE = ir.IntType(128)
_TWO_64 = 18446744073709551616.0


def _multiply(context, first, second):  # noqa: ARG001  as Numba calls it
    """Write the upper 64 bits of the product of two uint64: one instruction, for which NumPy has no name."""

    def generate(_: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ANN401, ARG001  LLVM's
        wide = builder.zext(arguments[0], _WIDE), builder.zext(arguments[1], _WIDE)
        return builder.trunc(builder.lshr(builder.mul(*wide), _WIDE(64)), arguments[0].type)

    return types.uint64(types.uint64, types.uint64), generate


_upper_half: Any = intrinsic(_multiply)


@compiled
def product(a, b):
    """Return a × b of two int64, both 0 or more."""
    return np.int64(_upper_half(np.uint64(a), np.uint64(b))), np.uint64(a) * np.uint64(b)


@compiled
def times(a, factor):
    """Return a × factor of a pair and an int64, both 0 or more."""
    high = np.int64(_upper_half(a[1], np.uint64(factor)))
    return high + a[0] * factor, a[1] * np.uint64(factor)


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
