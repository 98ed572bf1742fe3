from __future__ import annotations

import numpy as np
from tests.builders import BTC
from tests.unit.backtest.bias.cheats import Simple, rolling
from tests.unit.backtest.bias.markets import synthetic

from vela.backtest.bias import check_strategy
from vela.backtest.bias.examination import Examination
from vela.backtest.bias.undefined import undefined
from vela.domain.signal import Signals

CANDLES = synthetic(600, 3)


def found(strategy):
    with np.errstate(all="ignore"):
        return undefined(Examination(strategy, BTC, CANDLES))


class BuysBeforeItKnows(Simple):
    memory = 20

    def analyze(self, symbol, candles):
        mean = rolling(candles.close, 20)
        return Signals(~(candles.close < mean), candles.close < mean, series={"mean": mean})


class BuysStandstill(Simple):
    """The place in a range that may have no width."""

    memory = 20

    def analyze(self, symbol, candles):
        low, high = rolling(candles.low, 20, np.min), rolling(candles.high, 20, np.max)
        place = (candles.close - low) / (high - low)
        place[:19] = 0.5
        return Signals(~(place > 0.1), place > 0.9, series={"place": place})


class FailsWithoutVolume(Simple):
    def flags(self, candles):
        if len(candles) and not candles.volume.any():
            raise ValueError("no volume")
        return candles.close > candles.open, candles.close < candles.open


class OverconfidentStandstill(Simple):
    memory = 20

    def analyze(self, symbol, candles):
        spread = rolling(candles.high - candles.low, 20)
        confidence = np.where(spread > 0, 0.5, 2.0)
        return Signals(candles.close >= candles.open, candles.close < candles.open, confidence)


class Honest(Simple):
    memory = 20

    def analyze(self, symbol, candles):
        mean = rolling(candles.close, 20)
        return Signals(candles.close > mean, candles.close < mean, series={"mean": mean})


def test_a_signal_before_the_indicator_is_known():
    [finding] = found(BuysBeforeItKnows())
    assert finding.row == 0
    assert finding.sentence == (
        "buy on candle 0 of these candles, where series mean is nan: an undefined indicator is no signal"
    )


def test_a_signal_where_nothing_moves():
    [finding] = found(BuysStandstill())
    assert "of a market that stands still, where series place is nan" in finding.sentence


def test_a_failure_where_there_is_no_volume():
    report = check_strategy(FailsWithoutVolume(), CANDLES)
    assert "ValueError: no volume" in report.findings[0].sentence


def test_a_confidence_beyond_its_range_where_nothing_moves():
    report = check_strategy(OverconfidentStandstill(), CANDLES)
    assert any("confidence of candle" in finding.sentence for finding in report.errors)


def test_indicators_that_give_no_signal_while_undefined_are_as_they_should_be():
    assert found(Honest()) == []
