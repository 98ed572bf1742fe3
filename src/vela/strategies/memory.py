"""How long recursive smoothing remembers where it started."""

from __future__ import annotations

from functools import lru_cache

# Weight of the start that is left when a value counts as independent of it: below the spacing of doubles.
FORGOTTEN = 1e-16


def ema_keeps(period: int) -> float:
    """Return the share of its past that an exponential average keeps each candle."""
    return 1 - 2 / (period + 1)


def wilder_keeps(period: int) -> float:
    """Return the share of its past that Wilder's smoothing keeps each candle."""
    return 1 - 1 / period


@lru_cache(maxsize=1024)
def candles_to_forget(*keeps: float) -> int:
    """Return how many candles after seeding the start weighs less than a double can show.

    Args:
        keeps: share of its past, 0 to below 1, that a smoothing keeps each candle; of several each smooths the result
            of the one before, whose error it takes in while it forgets its own.
    """
    weights, candles = [1.0] * len(keeps), 0
    while max(weights) >= FORGOTTEN:
        before = 0.0  # prices themselves carry no error
        for stage, kept in enumerate(keeps):
            weights[stage] = before = kept * weights[stage] + (1 - kept) * before
        candles += 1
    return candles
