"""Sample standard deviation."""

from __future__ import annotations

import numpy as np

from vela.analysis.series import Series, defined

# Equal returns differ in their last bit after the division that made them; a spread below this is that bit.
_ROUNDING = 1e-14


def deviation(returns: Series) -> float | None:
    """Return √(Σ (r − mean)² / (n − 1)), in the unit of the returns; exactly 0.0 where all are equal but for rounding.

    None for fewer than two returns.
    """
    if len(returns) < 2:
        return None
    spread = defined(float(np.std(returns, ddof=1)))
    scale = max(1.0, float(np.abs(returns).max()))
    return 0.0 if spread is not None and spread <= _ROUNDING * scale else spread
