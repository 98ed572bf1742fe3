from __future__ import annotations

import pytest
from tests.builders import BTC
from tests.unit.backtest.bias.cheats import ColdAverage, EveryTenthRow, OneCandleTooFew
from tests.unit.backtest.bias.honest import HonestAverage, HonestScale
from tests.unit.backtest.bias.markets import synthetic

from vela.backtest.bias.examination import Examination
from vela.backtest.bias.findings import Severity
from vela.backtest.bias.start import dependence_on_start, measure
from vela.strategies.sma_crossover import SmaCrossover


def examined(strategy, count: int = 2_000) -> Examination:
    return Examination(strategy, BTC, synthetic(count, 6))


@pytest.mark.parametrize(("fast", "slow"), [(5, 20), (10, 30), (50, 200)])
def test_the_warmup_is_measured_to_the_candle(fast: int, slow: int):
    examination = examined(SmaCrossover(fast=fast, slow=slow))
    measured = measure(examination, examination.late_cuts)
    assert measured == (slow + 1, frozenset(), {})


def test_it_follows_the_parameters():
    warmups = []
    for period in (5, 20, 80):
        examination = examined(HonestAverage(period=period), 4_000)
        warmups.append(measure(examination, examination.late_cuts).warmup or 0)
    # Until the first value's weight, (1 - 2 / (period + 1)) ** candles, is below a billionth of the average.
    assert warmups[0] < warmups[1] < warmups[2]
    assert 100 < warmups[1] < 230


def test_one_candle_too_few_is_found_with_the_number_needed():
    examination = examined(OneCandleTooFew())
    rows = range(1_500, 2_000)
    [finding] = dependence_on_start(examination, measure(examination, rows))
    assert finding.severity is Severity.ERROR
    assert "declared warm-up of 29 candles" in finding.sentence
    assert finding.sentence.endswith("at least 30 are needed")


def test_what_never_settles_has_no_warmup():
    examination = examined(EveryTenthRow())
    measured = measure(examination, range(1_501, 1_520))
    assert measured.warmup is None
    assert measured.never == {"buy", "sell"}


def test_series_are_named_where_no_decision_shows_it():
    examination = examined(ColdAverage())
    measured = measure(examination, [1_900])
    assert "series mean" in measured.too_short


def test_too_few_candles_are_said():
    examination = examined(HonestScale(), 150)
    [finding] = dependence_on_start(examination, measure(examination, examination.late_cuts))
    assert finding.severity is Severity.WARNING
    assert finding.sentence == "a warm-up of 100 candles cannot be checked with 150; accepted: 200 or more"
