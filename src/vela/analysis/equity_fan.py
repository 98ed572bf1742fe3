"""The fan of equity curves that the same trades draw in other orders."""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

from vela.analysis.series import Series
from vela.domain.errors import ConfigurationError

_CELLS_AT_ONCE = 1_000_000
_LEVELS = (5, 25, 50, 75, 95)


class EquityFan(msgspec.Struct, frozen=True):
    """Percentiles of equity over the runs, along the way.

    Attributes:
        runs: how many orders were drawn.
        trades: int64, shape `(points,)`: after how many trades, from 0 to all.
        actual: equity after that many trades in the order in which they happened, in quote.
        percentiles: shape `(5, points)`: the 5th, 25th, 50th, 75th and 95th percentile, in quote.
    """

    runs: int
    trades: NDArray[np.int64]
    actual: Series
    percentiles: NDArray[np.float64]


def equity_fan(
    pnl: Series, initial: float, chance: np.random.Generator, runs: int = 1_000, points: int = 120
) -> EquityFan | None:
    """Shuffle the trades and return how equity spreads on the way; it begins and ends where the account did.

    Amounts in quote are added, not compounded. None without trades.

    Args:
        pnl: net profit of each closed trade, in quote.
        initial: equity before the first trade, in quote.
        chance: seeded generator; the same state gives the same result.
        runs: 1 or more.
        points: how many moments to report at most, 2 or more.

    Raises:
        ConfigurationError: fewer than one run or than two points.
    """
    if runs < 1 or points < 2:
        raise ConfigurationError(f"runs were {runs}, points {points}; accepted: 1 run and 2 points or more")
    count = len(pnl)
    if not count:
        return None
    trades = np.unique(np.linspace(0, count, min(points, count + 1)).round().astype(np.int64))
    at_once = max(1, _CELLS_AT_ONCE // count)
    parts = [_paths(pnl, chance, min(at_once, runs - done), trades) for done in range(0, runs, at_once)]
    spread = np.percentile(np.concatenate(parts), _LEVELS, axis=0)
    actual = np.concatenate(([0.0], np.cumsum(pnl)))[trades]
    return EquityFan(runs, trades, initial + actual, initial + spread)


def _paths(pnl: Series, chance: np.random.Generator, runs: int, trades: NDArray[np.int64]) -> NDArray[np.float64]:
    gains = np.cumsum(chance.permuted(np.broadcast_to(pnl, (runs, len(pnl))), axis=1), axis=1)
    return np.concatenate((np.zeros((runs, 1)), gains), axis=1)[:, trades]
