"""The order in which an entry is checked, on plain numbers, so that live code and compiled loops run the same lines."""

from __future__ import annotations

PASSED = 0
POSITION_OPEN = 1
REGIME = 2
COOLDOWN = 3
MAX_POSITIONS = 4
MIN_NOTIONAL = 5
BALANCE = 6

NEVER = -(2**62)
"""Time of an entry that never was, ms UTC."""


def entry_refusal(  # noqa: PLR0913, PLR0917  plain numbers instead of a record, for compiled loops
    is_held: bool,  # noqa: FBT001
    suits_regime: bool,  # noqa: FBT001
    since_entry_ms: int,
    cooldown_ms: int,
    open_positions: int,
    max_positions: int,
    is_orderable: bool,  # noqa: FBT001
    is_penniless: bool,  # noqa: FBT001
    is_affordable: bool,  # noqa: FBT001
) -> int:
    """Return the first reason against an entry, or PASSED.

    Args:
        is_held: the symbol is held, or an order to enter it is under way.
        suits_regime: the market's regime lets entries pass.
        since_entry_ms: time since the symbol's newest entry.
        cooldown_ms: shortest time from entry to entry.
        open_positions: positions held and entries under way, over all symbols.
        max_positions: how many may be.
        is_orderable: what is bought reaches the venue's minimums, and so does what is sold at its stop.
        is_penniless: not even the smallest quantity could be paid; then too small an order is a matter of balance.
        is_affordable: the cost, fee included, does not exceed what is free.
    """
    refusal = PASSED
    if is_held:
        refusal = POSITION_OPEN
    elif not suits_regime:
        refusal = REGIME
    elif since_entry_ms < cooldown_ms:
        refusal = COOLDOWN
    elif open_positions >= max_positions:
        refusal = MAX_POSITIONS
    elif not is_orderable:
        refusal = BALANCE if is_penniless else MIN_NOTIONAL
    elif not is_affordable:
        refusal = BALANCE
    return refusal
