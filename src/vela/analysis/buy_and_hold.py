"""What doing nothing would have brought."""

from __future__ import annotations

from vela.analysis.series import Series
from vela.analysis.total_return import total_return_pct


def buy_and_hold_pct(values: Series) -> float | None:
    """Return 100 × (last − first) / first, in percent.

    None for an empty series or where the first value is not above zero.

    Args:
        values: price of the asset, or value of the basket held, oldest first.
    """
    return total_return_pct(float(values[0]), float(values[-1])) if len(values) else None
