"""Monte Carlo: what else the same trades could have brought."""

from __future__ import annotations

from enum import StrEnum

import msgspec
import numpy as np

from vela.analysis.series import Series
from vela.domain.errors import ConfigurationError, MoneyError

_CELLS_AT_ONCE = 1_000_000


class Resampling(StrEnum):
    """How a run is made of the trades."""

    SHUFFLE = "shuffle"
    BOOTSTRAP = "bootstrap"


class Percentiles(msgspec.Struct, frozen=True):
    """Five points of a distribution, linearly interpolated, in its unit."""

    p5: float
    p25: float
    p50: float
    p75: float
    p95: float


class MonteCarlo(msgspec.Struct, frozen=True):
    """What the runs brought.

    Attributes:
        runs: how many.
        resampling: how they were made.
        final_equity: in quote.
        max_drawdown_pct: of equity after each trade, in percent of the peak, 0–100.
    """

    runs: int
    resampling: Resampling
    final_equity: Percentiles
    max_drawdown_pct: Percentiles


def monte_carlo(
    pnl: Series,
    initial: float,
    chance: np.random.Generator,
    runs: int = 1_000,
    resampling: Resampling = Resampling.SHUFFLE,
) -> MonteCarlo | None:
    """Return percentiles of final equity and drawdown over runs of the same trades.

    A shuffle has every trade once, in another order: the end is the same, the way differs. A bootstrap draws as many
    trades with replacement: both differ. Amounts in quote are added, not compounded. None without trades.

    Args:
        pnl: net profit of each closed trade, in quote.
        initial: equity before the first trade, in quote, above 0.
        chance: seeded generator; the same state gives the same result.
        runs: 1 or more.
        resampling: shuffle or bootstrap.

    Raises:
        ConfigurationError: fewer than one run.
        MoneyError: `initial` is not above zero.
    """
    if runs < 1:
        raise ConfigurationError(f"runs was {runs}; accepted: 1 or more")
    if not initial > 0.0:
        raise MoneyError(f"initial equity was {initial}; accepted: above 0")
    if not len(pnl):
        return None
    at_once = max(1, _CELLS_AT_ONCE // len(pnl))
    parts = [_runs(pnl, initial, chance, min(at_once, runs - done), resampling) for done in range(0, runs, at_once)]
    final, deepest = (np.concatenate(column) for column in zip(*parts, strict=True))
    return MonteCarlo(runs, resampling, _percentiles(final), _percentiles(deepest))


def _runs(
    pnl: Series, initial: float, chance: np.random.Generator, runs: int, resampling: Resampling
) -> tuple[Series, Series]:
    if resampling is Resampling.SHUFFLE:
        drawn = chance.permuted(np.broadcast_to(pnl, (runs, len(pnl))), axis=1)
    else:
        drawn = pnl[chance.integers(len(pnl), size=(runs, len(pnl)))]
    equity = initial + np.cumsum(drawn, axis=1)
    peak = np.maximum(np.maximum.accumulate(equity, axis=1), initial)
    deepest = ((peak - equity) / peak).max(axis=1)
    return equity[:, -1], np.minimum(100.0 * deepest, 100.0)


def _percentiles(values: Series) -> Percentiles:
    return Percentiles(*np.percentile(values, [5, 25, 50, 75, 95]).tolist())
