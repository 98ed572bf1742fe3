"""Is the answer of the promised kind, however few candles there are?"""

from __future__ import annotations

import numpy as np

from vela.backtest.bias.answers import Answer, Unusable, ask, shown_value
from vela.backtest.bias.examination import Examination
from vela.backtest.bias.findings import Check, Finding, Severity
from vela.domain.candles import Candles
from vela.strategies.base import Strategy

_SHORT = (0, 1, 2, 3, 5, 10, 30)


def shape(examination: Examination) -> list[Finding]:
    """Return findings about shapes, types, and the range of the confidence.

    Raises:
        Unusable: the first answer of another kind or shape.
    """
    length, warmup = len(examination.candles), examination.strategy.warmup
    for count in sorted({*_SHORT, warmup - 1, warmup, warmup + 1}):
        if count < length:
            ask(examination.strategy, examination.symbol, examination.candles.slice(0, count))
    found = confidence_outside(examination.whole, examination.candles)
    return [] if found is None else [found]


def declared_warmup(strategy: Strategy) -> int:
    """Return the warm-up that the strategy declares.

    Raises:
        Unusable: it is no whole number above zero.
    """
    warmup: object = strategy.warmup
    if isinstance(warmup, bool) or not isinstance(warmup, int | np.integer) or warmup < 1:
        expected = "a whole number, 1 or more"
        raise Unusable(Check.SHAPE, f"warmup was {warmup!r}; accepted: {expected}", expected, repr(warmup))
    return int(warmup)


def confidence_outside(answer: Answer, candles: Candles) -> Finding | None:
    """Return a finding about the first signal with a confidence outside 0–1."""
    confidence, asked = answer["confidence"], (answer["buy"] + answer["sell"]) > 0
    rows = np.flatnonzero(asked & ~((confidence >= 0.0) & (confidence <= 1.0)))
    if not len(rows):
        return None
    row = int(rows[0])
    came = shown_value("confidence", answer, row)
    sentence = f"confidence of candle {row} was {came}; accepted: 0 to 1"
    return Finding(Check.SHAPE, Severity.ERROR, row, int(candles.open_time[row]), "0 to 1", came, sentence)
