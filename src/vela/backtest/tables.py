"""What the compiled loop reads and fills: records of arrays, and the numbers that stand for words."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vela.engine.gate import NEVER

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
    `confidence`: empty means 1 everywhere. `time`: empty where nobody needs it, all candles opening at the same times.
    """

    first: NDArray[np.int64]
    time: NDArray[np.int64]
    open: NDArray[np.float64]
    high: NDArray[np.float64]
    low: NDArray[np.float64]
    close: NDArray[np.float64]
    volume: NDArray[np.float64]
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
    """The symbols' trading rules, by symbol.

    `scale`: value of a tick times a step, in money units. Smallest orders: `min_value` in ticks × steps, `min_steps`.
    `step`: in base.
    """

    ticks_per_unit: NDArray[np.float64]
    scale: NDArray[np.int64]
    min_value: NDArray[np.int64]
    min_steps: NDArray[np.int64]
    step: NDArray[np.float64]


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
    impact_ppm: int
    max_positions: int
    cooldown_ms: int
    stop_loss_ppm: int
    take_profit_ppm: int
    take_profit_part_ppm: int
    trailing_ppm: int
    trailing_after_ppm: int
    break_even_after_ppm: int
    allow_short: bool


TRADE_FIELDS = (
    "symbol",
    "side",
    "entry_row",
    "exit_row",
    "entry_ticks",
    "exit_ticks",
    "exit_steps",
    "reason",
    "target_ticks",
    "target_steps",
)
"""Columns of the trades that the loop returns; rows count within the symbol.

`target_ticks`, `target_steps`: what the take-profit closed before the last exit; 0: nothing.
"""


class Book(NamedTuple):
    """The open positions, by symbol.

    `side`: 1 long, -1 short, 0 none. Levels and prices in ticks, 0: none. `entry_row` counts within all rows.
    `steps`: what is held; `at_target`: how much of it the take-profit closes. `taken_ticks`, `taken_steps`: what it has
    closed already, while the rest runs on.
    `open_symbols`: those held, in the order of their entries, the first `counts[OPEN]` of them.
    `quiet_low`, `quiet_high`: while prices stay strictly between, no level is touched and none moves; in quote.
    `weight`: value of the position per unit of price, in money units.
    """

    side: NDArray[np.int64]
    entry_row: NDArray[np.int64]
    entry_ticks: NDArray[np.int64]
    steps: NDArray[np.int64]
    stop: NDArray[np.int64]
    rule: NDArray[np.int64]
    target: NDArray[np.int64]
    at_target: NDArray[np.int64]
    taken_ticks: NDArray[np.int64]
    taken_steps: NDArray[np.int64]
    best: NDArray[np.int64]
    last_entry: NDArray[np.int64]
    open_symbols: NDArray[np.int64]
    quiet_low: NDArray[np.float64]
    quiet_high: NDArray[np.float64]
    weight: NDArray[np.float64]


class Account(NamedTuple):
    """What changes beside the positions: cash in two halves, counters, refusals by number, each symbol's next row."""

    cash_high: NDArray[np.int64]
    cash_low: NDArray[np.uint64]
    counts: NDArray[np.int64]
    refused: NDArray[np.int64]
    row: NDArray[np.int64]
    candidates: NDArray[np.int64]


TRADED, OPEN, WAITING = 0, 1, 2
"""Places of the counters: closed trades, open positions, symbols that wait for their entry to be looked at."""


def new_book(symbols: int) -> Book:
    """Return a book without positions for that many symbols."""
    return Book(
        side=np.zeros(symbols, np.int64),
        entry_row=np.zeros(symbols, np.int64),
        entry_ticks=np.zeros(symbols, np.int64),
        steps=np.zeros(symbols, np.int64),
        stop=np.zeros(symbols, np.int64),
        rule=np.zeros(symbols, np.int64),
        target=np.zeros(symbols, np.int64),
        at_target=np.zeros(symbols, np.int64),
        taken_ticks=np.zeros(symbols, np.int64),
        taken_steps=np.zeros(symbols, np.int64),
        best=np.zeros(symbols, np.int64),
        last_entry=np.full(symbols, NEVER),
        open_symbols=np.zeros(symbols, np.int64),
        quiet_low=np.zeros(symbols),
        quiet_high=np.zeros(symbols),
        weight=np.zeros(symbols),
    )


def new_account(market: Market, options: Options) -> Account:
    """Return the account before the first candle."""
    symbols = len(market.first) - 1
    return Account(
        cash_high=np.array([options.capital_high], np.int64),
        cash_low=np.array([options.capital_low], np.uint64),
        counts=np.zeros(3, np.int64),
        refused=np.zeros(8, np.int64),
        row=market.first[:-1].copy(),
        candidates=np.zeros(symbols, np.int64),
    )
