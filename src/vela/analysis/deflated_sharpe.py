"""Deflated Sharpe ratio: the probabilistic one against the luck of the best of many trials."""

from __future__ import annotations

import math

from vela.analysis.probabilistic_sharpe import NORMAL, probabilistic_sharpe
from vela.analysis.series import Series
from vela.domain.errors import ConfigurationError

EULER_MASCHERONI = 0.577_215_664_901_532_9


def expected_maximum_sharpe(trials: int, variance: float) -> float:
    """Return √V × ((1 − g) × Φ⁻¹(1 − 1/N) + g × Φ⁻¹(1 − 1/(N × e))): the best of N ratios where none has skill.

    g is the Euler–Mascheroni constant.

    0.0 for one trial: nothing was chosen. In the unit of the ratios whose variance is given.

    Args:
        trials: number of independent trials, 1 or more.
        variance: of the trials' Sharpe ratios, 0 or above.

    Raises:
        ConfigurationError: fewer than one trial, or a variance below zero or not finite.

    Source: D. H. Bailey and M. López de Prado, The Deflated Sharpe Ratio, Journal of Portfolio Management 40 (2014).
    """
    if trials < 1:
        raise ConfigurationError(f"trials was {trials}; accepted: 1 or more, every parameter set that was tried")
    if not (math.isfinite(variance) and variance >= 0.0):
        raise ConfigurationError(f"variance of the trials' Sharpe ratios was {variance}; accepted: 0 or above, finite")
    if trials == 1:
        return 0.0
    # Φ⁻¹(1 − p) is −Φ⁻¹(p), which keeps its digits for a small p.
    typical, tail = NORMAL.inv_cdf(1.0 / trials), NORMAL.inv_cdf(1.0 / (trials * math.e))
    return -math.sqrt(variance) * ((1.0 - EULER_MASCHERONI) * typical + EULER_MASCHERONI * tail)


def deflated_sharpe(returns: Series, trials: int, variance: float | None = None) -> float | None:
    """Return the probability that the true Sharpe ratio exceeds the best that luck gives in N trials, in 0–1.

    None for fewer than two returns or where all are equal. With one trial it is the probabilistic ratio against 0.

    Args:
        returns: daily returns of the chosen trial, as fractions.
        trials: number of independent trials, the chosen one included.
        variance: of the trials' daily Sharpe ratios. None: 1 / (n − 1), what the estimate scatters by where the true
            ratio is 0 and returns are normal (A. W. Lo, The Statistics of Sharpe Ratios, 2002).

    Raises:
        ConfigurationError: fewer than one trial, or a variance below zero or not finite.

    Source: D. H. Bailey and M. López de Prado, The Deflated Sharpe Ratio, Journal of Portfolio Management 40 (2014).
    """
    scatter = 1.0 / max(len(returns) - 1, 1) if variance is None else variance
    return probabilistic_sharpe(returns, expected_maximum_sharpe(trials, scatter))
