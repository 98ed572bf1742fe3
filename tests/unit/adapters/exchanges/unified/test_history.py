from __future__ import annotations

from typing import Any, cast

import pytest
from tests.fakes import ManualClock

from vela.adapters.exchanges.unified.budget import RequestBudget
from vela.adapters.exchanges.unified.calls import Calls
from vela.adapters.exchanges.unified.client import ExchangeClient
from vela.adapters.exchanges.unified.history import Ohlcv
from vela.adapters.exchanges.unified.listings import Listings
from vela.domain.candles import Candle
from vela.domain.errors import VenueUnavailable
from vela.domain.timeframe import Timeframe
from vela.domain.trading_symbol import TradingSymbol

BTC = TradingSymbol("BTC")
MINUTE = 60_000
START = 1_700_000_000_000 // MINUTE * MINUTE


class Client:
    def __init__(self, rows: object) -> None:
        self.rows = rows
        self.asked: list[tuple[object, ...]] = []

    async def fetch_time(self) -> int:
        return 0

    async def fetch_ohlcv(self, *asked: object) -> Any:
        self.asked.append(asked)
        return self.rows


def history(rows: object) -> tuple[Ohlcv, Client]:
    client = Client(rows)
    listings = Listings(
        "test",
        [
            {
                "id": "BTCUSDT",
                "symbol": "BTC/USDT",
                "baseId": "BTC",
                "quoteId": "USDT",
                "spot": True,
                "active": True,
                "precision": {"price": "0.01", "amount": "1"},
                "limits": {},
                "info": {},
            }
        ],
    )
    calls = Calls(ManualClock(), RequestBudget(100), client.fetch_time)
    return Ohlcv(cast("ExchangeClient", client), calls, listings), client


def row(minute: int, close: str = "105.0") -> list[object]:
    return [START + minute * MINUTE, "100.0", "110.0", "90.0", close, "1.5"]


def candle(minute: int) -> Candle:
    return Candle(START + minute * MINUTE, 100.0, 110.0, 90.0, 105.0, 1.5)


async def test_rows_become_candles_oldest_first():
    ohlcv, client = history([row(1), row(0)])
    assert await ohlcv.page(BTC, Timeframe.M1, START, 2) == [candle(0), candle(1)]
    assert client.asked == [("BTC/USDT", "1m", START, 2)]


async def test_rows_from_before_are_left_out():
    ohlcv, _ = history([row(-1), row(0)])
    assert await ohlcv.page(BTC, Timeframe.M1, START, 2) == [candle(0)]
    assert len(await ohlcv.page(BTC, Timeframe.M1, None, 2)) == 2


async def test_faulty_candles_are_for_others_to_refuse():
    ohlcv, _ = history([row(0, close="NaN")])
    [broken] = await ohlcv.page(BTC, Timeframe.M1, START, 1)
    assert broken.close != broken.close


@pytest.mark.parametrize(
    "rows",
    [None, "<html>", [[START * 1000, "1", "1", "1", "1", "1"]], [[START, "x", "1", "1", "1", "1"]], [[START]]],
    ids=str,
)
async def test_what_are_no_candles_is_an_error_of_ours(rows):
    ohlcv, _ = history(rows)
    with pytest.raises(VenueUnavailable):
        await ohlcv.page(BTC, Timeframe.M1, START, 1)
