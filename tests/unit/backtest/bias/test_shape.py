from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.builders import BTC
from tests.unit.backtest.bias.cheats import Simple
from tests.unit.backtest.bias.markets import synthetic

from vela.backtest.bias import check_strategy
from vela.backtest.bias.answers import Unusable
from vela.backtest.bias.examination import Examination
from vela.backtest.bias.shape import declared_warmup, shape
from vela.domain.signal import Signals

CANDLES = synthetic(400, 3)
# What types forbid and users write nevertheless.
ANYTHING: Any = True
NUMBER: Any = 0.5
LIST: Any = [CANDLES.close]


class Answering(Simple):
    def __init__(self, answer):
        super().__init__()
        self.answer = answer

    def analyze(self, symbol, candles):
        return self.answer(candles)


def flags(candles):
    return candles.close > candles.open


def said(answer) -> str:
    [finding] = check_strategy(Answering(answer), CANDLES).findings
    assert finding.check == "shape"
    return finding.sentence


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (lambda c: None, "analyze returned NoneType; accepted: Signals"),
        (lambda c: (flags(c), flags(c)), "analyze returned tuple; accepted: Signals"),
        (lambda c: Signals(flags(c)[1:], flags(c)), r"buy of 400 candles was bool of shape (399,); accepted: bool of"),
        (lambda c: Signals(flags(c), ANYTHING), "sell of 400 candles was bool; accepted: bool of shape (400,)"),
        (lambda c: Signals(flags(c).tolist(), flags(c)), "buy of 400 candles was list"),
        (lambda c: Signals(flags(c).astype(int), flags(c)), "buy of 400 candles was int64 of shape (400,)"),
        (lambda c: Signals(flags(c), c.close), "sell of 400 candles was float64"),
        (lambda c: Signals(flags(c), flags(c), NUMBER), "confidence of 400 candles was float; accepted: float64"),
        (lambda c: Signals(flags(c), flags(c), series={"a": c.close[:, None]}), "series a of 400 candles was float64"),
        (lambda c: Signals(flags(c), flags(c), series=LIST), "series was list; accepted: a dict"),
    ],
)
def test_answers_of_another_kind(answer, sentence: str):
    assert said(answer).startswith(sentence)


@pytest.mark.parametrize("value", [-0.1, 1.1, np.nan, np.inf])
def test_a_confidence_outside_its_range(value: float):
    def answer(candles):
        confidence = np.full(len(candles), 0.5)
        confidence[7:8] = value
        return Signals(np.ones(len(candles), dtype=bool), np.zeros(len(candles), dtype=bool), confidence)

    [finding] = shape(Examination(Answering(answer), BTC, CANDLES))
    assert finding.sentence == f"confidence of candle 7 was {value:.12g}; accepted: 0 to 1"
    assert finding.time == CANDLES.open_time[7]


def test_a_confidence_is_needed_only_with_a_signal():
    def answer(candles):
        buy = candles.close > candles.open
        return Signals(buy, np.zeros(len(candles), dtype=bool), np.where(buy, 1.0, np.nan))

    assert shape(Examination(Answering(answer), BTC, CANDLES)) == []


@pytest.mark.parametrize("count", [0, 1, 2, 5])
def test_an_answer_that_fails_with_few_candles(count: int):
    def answer(candles):
        if len(candles) == count:
            raise IndexError("too few")
        return Signals(flags(candles), ~flags(candles))

    with pytest.raises(Unusable, match=f"IndexError: too few – with {count} candles"):
        shape(Examination(Answering(answer), BTC, CANDLES))


@pytest.mark.parametrize("value", [0, -1, 1.5, "10", None, True])
def test_a_warmup_that_is_none(value):
    class Declaring(Simple):
        warmup = value

    with pytest.raises(Unusable, match=r"warmup was .*; accepted: a whole number, 1 or more"):
        declared_warmup(Declaring())


def test_a_warmup_that_fails():
    class Failing(Simple):
        @property
        def warmup(self):
            raise KeyError("period")

    report = check_strategy(Failing(), CANDLES)
    assert report.checked == ()
    assert "KeyError: 'period' – in warmup" in report.findings[0].sentence
