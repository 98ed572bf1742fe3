from __future__ import annotations

import math
from itertools import groupby

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.builders import MINUTE, random_walk

from vela.domain.candles import COLUMNS, Candle, Candles
from vela.domain.errors import CandleError
from vela.domain.resampling import resample

price = st.floats(1.0, 100.0)
walks = st.dictionaries(st.integers(0, 40), st.tuples(price, price, price, price, st.floats(0.0, 10.0)), max_size=40)


def rows_of(walk) -> list[Candle]:
    return [
        Candle(step * MINUTE, one, max(prices), min(prices), two, volume)
        for step, (one, two, *others, volume) in sorted(walk.items())
        if (prices := (one, two, *others))
    ]


@given(walks, st.sampled_from([1, 2, 3, 5]))
def test_coarser_candles_are_those_whose_parts_are_all_there(walk, parts) -> None:
    rows = rows_of(walk)
    expected, incomplete = [], 0
    for opens, group in groupby(rows, lambda row: row.open_time // (parts * MINUTE)):
        inside = list(group)
        if len(inside) < parts:
            incomplete += 1
            continue
        volume = math.fsum(row.volume for row in inside)
        high, low = max(row.high for row in inside), min(row.low for row in inside)
        expected.append(Candle(opens * parts * MINUTE, inside[0].open, high, low, inside[-1].close, volume))
    made = resample(Candles.from_rows(rows), MINUTE, parts * MINUTE)
    assert made.candles.rows() == expected
    assert made.incomplete == incomplete


def test_in_two_steps_or_in_one_the_prices_are_the_same() -> None:
    candles = random_walk(600, 1, 0.01)
    fives = resample(candles, MINUTE, 5 * MINUTE).candles
    there, straight = resample(fives, 5 * MINUTE, 60 * MINUTE).candles, resample(candles, MINUTE, 60 * MINUTE).candles
    for name in ("open_time", *COLUMNS[:-1]):
        np.testing.assert_array_equal(getattr(there, name), getattr(straight, name), strict=True)
    np.testing.assert_allclose(there.volume, straight.volume, rtol=1e-15)


@pytest.mark.parametrize("coarser", [MINUTE // 2, 90_000, 0])
def test_only_multiples_can_be_made(coarser) -> None:
    with pytest.raises(CandleError, match="accepted: a multiple"):
        resample(random_walk(5, 1, 0.01), MINUTE, coarser)


@pytest.mark.parametrize("timeframe", ["15m", "1h", "4h", "1d"])
def test_an_exchanges_own_coarser_candles_come_out(shared_data, timeframe) -> None:
    folder = shared_data / "candles" / "binance" / "BTCUSDT"
    minutes = {"15m": 15, "1h": 60, "4h": 240, "1d": 1440}[timeframe]
    fine, native = (recorded(folder / f"{name}.parquet") for name in ("5m", timeframe))
    made = resample(fine, 5 * MINUTE, minutes * MINUTE).candles
    first = np.searchsorted(made.open_time, native.open_time[0])
    made = made.slice(int(first), int(first) + len(native))
    assert len(native) > 200
    for name in ("open_time", *COLUMNS[:-1]):
        np.testing.assert_array_equal(getattr(made, name), getattr(native, name), strict=True)
    np.testing.assert_allclose(made.volume, native.volume, rtol=1e-12)


def recorded(path) -> Candles:
    frame = pl.read_parquet(path)
    return Candles.from_columns(*(frame[name].to_numpy() for name in ("open_time", *COLUMNS)))
