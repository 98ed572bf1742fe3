"""The backtest's loop over candles, compiled. It calls the engine's rules; what is here is bookkeeping."""

# mypy: disable-error-code="no-untyped-def,no-untyped-call,misc"
# ruff: noqa: ANN001, ANN202  compiled functions are typed by their arguments
# ruff: noqa: PLR0913, PLR0917, FBT003  plain numbers instead of records, and one hot loop, for the compiler
from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vela.backtest.accounting import (
    can_leave,
    cash_of,
    cash_value,
    cost_of,
    entry_order,
    exact_equity,
    pay,
    slippage_of,
    to_ticks,
    value_of,
    worth_of,
)
from vela.backtest.compiled import compiled, compiled_part
from vela.backtest.levels import hold, open_position, tighten, touched_inside
from vela.backtest.tables import (
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
from vela.backtest.wide import is_less
from vela.domain.execution_rules import market_fill_ticks
from vela.engine import gate
from vela.engine.gate import PASSED, entry_refusal


@compiled_part
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


@compiled_part
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
    trades[index, 8] = book.taken_ticks[s]
    trades[index, 9] = book.taken_steps[s]
    account.counts[TRADED] += 1
    pay(account, book.side[s] < 0, ticks, book.steps[s], grids.scale[s], options)
    book.side[s] = 0
    # The others keep their order: in which they are tested must not depend on who left.
    place = 0
    while book.open_symbols[place] != s:
        place += 1
    for later in range(place + 1, account.counts[OPEN]):
        book.open_symbols[later - 1] = book.open_symbols[later]
    account.counts[OPEN] -= 1


@compiled_part
def _take_profit(trades, market, grids, options, book, account, s, row, ticks):
    """Close at the target what it closes: the position, or its part."""
    part = book.at_target[s]
    if part == book.steps[s]:
        _leave(trades, market, grids, options, book, account, s, row, ticks, np.int64(BY_TARGET))
        return
    pay(account, book.side[s] < 0, ticks, part, grids.scale[s], options)
    book.taken_ticks[s], book.taken_steps[s] = ticks, part
    book.target[s] = 0
    hold(book, s, book.steps[s] - part, grids, options)


@compiled_part
def _exits_at_open(trades, market, grids, options, book, account, now, are_aligned):
    """Close what was decided at the close before; who may enter is left in `candidates`.

    `are_aligned`: every symbol has a candle now, so that nobody's time needs to be looked at.
    """
    account.counts[WAITING] = 0
    for s in range(market.first.shape[0] - 1):
        r = account.row[s]
        if r == market.first[s] or r == market.first[s + 1] or market.action[r - 1] == NONE:
            continue
        if not are_aligned and market.time[r] != now:
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
            quote = to_ticks(market.open[r], grids.ticks_per_unit[s])
            slippage = slippage_of(market, grids, options, s, r, book.steps[s])
            ticks = market_fill_ticks(quote, is_buy_signal, slippage)
            _leave(trades, market, grids, options, book, account, s, r, ticks, np.int64(BY_SIGNAL))


@compiled_part
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
        cash = cash_of(account)
        worth = exact_equity(market, grids, options, book, account) if options.stake_kind == PERCENT else cash
        ticks, steps = entry_order(market, grids, options, s, r, is_long, cash, worth)
        suits = market.suits_long if is_long else market.suits_short
        cost = cost_of(ticks, steps, scale, options)
        can_be_left = can_leave(ticks, steps, is_long, grids.min_steps[s], grids.min_value[s], options)
        refusal = entry_refusal(
            False,
            suits.shape[0] == 0 or suits[r - 1],
            now - book.last_entry[s],
            options.cooldown_ms,
            account.counts[OPEN],
            options.max_positions,
            steps > 0 and can_be_left,
            steps == 0 and is_less(cash, value_of(ticks, np.int64(1), scale, options)),
            not is_less(cash, cost),
        )
        if refusal != PASSED:
            account.refused[refusal] += 1
            continue
        open_position(book, s, r, now, ticks, steps, is_long, grids, options)
        pay(account, is_long, ticks, steps, scale, options)
        book.open_symbols[account.counts[OPEN]] = s
        account.counts[OPEN] += 1


@compiled_part
def _has_levels(book, s):
    return book.quiet_low[s] > -np.inf or book.quiet_high[s] < np.inf


@compiled_part
def _is_quiet(market, book, s, row):
    # Prices are not even read where no level waits for them: they would have to come from far memory.
    if not _has_levels(book, s):
        return True
    return market.low[row] > book.quiet_low[s] and market.high[row] < book.quiet_high[s]


@compiled_part
def _pass_inside(trades, market, detail, grids, options, book, account, s, row):
    """Test the levels that stood at the open; if none is touched, move at the close those that trail."""
    at_stop, at_target = touched_inside(market, detail, grids, options, book, s, row)
    if at_target:
        _take_profit(trades, market, grids, options, book, account, s, row, at_target)
    if at_stop:
        _leave(trades, market, grids, options, book, account, s, row, at_stop, book.rule[s])
    if book.side[s] == 0:
        return
    is_long = book.side[s] > 0
    extreme = to_ticks(market.high[row] if is_long else market.low[row], grids.ticks_per_unit[s])
    if extreme > book.best[s] if is_long else extreme < book.best[s]:
        book.best[s] = extreme
        tighten(book, s, grids, options)


@compiled
def _run_aligned(trades, market, detail, grids, options, step_times, equity, busy, book, account):
    """Run symbols whose candles all open at the same times: row k of each is step k.

    It goes from one step in which something may happen to the next; what lies between needs only its marks.
    """
    symbols, first, row = market.first.shape[0] - 1, market.first, account.row
    step, steps = np.int64(0), step_times.shape[0]
    while step < steps:
        if step > 0 and busy[step - 1] != NONE:
            for s in range(symbols):
                row[s] = first[s] + step
            _exits_at_open(trades, market, grids, options, book, account, step_times[step], True)
            if account.counts[WAITING] > 0:
                _entries_at_open(market, grids, options, book, account, step_times[step])
        index = 0
        while index < account.counts[OPEN]:
            s = book.open_symbols[index]
            r = first[s] + step
            if not _is_quiet(market, book, s, r):
                _pass_inside(trades, market, detail, grids, options, book, account, s, r)
            index += book.side[s] != 0
        until = _quiet_until(market, book, account, busy, step + 1, steps)
        if equity.shape[0] > 0:
            _mark(market, book, account, equity, step, until)
        step = until


@compiled_part
def _quiet_until(market, book, account, busy, step, steps):
    """Return the next step in which somebody asks for something or a position's levels may be touched or move."""
    until = step
    while until < steps and busy[until - 1] == NONE:
        until += 1
    for index in range(account.counts[OPEN]):
        s = book.open_symbols[index]
        quiet_low, quiet_high, first = book.quiet_low[s], book.quiet_high[s], market.first[s]
        if not _has_levels(book, s):
            continue
        low, high = market.low[first + step : first + until], market.high[first + step : first + until]
        quiet = 0
        while quiet < low.shape[0] and low[quiet] > quiet_low and high[quiet] < quiet_high:
            quiet += 1
        until = step + quiet
    return until


@compiled_part
def _mark(market, book, account, equity, step, until):
    """Mark the account at the closes of the steps from `step` to before `until`."""
    marks = equity[step:until]
    marks[:] = cash_value(account)
    for index in range(account.counts[OPEN]):
        s = book.open_symbols[index]
        weight, close = book.weight[s], market.close[market.first[s] + step : market.first[s] + until]
        for i in range(marks.shape[0]):
            marks[i] += weight * close[i]


@compiled
def _run_gappy(trades, market, detail, grids, options, step_times, equity, book, account):
    """Run symbols whose candles open at different times: each stands at its own next row."""
    symbols, first, counts, row = market.first.shape[0] - 1, market.first, account.counts, account.row
    for step in range(step_times.shape[0]):
        now = step_times[step]
        _exits_at_open(trades, market, grids, options, book, account, now, False)
        if counts[WAITING] > 0:
            _entries_at_open(market, grids, options, book, account, now)
        index = 0
        while index < counts[OPEN]:
            s = book.open_symbols[index]
            r = row[s]
            index += 1
            is_here = r < first[s + 1] and market.time[r] == now
            if is_here and not _is_quiet(market, book, s, r):
                _pass_inside(trades, market, detail, grids, options, book, account, s, r)
                index -= book.side[s] == 0
        for s in range(symbols):
            row[s] += row[s] < first[s + 1] and market.time[row[s]] == now
        if equity.shape[0] > 0:
            equity[step] = worth_of(market, book, account)


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

    Not compiled itself, so that only the loop that is needed is compiled, which takes seconds.

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
