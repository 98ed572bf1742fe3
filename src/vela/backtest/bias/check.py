"""All checks of a strategy, in the order in which they make sense."""

from __future__ import annotations

import warnings

import numpy as np

from vela.backtest.bias.answers import FLAGS, Unusable, column_of, disagree, source_file
from vela.backtest.bias.blame import blame
from vela.backtest.bias.examination import THOROUGH, Effort, Examination
from vela.backtest.bias.findings import Check, Finding, Report
from vela.backtest.bias.look_ahead import look_ahead, suspicious_rows
from vela.backtest.bias.purity import purity
from vela.backtest.bias.shape import declared_warmup, shape
from vela.backtest.bias.start import Measured, dependence_on_start, measure
from vela.backtest.bias.undefined import undefined
from vela.domain.candles import Candles
from vela.domain.trading_symbol import TradingSymbol
from vela.strategies.base import Strategy

_BTC = TradingSymbol("BTC")
_ROUNDS = 6  # of measuring the warm-up, each at the rows that the one before got wrong


def check_strategy(
    strategy: Strategy,
    candles: Candles,
    *,
    symbol: TradingSymbol = _BTC,
    effort: Effort = THOROUGH,
    seed: int = 0,
) -> Report:
    """Look for use of the future, dependence on the start, state, and answers of the wrong kind.

    Args:
        strategy: with its parameters.
        candles: usable ones (`candle_fault`), ascending; at least four times the warm-up show most.
        symbol: whose candles they are.
        effort: how much is tried.
        seed: of the rows drawn by chance.
    """
    examination = Examination(strategy, symbol, candles, effort, seed)
    # Divisions by zero are the strategy's business as long as no signal follows from them.
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return _Course(examination).run()


class _Course:
    """One pass through all checks; ends early where the rest would only follow from what was found."""

    def __init__(self, examination: Examination) -> None:
        self._examination = examination
        self._checked: list[Check] = []
        self._findings: list[Finding] = []
        self._warmup: int | None = None
        self._measured: int | None = None
        self._signals = 0
        self._compared = 0

    def run(self) -> Report:
        try:
            self._run()
        except Unusable as e:
            self._findings.append(e.finding)
        strategy = self._examination.strategy
        return Report(
            strategy=strategy.name,
            parameters=strategy.settings,
            candles=len(self._examination.original),
            warmup=self._warmup,
            measured_warmup=self._measured,
            signals=self._signals,
            decisions_compared=self._compared,
            checked=tuple(self._checked),
            findings=tuple(self._findings),
        )

    def _run(self) -> None:
        examination = self._examination
        self._warmup = self._declared()
        self._signals = int(((examination.whole["buy"] + examination.whole["sell"]) > 0).sum())
        self._checked.append(Check.SHAPE)
        self._findings += shape(examination)
        self._checked.append(Check.PURITY)
        self._findings += purity(examination)
        if self._findings:
            return
        self._checked.append(Check.UNDEFINED)
        self._findings += undefined(examination)
        self._checked += [Check.LOOK_AHEAD, Check.START]
        self._compare()

    def _declared(self) -> int:
        strategy = self._examination.strategy
        try:
            return declared_warmup(strategy)
        except Unusable:
            raise
        except Exception as e:
            said = blame(e, source_file(strategy))
            raise Unusable(Check.SHAPE, f"{said} – in warmup", "a whole number", said) from e

    def _compare(self) -> None:
        examination = self._examination
        rows, length = examination.late_cuts, len(examination.candles)
        for _ in range(_ROUNDS):
            measured = measure(examination, rows)
            window = _enough(examination.strategy.warmup, measured, length)
            suspects, self._compared = suspicious_rows(examination, window, measured.never - set(FLAGS))
            more = _not_the_future(examination, suspects, window) - set(rows)
            if not more:
                break
            rows = sorted({*rows, *more})
        self._measured = measured.warmup
        self._findings += look_ahead(examination, suspects)
        self._findings += dependence_on_start(examination, measured)


def _enough(declared: int, measured: Measured, length: int) -> int:
    """Return how long windows must be to say what the whole history says, as far as any length does."""
    if not measured.too_short:
        return min(declared, length)
    return measured.warmup or max(1, length // 2)


def _not_the_future(examination: Examination, suspects: list[int], window: int) -> set[int]:
    """Return a row for each column in which a window errs without any use of the future."""
    rows: dict[str, int] = {}
    for row in suspects:
        for name in examination.disagreeing(row, window) - rows.keys():
            if _changes(examination, name, row):
                continue
            part = examination.candles.slice(max(0, row + 1 - window), row + 1)
            if not examination.is_rounding(name, part, -1):
                rows[name] = row
    return set(rows.values())


def _changes(examination: Examination, name: str, row: int) -> bool:
    now, later = column_of(examination.prefix(row), name)[row:], column_of(examination.whole, name)[row : row + 1]
    return bool(disagree(name, now, later, examination.scales.get(name, 0.0)).any())
