from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vela.backtest.report import charts

DAY = 86_400_000
FIRST = 1_704_067_200_000  # 2024-01-01


@given(count=st.integers(1, 5_000), points=st.integers(1, 900))
def test_parts_end_with_the_last_row_and_are_never_too_many(count: int, points: int) -> None:
    ends = charts.ends_of_parts(count, points)
    assert ends[-1] == count - 1
    assert len(ends) == min(count, points)
    assert np.all(np.diff(ends) > 0)


@given(st.floats(-1e12, 1e12), st.floats(0, 1e12))
def test_ticks_are_few_round_and_in_the_plot(low: float, span: float) -> None:
    scale = charts.Scale(low, low + span)
    ticks = scale.ticks()
    assert len(ticks) <= 9
    assert all(-1e-9 <= at <= 1 + 1e-9 for at, _ in ticks)
    assert np.all(np.diff([at for at, _ in ticks]) > 0)


@pytest.mark.parametrize(
    ("low", "high", "texts"),
    [
        (600.0, 1_200.0, ["600", "800", "1,000", "1,200"]),
        (0.0, 1.0, ["0.0", "0.5", "1.0"]),
        (-40.0, 0.0, ["−40", "−20", "0"]),
        (100.0, 110.0, ["100", "105", "110"]),
        (0.0, 9.0, ["0.0", "2.5", "5.0", "7.5"]),
        (0.0, 0.9, ["0.00", "0.25", "0.50", "0.75"]),
        (0.0, 90.0, ["0", "25", "50", "75"]),
        (7.0, 7.0, ["6.95", "7.00", "7.05"]),
    ],
)
def test_how_ticks_are_written(low: float, high: float, texts: list[str]) -> None:
    assert [text for _, text in charts.Scale(low, high).ticks()] == texts


@pytest.mark.parametrize(
    ("days", "texts"),
    [
        (0.25, ["00:00", "01:00"]),
        (5, ["1 Jan", "2 Jan"]),
        (120, ["Jan 2024", "Feb 2024"]),
        (3_000, ["2024", "2026"]),
        (30_000, ["2025", "2050"]),
    ],
)
def test_times_are_named_by_the_calendar(days: float, texts: list[str]) -> None:
    ticks = charts.time_ticks(FIRST, FIRST + int(days * DAY))
    assert 1 <= len(ticks) <= 8
    assert {text for _, text in ticks} & set(texts)
    assert all(0.0 <= at <= 1.0 for at, _ in ticks)


def test_one_moment_is_no_mistake() -> None:
    assert len(charts.time_ticks(FIRST, FIRST)) <= 1
    assert charts.across_time(np.array([FIRST])).tolist() == [0.0]


def test_texts_are_escaped() -> None:
    made = charts.plot('"><x', "<b>", [], [(0.5, "<i>")], [(0.5, "&")])
    assert "<x" not in made
    assert "<b>" not in made
    assert "&lt;i&gt;" in made
    assert "&amp;" in made
