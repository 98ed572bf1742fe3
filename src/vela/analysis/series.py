"""The arrays that statistics read, and the guard that keeps NaN and infinity out of what they return."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Series = NDArray[np.float64]
Times = NDArray[np.int64]


def defined(value: float) -> float | None:
    """Return `value`, or None if it is NaN or infinite."""
    number = float(value)
    return number if math.isfinite(number) else None


def quotient(numerator: float, denominator: float) -> float | None:
    """Return `numerator / denominator`, or None if the denominator is 0 or the result is no finite number."""
    return defined(float(numerator) / float(denominator)) if denominator else None
