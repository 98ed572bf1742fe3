"""Probabilistic Sharpe ratio: how sure it is that the true ratio lies above a benchmark."""

from __future__ import annotations

import math
from statistics import NormalDist

from vela.analysis.kurtosis import kurtosis
from vela.analysis.series import Series, defined, quotient
from vela.analysis.sharpe import period_sharpe
from vela.analysis.skewness import skewness

NORMAL = NormalDist()


def sharpe_variance(sharpe: float, skew: float, kurt: float) -> float:
    """Return 1 − skew × SR + (kurt − 1) / 4 × SR²: the variance of an estimated Sharpe ratio, times n − 1.

    Args:
        sharpe: per period, not annualised.
        skew: of the returns, 0 for normal ones.
        kurt: of the returns, 3 for normal ones.

    Source: E. Mertens, Comments on Variance of the IID Estimator in Lo (2002), as used by Bailey and López de Prado.
    """
    return 1.0 - skew * sharpe + (kurt - 1.0) / 4.0 * sharpe * sharpe


def sharpe_probability(sharpe: float, benchmark: float, count: int, skew: float, kurt: float) -> float | None:
    """Return Φ((SR − SR*) × √(n − 1) / √(1 − skew × SR + (kurt − 1) / 4 × SR²)), a probability in 0–1.

    None for fewer than two returns or where the root is that of zero or less.

    Args:
        sharpe: estimated ratio, per period, not annualised.
        benchmark: ratio that is to be exceeded, per period.
        count: number of returns.
        skew: of the returns.
        kurt: of the returns.

    Source: D. H. Bailey and M. López de Prado, The Sharpe Ratio Efficient Frontier, Journal of Risk 15 (2012).
    """
    variance = sharpe_variance(sharpe, skew, kurt)
    if count < 2 or variance <= 0.0:
        return None
    score = quotient((sharpe - benchmark) * math.sqrt(count - 1), math.sqrt(variance))
    return None if score is None else defined(NORMAL.cdf(score))


def probabilistic_sharpe(returns: Series, benchmark: float = 0.0) -> float | None:
    """Return the probability that the true Sharpe ratio of the returns exceeds `benchmark`, in 0–1.

    None for fewer than two returns or where all are equal; see `sharpe_probability`.

    Args:
        returns: daily returns, as fractions.
        benchmark: daily ratio, not annualised.
    """
    ratio, skew, kurt = period_sharpe(returns), skewness(returns), kurtosis(returns)
    if ratio is None or skew is None or kurt is None:
        return None
    return sharpe_probability(ratio, benchmark, len(returns), skew, kurt)
