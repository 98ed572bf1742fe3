"""How large an entry is."""

from __future__ import annotations

from decimal import Decimal

from vela.domain.execution_rules import market_fill_ticks, order_slippage_ppm
from vela.domain.instrument import Instrument
from vela.domain.money import add, multiply
from vela.engine.rules import Stake, StakeKind, TradingRules


def entry_order(
    rules: TradingRules, instrument: Instrument, quote_ticks: int, volume: float, free: Decimal, equity: Decimal
) -> tuple[Decimal, int]:
    """Return the expected fill price of a buy, quote per base, and its size in whole steps.

    A larger order gets a worse price, which makes it smaller: sized for the price that it would get if it made none
    worse, it is sized again for its own.

    Args:
        rules: the account's.
        instrument: what is bought.
        quote_ticks: the market's price.
        volume: base traded in the newest candle that has closed.
        free: quote that can be spent.
        equity: value of the whole account, in quote.
    """

    def price_of(steps: int) -> Decimal:
        slippage_ppm = order_slippage_ppm(steps, float(instrument.step), volume, rules.slippage_ppm, rules.impact_ppm)
        return instrument.price(market_fill_ticks(quote_ticks, True, slippage_ppm))  # noqa: FBT003  is_buy

    def steps_at(price: Decimal) -> int:
        return entry_steps(rules.stake, price, instrument.step, free, equity, rules.fee_rate)

    steps = steps_at(price_of(0))
    if rules.impact_ppm:
        steps = min(steps, steps_at(price_of(steps)))
    return price_of(steps), steps


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
