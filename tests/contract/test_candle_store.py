from __future__ import annotations

import math
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vela.adapters.storage.parquet import ParquetCandleStore
from vela.domain.assets import QuoteCurrency
from vela.domain.candles import Candle, Candles
from vela.domain.errors import CandleError
from vela.domain.gaps import Gap
from vela.domain.timeframe import Timeframe
from vela.domain.trading_symbol import TradingSymbol, register_assets
from vela.ports.candle_store import CandleStore, StoredSeries, Written

BTC = TradingSymbol("BTC")
MINUTE = 60_000
# One minute before March 2024 begins: series that start here cross a month.
FEBRUARY_END = 1_709_251_140_000


@pytest.fixture(params=["folder", "bucket"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> CandleStore:
    if request.param == "bucket":
        return ParquetCandleStore(request.getfixturevalue("bucket"))
    return ParquetCandleStore(tmp_path / "candles")


def candles(*times: int, close: float = 1.5) -> Candles:
    return Candles.from_rows([Candle(time, 1.0, 2.0, 0.5, close, 10.0) for time in times])


def minutes(count: int, start: int = FEBRUARY_END) -> Candles:
    return candles(*(start + step * MINUTE for step in range(count)))


def test_an_empty_store_holds_nothing(store):
    assert len(store.read("binance", BTC, Timeframe.M1)) == 0
    assert store.series() == []


def test_what_was_written_comes_back_bit_for_bit(store):
    rng = np.random.default_rng(7)
    times = FEBRUARY_END + MINUTE * np.arange(200, dtype=np.int64)
    low, opens, closes, high = np.sort(rng.uniform(1e-8, 1e5, (4, 200)), axis=0)
    written = Candles.from_columns(times, opens, high, low, closes, rng.uniform(0.0, 1e5, 200))
    assert store.write("binance", BTC, Timeframe.M1, written) == Written(200, 0)
    read = store.read("binance", BTC, Timeframe.M1)
    for name in ("open_time", "open", "high", "low", "close", "volume"):
        np.testing.assert_array_equal(getattr(read, name), getattr(written, name), strict=True)


def test_writing_the_same_again_changes_nothing(store):
    store.write("binance", BTC, Timeframe.M1, minutes(3))
    assert store.write("binance", BTC, Timeframe.M1, minutes(3)) == Written(0, 0)
    assert store.read("binance", BTC, Timeframe.M1).rows() == minutes(3).rows()


def test_a_later_writing_replaces_candles_of_the_same_time(store):
    first = FEBRUARY_END
    store.write("binance", BTC, Timeframe.M1, candles(first, first + MINUTE))
    later = candles(first + MINUTE, first + 2 * MINUTE, close=1.7)
    assert store.write("binance", BTC, Timeframe.M1, later) == Written(1, 1)
    assert store.read("binance", BTC, Timeframe.M1).close.tolist() == [1.5, 1.7, 1.7]


def test_or_what_is_stored_wins_if_that_is_asked_for(store):
    first = FEBRUARY_END
    store.write("binance", BTC, Timeframe.M1, candles(first, first + MINUTE))
    later = candles(first + MINUTE, first + 2 * MINUTE, close=1.7)
    assert store.write("binance", BTC, Timeframe.M1, later, stored_wins=True) == Written(1, 0)
    assert store.read("binance", BTC, Timeframe.M1).close.tolist() == [1.5, 1.5, 1.7]


def test_candles_of_an_earlier_time_fall_into_place(store):
    store.write("binance", BTC, Timeframe.M1, minutes(2, FEBRUARY_END + 5 * MINUTE))
    store.write("binance", BTC, Timeframe.M1, minutes(2))
    times = store.read("binance", BTC, Timeframe.M1).open_time
    assert ((times - FEBRUARY_END) // MINUTE).tolist() == [0, 1, 5, 6]


@pytest.mark.parametrize(
    ("before", "count", "expected"),
    [
        (None, None, [0, 1, 2, 3]),
        (None, 2, [2, 3]),
        (None, 0, []),
        (None, 99, [0, 1, 2, 3]),
        (4, None, [0, 1, 2, 3]),
        (3, None, [0, 1, 2]),
        (3, 2, [1, 2]),
        (1, 5, [0]),
        (0, None, []),
    ],
)
def test_reading_the_newest_before_a_time(store, before, count, expected):
    store.write("binance", BTC, Timeframe.M1, minutes(4))
    time = None if before is None else FEBRUARY_END + before * MINUTE
    read = store.read("binance", BTC, Timeframe.M1, before=time, count=count)
    assert ((read.open_time - FEBRUARY_END) // MINUTE).tolist() == expected


@pytest.mark.parametrize(
    ("since", "before", "count", "expected"),
    [
        (0, None, None, [0, 1, 2, 3]),
        (1, None, None, [1, 2, 3]),
        (1, 3, None, [1, 2]),
        (1, None, 2, [2, 3]),
        (4, None, None, []),
        (2, 2, None, []),
    ],
)
def test_reading_from_a_time_on(store, since, before, count, expected):
    store.write("binance", BTC, Timeframe.M1, minutes(4))
    bounds = {
        "since": FEBRUARY_END + since * MINUTE,
        "before": None if before is None else FEBRUARY_END + before * MINUTE,
    }
    read = store.read("binance", BTC, Timeframe.M1, count=count, **bounds)
    assert ((read.open_time - FEBRUARY_END) // MINUTE).tolist() == expected


def test_gaps_are_listed_across_months_and_as_far_as_is_asked(store):
    first = FEBRUARY_END
    store.write("binance", BTC, Timeframe.M1, candles(first, first + 3 * MINUTE, first + 4 * MINUTE))
    inside = Gap(first + MINUTE, first + 3 * MINUTE, 2)
    assert store.gaps("binance", BTC, Timeframe.M1) == [inside]
    before, after = Gap(first - MINUTE, first, 1), Gap(first + 5 * MINUTE, first + 7 * MINUTE, 2)
    assert store.gaps("binance", BTC, Timeframe.M1, first - MINUTE, first + 7 * MINUTE) == [before, inside, after]
    part = (first + 2 * MINUTE, first + 4 * MINUTE)
    assert store.gaps("binance", BTC, Timeframe.M1, *part) == [Gap(part[0], part[0] + MINUTE, 1)]


def test_of_a_series_that_is_not_stored_all_is_absent(store):
    assert store.gaps("binance", BTC, Timeframe.M1) == []
    assert store.gaps("binance", BTC, Timeframe.M1, 0, 2 * MINUTE) == [Gap(0, 2 * MINUTE, 2)]


def test_a_candle_counts_once_it_has_closed(store):
    store.write("binance", BTC, Timeframe.M1, minutes(2))
    assert len(store.read("binance", BTC, Timeframe.M1, before=FEBRUARY_END + 2 * MINUTE - 1)) == 1


def test_candles_that_do_not_ascend_are_refused(store):
    for times in ((MINUTE, 0), (0, 0)):
        with pytest.raises(CandleError, match="ascend"):
            store.write("binance", BTC, Timeframe.M1, candles(*times))
    assert store.series() == []


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        (Candle(MINUTE, 1.0, 2.0, 0.5, math.nan, 1.0), "not_finite"),
        (Candle(MINUTE, 1.0, 2.0, 0.0, 1.5, 1.0), "not_positive"),
        (Candle(MINUTE, 1.0, 1.2, 0.5, 1.5, 1.0), "inconsistent"),
        (Candle(MINUTE + 1, 1.0, 2.0, 0.5, 1.5, 1.0), "off_grid"),
    ],
)
def test_what_cannot_be_used_is_refused_with_all_that_comes_along(store, row, fault):
    with pytest.raises(CandleError, match=f"cannot be stored: {fault} 1; accepted: usable 1m candles"):
        store.write("binance", BTC, Timeframe.M1, Candles.from_rows([*candles(0).rows(), row]))
    assert store.series() == []


def test_no_candles_write_nothing(store):
    assert store.write("binance", BTC, Timeframe.M1, candles()) == Written(0, 0)
    assert store.series() == []


def test_series_are_apart_and_listed_with_their_gaps(store):
    eth = TradingSymbol("ETH", QuoteCurrency.BTC)
    store.write("kraken", BTC, Timeframe.M1, minutes(1))
    store.write("binance", eth, Timeframe.M1, minutes(2))
    store.write("binance", BTC, Timeframe.H1, candles(0, 3_600_000 * 5))
    store.write("binance", BTC, Timeframe.M1, candles(FEBRUARY_END, FEBRUARY_END + 4 * MINUTE))
    end = FEBRUARY_END
    assert [msgspec.structs.replace(series, size=None) for series in store.series()] == [
        StoredSeries("binance", BTC, Timeframe.M1, end, end + 4 * MINUTE, 2, 3),
        StoredSeries("binance", BTC, Timeframe.H1, 0, 18_000_000, 2, 4),
        StoredSeries("binance", eth, Timeframe.M1, end, end + MINUTE, 2, 0),
        StoredSeries("kraken", BTC, Timeframe.M1, end, end, 1, 0),
    ]


def test_names_outside_ascii_and_odd_exchanges_are_kept(store):
    register_assets(["币安人生", "1000SATS"])
    for exchange, base in (("../etc", "币安人生"), (".", "1000SATS"), ("a-b/c", "BTC")):
        symbol = TradingSymbol(base)
        store.write(exchange, symbol, Timeframe.M1, minutes(1))
        assert len(store.read(exchange, symbol, Timeframe.M1)) == 1
    assert {(series.exchange, series.symbol.base) for series in store.series()} == {
        ("../etc", "币安人生"),
        (".", "1000SATS"),
        ("a-b/c", "BTC"),
    }


@given(
    writes=st.lists(st.sets(st.integers(0, 5), min_size=1), max_size=4),
    before=st.none() | st.integers(0, 7),
    count=st.none() | st.integers(0, 7),
)
def test_reads_like_a_dictionary_of_candles_would(tmp_path_factory, writes, before, count):
    # Fifteen days apart: the steps 0–5 spread over four months.
    step = 15 * 86_400_000
    store = ParquetCandleStore(tmp_path_factory.mktemp("candles"))
    model: dict[int, float] = {}
    for number, steps in enumerate(writes, start=1):
        times = [step * one for one in sorted(steps)]
        written = store.write("x", BTC, Timeframe.D1, candles(*times, close=1 + number / 10))
        assert written == Written(len(set(times) - model.keys()), len(set(times) & model.keys()))
        model |= dict.fromkeys(times, 1 + number / 10)
    limit = None if before is None else before * step
    expected = sorted((t, c) for t, c in model.items() if limit is None or t + 86_400_000 <= limit)
    expected = expected if count is None else expected[len(expected) - min(count, len(expected)) :]
    read = store.read("x", BTC, Timeframe.D1, before=limit, count=count)
    assert list(zip(read.open_time.tolist(), read.close.tolist(), strict=True)) == expected
