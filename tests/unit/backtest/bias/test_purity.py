from __future__ import annotations

import numpy as np
import pytest
from tests.builders import BTC
from tests.unit.backtest.bias import cheats
from tests.unit.backtest.bias.markets import synthetic

from vela.backtest.bias.answers import Unusable
from vela.backtest.bias.examination import Examination
from vela.backtest.bias.purity import fresh, purity, unlike
from vela.domain.candles import candle_fault
from vela.strategies.registry import SHIPPED


def said(strategy) -> str:
    [finding] = purity(Examination(strategy, BTC, synthetic(600, 2)))
    return finding.sentence


@pytest.mark.parametrize(
    ("cls", "sentence"),
    [
        (cheats.Counting, "when the same candles were given again"),
        (cheats.Dice, "when the same candles were given again"),
        (cheats.ByInstance, "when another instance with the same parameters was asked"),
        (cheats.RemembersPrices, "when the symbols came in another order"),
        (cheats.KeepsTheFirstAnswer, "when the symbols came in another order"),
        (cheats.ReusesItsArrays, "when the next call overwrote the arrays it had returned"),
    ],
)
def test_each_kind_of_state_has_its_words(cls: type, sentence: str):
    assert said(cls()).endswith(sentence)


def test_writing_is_found_even_where_the_answer_does_not_show_it():
    class Quiet(cheats.Simple):
        def flags(self, candles):
            owner = candles.volume if candles.volume.base is None else candles.volume.base
            owner.flags.writeable = True
            owner[0] = 1234.5
            return candles.close > candles.open, candles.close < candles.open

    assert said(Quiet()).startswith("it writes to its candles: volume of candle 0 was ")


def test_a_strategy_that_cannot_be_made_again():
    class Once(cheats.Simple):
        def __init__(self, needed):
            super().__init__()

        def flags(self, candles):
            return candles.close > candles.open, candles.close < candles.open

    with pytest.raises(Unusable, match=r"needed.* – when made again with its own parameters"):
        fresh(Once(1))


def test_the_callers_candles_stay_as_they_are():
    candles = synthetic(300, 1)
    before = candles.rows()
    purity(Examination(cheats.UnlocksItsCandles(), BTC, candles))
    assert candles.rows() == before


def test_the_shipped_ones_are_pure():
    for cls in SHIPPED.values():
        assert purity(Examination(cls(), BTC, synthetic(600, 2))) == []


def test_the_other_candles_are_usable_and_unlike():
    candles = synthetic(100, 1)
    other = unlike(candles)
    assert all(candle_fault(row, 60_000) is None for row in other.rows())
    assert other.close.max() > 1.5 * candles.close.max()
    assert other.close.min() < 0.7 * candles.close.min()
    assert np.array_equal(other.open_time, candles.open_time)
