"""What happens where indicators are undefined: at the beginning, without movement, without volume."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from vela.backtest.bias.answers import FLAGS, Answer, ask, shown_value
from vela.backtest.bias.examination import Examination
from vela.backtest.bias.findings import Check, Finding, Severity
from vela.backtest.bias.shape import confidence_outside
from vela.domain.candles import Candles

_LONGEST = 2_000


def undefined(examination: Examination) -> list[Finding]:
    """Return a finding for the first signal on a row at which one of the strategy's indicators is undefined.

    Indicators are the series that are finite throughout the second half of the candles; others, such as marks in a
    chart, are undefined on purpose.

    Raises:
        Unusable: the strategy raises on such candles.
    """
    indicators = _indicators(examination.whole)
    for title, candles in _markets(examination):
        answer = examination.whole if candles is examination.candles else _asked(examination, candles)
        asked = (answer["buy"] + answer["sell"]) > 0
        for name in indicators & answer.keys():
            rows = np.flatnonzero(asked & ~np.isfinite(answer[name]))
            if len(rows):
                return [_finding(title, candles, answer, name, int(rows[0]))]
        if found := confidence_outside(answer, candles):
            return [found]
    return []


def _asked(examination: Examination, candles: Candles) -> Answer:
    return ask(examination.strategy, examination.symbol, candles)


def _indicators(whole: Answer) -> set[str]:
    half = len(whole["buy"]) // 2
    series = whole.keys() - {*FLAGS, "confidence"}
    return {name for name in series if np.isfinite(whole[name][half:]).all()}


def _markets(examination: Examination) -> Iterator[tuple[str, Candles]]:
    candles = examination.candles
    yield "these candles", candles
    length = min(len(candles), max(200, min(2 * examination.strategy.warmup, _LONGEST)))
    part = candles.slice(0, length)
    nothing, something = np.zeros(length), np.ones(length)
    moving = np.stack([part.open, part.high, part.low, part.close])
    steady = np.full((4, length), candles.close[0])
    stopping = np.where(np.arange(length) < length // 2, moving, part.close[length // 2])
    yield "a market that stands still", _candles(part, steady, something)
    yield "a market without trades", _candles(part, steady, nothing)
    yield "candles without volume", _candles(part, moving, nothing)
    yield "a market that comes to a stop", _candles(part, stopping, something)


def _candles(times: Candles, prices: NDArray[np.float64], volume: NDArray[np.float64]) -> Candles:
    first, high, low, last = (row.copy() for row in prices)
    return Candles(times.open_time.copy(), first, high, low, last, volume.copy())


def _finding(title: str, candles: Candles, answer: Answer, name: str, row: int) -> Finding:
    flag = "buy" if answer["buy"][row] else "sell"
    came = shown_value(name, answer, row)
    sentence = f"{flag} on candle {row} of {title}, where {name} is {came}: an undefined indicator is no signal"
    return Finding(
        Check.UNDEFINED, Severity.ERROR, row, int(candles.open_time[row]), f"{flag} False", f"{flag} True", sentence
    )
