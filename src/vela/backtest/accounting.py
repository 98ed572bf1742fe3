"""The account in compiled code: what orders cost, how large they are, what everything is worth.

Prices are ticks, quantities steps, money pairs of 64 bits (`wide`) in one unit for all symbols: a fill's value is
price ticks × quantity steps × the symbol's scale, and its fee that × `fee_numerator` / `fee_denominator`, kept whole by
counting in units of 1 / `fee_denominator`.
"""

# mypy: disable-error-code="no-untyped-def,no-untyped-call,misc"
# ruff: noqa: ANN001, ANN201, ANN202  compiled functions are typed by their arguments

from __future__ import annotations

import numpy as np

from vela.backtest.compiled import compiled_part
from vela.backtest.tables import ALL, OPEN, PERCENT
from vela.backtest.wide import add, approximate, is_less, product, quotient, subtract, times
from vela.domain.execution_rules import market_fill_ticks, order_slippage_ppm
from vela.engine.exits import lowest_exit


@compiled_part
def to_ticks(price, per_unit):
    """Return a price in whole ticks, the nearest."""
    return np.int64(np.rint(price * per_unit))


@compiled_part
def _traded(ticks, steps, scale):
    return times(product(ticks, steps), scale)


@compiled_part
def value_of(ticks, steps, scale, options):
    """Return what an order trades."""
    return times(_traded(ticks, steps, scale), options.fee_denominator)


@compiled_part
def cost_of(ticks, steps, scale, options):
    """Return what an order trades, and its fee on top."""
    return times(_traded(ticks, steps, scale), options.fee_denominator + options.fee_numerator)


@compiled_part
def _proceeds_of(ticks, steps, scale, options):
    """Return what an order trades, less its fee."""
    return times(_traded(ticks, steps, scale), options.fee_denominator - options.fee_numerator)


@compiled_part
def can_leave(ticks, steps, is_long, min_steps, min_value, options):
    """Say whether what is left of an entry after its fee reaches the smallest order at the lowest price of its exit."""
    lowest = lowest_exit(ticks, options.stop_loss_ppm, options.trailing_ppm, is_long)
    whole, left = options.fee_denominator, options.fee_denominator - options.fee_numerator
    if is_less(product(steps, left), product(min_steps, whole)):
        return False
    return not is_less(times(product(lowest, steps), left), product(min_value, whole))


@compiled_part
def slippage_of(market, grids, options, s, row, steps):
    """Return the millionths that an order loses in the candle of that row; the one before tells what is traded."""
    if options.impact_ppm == 0:
        return options.slippage_ppm
    return order_slippage_ppm(steps, grids.step[s], market.volume[row - 1], options.slippage_ppm, options.impact_ppm)


@compiled_part
def entry_order(market, grids, options, s, row, is_long, cash, equity):
    """Return an entry's fill price in ticks and its size in steps.

    A larger order gets a worse price, which makes it smaller: sized for the price that it would get if it made none
    worse, it is sized again for its own.
    """
    quote = to_ticks(market.open[row], grids.ticks_per_unit[s])
    ticks = market_fill_ticks(quote, is_long, options.slippage_ppm)
    steps = _entry_steps(ticks, grids.scale[s], cash, equity, options)
    if options.impact_ppm == 0:
        return ticks, steps
    ticks = market_fill_ticks(quote, is_long, slippage_of(market, grids, options, s, row, steps))
    steps = min(steps, _entry_steps(ticks, grids.scale[s], cash, equity, options))
    return market_fill_ticks(quote, is_long, slippage_of(market, grids, options, s, row, steps)), steps


@compiled_part
def _entry_steps(ticks, scale, cash, equity, options):
    per_step = value_of(ticks, np.int64(1), scale, options)
    if options.stake_kind == ALL:
        if cash[0] < 0:
            return np.int64(0)
        return quotient(cash, cost_of(ticks, np.int64(1), scale, options))
    if options.stake_kind == PERCENT:
        if equity[0] < 0:
            return np.int64(0)
        budget = times(equity, options.percent_numerator)
        return quotient(budget, times(per_step, options.percent_denominator))
    return quotient((options.stake_high, options.stake_low), per_step)


@compiled_part
def cash_of(account):
    """Return the cash, exact."""
    return account.cash_high[0], account.cash_low[0]


@compiled_part
def cash_value(account):
    """Return the cash as a float, in money units."""
    return approximate(cash_of(account))


@compiled_part
def pay(account, is_buy, ticks, steps, scale, options):
    """Book a fill and its fee."""
    cash = cash_of(account)
    if is_buy:
        cash = subtract(cash, cost_of(ticks, steps, scale, options))
    else:
        cash = add(cash, _proceeds_of(ticks, steps, scale, options))
    account.cash_high[0], account.cash_low[0] = cash


@compiled_part
def exact_equity(market, grids, options, book, account):
    """Return cash and what is held at its newest close, exact, for stakes that are a share of it."""
    total = cash_of(account)
    for index in range(account.counts[OPEN]):
        s = book.open_symbols[index]
        mark = to_ticks(market.close[account.row[s] - 1], grids.ticks_per_unit[s])
        value = value_of(mark, book.steps[s], grids.scale[s], options)
        total = add(total, value) if book.side[s] > 0 else subtract(total, value)
    return total


@compiled_part
def worth_of(market, book, account):
    """Return the account's value in money units, each symbol standing behind the row that closed."""
    worth = cash_value(account)
    for index in range(account.counts[OPEN]):
        s = book.open_symbols[index]
        worth += book.weight[s] * market.close[account.row[s] - 1]
    return worth
