"""Calmar ratio: growth per unit of drawdown."""

from __future__ import annotations

from vela.analysis.series import quotient


def calmar(cagr_pct: float | None, max_drawdown_pct: float) -> float | None:
    """Return annual growth / deepest drawdown over the whole run; a plain number.

    None without a growth rate or without a drawdown.

    Source: T. W. Young, Calmar Ratio: A Smoother Tool, Futures 20 (1991), there over 36 months.
    """
    return None if cagr_pct is None else quotient(cagr_pct, max_drawdown_pct)
