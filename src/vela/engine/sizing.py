"""How large an entry is."""

from __future__ import annotations

from decimal import Decimal

from vela.domain.money import add, multiply
from vela.engine.rules import Stake, StakeKind


def entry_steps(stake: Stake, price: Decimal, step: Decimal, free: Decimal, equity: Decimal, fee_rate: Decimal) -> int:
    """Return the quantity of an entry in whole steps, rounded down.

    Args:
        stake: what to spend.
        price: expected fill price, quote per base, slippage included.
        step: smallest quantity, in base.
        free: quote that can be spent.
        equity: value of the whole account, in quote.
        fee_rate: fraction of the order's value; only `all` pays it out of the stake.
    """
    per_step = multiply(price, step)
    if stake.kind is StakeKind.ALL:
        budget, per_step = free, multiply(per_step, add(Decimal(1), fee_rate))
    elif stake.kind is StakeKind.PERCENT:
        budget = multiply(equity, stake.amount, Decimal("0.01"))
    else:
        budget = stake.amount
    return int(budget // per_step)
