"""The backtest's loop over candles, compiled. It calls the engine's rules; what is here is bookkeeping.

Prices are ticks, quantities steps, money pairs of 64 bits (`wide`) in one unit for all symbols: a fill's value is
price ticks × quantity steps × the symbol's scale, and its fee that × `fee_numerator` / `fee_denominator`, kept whole by
counting in units of 1 / `fee_denominator`.
"""

# mypy: disable-error-code="no-untyped-def,no-untyped-call,misc"
# ruff: noqa: ANN001, ANN201, ANN202  compiled functions are typed by their arguments
# ruff: noqa: FBT003  plain numbers instead of records, for the compiler
from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from vela.backtest import compiled as _rules_are_known  # noqa: F401  first, so that the compiler knows the rules
from vela.backtest.wide import add, approximate, is_less, product, quotient, subtract, times
from vela.domain.execution_rules import limit_fill_ticks, market_fill_ticks, stop_fill_ticks
from vela.engine import gate
from vela.engine.exits import STOP_LOSS, stop_level, target_level, tightened_stop
from vela.engine.gate import NEVER, PASSED, entry_refusal

NONE, BUY, SELL = 0, 1, 2
"""What a row of signals asks for."""

BY_STOP_LOSS, BY_BREAK_EVEN, BY_TRAILING, BY_SIGNAL, BY_TARGET = 0, 1, 2, 3, 4
"""Why a position was closed: the first three are the rules of `engine.exits`, by their numbers."""

NO_POSITION = 7
"""Number of a refusal that is not the gate's: a sell with nothing to sell. The others are those of `engine.gate`."""

FIXED, PERCENT, ALL = 0, 1, 2
"""How a stake is given."""


class Market(NamedTuple):
    """Candles and signals of all symbols, one after the other; symbol s has the rows `first[s]` to `first[s + 1]`.

    `suits_long`, `suits_short`: whether the regime at a row lets entries pass; empty: always.
    `confidence`: empty means 1 everywhere.
    """

    first: NDArray[np.int64]
    time: NDArray[np.int64]
    open: NDArray[np.float64]
    high: NDArray[np.float64]
    low: NDArray[np.float64]
    close: NDArray[np.float64]
    action: NDArray[np.int8]
    confidence: NDArray[np.float64]
    suits_long: NDArray[np.bool_]
    suits_short: NDArray[np.bool_]


class Detail(NamedTuple):
    """Finer candles of all symbols, laid out as in `Market`; `length_ms`: of a coarse candle. Empty: none."""

    first: NDArray[np.int64]
    time: NDArray[np.int64]
    open: NDArray[np.float64]
    high: NDArray[np.float64]
    low: NDArray[np.float64]
    length_ms: int


class Grids(NamedTuple):
    """Per symbol: ticks per unit of price, value of a tick times a step in money units, smallest order in ticks × steps
    and in steps.
    """

    ticks_per_unit: NDArray[np.float64]
    scale: NDArray[np.int64]
    min_value: NDArray[np.int64]
    min_steps: NDArray[np.int64]


class Options(NamedTuple):
    """The rules in force; fractions in millionths, money in units. `stake`: see `Stake`, a percentage as a fraction."""

    capital_high: np.int64
    capital_low: np.uint64
    stake_kind: int
    stake_high: np.int64
    stake_low: np.uint64
    percent_numerator: int
    percent_denominator: int
    fee_numerator: int
    fee_denominator: int
    slippage_ppm: int
    max_positions: int
    cooldown_ms: int
    stop_loss_ppm: int
    take_profit_ppm: int
    trailing_ppm: int
    trailing_after_ppm: int
    break_even_after_ppm: int
    allow_short: bool


TRADE_FIELDS = ("symbol", "side", "entry_row", "exit_row", "entry_ticks", "exit_ticks", "steps", "reason")
"""Columns of the trades that the loop returns; rows count within the symbol."""


@numba.njit(cache=True)
def _ticks(price, per_unit):
    return np.int64(np.rint(price * per_unit))


@numba.njit(cache=True)
def _value(ticks, steps, scale, options):
    return times(times(product(ticks, steps), scale), options.fee_denominator)


@numba.njit(cache=True)
def _fee(ticks, steps, scale, options):
    return times(times(product(ticks, steps), scale), options.fee_numerator)


@numba.njit(cache=True)
def _moved(cash, is_buy, ticks, steps, scale, options):
    value, fee = _value(ticks, steps, scale, options), _fee(ticks, steps, scale, options)
    cash = subtract(cash, value) if is_buy else add(cash, value)
    return subtract(cash, fee)


@numba.njit(cache=True)
def _entry_steps(ticks, scale, cash, equity, options):
    per_step = _value(ticks, 1, scale, options)
    if options.stake_kind == ALL:
        if cash[0] < 0:
            return np.int64(0)
        return quotient(cash, add(per_step, _fee(ticks, 1, scale, options)))
    if options.stake_kind == PERCENT:
        if equity[0] < 0:
            return np.int64(0)
        budget = times(equity, options.percent_numerator)
        return quotient(budget, times(per_step, options.percent_denominator))
    return quotient((options.stake_high, options.stake_low), per_step)


@numba.njit(cache=True)
def _grow(trades):
    larger = np.empty((2 * trades.shape[0], trades.shape[1]), dtype=np.int64)
    larger[: trades.shape[0]] = trades
    return larger


@numba.njit(cache=True)
def _equity(cash, market, grids, options, book, row, open_symbols, open_count):
    # Exact, for stakes that are a share of it: what is held counts at its newest close.
    total = cash
    for index in range(open_count):
        s = open_symbols[index]
        mark = _ticks(market.close[row[s] - 1], grids.ticks_per_unit[s])
        value = _value(mark, book.steps[s], grids.scale[s], options)
        total = add(total, value) if book.side[s] > 0 else subtract(total, value)
    return total


class Book(NamedTuple):
    """The open positions, by symbol. `side`: 1 long, -1 short, 0 none; levels in ticks, 0: none; rows within all rows."""

    side: NDArray[np.int64]
    entry_row: NDArray[np.int64]
    entry_ticks: NDArray[np.int64]
    steps: NDArray[np.int64]
    stop: NDArray[np.int64]
    rule: NDArray[np.int64]
    target: NDArray[np.int64]
    best: NDArray[np.int64]
    last_entry: NDArray[np.int64]


@numba.njit(cache=True)
def _enter(book, s, row, time, ticks, steps, is_long, options):
    book.side[s] = 1 if is_long else -1
    book.entry_row[s] = row
    book.entry_ticks[s] = ticks
    book.steps[s] = steps
    book.best[s] = ticks
    book.last_entry[s] = time
    book.target[s] = target_level(ticks, options.take_profit_ppm, is_long) if options.take_profit_ppm else 0
    book.stop[s] = stop_level(ticks, options.stop_loss_ppm, is_long) if options.stop_loss_ppm else 0
    book.rule[s] = STOP_LOSS
    _tighten(book, s, is_long, options)


@numba.njit(cache=True)
def _tighten(book, s, is_long, options):
    book.stop[s], book.rule[s] = tightened_stop(
        book.entry_ticks[s],
        book.best[s],
        book.stop[s],
        book.rule[s],
        options.break_even_after_ppm,
        options.trailing_ppm,
        options.trailing_after_ppm,
        is_long,
    )


@numba.njit(cache=True)
def _touched(stop, target, is_long, first, lowest, highest, slippage_ppm):
    """Return the fills of stop and target on a move through a range, in ticks; 0 where not touched."""
    at_stop, at_target = np.int64(0), np.int64(0)
    if stop:
        at_stop = np.int64(stop_fill_ticks(stop, is_long, first, lowest, highest, slippage_ppm))
    if target:
        at_target = np.int64(limit_fill_ticks(target, is_long, first, lowest, highest))
    return at_stop, at_target


@numba.njit(cache=True)
def _settle(detail, per_unit, stop, target, is_long, s, begin, slippage_ppm):
    """Return which of stop and target the finer candles reach first, as fills in ticks; (0, 0) if they say nothing."""
    last = detail.first[s + 1]
    row = detail.first[s] + np.searchsorted(detail.time[detail.first[s] : last], begin)
    while row < last and detail.time[row] < begin + detail.length_ms:
        first, low, high = detail.open[row], detail.low[row], detail.high[row]
        at_stop, at_target = _touched(
            stop, target, is_long, _ticks(first, per_unit), _ticks(low, per_unit), _ticks(high, per_unit), slippage_ppm
        )
        if at_stop:
            return at_stop, np.int64(0)
        if at_target:
            return np.int64(0), at_target
        row += 1
    return np.int64(0), np.int64(0)


@numba.njit(cache=True)
def _inside(market, detail, grids, options, book, s, row):
    """Return the price in ticks at which a level was touched inside the candle, or 0, and why."""
    per_unit = grids.ticks_per_unit[s]
    is_long, stop, target = book.side[s] > 0, book.stop[s], book.target[s]
    low, high = market.low[row], market.high[row]
    # Most candles touch nothing: two comparisons of floats, with a tick to spare, before anything is counted in ticks.
    margin = 1.0 / per_unit
    if is_long:
        near_stop = stop > 0 and low <= stop / per_unit + margin
        near_target = target > 0 and high >= target / per_unit - margin
    else:
        near_stop = stop > 0 and high >= stop / per_unit - margin
        near_target = target > 0 and low <= target / per_unit + margin
    if not (near_stop or near_target):
        return np.int64(0), 0
    first, lowest, highest = _ticks(market.open[row], per_unit), _ticks(low, per_unit), _ticks(high, per_unit)
    at_stop, at_target = _touched(stop, target, is_long, first, lowest, highest, options.slippage_ppm)
    if at_stop and at_target and detail.time.shape[0] > 0:
        fine = _settle(detail, per_unit, stop, target, is_long, s, market.time[row], options.slippage_ppm)
        if fine[0] or fine[1]:
            at_stop, at_target = fine
    # Where nothing finer tells, the stop counts.
    if at_stop:
        return at_stop, book.rule[s]
    return at_target, BY_TARGET


@numba.njit(cache=True)
def simulate(market, detail, grids, options, step_times, equity):  # noqa: PLR0912, PLR0915  one loop, in the order of the contract
    """Run over all steps.

    Args:
        market, detail, grids, options: what to trade and how; symbols in their order.
        step_times: the open times of all symbols' candles together, ascending.
        equity: filled with the account's value at each step's close, in money units; empty: not wanted.

    Returns:
        The trades (columns `TRADE_FIELDS`), the open positions' book, cash (high, low), refusals by number, steps with
        a position.
    """
    symbols = market.first.shape[0] - 1
    book = Book(
        np.zeros(symbols, np.int64),
        np.zeros(symbols, np.int64),
        np.zeros(symbols, np.int64),
        np.zeros(symbols, np.int64),
        np.zeros(symbols, np.int64),
        np.zeros(symbols, np.int64),
        np.zeros(symbols, np.int64),
        np.zeros(symbols, np.int64),
        np.full(symbols, NEVER),
    )
    cash = (options.capital_high, options.capital_low)
    row = market.first[:-1].copy()
    trades, traded = np.empty((256, 8), dtype=np.int64), 0
    refused = np.zeros(8, dtype=np.int64)
    candidates, open_symbols = np.empty(symbols, np.int64), np.empty(symbols, np.int64)
    open_count, exposed = 0, 0
    moves_levels = options.trailing_ppm > 0 or options.break_even_after_ppm > 0
    watched = options.stop_loss_ppm > 0 or options.take_profit_ppm > 0 or moves_levels
    cash_value = approximate(cash)
    for step in range(step_times.shape[0]):
        now = step_times[step]
        waiting = 0
        # 1. Open: what was decided at the close before. Exits first ...
        for s in range(symbols):
            r = row[s]
            if r == market.first[s] or r == market.first[s + 1] or market.time[r] != now:
                continue
            action = market.action[r - 1]
            if action == NONE:
                continue
            if book.side[s] == 0:
                if action == SELL and not options.allow_short:
                    refused[NO_POSITION] += 1
                else:
                    candidates[waiting] = s
                    waiting += 1
            elif (action == BUY) == (book.side[s] > 0):
                refused[gate.POSITION_OPEN] += 1
            else:
                is_buy = book.side[s] < 0
                ticks = market_fill_ticks(_ticks(market.open[r], grids.ticks_per_unit[s]), is_buy, options.slippage_ppm)
                if traded == trades.shape[0]:
                    trades = _grow(trades)
                _close(trades, traded, market, book, s, r, ticks, BY_SIGNAL)
                traded += 1
                cash = _moved(cash, is_buy, ticks, book.steps[s], grids.scale[s], options)
                cash_value = approximate(cash)
                open_count = _forget(open_symbols, open_count, s)
                book.side[s] = 0
        # ... then entries, by confidence, then by symbol.
        if waiting > 1 and market.confidence.shape[0] > 0:
            _sort_by_confidence(candidates, waiting, market, row)
        for index in range(waiting):
            s = candidates[index]
            r = row[s]
            is_long = market.action[r - 1] == BUY
            scale = grids.scale[s]
            ticks = market_fill_ticks(_ticks(market.open[r], grids.ticks_per_unit[s]), is_long, options.slippage_ppm)
            equity_now = cash
            if options.stake_kind == PERCENT:
                equity_now = _equity(cash, market, grids, options, book, row, open_symbols, open_count)
            steps = _entry_steps(ticks, scale, cash, equity_now, options)
            suits = market.suits_long if is_long else market.suits_short
            least = product(grids.min_value[s], 1)
            cost = add(_value(ticks, steps, scale, options), _fee(ticks, steps, scale, options))
            refusal = entry_refusal(
                False,
                suits.shape[0] == 0 or suits[r - 1],
                now - book.last_entry[s],
                options.cooldown_ms,
                open_count,
                options.max_positions,
                steps > 0 and steps >= grids.min_steps[s] and not is_less(product(ticks, steps), least),
                steps == 0 and is_less(cash, _value(ticks, 1, scale, options)),
                not is_less(cash, cost),
            )
            if refusal != PASSED:
                refused[refusal] += 1
                continue
            _enter(book, s, r, now, ticks, steps, is_long, options)
            cash = _moved(cash, is_long, ticks, steps, scale, options)
            cash_value = approximate(cash)
            open_symbols[open_count] = s
            open_count += 1
        # 2. Inside: levels that stood at the open. 3. Close: levels move, the account is marked.
        index = 0
        worth = cash_value
        while index < open_count:
            s = open_symbols[index]
            r = row[s]
            is_here = r < market.first[s + 1] and market.time[r] == now
            if is_here and watched:
                ticks, reason = _inside(market, detail, grids, options, book, s, r)
                if ticks:
                    if traded == trades.shape[0]:
                        trades = _grow(trades)
                    _close(trades, traded, market, book, s, r, ticks, reason)
                    traded += 1
                    before = cash_value
                    cash = _moved(cash, book.side[s] < 0, ticks, book.steps[s], grids.scale[s], options)
                    cash_value = approximate(cash)
                    worth += cash_value - before
                    book.side[s] = 0
                    open_count = _forget(open_symbols, open_count, s)
                    continue
                if moves_levels:
                    is_long = book.side[s] > 0
                    extreme = _ticks(market.high[r] if is_long else market.low[r], grids.ticks_per_unit[s])
                    if extreme > book.best[s] if is_long else extreme < book.best[s]:
                        book.best[s] = extreme
                        _tighten(book, s, is_long, options)
            if equity.shape[0] > 0:
                mark = market.close[r if is_here else r - 1] * grids.ticks_per_unit[s]
                worth += book.side[s] * mark * book.steps[s] * grids.scale[s] * options.fee_denominator
            index += 1
        exposed += open_count > 0
        if equity.shape[0] > 0:
            equity[step] = worth
        for s in range(symbols):
            r = row[s]
            if r < market.first[s + 1] and market.time[r] == now:
                row[s] = r + 1
    return trades[:traded], book, cash, refused, exposed


@numba.njit(cache=True)
def _close(trades, index, market, book, s, row, ticks, reason):
    first = market.first[s]
    trades[index, 0] = s
    trades[index, 1] = book.side[s]
    trades[index, 2] = book.entry_row[s] - first
    trades[index, 3] = row - first
    trades[index, 4] = book.entry_ticks[s]
    trades[index, 5] = ticks
    trades[index, 6] = book.steps[s]
    trades[index, 7] = reason


@numba.njit(cache=True)
def _forget(open_symbols, open_count, s):
    # The others keep their order: in which they are tested must not depend on who left.
    found = False
    for index in range(open_count):
        if found:
            open_symbols[index - 1] = open_symbols[index]
        elif open_symbols[index] == s:
            found = True
    return open_count - 1


@numba.njit(cache=True)
def _sort_by_confidence(candidates, count, market, row):
    # Few at a time: insertion, stable, so that equals stay in the order of symbols.
    for index in range(1, count):
        s = candidates[index]
        confidence = market.confidence[row[s] - 1]
        place = index
        while place > 0 and market.confidence[row[candidates[place - 1]] - 1] < confidence:
            candidates[place] = candidates[place - 1]
            place -= 1
        candidates[place] = s
