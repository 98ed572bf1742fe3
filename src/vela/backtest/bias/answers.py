"""A strategy's answers, taken apart so that they can be compared."""

from __future__ import annotations

import inspect

import numpy as np
from numpy.typing import NDArray

from vela.backtest.bias.blame import blame
from vela.backtest.bias.findings import Check, Finding, Severity
from vela.domain.candles import COLUMNS, Candles
from vela.domain.signal import Signals
from vela.domain.trading_symbol import TradingSymbol
from vela.strategies.base import Strategy

Column = NDArray[np.float64]
Answer = dict[str, Column]  # buy and sell as 0 and 1, confidence, and each series as "series <name>"

FLAGS = ("buy", "sell")
AGREE = 1e-9  # relative difference up to which two values of a series count as the same


class Unusable(Exception):
    """What came is no answer that can be compared."""

    def __init__(self, check: Check, sentence: str, expected: str, came: str) -> None:
        super().__init__(sentence)
        self.finding = Finding(check, Severity.ERROR, None, None, expected, came, sentence)


class Raised(Unusable):
    """The strategy raised; the message names the user's file and line."""


def ask(strategy: Strategy, symbol: TradingSymbol, candles: Candles) -> Answer:
    """Return the strategy's answer as columns of its own memory; the confidence is NaN where there is no signal.

    Raises:
        Raised: the strategy raised.
        Unusable: the answer is of the wrong kind or shape.
    """
    answer = {name: column.astype(np.float64) for name, column in raw_columns(strategy, symbol, candles).items()}
    # Without a signal nobody reads it, and without one of its own a signal has confidence 1.
    asked = (answer["buy"] + answer["sell"]) > 0
    answer["confidence"] = np.where(asked, answer.get("confidence", 1.0), np.nan)
    return answer


def column_of(answer: Answer, name: str) -> Column:
    """Return the column; a series that is not there is undefined throughout."""
    return answer[name] if name in answer else np.full(len(answer["buy"]), np.nan)


def raw_columns(strategy: Strategy, symbol: TradingSymbol, candles: Candles) -> dict[str, NDArray[np.generic]]:
    """Return the answer's own arrays by column.

    Raises:
        Raised: the strategy raised.
        Unusable: the answer is of the wrong kind or shape.
    """
    try:
        signals: object = strategy.analyze(symbol, candles)
    except Exception as e:
        raise _raised(e, strategy, len(candles)) from e
    if not isinstance(signals, Signals):
        kind = type(signals).__name__
        raise Unusable(Check.SHAPE, f"analyze returned {kind}; accepted: Signals", "Signals", kind)
    columns: dict[str, object] = {"buy": signals.buy, "sell": signals.sell}
    if signals.confidence is not None:
        columns["confidence"] = signals.confidence
    named: object = signals.series
    if not isinstance(named, dict):
        kind = type(named).__name__
        raise Unusable(Check.SHAPE, f"series was {kind}; accepted: a dict of arrays by name", "dict", kind)
    columns |= {f"series {name}": series for name, series in named.items()}
    return {name: _checked(name, column, len(candles)) for name, column in columns.items()}


def _checked(name: str, column: object, length: int) -> NDArray[np.generic]:
    wanted: type[np.generic] = np.bool_ if name in FLAGS else np.float64
    expected = f"{'bool' if name in FLAGS else 'float64'} of shape ({length},)"
    if not isinstance(column, np.ndarray):
        came = type(column).__name__
    elif column.dtype != wanted or column.shape != (length,):
        came = f"{column.dtype} of shape {column.shape}"
    else:
        return column
    raise Unusable(Check.SHAPE, f"{name} of {length} candles was {came}; accepted: {expected}", expected, came)


def _raised(error: Exception, strategy: Strategy, length: int) -> Raised:
    said = blame(error, source_file(strategy))
    if isinstance(error, ValueError) and "read-only" in str(error):
        return Raised(
            Check.PURITY, f"{said} – it writes to the candles it is given, which others read, too", "no writing", said
        )
    return Raised(Check.SHAPE, f"{said} – with {length} candles", "an answer", said)


def source_file(strategy: Strategy) -> str | None:
    """Return the file that defines the strategy's class, or None where there is none."""
    try:
        return inspect.getfile(type(strategy))
    except (OSError, TypeError):
        return None


def scales_of(answer: Answer) -> dict[str, float]:
    """Return how large each column's values are, so that values near zero are not compared by their last digits."""
    scales = {}
    for name, column in answer.items():
        finite = np.abs(column[np.isfinite(column)])
        scales[name] = 0.0 if name in FLAGS or not len(finite) else float(np.median(finite))
    return scales


def differs(expected: Column, came: Column, scale: float) -> NDArray[np.bool_]:
    """Say for each row whether the values differ by more than `AGREE` of the larger one (or of `scale`, if larger)."""
    with np.errstate(invalid="ignore"):
        size = np.maximum(np.maximum(np.abs(expected), np.abs(came)), scale)
        near = np.isfinite(size) & (np.abs(expected - came) <= AGREE * size)
    same: NDArray[np.bool_] = near | (expected == came) | (np.isnan(expected) & np.isnan(came))
    return ~same


def disagree(name: str, expected: Column, came: Column, scale: float) -> NDArray[np.bool_]:
    """Say for each row whether the column's values differ; confidences count where both have a signal."""
    different = differs(expected, came, scale)
    return different & ~np.isnan(expected) & ~np.isnan(came) if name == "confidence" else different


def first_difference(expected: Answer, came: Answer, scales: dict[str, float]) -> dict[str, int]:
    """Return for each column that differs the first row where it does."""
    first = {}
    for name in expected.keys() | came.keys():
        different = disagree(name, column_of(expected, name), column_of(came, name), scales.get(name, 0.0))
        if different.any():
            first[name] = int(np.argmax(different))
    return first


def shown_value(name: str, answer: Answer, row: int) -> str:
    """Return a column's value as people read it."""
    value = column_of(answer, name)[row]
    return str(bool(value)) if name in FLAGS else f"{value:.12g}"


def own_copy(candles: Candles) -> Candles:
    """Return the candles in memory of their own."""
    return Candles(candles.open_time.copy(), *(getattr(candles, name).copy() for name in COLUMNS))
