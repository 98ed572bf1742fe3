from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from vela.adapters.storage.candle_import.csv_text import read_csv
from vela.adapters.storage.candle_import.rows import FoundRows
from vela.domain.candles import Candle
from vela.domain.errors import CandleError

JANUARY_2025 = 1_735_689_600_000
HEADER = "open_time,open,high,low,close,volume"

# The first rows of two real archives: until the end of 2024 in milliseconds, from then on in microseconds.
KLINE_MS = "1733011200000,96407.99,96443.04,96400.00,96443.03,9.12,1733011259999,879463.52,1824,5.4,521085.9,0"
KLINE_US = (
    "1735689600000000,93576.00,93610.93,93537.50,93610.93,8.21827,1735689659999999,768978.03,1631,3.95,369757.3,0"
)


def read(text: str | bytes, base: str = "BTC") -> FoundRows:
    return read_csv(text.encode() if isinstance(text, str) else text, "x.csv", base)


def rows(text: str) -> list[Candle]:
    return read(text).candles.rows()


def test_an_archives_rows_in_milliseconds_and_in_microseconds() -> None:
    assert rows(KLINE_MS) == [Candle(1_733_011_200_000, 96407.99, 96443.04, 96400.0, 96443.03, 9.12)]
    assert rows(f"{KLINE_MS}\n{KLINE_US}\n")[1] == Candle(JANUARY_2025, 93576.0, 93610.93, 93537.5, 93610.93, 8.21827)


@pytest.mark.parametrize(
    "header",
    [
        HEADER,
        "Open time,Open,High,Low,Close,Volume",
        "timestamp,open,high,low,close,volume",
        '"date","open","high","low","close","volume"',
        "\ufeffDate,Open Price,High Price,Low Price,Close Price,Vol",
        "unix,open,high,low,close,Volume BTC",
        "https://www.example.org\ntime,open,high,low,close,base_volume",
    ],
)
def test_headers_in_many_words(header: str) -> None:
    assert rows(f"{header}\n{JANUARY_2025},1,2,0.5,1.5,10\n") == [Candle(JANUARY_2025, 1.0, 2.0, 0.5, 1.5, 10.0)]


def test_columns_in_another_order_and_others_between() -> None:
    text = "unix,date,symbol,open,high,low,close,Volume USDT,Volume BTC,tradecount\n"
    text += "1735689600,2025-01-01 00:00:00,BTCUSDT,1,2,0.5,1.5,15,10,3\n"
    assert rows(text) == [Candle(JANUARY_2025, 1.0, 2.0, 0.5, 1.5, 10.0)]
    with pytest.raises(CandleError, match="has no column volume; accepted: CSV with a header"):
        read(text, base="ETH")


@pytest.mark.parametrize(
    "time",
    [
        "1735689600",
        "1735689600.0",
        "1735689600000",
        "1735689600000000",
        "1735689600000000000",
        "2025-01-01",
        "2025-01-01 00:00",
        "2025-01-01 00:00:00",
        "2025-01-01T00:00:00Z",
        "2025-01-01T00:00:00.000Z",
        "2025-01-01 01:00:00+01:00",
        '"2025-01-01T00:00:00+00:00"',
    ],
)
def test_a_time_is_written_in_many_ways(time: str) -> None:
    assert rows(f"{HEADER}\n{time},1,2,0.5,1.5,10")[0].open_time == JANUARY_2025


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_separators_and_ends_of_lines(separator: str, end: str) -> None:
    lines = [HEADER, f"{JANUARY_2025},1,2,0.5,1.5,10", "", f" {JANUARY_2025 + 60_000} , 1,2, 0.5,1.5,10 "]
    found = read(end.join(lines).replace(",", separator))
    assert found.candles.open_time.tolist() == [JANUARY_2025, JANUARY_2025 + 60_000]
    assert found.lines.tolist() == [2, 4]


def test_rows_that_are_no_candles_are_counted_with_the_line_of_the_first() -> None:
    good = f"{JANUARY_2025},1,2,0.5,1.5,10"
    text = [
        HEADER,
        good,
        "",
        f"{JANUARY_2025},1,2,0.5",
        "never,1,2,0.5,1.5,10",
        "20250101,1,2,0.5,1.5,10",
        f"{JANUARY_2025},1,2,,1.5,10",
        f"{JANUARY_2025},one,2,0.5,x,10",
        f"{JANUARY_2025 * 1000 + 1},1,2,0.5,1.5,10",
        good,
    ]
    found = read("\n".join(text))
    assert found.refused == {
        "too_short": (1, 4),
        "unreadable_time": (2, 5),
        "unreadable_number": (2, 7),
        "off_grid": (1, 9),
    }
    assert found.lines.tolist() == [2, 10]
    assert found.count == 8


def test_numbers_that_are_none_are_left_to_the_check_of_candles() -> None:
    found = read(f"{HEADER}\n{JANUARY_2025},NaN,2,0.5,inf,10")
    assert np.isnan(found.candles.open[0])
    assert np.isinf(found.candles.close[0])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "has no rows"),
        ("\n \n", "has no rows"),
        (HEADER, "has no rows"),
        (b"PK\x03\x04\xff\xfe", "is no text"),
        ("time,open,high,low,close\n1,2,3,4,5\n", "has no column volume"),
        ("hello", "has no column open_time, open, high, low, close, volume"),
        (f"{JANUARY_2025},1,2,0.5,1.5\n", "has no column"),
    ],
)
def test_what_is_no_table_of_candles(content, words: str) -> None:
    with pytest.raises(CandleError, match=words) as caught:
        read(content)
    assert "accepted: CSV with a header" in str(caught.value)


@given(st.datetimes(datetime(1975, 1, 1), datetime(2150, 1, 1)), st.sampled_from([0, 3, 6, 9, None]))  # noqa: DTZ001
def test_every_time_comes_back_from_every_way_of_writing_it(time: datetime, digits: int | None) -> None:
    time = time.replace(microsecond=0)
    seconds = (time.replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(seconds=1)
    written = time.isoformat(sep=" ") if digits is None else f"{seconds}{'0' * digits}"
    assert rows(f"{HEADER}\n{written},1,2,0.5,1.5,10")[0].open_time == seconds * 1000


@given(
    st.lists(
        st.tuples(
            st.integers(10**11, 10**14 - 1), *[st.floats(allow_nan=False, allow_infinity=False) for _ in range(5)]
        ),
        min_size=1,
        max_size=20,
    )
)
def test_numbers_come_back_to_the_bit(table) -> None:
    text = "\n".join([HEADER, *(",".join(map(repr, row)) for row in table)])
    found = read(text).candles
    assert found.open_time.tolist() == [row[0] for row in table]
    for column, name in enumerate(("open", "high", "low", "close", "volume"), start=1):
        assert getattr(found, name).tolist() == [row[column] for row in table]


@given(st.text(max_size=200))
@example("1,2,3,4,5,6\n")
@example("-1,2,3,4,5,6")
def test_any_text_is_read_or_refused_in_one_line(text: str) -> None:
    for content in (text, f"{HEADER}\n{text}", f"{KLINE_MS}\n{text}"):
        found = read_or_refused(content.encode(errors="replace"))
        if isinstance(found, FoundRows):
            assert len(found.lines) == len(found.candles) <= found.count


@given(st.binary(max_size=100))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    read_or_refused(content)


def read_or_refused(content: bytes) -> FoundRows | str:
    try:
        return read(content)
    except CandleError as error:
        text = str(error)
    assert "accepted" in text
    assert len(text.splitlines()) == 1
    return text
