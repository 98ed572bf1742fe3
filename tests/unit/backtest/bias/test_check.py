from __future__ import annotations

import warnings

import numpy as np
import pytest
from tests.builders import BTC, ETH
from tests.unit.backtest.bias.cheats import OF_STATE, OF_THE_FUTURE, OF_THE_START, ColdAverage, Simple
from tests.unit.backtest.bias.honest import HONEST
from tests.unit.backtest.bias.markets import MARKETS, synthetic

from vela.backtest.bias import QUICK, Check, Severity, check_strategy
from vela.domain.signal import Signals
from vela.strategies.sma_crossover import SmaCrossover

every_market = pytest.mark.parametrize("market", MARKETS)


def found(cls: type, market: str, seed: int = 1) -> set[str]:
    return {finding.check.value for finding in check_strategy(cls(), MARKETS[market](2_000, seed), seed=seed).errors}


@every_market
@pytest.mark.parametrize("cls", OF_THE_FUTURE)
def test_the_use_of_the_future_is_always_found(cls: type, market: str):
    assert "look_ahead" in found(cls, market)


@every_market
@pytest.mark.parametrize("cls", OF_STATE)
def test_state_is_always_found(cls: type, market: str):
    assert found(cls, market) == {"purity"}


@every_market
@pytest.mark.parametrize("cls", OF_THE_START)
def test_a_warmup_that_is_too_short_is_always_found_and_not_taken_for_the_future(cls: type, market: str):
    assert found(cls, market) == {"start"}


@every_market
@pytest.mark.parametrize("cls", HONEST)
def test_the_honest_are_never_flagged(cls: type, market: str):
    assert check_strategy(cls(), MARKETS[market](1_500, 2)).findings == ()


def test_the_quick_form_misses_none_of_the_usual_ways():
    candles = synthetic(1_500, 12)
    rare = {"RarePeek", "RarePeekByRow"}
    for cls in OF_THE_FUTURE + OF_STATE + OF_THE_START:
        if cls.__name__ not in rare:
            assert check_strategy(cls(), candles, effort=QUICK).errors, cls.__name__


def test_the_report_says_what_was_done():
    report = check_strategy(SmaCrossover(fast=5, slow=20), synthetic(1_500, 1), symbol=ETH)
    assert (report.strategy, report.parameters, report.candles) == ("SmaCrossover", {"fast": 5, "slow": 20}, 1_500)
    assert (report.warmup, report.measured_warmup) == (21, 21)
    assert report.decisions_compared == 1_500
    assert report.signals > 10
    assert report.checked == tuple(Check)
    assert report.findings == report.errors == ()


def test_the_same_seed_gives_the_same_report():
    candles = synthetic(1_000, 1)
    assert check_strategy(ColdAverage(), candles, seed=3) == check_strategy(ColdAverage(), candles, seed=3)


def test_a_strategy_that_cannot_be_asked_ends_the_checks():
    class Broken(Simple):
        def flags(self, candles):
            raise ZeroDivisionError("oh")

    report = check_strategy(Broken(), synthetic(500, 1))
    assert report.checked == ()
    [finding] = report.findings
    assert "test_check.py:" in finding.sentence
    assert "ZeroDivisionError: oh – with 500 candles" in finding.sentence


def test_after_state_was_found_nothing_is_said_about_the_future():
    for cls in OF_STATE:
        report = check_strategy(cls(), synthetic(500, 1))
        assert Check.LOOK_AHEAD not in report.checked
        assert report.measured_warmup is None


def test_numpys_warnings_are_the_strategys_business():
    class Dividing(Simple):
        def analyze(self, symbol, candles):
            ratio = (candles.close - candles.open) / (candles.high - candles.low)
            warnings.warn("noisy", stacklevel=1)
            return Signals(ratio > 0.9, ratio < -0.9, series={"ratio": ratio})

    report = check_strategy(Dividing(), synthetic(500, 1))
    assert report.findings == ()


def test_a_series_that_only_ever_grows_is_a_warning_while_no_decision_hangs_on_it():
    class Balance(Simple):
        def analyze(self, symbol, candles):
            rising = candles.close > candles.open
            total = np.cumsum(np.where(rising, candles.volume, -candles.volume))
            return Signals(rising, ~rising, series={"on_balance_volume": total})

    report = check_strategy(Balance(), synthetic(1_000, 1))
    assert report.errors == ()
    [finding] = report.findings
    assert (finding.check, finding.severity) == (Check.START, Severity.WARNING)
    assert "no window settles it" in finding.sentence


@pytest.mark.parametrize("count", [1, 2, 3, 5, 30, 60])
def test_few_candles_are_enough_to_say_so(count: int):
    report = check_strategy(SmaCrossover(), synthetic(count, 1), symbol=BTC)
    assert report.errors == ()
    if count > 3:
        assert "cannot be checked with" in report.findings[0].sentence
