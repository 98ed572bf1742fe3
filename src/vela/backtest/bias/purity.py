"""Is the answer a function of the candles alone?"""

from __future__ import annotations

import numpy as np

from vela.backtest.bias.answers import Answer, Unusable, ask, first_difference, raw_columns, shown_value, source_file
from vela.backtest.bias.blame import blame
from vela.backtest.bias.examination import Examination
from vela.backtest.bias.findings import Check, Finding, Severity
from vela.domain.candles import COLUMNS, Candles
from vela.domain.trading_symbol import TradingSymbol
from vela.strategies.base import Strategy

_OTHERS = (TradingSymbol("ETH"), TradingSymbol("BTC"))
_REPETITIONS = 3


def purity(examination: Examination) -> list[Finding]:
    """Return at most one finding: an answer that is not the same again, or candles that were written to."""
    steps = (_repeated, _second_instance, _after_others, _buffers, _untouched)
    for step in steps:
        found = step(examination)
        # Whatever comes after the first would only follow from it.
        if found is not None:
            return [found]
    return []


def fresh(strategy: Strategy) -> Strategy:
    """Return another instance with the same parameters.

    Raises:
        Unusable: the class cannot be called with its own parameters.
    """
    try:
        return type(strategy)(**strategy.settings)
    except Exception as e:
        said = blame(e, source_file(strategy))
        sentence = f"{said} – when made again with its own parameters"
        raise Unusable(Check.PURITY, sentence, "another instance", said) from e


def unlike(candles: Candles) -> Candles:
    """Return other candles at the same times: the market played backwards, from cheaper to dearer prices."""
    factor = np.linspace(0.5, 2.0, len(candles))
    prices = (candles.close, candles.high, candles.low, candles.open)
    first, high, low, last = (column[::-1] * factor for column in prices)
    return Candles(candles.open_time.copy(), first, high, low, last, candles.volume[::-1].copy())


def _repeated(examination: Examination) -> Finding | None:
    for _ in range(_REPETITIONS):
        again = ask(examination.strategy, examination.symbol, examination.candles)
        if found := _compare(examination, examination.whole, again, "the same candles were given again"):
            return found
    return None


def _second_instance(examination: Examination) -> Finding | None:
    other = ask(fresh(examination.strategy), examination.symbol, examination.candles)
    return _compare(examination, examination.whole, other, "another instance with the same parameters was asked")


def _after_others(examination: Examination) -> Finding | None:
    symbol, candles = examination.symbol, examination.candles
    other = next(other for other in _OTHERS if other != symbol)
    strange = unlike(candles)
    forth, back = fresh(examination.strategy), fresh(examination.strategy)
    first = [ask(forth, symbol, candles), ask(forth, other, strange)]
    second = [ask(back, other, strange), ask(back, symbol, candles)]
    for one, two in zip(first, reversed(second), strict=True):
        if found := _compare(examination, one, two, "the symbols came in another order"):
            return found
    return _compare(
        examination,
        first[1],
        ask(examination.strategy, other, strange),
        "other candles had been seen before",
    )


def _buffers(examination: Examination) -> Finding | None:
    """An answer that the next call overwrites is wrong by the time a backtest reads it."""
    strategy, symbol, candles = examination.strategy, examination.symbol, examination.candles
    kept = raw_columns(strategy, symbol, candles)
    before = {name: column.astype(np.float64) for name, column in kept.items()}
    ask(strategy, symbol, unlike(candles))
    after = {name: column.astype(np.float64) for name, column in kept.items()}
    return _compare(examination, before, after, "the next call overwrote the arrays it had returned")


def _untouched(examination: Examination) -> Finding | None:
    for name in ("open_time", *COLUMNS):
        written, original = getattr(examination.candles, name), getattr(examination.original, name)
        rows = np.flatnonzero(written != original)
        if len(rows):
            row = int(rows[0])
            expected, came = str(original[row]), str(written[row])
            sentence = f"it writes to its candles: {name} of candle {row} was {expected}, now {came}"
            return _finding(examination, row, expected, came, sentence)
    return None


def _compare(examination: Examination, expected: Answer, came: Answer, when: str) -> Finding | None:
    first = first_difference(expected, came, examination.scales)
    if not first:
        return None
    name = min(first, key=lambda column: (first[column], column))
    row = first[name]
    before, after = shown_value(name, expected, row), shown_value(name, came, row)
    sentence = f"{name} of candle {row} was {before}, and {after} when {when}"
    return _finding(examination, row, before, after, sentence)


def _finding(examination: Examination, row: int, expected: str, came: str, sentence: str) -> Finding:
    time = int(examination.candles.open_time[row])
    return Finding(Check.PURITY, Severity.ERROR, row, time, expected, came, sentence)
