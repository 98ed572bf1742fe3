from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from vela.adapters.storage.parquet import ParquetCandleStore
from vela.domain.assets import QuoteCurrency
from vela.domain.candles import Candles
from vela.domain.errors import ConfigurationError, StorageError
from vela.domain.timeframe import Timeframe
from vela.domain.trading_symbol import TradingSymbol, register_assets
from vela.ports.candle_store import Written

BTC = TradingSymbol("BTC")
ETHBTC = TradingSymbol("ETH", QuoteCurrency.BTC)
DAY = 86_400_000
JANUARY_2024 = 1_704_067_200_000


def days(count: int, start: int = JANUARY_2024) -> Candles:
    ones = np.ones(count)
    return Candles.from_columns(start + DAY * np.arange(count, dtype=np.int64), ones, ones, ones, ones, ones)


@pytest.fixture
def store(tmp_path):
    return ParquetCandleStore(tmp_path)


def test_months_have_their_files_by_open_time_utc(store, tmp_path):
    store.write("binance", BTC, Timeframe.D1, days(32))
    folder = tmp_path / "binance" / "BTC-USDT" / "1d"
    assert sorted(path.name for path in folder.iterdir()) == [".lock", "2024-01.parquet", "2024-02.parquet"]
    february = pl.read_parquet(folder / "2024-02.parquet")
    assert february.schema == {
        "open_time": pl.Int64,
        **dict.fromkeys(("open", "high", "low", "close", "volume"), pl.Float64),
    }
    assert february["open_time"].to_list() == [JANUARY_2024 + 31 * DAY]
    assert oct((folder / "2024-02.parquet").stat().st_mode & 0o777) == "0o644"


def test_names_stay_inside_the_root(store, tmp_path):
    register_assets(["币安人生"])
    store.write("../a.b", TradingSymbol("币安人生"), Timeframe.D1, days(1))
    folders = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.parquet"))
    assert folders == ["%2E%2E%2Fa%2Eb/%E5%B8%81%E5%AE%89%E4%BA%BA%E7%94%9F-USDT/1d/2024-01.parquet"]


def test_an_empty_exchange_is_refused(store):
    with pytest.raises(StorageError, match="exchange's name is empty"):
        store.write("", BTC, Timeframe.D1, days(1))


def test_only_the_months_needed_are_opened(store, monkeypatch):
    store.write("binance", BTC, Timeframe.D1, days(200))
    opened = []
    read = store._files.read

    def noted(name: str, *columns):
        opened.append(Path(name).stem)
        return read(name, *columns)

    monkeypatch.setattr(store._files, "read", noted)
    before = JANUARY_2024 + 95 * DAY
    assert len(store.read("binance", BTC, Timeframe.D1, before=before, count=10)) == 10
    assert opened == ["2024-04", "2024-03"]
    opened.clear()
    month = {"since": JANUARY_2024 + 31 * DAY, "before": JANUARY_2024 + 60 * DAY}
    assert len(store.read("binance", BTC, Timeframe.D1, **month)) == 29
    assert store.gaps("binance", BTC, Timeframe.D1, month["since"], month["before"]) == []
    assert opened == ["2024-02", "2024-02"]


def test_a_file_that_did_not_change_is_not_written_again(store, tmp_path):
    store.write("binance", BTC, Timeframe.D1, days(32))
    february = next(tmp_path.rglob("2024-02.parquet"))
    before = february.stat().st_ino
    store.write("binance", BTC, Timeframe.D1, days(32))
    assert february.stat().st_ino == before


def test_leftovers_and_strange_folders_are_passed_over(store, tmp_path):
    store.write("binance", BTC, Timeframe.D1, days(1))
    folder = tmp_path / "binance" / "BTC-USDT" / "1d"
    (folder / ".2024-02.abc.tmp").write_bytes(b"half a file")
    (folder / "copy of 2024-01.parquet").write_bytes(b"not ours")
    for strange in ("BTC", "BTC-XXX/1d", "BTC-USDT/7m", "B TC-USDT/1d", "-USDT/1d", "ETH-USDT/1d"):
        (tmp_path / "binance" / strange).mkdir(parents=True)
    assert len(store.read("binance", BTC, Timeframe.D1)) == 1
    assert [series.symbol for series in store.series()] == [BTC]


def test_a_failed_write_leaves_the_old_month_and_no_leftover(store, tmp_path, monkeypatch):
    store.write("binance", BTC, Timeframe.D1, days(2))

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("vela.adapters.storage.month_folder.os.fsync", full)
    with pytest.raises(StorageError, match=r"2024-01\.parquet cannot be written: No space left on device"):
        store.write("binance", BTC, Timeframe.D1, days(5))
    assert len(store.read("binance", BTC, Timeframe.D1)) == 2
    assert len(list((tmp_path / "binance" / "BTC-USDT" / "1d").glob("*2024*"))) == 1


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (None, "cannot be read"),
        (pl.DataFrame({"open_time": [1]}), "holds no candles"),
        (
            pl.DataFrame(
                {"open_time": [1], **{c: [1.0] for c in ("open", "high", "low", "close")}, "volume": [None]},
                schema_overrides={"volume": pl.Float64},
            ),
            "holds no candles",
        ),
    ],
)
def test_a_damaged_file_is_named(store, tmp_path, frame, reason):
    store.write("binance", BTC, Timeframe.D1, days(1))
    path = next(tmp_path.rglob("*.parquet"))
    path.write_bytes(b"PAR1 and no more") if frame is None else frame.write_parquet(path)
    with pytest.raises(StorageError, match=rf"2024-01\.parquet {reason}"):
        store.read("binance", BTC, Timeframe.D1)
    with pytest.raises(StorageError, match=reason):
        store.write("binance", BTC, Timeframe.D1, days(2))


def test_a_file_says_what_it_holds(store, tmp_path):
    store.write("binance", ETHBTC, Timeframe.D1, days(1))
    found = pl.read_parquet_metadata(next(tmp_path.rglob("*.parquet")))
    assert {name.removeprefix("vela."): text for name, text in found.items() if name.startswith("vela.")} == {
        "schema": "1",
        "exchange": "binance",
        "symbol": "ETH/BTC",
        "timeframe": "1d",
        "columns": "open_time: start, int64, ms UTC; open, high, low, close: quote per base, volume: base, float64",
    }


def test_a_file_in_the_wrong_folder_is_named_and_not_written_over(store, tmp_path):
    store.write("binance", ETHBTC, Timeframe.D1, days(2))
    store.write("binance", BTC, Timeframe.D1, days(1))
    foreign, own = sorted(tmp_path.rglob("*.parquet"), reverse=True)
    own.write_bytes(foreign.read_bytes())
    with pytest.raises(StorageError, match="says that its symbol is 'ETH/BTC', not 'BTC/USDT'"):
        store.read("binance", BTC, Timeframe.D1)
    with pytest.raises(StorageError, match="says that its symbol"):
        store.write("binance", BTC, Timeframe.D1, days(3))
    assert own.read_bytes() == foreign.read_bytes()


def test_a_file_of_a_newer_version_is_left_alone(store, tmp_path):
    store.write("binance", BTC, Timeframe.D1, days(1))
    path = next(tmp_path.rglob("*.parquet"))
    pl.read_parquet(path).write_parquet(path, metadata=pl.read_parquet_metadata(path) | {"vela.schema": "2"})
    with pytest.raises(StorageError, match="version '2' of the store; accepted: 1, or a newer Vela"):
        store.write("binance", BTC, Timeframe.D1, days(2))


def test_files_from_before_they_said_what_they_hold_are_taken_over(store, tmp_path):
    store.write("binance", BTC, Timeframe.D1, days(32))
    january, february = sorted(tmp_path.rglob("*.parquet"))
    for path in (january, february):
        pl.read_parquet(path).write_parquet(path)
        assert "vela.schema" not in pl.read_parquet_metadata(path)
    assert store.read("binance", BTC, Timeframe.D1).rows() == days(32).rows()
    assert store.write("binance", BTC, Timeframe.D1, days(1)) == Written(0, 0)
    assert pl.read_parquet_metadata(january)["vela.symbol"] == "BTC/USDT"
    assert "vela.schema" not in pl.read_parquet_metadata(february)
    assert store.read("binance", BTC, Timeframe.D1).rows() == days(32).rows()


def test_a_folder_may_have_a_name_that_looks_like_a_pattern(tmp_path):
    store = ParquetCandleStore(tmp_path / "a[b]*")
    store.write("binance", BTC, Timeframe.D1, days(2))
    assert len(store.read("binance", BTC, Timeframe.D1)) == 2


def test_what_a_killed_writer_left_is_swept_up_by_the_next(store, tmp_path):
    store.write("binance", BTC, Timeframe.D1, days(1))
    draft = tmp_path / "binance" / "BTC-USDT" / "1d" / ".2024-01.abc.tmp"
    draft.write_bytes(b"half a file")
    store.write("binance", BTC, Timeframe.D1, days(2))
    assert not draft.exists()


@pytest.mark.parametrize("address", ["http://host/candles", "s3://", "s3://bucket", "gs://bucket/", "ftp://a/b"])
def test_other_addresses_are_refused(address):
    with pytest.raises(ConfigurationError, match="accepted: a folder, or s3://BUCKET/FOLDER"):
        ParquetCandleStore(address)


def test_the_size_is_that_of_the_files(store, tmp_path):
    store.write("binance", BTC, Timeframe.D1, days(40))
    [series] = store.series()
    assert series.size == sum(path.stat().st_size for path in tmp_path.rglob("*.parquet"))
