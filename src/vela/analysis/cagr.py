"""Compound annual growth rate."""

from __future__ import annotations

from vela.analysis.daily import YEAR_DAYS
from vela.analysis.series import defined


def cagr_pct(initial: float, final: float, days: float) -> float | None:
    """Return 100 × ((final / initial)^(365 / days) − 1), in percent per year.

    None if `initial` or `days` is not above zero, if `final` is below zero, or if the rate is too large for a number
    (a good hour, compounded for a year).

    Args:
        initial: equity at the start, in quote.
        final: equity at the end, in quote.
        days: time between them (`daily.elapsed_days`).
    """
    if initial <= 0.0 or days <= 0.0 or final < 0.0:
        return None
    try:
        return defined(100.0 * ((final / initial) ** (YEAR_DAYS / days) - 1.0))
    except OverflowError:
        return None
