"""Minimum track record length: how long the run must be before its Sharpe ratio says anything."""

from __future__ import annotations

from vela.analysis.kurtosis import kurtosis
from vela.analysis.probabilistic_sharpe import NORMAL, sharpe_variance
from vela.analysis.series import Series, defined
from vela.analysis.sharpe import period_sharpe
from vela.analysis.skewness import skewness
from vela.domain.errors import ConfigurationError


def required_returns(
    sharpe: float, benchmark: float, skew: float, kurt: float, confidence: float = 0.95
) -> float | None:
    """Return 1 + (1 − skew × SR + (kurt − 1) / 4 × SR²) × (Φ⁻¹(c) / (SR − SR*))²: how many returns are needed.

    None where the ratio does not exceed the benchmark: no length suffices.

    Args:
        sharpe: estimated ratio, per period, not annualised.
        benchmark: ratio that is to be exceeded, per period.
        skew: of the returns.
        kurt: of the returns.
        confidence: of the verdict, at least 0.5 and below 1.

    Raises:
        ConfigurationError: the confidence is out of range.

    Source: D. H. Bailey and M. López de Prado, The Sharpe Ratio Efficient Frontier, Journal of Risk 15 (2012).
    """
    if not 0.5 <= confidence < 1.0:
        raise ConfigurationError(f"confidence was {confidence}; accepted: 0.5 or above and below 1, such as 0.95")
    lead = sharpe - benchmark
    if lead <= 0.0:
        return None
    score = NORMAL.inv_cdf(confidence) / lead
    return defined(1.0 + max(sharpe_variance(sharpe, skew, kurt), 0.0) * score * score)


def minimum_track_record_days(returns: Series, benchmark: float = 0.0, confidence: float = 0.95) -> float | None:
    """Return how many days of such returns prove, at `confidence`, a Sharpe ratio above `benchmark`.

    None for fewer than two returns, where all are equal, or where the ratio does not exceed the benchmark.

    Args:
        returns: daily returns, as fractions.
        benchmark: daily ratio, not annualised.
        confidence: at least 0.5 and below 1.

    Raises:
        ConfigurationError: the confidence is out of range.
    """
    ratio, skew, kurt = period_sharpe(returns), skewness(returns), kurtosis(returns)
    if ratio is None or skew is None or kurt is None:
        return None
    return required_returns(ratio, benchmark, skew, kurt, confidence)
