from __future__ import annotations

import numpy as np
from tests.builders import BTC, candles_of
from tests.unit.backtest.bias.cheats import Simple
from tests.unit.backtest.bias.honest import HonestLag, HonestRunningSum
from tests.unit.backtest.bias.markets import synthetic

from vela.backtest.bias.examination import Effort, Examination


def test_rows_cover_signals_and_the_whole_history():
    examination = Examination(HonestLag(), BTC, synthetic(2_000, 1), Effort(cuts=40, work=1))
    rows = examination.rows_to_compare(100, 200)
    assert rows.min() >= 100
    assert rows[-1] == 1_999
    assert 100 < len(rows) <= 202
    assert np.isin(rows, examination.signals).sum() > 50
    assert examination.rows_to_compare(1_990, 200).tolist() == list(range(1_990, 2_000))


def test_some_cuts_are_early_and_some_late():
    examination = Examination(HonestLag(), BTC, synthetic(2_000, 1), Effort(cuts=40, work=1))
    assert len(examination.late_cuts) >= 15
    assert len(examination.cuts) - len(examination.late_cuts) >= 5


def test_a_window_is_what_live_sees():
    candles = synthetic(300, 1)
    examination = Examination(HonestLag(), BTC, candles)
    assert examination.newest(200, 6) == {name: column[200] for name, column in examination.prefix(200).items()}
    assert examination.disagreeing(200, 6) == set()
    assert examination.disagreeing(200, 5) <= {"buy", "sell"}


def test_a_tie_that_the_last_digits_decide_is_rounding():
    equal = candles_of([0.1] * 120)
    examination = Examination(HonestRunningSum(), BTC, equal)
    assert examination.is_rounding("buy", equal, -1) or examination.is_rounding("sell", equal, -1)
    assert not examination.is_rounding("series mean", equal, -1)


def test_a_decision_with_a_reason_is_not():
    class Rising(Simple):
        def flags(self, candles):
            return candles.close > 0.5, candles.close < 0.05

    candles = candles_of([0.1, 0.9] * 10)
    examination = Examination(Rising(), BTC, candles)
    assert not examination.is_rounding("buy", candles, -1)
