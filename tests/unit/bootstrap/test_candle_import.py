from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from tests.builders import BTC, ETH

from vela.adapters.storage.candle_import.names import Named
from vela.adapters.storage.parquet import ParquetCandleStore
from vela.bootstrap.candle_import import Imported, Source, find_sources, import_file
from vela.domain.errors import ConfigurationError, StorageUnavailable
from vela.domain.timeframe import Timeframe

MINUTE = 60_000
JANUARY_2025 = 1_735_689_600_000
LATER = JANUARY_2025 + 365 * 86_400_000


def line(step: int, *, open_: float = 1.0, close: float = 1.5) -> str:
    return f"{JANUARY_2025 + step * MINUTE},{open_},2,0.5,{close},10"


@pytest.fixture
def store(tmp_path: Path) -> ParquetCandleStore:
    return ParquetCandleStore(tmp_path / "store")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "BTCUSDT-1m-2025-01.csv"


def taken(file: Path, store: ParquetCandleStore, *lines: str, now: int = LATER, stored_wins: bool = False) -> Imported:
    file.write_text("\n".join(lines))
    [source] = find_sources([file], Named())
    return import_file(source, store, now, stored_wins=stored_wins)


def minutes(store: ParquetCandleStore) -> list[int]:
    times: list[int] = store.read("binance", BTC, Timeframe.M1).open_time.tolist()
    return [(time - JANUARY_2025) // MINUTE for time in times]


def test_a_file_in_any_order_is_stored_and_a_second_time_changes_nothing(file: Path, store: ParquetCandleStore) -> None:
    rows = [line(step) for step in (3, 2, 1, 0)]
    result = taken(file, store, *rows)
    assert (result.rows, result.used, result.new, result.replaced, result.refused) == (4, 4, 4, 0, {})
    result = taken(file, store, *rows)
    assert (result.used, result.new, result.replaced, result.error) == (4, 0, 0, None)
    assert minutes(store) == [0, 1, 2, 3]


def test_every_row_that_is_left_out_has_a_reason_and_the_first_its_line(file: Path, store: ParquetCandleStore) -> None:
    result = taken(
        file,
        store,
        "open_time,open,high,low,close,volume",
        line(0),
        line(1, open_=-1),
        line(2, close=9),
        line(3).replace(",10", ",nan"),
        line(4).replace(str(JANUARY_2025 + 4 * MINUTE), str(JANUARY_2025 + 4 * MINUTE + 1)),
        line(0),
        line(0, close=1.6),
        "hello,1,2,0.5,1.5,10",
        line(5),
        line(6),
        now=JANUARY_2025 + 6 * MINUTE,
    )
    assert result.refused == {
        "not_positive": (1, 3),
        "inconsistent": (1, 4),
        "not_finite": (1, 5),
        "off_grid": (1, 6),
        "duplicate": (1, 7),
        "revised": (1, 8),
        "unreadable_time": (1, 9),
        "not_closed": (1, 11),
    }
    assert (result.rows, result.used) == (10, 2)
    assert minutes(store) == [0, 5]


def test_of_two_candles_of_the_same_time_one_wins(file: Path, store: ParquetCandleStore) -> None:
    taken(file, store, line(0), line(1))
    result = taken(file, store, line(1, close=1.9), line(2), stored_wins=True)
    assert (result.new, result.replaced) == (1, 0)
    result = taken(file, store, line(1, close=1.9), line(2))
    assert (result.new, result.replaced) == (0, 1)
    assert store.read("binance", BTC, Timeframe.M1).close.tolist() == [1.5, 1.9, 1.5]


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (["hello"], "has no column"),
        ([line(0, open_=-1), line(1, open_=-1)], "none of 2 rows can be used (not_positive 2)"),
        ([line(0), line(5), line(10), line(15)], "timeframe was 1m, but the candles of"),
    ],
)
def test_of_a_file_that_is_none_nothing_is_taken(file: Path, store: ParquetCandleStore, lines, words: str) -> None:
    result = taken(file, store, *lines)
    assert result.error is not None
    assert words in result.error
    assert store.series() == []


def test_a_full_disk_ends_it(file: Path, store: ParquetCandleStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_series, **_options):
        raise StorageUnavailable("disk full")

    monkeypatch.setattr(store, "write", full)
    with pytest.raises(StorageUnavailable):
        taken(file, store, line(0))


def test_what_is_said_goes_before_what_a_file_says(tmp_path: Path) -> None:
    file = tmp_path / "BTCUSDT-1m-2025-01.csv"
    file.touch()
    assert find_sources([file], Named()) == [Source(file, "binance", BTC, Timeframe.M1)]
    given = Named("kraken", ETH, Timeframe.H1)
    assert find_sources([file], given) == [Source(file, *given)]  # type: ignore[arg-type]  # nothing in it is None


def test_a_folder_is_searched_and_the_rest_in_it_passed_over(tmp_path: Path) -> None:
    names = ("b/ETHUSDT-1m-2025-01.zip", "BTCUSDT-1m-2025-01.zip", "BTCUSDT-1m-2025-01.zip.CHECKSUM", "readme.txt")
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert [str(source.symbol) for source in find_sources([tmp_path], Named())] == ["BTC", "ETH"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("nowhere.csv", "does not exist; accepted: a file or folder"),
        ("empty", "holds no candles; accepted: .csv, .csv.gz, .parquet, .zip files"),
        ("notes.txt", "cannot be read; accepted: .csv"),
        ("prices.csv", "does not say its exchange; accepted: --exchange binance beside it"),
        ("binance_1m.csv", "does not say its symbol; accepted: --symbol BTCUSDT beside it"),
        ("binance_BTCUSDT.csv", "does not say its timeframe; accepted: --timeframe 1m beside it"),
    ],
)
def test_what_is_missing_is_said_before_anything_is_read(tmp_path: Path, name: str, words: str) -> None:
    (tmp_path / "empty").mkdir()
    for made in ("notes.txt", "prices.csv", "binance_1m.csv", "binance_BTCUSDT.csv"):
        (tmp_path / made).touch()
    with pytest.raises(ConfigurationError, match=words):
        find_sources([tmp_path / name], Named())


def test_recorded_candles_and_known_anomalies(shared_data: Path, store: ParquetCandleStore) -> None:
    candles = shared_data / "candles"
    for name, used, reasons in (
        ("binance/BTCUSDT/1m_2021-04.parquet", 42_915, set()),
        ("anomalies/binance_BTCUSDT_1m_2019-11_duplicates.parquet", None, {"duplicate", "revised"}),
        ("anomalies/binance_BNBUSDT_5m_2018-02_offgrid.parquet", None, {"off_grid"}),
    ):
        [source] = find_sources([candles / name], Named())
        result = import_file(source, store, LATER, stored_wins=False)
        assert result.error is None
        assert result.refused.keys() <= reasons
        assert result.refused or not reasons
        rows = pl.read_parquet(candles / name).height
        assert result.used == (used or rows - sum(refusal.rows for refusal in result.refused.values()))
