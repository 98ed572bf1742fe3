from __future__ import annotations

import io
from datetime import UTC, datetime

import polars as pl
import pytest

from vela.adapters.storage.candle_import.parquet_table import read_table
from vela.domain.candles import Candle
from vela.domain.errors import CandleError

JANUARY_2025 = 1_735_689_600_000
PRICES = {"open": [1.0], "high": [2.0], "low": [0.5], "close": [1.5], "volume": [10.0]}


def content(table: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    table.write_parquet(buffer)
    return buffer.getvalue()


def read(times: pl.Series, **prices: list[object]):
    return read_table(content(pl.DataFrame({times.name: times, **PRICES, **prices})), "x.parquet", "BTC")


@pytest.mark.parametrize(
    "times",
    [
        pl.Series("open_time", [JANUARY_2025]),
        pl.Series("timestamp", [JANUARY_2025 // 1000], dtype=pl.UInt32),
        pl.Series("timestamp", [float(JANUARY_2025)]),
        pl.Series("ts", [JANUARY_2025 * 1000]),
        pl.Series("date", [datetime(2025, 1, 1, tzinfo=UTC)]),
        pl.Series("date", [datetime(2025, 1, 1)], dtype=pl.Datetime("ns")),  # noqa: DTZ001
        pl.Series("Date", [datetime(2025, 1, 1, tzinfo=UTC).date()]),
    ],
    ids=lambda series: f"{series.name} {series.dtype}",
)
def test_a_time_may_have_many_types(times: pl.Series) -> None:
    assert read(times).candles.rows() == [Candle(JANUARY_2025, 1.0, 2.0, 0.5, 1.5, 10.0)]


def test_whole_numbers_and_texts_are_prices_too_and_what_is_absent_is_counted_with_its_row() -> None:
    times = pl.Series("time", [JANUARY_2025, JANUARY_2025, None])
    found = read(times, open=[1, None, 3], high=["2", "2", "2"], low=[0.5] * 3, close=[1.5] * 3, volume=[10] * 3)
    assert found.candles.rows() == [Candle(JANUARY_2025, 1.0, 2.0, 0.5, 1.5, 10.0)]
    assert found.refused == {"unreadable_number": (1, 2), "unreadable_time": (1, 3)}


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (b"PAR1 and no more", "cannot be read"),
        (content(pl.DataFrame({"time": [1], "open": [1.0]})), "has no column high, low, close, volume"),
        (content(pl.DataFrame({"time": [1], **PRICES}).clear()), "has no rows"),
        (content(pl.DataFrame({"time": ["noon"], **PRICES})), "column time of x.parquet is String"),
        (content(pl.DataFrame({"time": [True], **PRICES})), "column time of x.parquet is Boolean"),
    ],
)
def test_what_is_no_table_of_candles(made: bytes, words: str) -> None:
    with pytest.raises(CandleError, match=words) as caught:
        read_table(made, "x.parquet", "BTC")
    assert "accepted: " in str(caught.value)
