from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.analysis.samples import DAY, HOUR, NEW_YEAR, days, held

from vela.analysis.exposure import exposure_pct


def at(day: int) -> int:
    return NEW_YEAR + day * DAY


def test_by_hand() -> None:
    # Candles 2, 3, 4 of ten end with a position; the exit at the open of 5 leaves that one without.
    assert exposure_pct(days(10), held((at(2), at(5)))) == 30.0


def test_a_candle_counts_once() -> None:
    assert exposure_pct(days(10), held((at(2), at(5)), (at(3), at(6)), (at(3), at(4)))) == 40.0


def test_one_after_the_other_without_a_gap() -> None:
    assert exposure_pct(days(4), held((at(0), at(2)), (at(2), at(4)))) == 75.0  # the exit is in the last candle


def test_an_exit_inside_a_candle_counts_as_at_its_open() -> None:
    assert exposure_pct(days(10), held((at(2) + HOUR, at(5) + HOUR))) == 30.0
    assert exposure_pct(days(10), held((at(2), at(2) + HOUR))) == 0.0


def test_what_is_open_at_the_end_counts() -> None:
    assert exposure_pct(days(10), [], open_since=[at(8)]) == 20.0
    assert exposure_pct(days(10), [], open_since=[at(-3)]) == 100.0


def test_without_trades_and_without_candles() -> None:
    assert exposure_pct(days(10), []) == 0.0
    assert exposure_pct(days(0), []) == 0.0


spans = st.tuples(st.integers(0, 30), st.integers(0, 20)).map(lambda pair: (pair[0], pair[0] + pair[1]))


@given(st.lists(spans, max_size=10), st.lists(st.integers(0, 30), max_size=3), st.integers(1, 30))
def test_as_a_loop_over_candles_counts(closed: list[tuple[int, int]], open_since: list[int], count: int) -> None:
    last = count - 1
    inside = [(min(entry, last), min(leave, last)) for entry, leave in closed]
    still_open = [min(entry, last) for entry in open_since]
    exposed = sum(
        any(entry <= i < leave for entry, leave in inside) or any(entry <= i for entry in still_open)
        for i in range(count)
    )
    trades = held(*((at(entry), at(leave)) for entry, leave in closed))
    result = exposure_pct(days(count), trades, [at(entry) for entry in open_since])
    assert result == pytest.approx(100.0 * exposed / count)
