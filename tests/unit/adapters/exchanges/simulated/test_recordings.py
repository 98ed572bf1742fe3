from __future__ import annotations

import shutil

import numpy as np
import polars as pl
import pytest

from vela.adapters.exchanges.simulated import recordings as recordings_module
from vela.adapters.exchanges.simulated.recordings import Recording, find_recordings
from vela.domain.assets import QuoteCurrency
from vela.domain.errors import CandleError, ConfigurationError
from vela.domain.timeframe import Timeframe
from vela.domain.trading_symbol import TradingSymbol

BTC, ETH = TradingSymbol("BTC"), TradingSymbol("ETH")
MINUTE = 60_000


def frame(opens, close=None) -> pl.DataFrame:
    opens = np.asarray(opens, dtype=np.int64)
    close = np.arange(100.0, 100.0 + len(opens)) if close is None else np.asarray(close, dtype=np.float64)
    return pl.DataFrame(
        {"open_time": opens, "open": close, "high": close + 1, "low": close - 1, "close": close, "volume": close * 0}
    )


def write(path, table=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    (frame(np.arange(10) * MINUTE) if table is None else table).write_parquet(path)
    return path


def all_rows(recording: Recording, from_time: int | None = None):
    return [row for _, candles in recording.parts(from_time) for row in candles.rows()]


# ---------------------------------------------------------------------------------------------------------------- names


@pytest.mark.parametrize(
    ("name", "symbol", "timeframe"),
    [
        ("binance/BTCUSDT/1m.parquet", "BTC", "1m"),
        ("binance/BTCUSDT/5m_2020-12.parquet", "BTC", "5m"),
        ("okx/BTC-USDT/1h.parquet", "BTC", "1h"),
        ("kraken/XBTUSD/5m.parquet", "BTC/USD", "5m"),
        ("anomalies/binance_BTCUSDT_1m_2019-11_duplicates.parquet", "BTC", "1m"),
        ("anomalies/binance_BNBUSDT_5m_2018-02_offgrid.parquet", "BNB", "5m"),
        ("archive/BTCUSDT-1m-2024-01.parquet", "BTC", "1m"),
        ("ETH_BTC-4h.parquet", "ETH/BTC", "4h"),
        ("ETH_BTC_4h.parquet", "ETH/BTC", "4h"),
        ("one_ETHUSDT.parquet", "ETH", "1m"),  # ONE is an asset too
        ("eth.parquet", "ETH", "1m"),
    ],
)
def test_symbol_and_timeframe_follow_from_the_path(tmp_path, name, symbol, timeframe):
    [recording] = find_recordings(write(tmp_path / name))
    assert (str(recording.symbol), recording.timeframe.value) == (symbol, timeframe)


def test_a_name_without_a_symbol_is_refused_unless_the_symbol_is_given(tmp_path):
    path = write(tmp_path / "prices.parquet")
    with pytest.raises(CandleError, match="names no symbol; accepted"):
        find_recordings(path)
    [recording] = find_recordings({BTC: path})
    assert (recording.symbol, recording.timeframe) == (BTC, Timeframe.M1)


def test_a_directory_gives_one_recording_per_symbol(tmp_path):
    for name in ("BTCUSDT/1m", "BTCUSDT/5m", "ETHUSDT/1m", "SOLUSDT/1m"):
        write(tmp_path / f"{name}.parquet")
    with pytest.raises(ConfigurationError, match="recordings of BTC have timeframes 1m, 5m; accepted"):
        find_recordings(tmp_path)
    found = find_recordings(tmp_path, timeframe=Timeframe.M1, symbols=[ETH, BTC])
    assert [recording.symbol for recording in found] == [BTC, ETH]
    with pytest.raises(CandleError, match="no recording was found"):
        find_recordings(tmp_path, timeframe=Timeframe.H4)


def test_files_that_follow_each_other_are_one_recording(tmp_path):
    write(tmp_path / "BTCUSDT" / "1m.parquet", frame(np.arange(5, 10) * MINUTE))
    write(tmp_path / "BTCUSDT" / "1m_1970-01.parquet", frame(np.arange(3) * MINUTE))
    [recording] = find_recordings(tmp_path)
    assert [row.open_time // MINUTE for row in all_rows(recording)] == [0, 1, 2, 5, 6, 7, 8, 9]


# -------------------------------------------------------------------------------------------------------------- content


def test_unusable_files_say_what_is_accepted(tmp_path):
    good = frame(np.arange(3) * MINUTE)
    broken = {
        "no column close": good.drop("close"),
        "column open_time of .* is Float64": good.with_columns(pl.col("open_time").cast(pl.Float64)),
        "column high of .* is String": good.with_columns(pl.col("high").cast(pl.String)),
        "is empty": good.head(0),
        "open_time of .* has empty rows": good.with_columns(open_time=pl.Series([0, None, 2], dtype=pl.Int64)),
    }
    for message, table in broken.items():
        with pytest.raises(CandleError, match=rf"{message}.*; accepted: a Parquet file with open_time") as caught:
            Recording(BTC, [write(tmp_path / "BTC_1m.parquet", table)])
        assert "\n" not in str(caught.value)
        assert "BTC_1m.parquet" in str(caught.value)
    (tmp_path / "text.parquet").write_text("open_time,open\n1,2\n")
    for path in (tmp_path / "text.parquet", tmp_path / "absent.parquet"):
        with pytest.raises(CandleError, match="cannot be read"):
            Recording(BTC, [path])


def test_a_file_cut_short_is_refused(tmp_path):
    path = write(tmp_path / "BTC_1m.parquet", frame(np.arange(50_000) * MINUTE))
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(CandleError, match="cannot be read"):
        Recording(BTC, [path])


def test_a_length_that_cannot_be_told_or_is_unknown_is_refused(tmp_path):
    with pytest.raises(CandleError, match="does not show how long"):
        Recording(BTC, [write(tmp_path / "a.parquet", frame([0]))])
    with pytest.raises(ConfigurationError, match="fit no timeframe"):
        Recording(BTC, [write(tmp_path / "a.parquet", frame([0, 7, 14]))])


def test_the_most_common_distance_is_the_length(tmp_path):
    path = write(tmp_path / "a.parquet", frame(np.array([0, 5, 10, 10, 15, 300, 305, 7]) * MINUTE))
    assert Recording(BTC, [path]).timeframe is Timeframe.M5


def test_an_absent_price_becomes_nan_and_integers_become_floats(tmp_path):
    table = frame(np.arange(3) * MINUTE).with_columns(close=pl.Series([1, None, 3], dtype=pl.Int32))
    rows = all_rows(Recording(BTC, [write(tmp_path / "BTC_1m.parquet", table)]))
    assert rows[0].close == 1.0
    assert np.isnan(rows[1].close)


def test_rows_stay_as_they_are_and_belong_to_the_step_they_come_in(tmp_path):
    opens = [0, MINUTE, MINUTE, 3 * MINUTE + 7, 2 * MINUTE, 4 * MINUTE]
    recording = Recording(BTC, [write(tmp_path / "BTC_1m.parquet", frame(opens))])
    assert [row.open_time for row in all_rows(recording)] == opens
    assert (recording.steps // MINUTE).tolist() == [0, 1, 1, 3, 3, 4]
    assert [row.open_time for row in all_rows(recording, 2 * MINUTE)] == opens[3:]


def test_reading_in_parts_changes_nothing(tmp_path, monkeypatch):
    write(tmp_path / "BTCUSDT" / "1m.parquet", frame(np.arange(7) * MINUTE))
    write(tmp_path / "BTCUSDT" / "1m_later.parquet", frame(np.arange(7, 20) * MINUTE))
    [recording] = find_recordings(tmp_path)
    whole = all_rows(recording)
    monkeypatch.setattr(recordings_module, "_PART", 3)
    assert all_rows(recording) == whole
    assert all_rows(recording, 5 * MINUTE) == whole[5:]


def test_history_ends_where_it_is_asked_to(tmp_path):
    opens = np.array([0, 2, 1, 3, 4, 5]) * MINUTE
    recording = Recording(BTC, [write(tmp_path / "BTC_1m.parquet", frame(opens))])
    assert [row.open_time // MINUTE for row in recording.history(4 * MINUTE, 3)] == [1, 2, 3]
    assert [row.open_time // MINUTE for row in recording.history(4 * MINUTE - 1, 10)] == [0, 1, 2]
    assert recording.history(0, 10) == []
    assert recording.history(10 * MINUTE, 0) == []


def test_the_hash_is_of_the_content(tmp_path):
    first = write(tmp_path / "BTC_1m.parquet")
    copy = tmp_path / "BTC_1m_copy.parquet"
    shutil.copy(first, copy)
    other = write(tmp_path / "BTC_1m_other.parquet", frame(np.arange(11) * MINUTE))
    digests = [Recording(BTC, [path]).sha256() for path in (first, copy, other)]
    assert digests[0] == digests[1] != digests[2]


def test_real_recordings_are_found_and_read(shared_data):
    anomalies = shared_data / "candles" / "anomalies"
    duplicates = find_recordings(anomalies / "binance_BTCUSDT_1m_2019-11_duplicates.parquet")[0]
    assert (duplicates.symbol, duplicates.timeframe) == (BTC, Timeframe.M1)
    rows = all_rows(duplicates)
    assert len(rows) == 5760
    assert len({row.open_time for row in rows}) == 5640
    off_grid = find_recordings(anomalies / "binance_BNBUSDT_5m_2018-02_offgrid.parquet")[0]
    assert sum(row.open_time % 300_000 != 0 for row in all_rows(off_grid)) == 241
    [kraken] = find_recordings(shared_data / "candles" / "kraken" / "XBTUSD")
    assert kraken.symbol == TradingSymbol("BTC", QuoteCurrency.USD)
