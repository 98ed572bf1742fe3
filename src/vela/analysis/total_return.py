"""What the whole run brought."""

from __future__ import annotations

from vela.analysis.series import quotient


def total_return_pct(initial: float, final: float) -> float | None:
    """Return 100 × (final − initial) / initial, in percent.

    None if `initial` is not above zero. Below −100 where more was lost than was there.
    """
    return quotient(100.0 * (final - initial), initial) if initial > 0.0 else None
