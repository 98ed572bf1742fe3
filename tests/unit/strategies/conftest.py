from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from tests.builders import random_walk

from vela.domain.candles import COLUMNS, Candles


@pytest.fixture(scope="session")
def recorded(shared_data: Path) -> Candles:
    """3,000 five-minute candles of BTC/USDT around an outage, which left candles without volume and a gap."""
    table = pl.read_parquet(shared_data / "candles/binance/BTCUSDT/5m.parquet").slice(22_500, 3_000)
    return Candles.from_columns(table["open_time"].to_numpy(), *(table[name].to_numpy() for name in COLUMNS))


@pytest.fixture(params=["random", "recorded"])
def candles(request: pytest.FixtureRequest) -> Candles:
    if request.param == "recorded":
        recording: Candles = request.getfixturevalue("recorded")
        return recording
    return random_walk(2_000, seed=11, volatility=0.004)
