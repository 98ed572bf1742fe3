from __future__ import annotations

import numpy as np
import pytest
from tests.builders import BTC
from tests.unit.backtest.bias.cheats import LastRow, NextClose, RarePeekByRow, SeriesOfTheFuture, Simple
from tests.unit.backtest.bias.honest import LateRiser
from tests.unit.backtest.bias.markets import synthetic

from vela.backtest.bias.examination import Effort, Examination
from vela.backtest.bias.findings import Severity
from vela.backtest.bias.look_ahead import look_ahead, suspicious_rows
from vela.strategies.base import Strategy

CANDLES = synthetic(1_200, 4)


def examined(strategy, cuts: int = 10) -> Examination:
    return Examination(strategy, BTC, CANDLES, Effort(cuts=cuts, work=10_000_000))


def test_the_finding_shows_row_time_and_both_values():
    finding = look_ahead(examined(LastRow()))[0]
    assert finding.row is not None
    assert finding.time == CANDLES.open_time[finding.row]
    assert {finding.expected, finding.came} == {"True", "False"}
    assert f"candle {finding.row} uses the future" in finding.sentence


def test_flags_come_before_series():
    class Both(Strategy):
        warmup = 1

        def analyze(self, symbol, candles):
            signals = NextClose().analyze(symbol, candles)
            signals.series.update(SeriesOfTheFuture().analyze(symbol, candles).series)
            return signals

    names = [finding.sentence.split(" of ")[0] for finding in look_ahead(examined(Both(), cuts=60))]
    assert names == ["buy", "sell", "series next"]


@pytest.mark.parametrize("row", [1, 7, 500, 1_111, 1_198])
def test_a_single_row_that_peeks_is_found(row: int):
    time = CANDLES.open_time[row]

    class Once(Simple):
        def flags(self, candles):
            after = np.zeros(len(candles), dtype=bool)
            after[:-1] = candles.close[1:] != candles.close[:-1]
            return (candles.open_time == time) & after, np.zeros(len(candles), dtype=bool)

    assert CANDLES.close[row + 1] != CANDLES.close[row]
    examination = examined(Once())
    suspects, compared = suspicious_rows(examination, 1)
    assert (suspects, compared) == ([row], 1_200)
    assert [finding.row for finding in look_ahead(examination, suspects)] == [row]


def test_what_happens_only_before_the_warmup_is_a_warning():
    findings = look_ahead(examined(LateRiser()), range(10, 60, 5))
    assert findings
    assert {finding.severity for finding in findings} == {Severity.WARNING}
    assert findings[0].sentence.endswith("while there are fewer candles than its warm-up")


def test_a_warmup_beyond_all_candles_excuses_nothing():
    class Claiming(NextClose):
        memory = 5_000

    assert look_ahead(examined(Claiming()))[0].severity is Severity.ERROR


def test_rows_are_compared_as_far_as_the_work_allows_and_flags_first():
    examination = Examination(RarePeekByRow(), BTC, CANDLES, Effort(cuts=4, work=60_000))
    _, compared = suspicious_rows(examination, 1)
    assert 100 < compared <= 200


def test_columns_that_no_window_settles_can_be_left_out():
    class Counted(Simple):
        def analyze(self, symbol, candles):
            signals = super().analyze(symbol, candles)
            signals.series["row"] = np.arange(len(candles), dtype=float)
            return signals

        def flags(self, candles):
            return candles.close > candles.open, candles.close < candles.open

    examination = examined(Counted())
    assert suspicious_rows(examination, 1, {"series row"})[0] == []
    assert len(suspicious_rows(examination, 1)[0]) == 60
