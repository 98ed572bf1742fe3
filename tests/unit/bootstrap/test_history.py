from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tests.builders import BTC, ETH, MINUTE, random_walk
from tests.fakes import write_coarser, write_recording

from vela.adapters.storage.parquet import ParquetCandleStore
from vela.bootstrap.history import History, load_detail, load_history
from vela.bootstrap.settings import load_backtest_settings
from vela.domain.candles import COLUMNS, Candles
from vela.domain.errors import CandleError, ConfigurationError, SymbolError, VelaError
from vela.domain.resampling import resample
from vela.domain.timeframe import Timeframe


def load(*files: str | Path, **options) -> History:
    settings = load_backtest_settings(options, {}, Path("no-such-folder"))
    return load_history([str(file) for file in files], settings, symbols_given="symbols" in options)


def refusal(*files: str | Path, **options) -> str:
    with pytest.raises(VelaError) as caught:
        load(*files, **options)
    assert len(str(caught.value).splitlines()) == 1
    assert "accepted" in str(caught.value)
    return str(caught.value)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return write_recording(tmp_path / "BTCUSDT_1m.parquet", 50)


def rewrite(file: Path, *changes: pl.Expr) -> Path:
    pl.read_parquet(file).with_columns(*changes).write_parquet(file)
    return file


# --------------------------------------------------------------------------------------------------- one file, several


def test_symbol_and_timeframe_follow_from_the_name(file: Path) -> None:
    history = load(file)
    assert history.timeframe is Timeframe.M1
    assert len(history.candles[BTC]) == 50
    assert (history.series[BTC].faults, history.series[BTC].missing) == ({}, 0)


def test_what_is_said_goes_before_the_name(file: Path) -> None:
    assert list(load(file, symbols="ETH").candles) == [ETH]


def test_a_file_whose_name_says_nothing_needs_a_symbol(tmp_path: Path) -> None:
    file = write_recording(tmp_path / "prices.parquet", 5)
    assert "accepted: --symbol BTCUSDT beside it" in refusal(file)
    assert list(load(file, symbols="BTCUSDT").candles) == [BTC]


def test_csv_and_parquet_give_the_same_candles(file: Path) -> None:
    csv = file.with_suffix(".csv")
    pl.read_parquet(file).write_csv(csv)
    one, other = load(file).candles[BTC], load(csv).candles[BTC]
    assert np.array_equal(one.open_time, other.open_time)
    assert np.array_equal(one.close, other.close)


@pytest.mark.parametrize("together", [True, False])
def test_several_files_by_symbol(file: Path, together: bool) -> None:
    second = write_recording(file.with_name("second.parquet"), 20, 2)
    pairs = [f"BTC={file}", f"ETHUSDT={second}"]
    history = load(",".join(pairs)) if together else load(*pairs)
    assert {symbol: len(part) for symbol, part in history.candles.items()} == {BTC: 50, ETH: 20}


def test_a_path_may_hold_an_equals_sign(tmp_path: Path) -> None:
    file = write_recording(tmp_path / "date=2024" / "BTCUSDT_1m.parquet", 5)
    assert list(load(file).candles) == [BTC]
    assert "does not exist" in refusal(tmp_path / "date=2025" / "BTCUSDT_1m.parquet")


def test_files_that_do_not_fit_each_other(file: Path, tmp_path: Path) -> None:
    hours = write_recording(tmp_path / "hours.parquet", 5)
    rewrite(hours, pl.col("open_time") * 60)
    assert "given twice" in refusal(f"BTC={file}", f"BTC={hours}")
    assert "timeframes BTC 1m, ETH 1h" in refusal(f"BTC={file}", f"ETH={hours}")
    assert "accepted: one quote" in refusal(f"BTC={file}", f"ETHBTC={file}")
    assert "without a symbol; accepted: SYMBOL=FILE" in refusal(f"BTC={file}", str(hours))
    assert "the files hold BTC, asked for is ETH" in refusal(f"BTC={file}", f"ETH={hours}", symbols="ETH")
    assert "one file holds one symbol" in refusal(file, symbols="BTC,ETH")
    with pytest.raises(SymbolError):
        load(f"BANANA={file}")


# ---------------------------------------------------------------------------------------------------------- the detail


def detail_of(history: History, *files: str | Path, **options) -> History:
    settings = load_backtest_settings(options, {}, Path("no-such-folder"))
    return load_detail([str(file) for file in files], history, settings)


def detail_refusal(history: History, *files: str | Path) -> str:
    with pytest.raises(ConfigurationError) as caught:
        detail_of(history, *files)
    assert str(caught.value).startswith("detail candles")
    assert "accepted" in str(caught.value)
    return str(caught.value)


def test_detail_candles_lie_in_the_window_whatever_timeframe_is_traded(file: Path) -> None:
    coarse = load(write_coarser(file, 5))
    detail = detail_of(coarse, file, timeframe="5m", **{"from": 10 * MINUTE, "to": 20 * MINUTE})
    assert detail.timeframe is Timeframe.M1
    assert detail.candles[BTC].open_time.tolist() == [minute * MINUTE for minute in range(10, 20)]


def test_detail_candles_belong_to_the_symbol_that_is_traded_whatever_the_files_name(file: Path) -> None:
    assert list(detail_of(load(write_coarser(file, 5), symbols="ETH"), file).candles) == [ETH]


def test_detail_candles_that_do_not_fit_are_refused(file: Path) -> None:
    five, three = load(write_coarser(file, 5)), write_coarser(file, 3)
    assert "timeframe 3m, the candles 5m" in detail_refusal(five, three)
    assert "timeframe 5m, the candles 1m" in detail_refusal(load(file), write_coarser(file, 5))
    assert "timeframe 1m, the candles 1m" in detail_refusal(load(file), file)
    assert "the files hold ETH, asked for is BTC" in detail_refusal(five, f"ETH={file}")
    assert "does not exist" in detail_refusal(five, "nowhere.parquet")


@pytest.mark.parametrize(("moved", "fits"), [(-50, False), (-49, True), (49, True), (50, False)])
def test_detail_candles_of_another_time_are_refused(file: Path, moved: int, fits: bool) -> None:
    rewrite(file, pl.col("open_time") + 100 * MINUTE)
    five = load(write_coarser(file, 5))
    rewrite(file, pl.col("open_time") + moved * MINUTE)
    if fits:
        assert len(detail_of(five, file).candles[BTC]) == 50
    else:
        assert "lie outside of its candles" in detail_refusal(five, file)


# ---------------------------------------------------------------------------------------------------------- the window


def test_the_window_begins_with_from_and_ends_before_to(file: Path) -> None:
    times = load(file, **{"from": 10 * MINUTE, "to": "1970-01-01T00:20"}).candles[BTC].open_time
    assert (times[0], times[-1]) == (10 * MINUTE, 19 * MINUTE)


def test_a_window_without_candles(file: Path) -> None:
    said = refusal(file, **{"from": "2024-01-01"})
    assert "accepted: a window that overlaps 1970-01-01T00:00:00 to 1970-01-01T00:49:00" in said


def test_what_lies_outside_the_window_is_not_looked_at(file: Path) -> None:
    rewrite(file, pl.when(pl.col("open_time") < 5 * MINUTE).then(-1.0).otherwise(pl.col("low")).alias("low"))
    checked = load(file, **{"from": 5 * MINUTE}).series[BTC]
    assert (checked.rows, checked.faults) == (45, {})


# ------------------------------------------------------------------------------------------------------- what is wrong


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (pl.lit("x").alias("close"), "column close of"),
        (pl.col("open_time").cast(pl.Float64), "column open_time of"),
        (pl.lit(float("nan")).alias("close"), "none of 50 candles can be used (not_finite 50)"),
        (pl.lit(None, dtype=pl.Float64).alias("volume"), "none of 50 candles can be used (not_finite 50)"),
        (pl.lit(0.0).alias("low"), "none of 50 candles can be used (not_positive 50)"),
        (pl.col("open_time") * 1_000_000 + 10**18, "which is no time in ms UTC"),
        (pl.col("open_time") - 10**9, "which is no time in ms UTC"),
        (pl.lit(None, dtype=pl.Int64).alias("open_time"), "has empty rows"),
    ],
)
def test_a_file_that_holds_no_candles(file: Path, change: pl.Expr, said: str) -> None:
    assert said in refusal(rewrite(file, change))


@pytest.mark.parametrize("column", ["open_time", "open", "high", "low", "close", "volume"])
@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_a_missing_column(file: Path, column: str, kind: str) -> None:
    frame = pl.read_parquet(file).drop(column)
    path = file.with_suffix(f".{kind}")
    frame.write_parquet(path) if kind == "parquet" else frame.write_csv(path)
    assert f"has no column {column}" in refusal(path)


@pytest.mark.parametrize("name", ["BTCUSDT_1m.parquet", "BTCUSDT_1m.csv"])
@pytest.mark.parametrize("content", [b"", b"PAR1", b"\xff\xfe\x00", b"open_time,open\n1\n"])
def test_a_file_of_another_kind(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    assert name in refusal(tmp_path / name)


def test_an_empty_file_a_folder_and_nothing(file: Path, tmp_path: Path) -> None:
    assert "is a folder" in refusal(tmp_path)
    assert "does not exist" in refusal(tmp_path / "nope.parquet")
    pl.read_parquet(file).clear().write_parquet(file)
    assert "is empty" in refusal(file)


def test_another_timeframe_than_the_files(file: Path) -> None:
    assert "timeframe was 5m, but the candles of" in refusal(file, timeframe="5m")
    rewrite(file, pl.col("open_time") * 5)
    assert "are 5 min apart" in refusal(file, timeframe="1m")


def test_gaps_are_no_other_timeframe(file: Path) -> None:
    pl.read_parquet(file).filter(pl.col("open_time") % (3 * MINUTE) < 2 * MINUTE).tail(20).write_parquet(file)
    assert load(file, timeframe="1m").series[BTC].missing == 9
    pl.read_parquet(file)[[0, 2, 4, 5, 7, 9, 11]].write_parquet(file)
    assert load(file, timeframe="1m").timeframe is Timeframe.M1


def test_one_candle_is_enough_where_its_length_is_told(tmp_path: Path) -> None:
    file = write_recording(tmp_path / "btc.parquet", 1)
    assert "does not show how long its candles are" in refusal(file)
    assert len(load(file, timeframe="1m").candles[BTC]) == 1


def test_rows_out_of_order_are_counted_as_a_running_system_would(file: Path) -> None:
    frame = pl.read_parquet(file)
    pl.concat([frame[:10], frame[5:10], frame[10:], frame[0:1].with_columns(close=2.0, low=1.0)]).write_parquet(file)
    checked = load(file).series[BTC]
    assert len(checked.candles) == 50
    assert checked.faults == {"duplicate": 1, "out_of_order": 5}


@pytest.mark.parametrize(
    ("name", "timeframe", "symbol", "faults", "missing"),
    [
        ("binance_BTCUSDT_1m_2019-11_duplicates", "1m", "BTC", {"duplicate": 1, "out_of_order": 119}, 120),
        ("binance_BNBUSDT_5m_2018-02_offgrid", "5m", "BNB", {"off_grid": 241}, None),
    ],
)
def test_real_anomalies(shared_data: Path, name: str, timeframe: str, symbol: str, faults, missing) -> None:
    history = load(shared_data / "candles" / "anomalies" / f"{name}.parquet", timeframe=timeframe)
    (checked,) = history.series.values()
    assert [str(one) for one in history.series] == [symbol]
    assert sum(checked.faults.values()) == sum(faults.values())
    assert set(checked.faults) <= {*faults, "revised"}
    assert missing in {None, checked.missing}


# ----------------------------------------------------------------------------------------------------- the candle store


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    store = ParquetCandleStore(tmp_path / "data" / "candles")
    store.write("binance", BTC, Timeframe.M1, random_walk(30, 1))
    store.write("binance", ETH, Timeframe.M1, random_walk(20, 2))
    return tmp_path / "data"


def test_without_files_the_store_is_read(stored: Path) -> None:
    assert {symbol: len(part) for symbol, part in load(data_dir=stored).candles.items()} == {BTC: 30, ETH: 20}
    assert list(load(data_dir=stored, symbols="ETH").candles) == [ETH]


def test_an_empty_store(tmp_path: Path) -> None:
    assert "is empty; accepted: --candles FILE" in refusal(data_dir=tmp_path)


def test_what_is_not_stored_or_stored_twice(stored: Path) -> None:
    assert "no candles of SOL are stored; accepted: BTC 1m (binance), ETH 1m (binance)" in refusal(
        data_dir=stored, symbols="SOL"
    )
    assert "no candles of BTC 1s are stored" in refusal(data_dir=stored, symbols="BTC", timeframe="1s")
    ParquetCandleStore(stored / "candles").write("kraken", BTC, Timeframe.M1, random_walk(5, 1))
    assert "several series of BTC are stored" in refusal(data_dir=stored, symbols="BTC")


def test_stored_candles_are_checked_as_well(stored: Path) -> None:
    bad = random_walk(5, 3)
    wrong = Candles.from_columns(
        bad.open_time, bad.open, bad.high, bad.low * np.array([1, -1, 1, 1, 1]), bad.close, bad.volume
    )
    frame = pl.DataFrame({name: getattr(wrong, name) for name in ("open_time", *COLUMNS)})
    frame.write_parquet(stored / "candles" / "binance" / "BTC-USDT" / "1m" / "1970-01.parquet")
    assert load(data_dir=stored, symbols="BTC").series[BTC].faults == {"not_positive": 1}


def test_of_the_store_only_the_window_is_read(stored: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, int]] = []
    read = ParquetCandleStore.read

    def noted(store: ParquetCandleStore, *series, **window):
        asked.append(window)
        return read(store, *series, **window)

    monkeypatch.setattr(ParquetCandleStore, "read", noted)
    times = load(data_dir=stored, symbols="BTC", **{"from": 5 * MINUTE, "to": 8 * MINUTE + 1}).candles[BTC].open_time
    assert times.tolist() == [minute * MINUTE for minute in (5, 6, 7, 8)]
    assert asked == [{"since": 5 * MINUTE, "before": 10 * MINUTE - 1}]
    outside = refusal(data_dir=stored, symbols="BTC", **{"from": 90 * MINUTE})
    assert "a window that overlaps 1970-01-01T00:00:00 to 1970-01-01T00:29:00" in outside


def test_a_timeframe_that_is_not_stored_is_put_together_from_a_finer_one(stored: Path) -> None:
    history = load(data_dir=stored, symbols="BTC", timeframe="15m")
    minutes = random_walk(30, 1)
    assert history.timeframe is Timeframe.M15
    assert history.candles[BTC].open_time.tolist() == [0, 15 * MINUTE]
    assert history.candles[BTC].close.tolist() == [minutes.close[14], minutes.close[29]]
    assert history.account_of(BTC) == {"timeframe": "15m", "rows": 2, "used": 2, "faults": {}, "missing": 0}


def test_of_a_window_whole_candles_are_put_together_too(stored: Path) -> None:
    window = {"from": 7 * MINUTE, "to": 16 * MINUTE}
    times = load(data_dir=stored, symbols="BTC", timeframe="5m", **window).candles[BTC].open_time
    assert times.tolist() == [10 * MINUTE, 15 * MINUTE]


def test_a_coarser_candle_with_a_gap_in_it_is_left_out_and_counted(tmp_path: Path) -> None:
    rows = random_walk(30, 1).rows()
    store = ParquetCandleStore(tmp_path / "candles")
    store.write("binance", BTC, Timeframe.M1, Candles.from_rows(rows[:12] + rows[13:]))
    history = load(data_dir=tmp_path, timeframe="5m")
    assert (len(history.candles[BTC]), history.series[BTC].missing) == (5, 1)
    assert history.series[BTC].faults == {"incomplete": 1}
    rest = load(data_dir=tmp_path, timeframe="15m", **{"from": 15 * MINUTE})
    assert rest.candles[BTC].open_time.tolist() == [15 * MINUTE]
    assert "no 30m candle is whole" in refusal(data_dir=tmp_path, timeframe="30m")


def test_the_coarsest_that_fits_is_taken_and_the_timeframe_itself_before_all(stored: Path) -> None:
    store, minutes = ParquetCandleStore(stored / "candles"), random_walk(60, 4)
    for length in (3, 5):
        made = resample(minutes, MINUTE, length * MINUTE).candles
        store.write("binance", BTC, Timeframe.from_milliseconds(length * MINUTE), made)
    assert load(data_dir=stored, symbols="BTC", timeframe="5m").candles[BTC].close[0] == minutes.close[4]
    assert len(load(data_dir=stored, symbols="BTC", timeframe="15m").candles[BTC]) == 4
    store.write("kraken", BTC, Timeframe.M5, made)
    assert "several series of BTC 15m are stored" in refusal(data_dir=stored, symbols="BTC", timeframe="15m")


def test_candles_may_lie_elsewhere(stored: Path) -> None:
    assert list(load(candle_store=str(stored / "candles"), symbols="ETH").candles) == [ETH]
    assert "accepted: a folder, s3://BUCKET/FOLDER" in refusal(candle_store="ftp://somewhere/candles")


def test_errors_are_of_the_right_kind(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError):
        load(tmp_path / "none.parquet")
    file = write_recording(tmp_path / "BTCUSDT_1m.parquet", 3)
    with pytest.raises(CandleError):
        load(rewrite(file, pl.lit(-1.0).alias("low")))
