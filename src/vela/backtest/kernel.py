"""The backtest's loop over candles, compiled. It calls the engine's rules; what is here is bookkeeping.

Prices are ticks, quantities steps, money pairs of 64 bits (`wide`) in one unit for all symbols: a fill's value is
price ticks × quantity steps × the symbol's scale, and its fee that × `fee_numerator` / `fee_denominator`, kept whole by
counting in units of 1 / `fee_denominator`.
"""

# mypy: disable-error-code="no-untyped-def,no-untyped-call,misc"
# ruff: noqa: ANN001, ANN202  compiled functions are typed by their arguments
# ruff: noqa: PLR0913, PLR0917, FBT003  plain numbers instead of records, and one hot loop, for the compiler
from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vela.backtest.compiled import compiled
from vela.backtest.tables import (
    ALL,
    BUY,
    BY_SIGNAL,
    BY_TARGET,
    NO_POSITION,
    NONE,
    OPEN,
    PERCENT,
    TRADED,
    WAITING,
    Account,
    Book,
    Detail,
    Grids,
    Market,
    Options,
)
from vela.backtest.wide import add, approximate, is_less, product, quotient, subtract, times
from vela.domain.execution_rules import limit_fill_ticks, market_fill_ticks, stop_fill_ticks
from vela.engine import gate
from vela.engine.exits import STOP_LOSS, stop_level, target_level, tightened_stop
from vela.engine.gate import PASSED, entry_refusal


@compiled
def _ticks(price, per_unit):
    return np.int64(np.rint(price * per_unit))


@compiled
def _value(ticks, steps, scale, options):
    return times(times(product(ticks, steps), scale), options.fee_denominator)


@compiled
def _fee(ticks, steps, scale, options):
    return times(times(product(ticks, steps), scale), options.fee_numerator)


@compiled
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


@compiled
def _cash(account):
    return account.cash_high[0], account.cash_low[0]


@compiled
def _pay(account, is_buy, ticks, steps, scale, options):
    value, fee = _value(ticks, steps, scale, options), _fee(ticks, steps, scale, options)
    cash = _cash(account)
    cash = subtract(subtract(cash, value) if is_buy else add(cash, value), fee)
    account.cash_high[0], account.cash_low[0] = cash


@compiled
def _equity(market, grids, options, book, account):
    # Exact, for stakes that are a share of it: what is held counts at its newest close.
    total = _cash(account)
    for index in range(account.counts[OPEN]):
        s = book.open_symbols[index]
        mark = _ticks(market.close[account.row[s] - 1], grids.ticks_per_unit[s])
        value = _value(mark, book.steps[s], grids.scale[s], options)
        total = add(total, value) if book.side[s] > 0 else subtract(total, value)
    return total


@compiled
def _enter(book, s, row, time, ticks, steps, is_long, grids, options):
    book.side[s] = 1 if is_long else -1
    book.entry_row[s] = row
    book.entry_ticks[s] = ticks
    book.steps[s] = steps
    book.best[s] = ticks
    book.last_entry[s] = time
    book.target[s] = target_level(ticks, options.take_profit_ppm, is_long) if options.take_profit_ppm else 0
    book.stop[s] = stop_level(ticks, options.stop_loss_ppm, is_long) if options.stop_loss_ppm else 0
    book.rule[s] = STOP_LOSS
    book.weight[s] = (
        np.float64(book.side[s]) * steps * grids.scale[s] * options.fee_denominator * grids.ticks_per_unit[s]
    )
    _tighten(book, s, is_long, grids, options)


@compiled
def _tighten(book, s, is_long, grids, options):
    """Set the stop anew after a best price, and the range of prices in which nothing happens."""
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
    below, above = (book.stop[s], book.target[s]) if is_long else (book.target[s], book.stop[s])
    low = np.float64(below + 1) if below else -np.inf
    high = np.float64(above - 1) if above else np.inf
    if options.trailing_ppm > 0 or options.break_even_after_ppm > 0:
        low, high = (
            (low, min(high, np.float64(book.best[s]))) if is_long else (max(low, np.float64(book.best[s])), high)
        )
    # A tick to spare: the comparison is of floats, the decision that may follow is of ticks.
    book.quiet_low[s], book.quiet_high[s] = low / grids.ticks_per_unit[s], high / grids.ticks_per_unit[s]


@compiled
def _touched(stop, target, is_long, first, lowest, highest, slippage_ppm):
    """Return the fills of stop and target on a move through a range, in ticks; 0 where not touched."""
    at_stop, at_target = np.int64(0), np.int64(0)
    if stop:
        at_stop = np.int64(stop_fill_ticks(stop, is_long, first, lowest, highest, slippage_ppm))
    if target:
        at_target = np.int64(limit_fill_ticks(target, is_long, first, lowest, highest))
    return at_stop, at_target


@compiled
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


@compiled
def _inside(market, detail, grids, options, book, s, row):
    """Return the price in ticks at which a level was touched inside the candle, or 0, and why."""
    per_unit = grids.ticks_per_unit[s]
    is_long, stop, target = book.side[s] > 0, book.stop[s], book.target[s]
    first, lowest = _ticks(market.open[row], per_unit), _ticks(market.low[row], per_unit)
    highest = _ticks(market.high[row], per_unit)
    at_stop, at_target = _touched(stop, target, is_long, first, lowest, highest, options.slippage_ppm)
    if at_stop and at_target and detail.time.shape[0] > 0:
        fine = _settle(detail, per_unit, stop, target, is_long, s, market.time[row], options.slippage_ppm)
        if fine[0] or fine[1]:
            at_stop, at_target = fine
    # Where nothing finer tells, the stop counts.
    if at_stop:
        return at_stop, book.rule[s]
    return at_target, BY_TARGET


@compiled
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


@compiled
def _leave(trades, market, grids, options, book, account, s, row, ticks, reason):
    """Close a position: write the trade, take the money, forget the position."""
    index, first = account.counts[TRADED], market.first[s]
    trades[index, 0] = s
    trades[index, 1] = book.side[s]
    trades[index, 2] = book.entry_row[s] - first
    trades[index, 3] = row - first
    trades[index, 4] = book.entry_ticks[s]
    trades[index, 5] = ticks
    trades[index, 6] = book.steps[s]
    trades[index, 7] = reason
    account.counts[TRADED] += 1
    _pay(account, book.side[s] < 0, ticks, book.steps[s], grids.scale[s], options)
    book.side[s] = 0
    # The others keep their order: in which they are tested must not depend on who left.
    place = 0
    while book.open_symbols[place] != s:
        place += 1
    for later in range(place + 1, account.counts[OPEN]):
        book.open_symbols[later - 1] = book.open_symbols[later]
    account.counts[OPEN] -= 1


@compiled
def _exits_at_open(trades, market, grids, options, book, account, now):
    """Close what was decided at the close before; who may enter is left in `candidates`."""
    account.counts[WAITING] = 0
    for s in range(market.first.shape[0] - 1):
        r = account.row[s]
        if r == market.first[s] or r == market.first[s + 1] or market.action[r - 1] == NONE or market.time[r] != now:
            continue
        is_buy_signal = market.action[r - 1] == BUY
        if book.side[s] == 0:
            if is_buy_signal or options.allow_short:
                account.candidates[account.counts[WAITING]] = s
                account.counts[WAITING] += 1
            else:
                account.refused[NO_POSITION] += 1
        elif is_buy_signal == (book.side[s] > 0):
            account.refused[gate.POSITION_OPEN] += 1
        else:
            quote = _ticks(market.open[r], grids.ticks_per_unit[s])
            ticks = market_fill_ticks(quote, is_buy_signal, options.slippage_ppm)
            _leave(trades, market, grids, options, book, account, s, r, ticks, BY_SIGNAL)


@compiled
def _entries_at_open(market, grids, options, book, account, now):
    """Let the candidates through the gate, by confidence, then by symbol."""
    waiting = account.counts[WAITING]
    if waiting > 1 and market.confidence.shape[0] > 0:
        _sort_by_confidence(account.candidates, waiting, market, account.row)
    for index in range(waiting):
        s = account.candidates[index]
        r = account.row[s]
        is_long = market.action[r - 1] == BUY
        scale = grids.scale[s]
        quote = _ticks(market.open[r], grids.ticks_per_unit[s])
        ticks = market_fill_ticks(quote, is_long, options.slippage_ppm)
        cash = _cash(account)
        worth = _equity(market, grids, options, book, account) if options.stake_kind == PERCENT else cash
        steps = _entry_steps(ticks, scale, cash, worth, options)
        suits = market.suits_long if is_long else market.suits_short
        cost = add(_value(ticks, steps, scale, options), _fee(ticks, steps, scale, options))
        is_large = steps >= grids.min_steps[s] and not is_less(product(ticks, steps), product(grids.min_value[s], 1))
        refusal = entry_refusal(
            False,
            suits.shape[0] == 0 or suits[r - 1],
            now - book.last_entry[s],
            options.cooldown_ms,
            account.counts[OPEN],
            options.max_positions,
            steps > 0 and is_large,
            steps == 0 and is_less(cash, _value(ticks, 1, scale, options)),
            not is_less(cash, cost),
        )
        if refusal != PASSED:
            account.refused[refusal] += 1
            continue
        _enter(book, s, r, now, ticks, steps, is_long, grids, options)
        _pay(account, is_long, ticks, steps, scale, options)
        book.open_symbols[account.counts[OPEN]] = s
        account.counts[OPEN] += 1


@compiled
def _pass_inside(trades, market, detail, grids, options, book, account, s, row):
    """Test the levels that stood at the open; if none is touched, move at the close those that trail."""
    ticks, reason = _inside(market, detail, grids, options, book, s, row)
    if ticks:
        _leave(trades, market, grids, options, book, account, s, row, ticks, reason)
        return
    is_long = book.side[s] > 0
    extreme = _ticks(market.high[row] if is_long else market.low[row], grids.ticks_per_unit[s])
    if extreme > book.best[s] if is_long else extreme < book.best[s]:
        book.best[s] = extreme
        _tighten(book, s, is_long, grids, options)


@compiled
def _cash_value(account):
    return approximate((account.cash_high[0], account.cash_low[0]))


@compiled
def _worth(market, book, account):
    """Return the account's value in money units, each symbol standing behind the row that closed."""
    worth = _cash_value(account)
    for index in range(account.counts[OPEN]):
        s = book.open_symbols[index]
        worth += book.weight[s] * market.close[account.row[s] - 1]
    return worth


@compiled
def _run_aligned(trades, market, detail, grids, options, step_times, equity, busy, book, account):
    """Run symbols whose candles all open at the same times: row k of each is step k.

    What stands here runs for every candle: functions are called only where something may happen, and arrays are taken
    out of their records beforehand.
    """
    symbols, first, counts, row = market.first.shape[0] - 1, market.first, account.counts, account.row
    low, high, close = market.low, market.high, market.close
    open_symbols, quiet_low, quiet_high, weight = book.open_symbols, book.quiet_low, book.quiet_high, book.weight
    wants_equity = equity.shape[0] > 0
    cash = _cash_value(account)
    for step in range(step_times.shape[0]):
        if step > 0 and busy[step - 1] != NONE:
            for s in range(symbols):
                row[s] = first[s] + step
            _exits_at_open(trades, market, grids, options, book, account, step_times[step])
            if counts[WAITING] > 0:
                _entries_at_open(market, grids, options, book, account, step_times[step])
            cash = _cash_value(account)
        worth, index = cash, 0
        while index < counts[OPEN]:
            s = open_symbols[index]
            r = first[s] + step
            index += 1
            if low[r] <= quiet_low[s] or high[r] >= quiet_high[s]:
                _pass_inside(trades, market, detail, grids, options, book, account, s, r)
                worth += _cash_value(account) - cash
                cash = _cash_value(account)
                if book.side[s] == 0:
                    index -= 1
                    continue
            worth += weight[s] * close[r]
        if wants_equity:
            equity[step] = worth


@compiled
def _run_gappy(trades, market, detail, grids, options, step_times, equity, book, account):
    """Run symbols whose candles open at different times: each stands at its own next row."""
    symbols, first, counts, row = market.first.shape[0] - 1, market.first, account.counts, account.row
    for step in range(step_times.shape[0]):
        now = step_times[step]
        _exits_at_open(trades, market, grids, options, book, account, now)
        if counts[WAITING] > 0:
            _entries_at_open(market, grids, options, book, account, now)
        index = 0
        while index < counts[OPEN]:
            s = book.open_symbols[index]
            r = row[s]
            index += 1
            is_here = r < first[s + 1] and market.time[r] == now
            if is_here and (market.low[r] <= book.quiet_low[s] or market.high[r] >= book.quiet_high[s]):
                _pass_inside(trades, market, detail, grids, options, book, account, s, r)
                index -= book.side[s] == 0
        for s in range(symbols):
            row[s] += row[s] < first[s + 1] and market.time[row[s]] == now
        if equity.shape[0] > 0:
            equity[step] = _worth(market, book, account)


@compiled
def simulate(
    market: Market,
    detail: Detail,
    grids: Grids,
    options: Options,
    step_times: NDArray[np.int64],
    busy: NDArray[np.int8],
    trades: NDArray[np.int64],
    equity: NDArray[np.float64],
    book: Book,
    account: Account,
) -> None:
    """Run over all steps, each in the order open, inside, close.

    Args:
        market: candles and signals; symbols in their order.
        detail: finer candles, or none.
        grids: the symbols' trading rules.
        options: the account's rules.
        step_times: the open times of all symbols' candles together, ascending.
        busy: whether any symbol asks for something at a row, where all candles open at the same times; else empty.
        trades: filled with the closed trades (columns `TRADE_FIELDS`), `account.counts[TRADED]` of them; has a row for
            every entry there can be.
        equity: filled with the account's value at each step's close, in money units; empty: not wanted.
        book: the open positions, before and after.
        account: the same of the account.
    """
    if busy.shape[0] > 0:
        _run_aligned(trades, market, detail, grids, options, step_times, equity, busy, book, account)
    else:
        _run_gappy(trades, market, detail, grids, options, step_times, equity, book, account)
