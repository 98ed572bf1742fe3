from __future__ import annotations

from pathlib import Path

import pytest
from tests.builders import BTC, ETH, random_walk
from tests.fakes import write_recording

from vela.adapters.storage.candle_import.names import Named, named_by
from vela.adapters.storage.parquet import ParquetCandleStore
from vela.domain.errors import ConfigurationError
from vela.domain.timeframe import Timeframe

EXCHANGES = ("binance", "kraken")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("BTCUSDT-1m-2025-01.zip", Named("binance", BTC, Timeframe.M1)),
        ("x/ETHUSDT-1h-2025-01-31.csv", Named("binance", ETH, Timeframe.H1)),
        ("BTCUSDT-1s-2025-01.zip", Named("binance", BTC, Timeframe.S1)),
        ("kraken/BTCUSDT/5m.parquet", Named("kraken", BTC, Timeframe.M5)),
        ("candles/binance/BTCUSDT/1m_2021-04.parquet", Named("binance", BTC, Timeframe.M1)),
        ("Kraken_BTCUSDT_1d.csv", Named("kraken", BTC, Timeframe.D1)),
        ("BTCUSDT_15m.csv.gz", Named(None, BTC, None)),
        ("prices.csv", Named()),
        ("BANANA1USDT-1m-2025-01.zip", Named(None, None, Timeframe.M1)),
    ],
)
def test_what_a_name_says(name: str, expected: Named) -> None:
    assert named_by(Path(name), EXCHANGES) == expected


def test_an_archive_of_weeks_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="timeframe '1w' is unknown; accepted: 1s, 1m"):
        named_by(Path("BTCUSDT-1w-2025-01.zip"), EXCHANGES)


def test_a_file_of_the_candle_store_says_it_itself_wherever_it_lies(tmp_path: Path) -> None:
    ParquetCandleStore(tmp_path / "store").write("coinbase", ETH, Timeframe.M1, random_walk(3, 1))
    moved = next(tmp_path.rglob("*.parquet")).rename(tmp_path / "BTCUSDT-1h-2025-01.parquet")
    assert named_by(moved, EXCHANGES) == Named("coinbase", ETH, Timeframe.M1)


def test_another_parquet_file_goes_by_its_name(tmp_path: Path) -> None:
    file = write_recording(tmp_path / "BTCUSDT_1m.parquet", 3)
    assert named_by(file, EXCHANGES) == Named(None, BTC, Timeframe.M1)
