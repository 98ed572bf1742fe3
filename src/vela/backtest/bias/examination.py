"""A strategy under examination: what it says on all candles, on those up to a row, and on a window before a row."""

from __future__ import annotations

from functools import cached_property

import msgspec
import numpy as np
from numpy.typing import NDArray

from vela.backtest.bias.answers import FLAGS, Answer, ask, column_of, disagree, own_copy, scales_of
from vela.domain.candles import COLUMNS, Candles
from vela.domain.trading_symbol import TradingSymbol
from vela.strategies.base import Strategy

_CALL = 300  # what a call costs beside its candles, in candles
_JITTER = 1e-13  # relative; far below a tick, far above the spacing of doubles
_JITTERS = 8


class Effort(msgspec.Struct, frozen=True):
    """How much is tried.

    Attributes:
        cuts: rows at which the future is cut off from the whole history.
        work: candles that may be analysed to compare single rows.
    """

    cuts: int
    work: int


THOROUGH = Effort(cuts=48, work=12_000_000)
QUICK = Effort(cuts=8, work=400_000)


class Examination:
    """One strategy on one symbol's candles. Everything is deterministic: chance comes from `seed`."""

    def __init__(
        self, strategy: Strategy, symbol: TradingSymbol, candles: Candles, effort: Effort = THOROUGH, seed: int = 0
    ) -> None:
        """`candles`: usable ones (`candle_fault`), ascending; they are copied."""
        self.strategy = strategy
        self.symbol = symbol
        self.original = candles
        self.candles = own_copy(candles)
        self.effort = effort
        self.chance = np.random.default_rng(seed)
        self._prefixes: dict[int, Answer] = {}

    @cached_property
    def whole(self) -> Answer:
        """The answer to all candles."""
        return ask(self.strategy, self.symbol, self.candles)

    @cached_property
    def scales(self) -> dict[str, float]:
        """How large the values of each column are."""
        return scales_of(self.whole)

    @cached_property
    def signals(self) -> NDArray[np.int64]:
        """Rows with a signal."""
        return np.flatnonzero((self.whole["buy"] + self.whole["sell"]) > 0)

    @cached_property
    def cuts(self) -> list[int]:
        """Rows at which the history is cut off, half of them in its last quarter: windows need room before them."""
        last = len(self.candles) - 1
        early = self.rows_to_compare(0, self.effort.cuts // 2)
        late = self.rows_to_compare(3 * last // 4, self.effort.cuts - len(early))
        return sorted({*early.tolist(), *late.tolist()})

    @property
    def late_cuts(self) -> list[int]:
        """The cuts in the history's last quarter."""
        return [row for row in self.cuts if row >= 3 * (len(self.candles) - 1) // 4]

    def rows_affordable(self, window: int) -> int:
        """Return how many rows may be compared with windows of that length."""
        return max(self.effort.cuts, self.effort.work // (window + _CALL))

    def rows_to_compare(self, first: int, count: int) -> NDArray[np.int64]:
        """Return rows from `first` on: all if `count` allows, else near signals, evenly spread, and by chance."""
        last = len(self.candles) - 1
        if last - first < count:
            return np.arange(first, last + 1)
        near = np.unique(np.concatenate([self.signals - 1, self.signals, self.signals + 1]))
        near = near[(near >= first) & (near <= last)]
        if len(near) > count // 2:
            near = self.chance.choice(near, count // 2, replace=False)
        even = np.linspace(first, last, count // 4 + 1).astype(np.int64)
        drawn = self.chance.integers(first, last + 1, max(0, count - len(near) - len(even)))
        return np.unique(np.concatenate([near, even, drawn]))

    def prefix(self, row: int) -> Answer:
        """Return the answer to the candles up to and including `row`."""
        if row not in self._prefixes:
            self._prefixes[row] = ask(self.strategy, self.symbol, self.candles.slice(0, row + 1))
        return self._prefixes[row]

    def newest(self, row: int, window: int) -> dict[str, float]:
        """Return the last row of the answer to the `window` candles that end with `row`, which is what live sees."""
        part = self.candles.slice(max(0, row + 1 - window), row + 1)
        return {name: float(column[-1]) for name, column in ask(self.strategy, self.symbol, part).items()}

    def is_rounding(self, name: str, candles: Candles, row: int) -> bool:
        """Say whether a flag of that row hangs on digits that no price has.

        Equal values may be told apart by the last digits of running sums; then moving the prices by less than any
        digit they have moves the flag, too.
        """
        if name not in FLAGS:
            return False
        flags = set()
        for _ in range(_JITTERS):
            moved = _jittered(candles, self.chance)
            flags.add(float(ask(self.strategy, self.symbol, moved)[name][row]))
            if len(flags) > 1:
                return True
        return False

    def disagreeing(self, row: int, window: int) -> set[str]:
        """Return the columns in which the window's last row is not that of the whole history up to `row`."""
        came, expected = self.newest(row, window), self.prefix(row)
        return {
            name
            for name in came.keys() | expected.keys()
            if disagree(
                name, column_of(expected, name)[row:], np.array([came.get(name, np.nan)]), self.scales.get(name, 0.0)
            ).any()
        }


def _jittered(candles: Candles, chance: np.random.Generator) -> Candles:
    factor = 1.0 + _JITTER * chance.standard_normal(len(candles))
    return Candles(candles.open_time.copy(), *(getattr(candles, name) * factor for name in COLUMNS))
