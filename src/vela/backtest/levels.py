"""Stops and targets in compiled code: where they lie, and which of them a candle touches."""

# mypy: disable-error-code="no-untyped-def,no-untyped-call,misc"
# ruff: noqa: ANN001, ANN201, ANN202  compiled functions are typed by their arguments
# ruff: noqa: PLR0913, PLR0917  plain numbers instead of records, for the compiler
from __future__ import annotations

import numpy as np

from vela.backtest.accounting import slippage_of, to_ticks
from vela.backtest.compiled import compiled_part
from vela.domain.execution_rules import limit_fill_ticks, stop_fill_ticks
from vela.engine.exits import STOP_LOSS, lowest_exit, steps_at_target, stop_level, target_level, tightened_stop


@compiled_part
def open_position(book, s, row, time, ticks, steps, is_long, grids, options):
    """Enter a position into the book, its levels set."""
    book.side[s] = 1 if is_long else -1
    book.entry_row[s] = row
    book.entry_ticks[s] = ticks
    book.best[s] = ticks
    book.last_entry[s] = time
    book.taken_ticks[s] = book.taken_steps[s] = 0
    book.stop[s] = stop_level(ticks, options.stop_loss_ppm, is_long) if options.stop_loss_ppm else 0
    book.rule[s] = STOP_LOSS
    book.target[s] = book.at_target[s] = 0
    if options.take_profit_ppm:
        book.target[s] = target_level(ticks, options.take_profit_ppm, is_long)
        book.at_target[s] = steps_at_target(
            steps,
            options.take_profit_part_ppm,
            grids.min_steps[s],
            grids.min_value[s],
            book.target[s],
            book.stop[s] or lowest_exit(ticks, options.stop_loss_ppm, options.trailing_ppm, is_long),
        )
    hold(book, s, steps, grids, options)


@compiled_part
def hold(book, s, steps, grids, options):
    """Set how much of a position is held, and move its levels."""
    book.steps[s] = steps
    book.weight[s] = (
        np.float64(book.side[s]) * steps * grids.scale[s] * options.fee_denominator * grids.ticks_per_unit[s]
    )
    tighten(book, s, grids, options)


@compiled_part
def tighten(book, s, grids, options):
    """Set the stop anew after a best price, and the range of prices in which nothing happens."""
    is_long = book.side[s] > 0
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


@compiled_part
def touched_inside(market, detail, grids, options, book, s, row):
    """Return the fills of stop and target inside a candle, in ticks; 0 where not touched.

    Both: the target came first, for its part, and the stop closes the rest.
    """
    slippage = slippage_of(market, grids, options, s, row, book.steps[s])
    at_stop = _stopped(book, s, grids, market.open[row], market.low[row], market.high[row], slippage)
    at_target = _reached(book, s, grids, market.open[row], market.low[row], market.high[row])
    if at_stop and at_target:
        return _settled(market, detail, grids, options, book, s, row, at_stop, slippage)
    return at_stop, at_target


@compiled_part
def _stopped(book, s, grids, first, low, high, slippage_ppm):
    if book.stop[s] == 0:
        return np.int64(0)
    unit = grids.ticks_per_unit[s]
    first, low, high = to_ticks(first, unit), to_ticks(low, unit), to_ticks(high, unit)
    return np.int64(stop_fill_ticks(book.stop[s], book.side[s] > 0, first, low, high, slippage_ppm))


@compiled_part
def _reached(book, s, grids, first, low, high):
    if book.target[s] == 0:
        return np.int64(0)
    unit = grids.ticks_per_unit[s]
    first, low, high = to_ticks(first, unit), to_ticks(low, unit), to_ticks(high, unit)
    return np.int64(limit_fill_ticks(book.target[s], book.side[s] > 0, first, low, high))


@compiled_part
def _settled(market, detail, grids, options, book, s, row, at_stop, slippage_ppm):
    """Return what `touched_inside` does where a candle holds both levels, by what finer candles say came first.

    Where they say nothing, the stop counts: for all, or for the rest after a target that they did show.
    """
    is_part = book.at_target[s] < book.steps[s]
    at_target = np.int64(0)
    last = detail.first[s + 1]
    fine = detail.first[s] + np.searchsorted(detail.time[detail.first[s] : last], market.time[row])
    while fine < last and detail.time[fine] < market.time[row] + detail.length_ms:
        first, low, high = detail.open[fine], detail.low[fine], detail.high[fine]
        fine_stop = _stopped(book, s, grids, first, low, high, slippage_ppm)
        if fine_stop:
            return fine_stop, at_target
        if not at_target:
            at_target = _reached(book, s, grids, first, low, high)
            if at_target and not is_part:
                return np.int64(0), at_target
            if at_target:
                slippage_ppm = slippage_of(market, grids, options, s, row, book.steps[s] - book.at_target[s])
                at_stop = _stopped(book, s, grids, market.open[row], market.low[row], market.high[row], slippage_ppm)
        fine += 1
    return at_stop, at_target
