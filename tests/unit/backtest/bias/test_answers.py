from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from tests.builders import BTC, candles_of
from tests.unit.backtest.bias.honest import HonestLag, HonestView

from vela.backtest.bias.answers import ask, differs, disagree, first_difference, scales_of, shown_value

numbers = st.floats(allow_nan=True, allow_infinity=True)


def test_columns_carry_flags_confidence_and_series():
    answer = ask(HonestView(), BTC, candles_of([1.0, 2.0]))
    assert list(answer) == ["buy", "sell", "confidence", "series close"]
    assert answer["sell"].tolist() == [1.0, 1.0]


@given(numbers)
def test_a_value_never_differs_from_itself(value: float):
    assert not differs(np.array([value]), np.array([value]), 0.0)[0]


@given(numbers, numbers)
def test_differing_is_mutual(one: float, two: float):
    first, second = np.array([one]), np.array([two])
    assert differs(first, second, 0.0)[0] == differs(second, first, 0.0)[0]


def test_up_to_a_billionth_values_agree():
    values = np.array([1.0, 1.0, 0.0, np.nan, np.nan, np.inf, 1e-12])
    others = np.array([1.0 + 5e-10, 1.0 + 5e-9, 1e-9, np.nan, 1.0, 1.0, 0.0])
    assert differs(values, others, 0.0).tolist() == [False, True, True, False, True, True, True]
    assert differs(values, others, 100.0).tolist() == [False, False, False, False, True, True, False]


def test_the_scale_is_that_of_the_finite_values_and_flags_have_none():
    answer = {"buy": np.ones(3), "series a": np.array([np.nan, -4.0, 6.0]), "series b": np.full(3, np.nan)}
    assert scales_of(answer) == {"buy": 0.0, "series a": 5.0, "series b": 0.0}


def test_series_that_are_absent_are_undefined():
    one, two = {"buy": np.zeros(2), "series a": np.array([np.nan, 0.0])}, {"buy": np.array([0.0, 1.0])}
    assert first_difference(one, two, {}) == {"buy": 1, "series a": 1}
    assert shown_value("series a", two, 0) == "nan"
    assert (shown_value("buy", two, 1), shown_value("series a", one, 1)) == ("True", "0")


def test_the_confidence_counts_where_there_is_a_signal_and_is_1_unless_said():
    confidence = ask(HonestLag(), BTC, candles_of([*[1.0] * 6, 2.0]))["confidence"]
    assert np.isnan(confidence[:6]).all()
    assert confidence[6] == 1.0
    sure, unsure, silent = np.array([1.0]), np.array([0.5]), np.array([np.nan])
    assert disagree("confidence", sure, unsure, 0.0)[0]
    assert not disagree("confidence", sure, silent, 0.0)[0]
    assert disagree("series a", sure, silent, 0.0)[0]
