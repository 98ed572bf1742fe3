from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.builders import MINUTE, candles_of, random_walk

from vela.domain.candles import COLUMNS, Candle, CandleFault, Candles, CandleSequence, candle_fault
from vela.domain.errors import CandleError

GOOD = Candle(10 * MINUTE, 100.0, 103.0, 99.0, 101.0, 2.5)


def changed(**changes: float) -> Candle:
    values = {"open_time": GOOD.open_time, **{name: getattr(GOOD, name) for name in COLUMNS}, **changes}
    return Candle(**values)


def columns(count: int = 3) -> list[np.ndarray]:
    return [np.arange(count, dtype=np.int64) * MINUTE, *(np.full(count, 5.0 + i) for i in range(5))]


def test_a_good_candle_has_no_fault():
    assert candle_fault(GOOD, MINUTE) is None


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_column_that_is_not_finite(column: str, value: float):
    assert candle_fault(changed(**{column: value}), MINUTE) is CandleFault.NOT_FINITE


@pytest.mark.parametrize("column", ["open", "high", "low", "close"])
@pytest.mark.parametrize("value", [0.0, -0.0, -1.0, -1e-12])
def test_a_price_that_is_not_above_zero(column: str, value: float):
    assert candle_fault(changed(**{column: value}), MINUTE) is CandleFault.NOT_POSITIVE


def test_volume_may_be_zero_and_not_less():
    assert candle_fault(changed(volume=0.0), MINUTE) is None
    assert candle_fault(changed(volume=-1e-9), MINUTE) is CandleFault.NOT_POSITIVE


@pytest.mark.parametrize(
    "wrong",
    [
        {"high": 100.9},
        {"low": 100.1},
        {"open": 103.1},
        {"close": 103.1},
        {"open": 98.9},
        {"close": 98.9},
        {"high": 98.0},
    ],
)
def test_open_and_close_lie_between_low_and_high(wrong: dict[str, float]):
    assert candle_fault(changed(**wrong), MINUTE) is CandleFault.INCONSISTENT


def test_open_and_close_may_touch_low_and_high():
    assert candle_fault(changed(open=99.0, close=103.0), MINUTE) is None
    assert candle_fault(Candle(0, 5.0, 5.0, 5.0, 5.0, 0.0), MINUTE) is None


@pytest.mark.parametrize("offset", [1, -1, 59_999, 30_000])
def test_a_candle_off_the_grid(offset: int):
    assert candle_fault(changed(open_time=GOOD.open_time + offset), MINUTE) is CandleFault.OFF_GRID


def test_the_grid_is_the_timeframes():
    assert candle_fault(GOOD, 5 * MINUTE) is None
    assert candle_fault(changed(open_time=11 * MINUTE), 5 * MINUTE) is CandleFault.OFF_GRID


def test_the_first_fault_is_named():
    assert candle_fault(changed(close=math.nan, low=-1.0, open_time=1), MINUTE) is CandleFault.NOT_FINITE
    assert candle_fault(changed(low=-1.0, high=1.0, open_time=1), MINUTE) is CandleFault.NOT_POSITIVE
    assert candle_fault(changed(high=1.0, open_time=1), MINUTE) is CandleFault.INCONSISTENT


def test_a_candle_counts_once_its_end_has_come():
    sequence, end = CandleSequence(MINUTE), GOOD.open_time + MINUTE
    assert sequence.fault(GOOD, end - 1) is CandleFault.NOT_CLOSED
    assert sequence.fault(GOOD, end) is None


@pytest.mark.parametrize(
    ("next_candle", "fault"),
    [
        (GOOD, CandleFault.DUPLICATE),
        (changed(volume=2.6), CandleFault.REVISED),
        (changed(close=100.0), CandleFault.REVISED),
        (changed(open_time=9 * MINUTE), CandleFault.OUT_OF_ORDER),
        (changed(open_time=11 * MINUTE), None),
        (changed(open_time=20 * MINUTE), None),
        (changed(open_time=11 * MINUTE, high=1.0), CandleFault.INCONSISTENT),
        (changed(open_time=1_000 * MINUTE), CandleFault.NOT_CLOSED),
    ],
)
def test_a_candle_against_the_one_before(next_candle: Candle, fault: CandleFault | None):
    assert CandleSequence(MINUTE, GOOD).fault(next_candle, 500 * MINUTE) is fault


def test_every_fault_can_be_found():
    of_the_scale = {CandleFault.OUT_OF_SCALE}  # seen by who knows the prices between candles
    assert len(set(CandleFault) - of_the_scale) == 8


def test_looking_at_a_candle_does_not_take_it():
    sequence = CandleSequence(MINUTE, GOOD)
    following = changed(open_time=11 * MINUTE)
    assert sequence.fault(following, 500 * MINUTE) is None
    assert sequence.last is GOOD
    sequence.take(following)
    assert sequence.last is following
    assert sequence.fault(GOOD, 500 * MINUTE) is CandleFault.OUT_OF_ORDER


@pytest.mark.parametrize(("minute", "missing"), [(9, 0), (10, 0), (11, 0), (12, 1), (30, 19)])
def test_missing_candles_are_counted(minute: int, missing: int):
    assert CandleSequence(MINUTE, GOOD).missing_before(changed(open_time=minute * MINUTE)) == missing


def test_nothing_is_missing_before_the_first_candle():
    sequence = CandleSequence(MINUTE)
    assert sequence.missing_before(GOOD) == 0
    assert sequence.fault(GOOD, 500 * MINUTE) is None


@pytest.mark.parametrize("name", ["open_time", *COLUMNS])
def test_columns_cannot_be_written_to(name: str):
    for candles in (candles_of([1.0, 2.0]), Candles.from_columns(*columns()), candles_of([1.0, 2.0, 3.0]).slice(0, 2)):
        with pytest.raises(ValueError, match="read-only"):
            getattr(candles, name)[0] = 1


def test_the_callers_own_arrays_stay_writeable_and_are_not_copied():
    mine = columns()
    candles = Candles.from_columns(*mine)
    assert all(column.flags.writeable for column in mine)
    assert all(
        np.shares_memory(column, getattr(candles, name))
        for column, name in zip(mine, ("open_time", *COLUMNS), strict=True)
    )


def test_columns_land_under_their_own_names():
    candles = Candles.from_columns(*columns())
    assert [getattr(candles, name)[0] for name in COLUMNS] == [5.0, 6.0, 7.0, 8.0, 9.0]
    assert candles.row(0) == Candle(0, 5.0, 6.0, 7.0, 8.0, 9.0)
    assert candles.row(-1).open_time == 2 * MINUTE


def test_columns_get_the_promised_types():
    candles = Candles.from_columns(np.array([1.0, 2.0]), *(np.array([1, 2]) for _ in range(5)))
    assert candles.open_time.dtype == np.int64
    assert all(getattr(candles, name).dtype == np.float64 for name in COLUMNS)


@pytest.mark.parametrize("short", range(6))
def test_columns_of_different_length_are_refused(short: int):
    unequal = columns()
    unequal[short] = unequal[short][:-1]
    with pytest.raises(CandleError, match="has shape"):
        Candles.from_columns(*unequal)


def test_columns_of_two_dimensions_are_refused():
    mine = columns()
    with pytest.raises(CandleError, match="column high has shape"):
        Candles.from_columns(mine[0], mine[1], np.ones((3, 2)), *mine[3:])


def test_a_row_is_plain_python():
    row = random_walk(3, seed=1).row(1)
    assert type(row.open_time) is int
    assert {type(getattr(row, name)) for name in COLUMNS} == {float}


rows = st.lists(
    st.builds(Candle, st.integers(0, 2**62), *(st.floats(allow_nan=False, allow_infinity=False) for _ in range(5)))
)


@given(rows)
def test_rows_come_back_as_they_went_in(given_rows: list[Candle]):
    candles = Candles.from_rows(given_rows)
    assert len(candles) == len(given_rows)
    assert candles.rows() == given_rows
    assert [candles.row(index) for index in range(len(candles))] == given_rows


@given(st.integers(0, 6), st.integers(0, 6))
def test_a_slice_is_the_same_rows_without_copying(start: int, stop: int):
    candles = random_walk(5, seed=2)
    part = candles.slice(start, stop)
    assert part.rows() == candles.rows()[start:stop]
    assert not len(part) or np.shares_memory(part.close, candles.close)
