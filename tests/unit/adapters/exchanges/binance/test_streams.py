from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, cast

import pytest

from vela.adapters.exchanges.binance.client import BinanceClient
from vela.adapters.exchanges.binance.streams import BinanceStreams
from vela.adapters.exchanges.unified.listings import Listings
from vela.domain.timeframe import Timeframe
from vela.domain.trading_symbol import TradingSymbol

LONGEST_MESSAGE = 4096  # what Binance reads of one; a longer one is never answered


class Client:
    def __init__(self) -> None:
        self.subscribed: list[list[str]] = []

    async def hold_market(self, _name: str, streams: Sequence[str]) -> None:
        self.subscribed.append([*streams])


def market(base: str) -> dict[str, Any]:
    steps = {"amount": "0.01", "price": "0.01"}
    limits = {"amount": {"min": "0.01"}, "cost": {"min": "5"}}
    names = {"id": f"{base}USDT", "symbol": f"{base}/USDT", "baseId": base, "quoteId": "USDT"}
    return {**names, "spot": True, "active": True, "precision": steps, "limits": limits, "info": {"status": "TRADING"}}


@pytest.mark.parametrize("name", ["{number:04}", "LONGESTNAMESOFALL{number:03}"])
async def test_however_many_symbols_no_subscription_is_longer_than_binance_reads(name: str) -> None:
    listings = Listings("binance", [market(name.format(number=number)) for number in range(450)])
    client = Client()
    streams = BinanceStreams(cast("BinanceClient", client), listings)
    symbols = [TradingSymbol(name.format(number=number)) for number in range(450)]
    channels = streams.channels(symbols, Timeframe.M15)
    for channel in channels:
        await streams.hold(channel)
    assert len({(channel.kind, channel.number) for channel in channels}) == len(channels)
    told = [stream for part in client.subscribed for stream in part]
    assert len(told) == len(set(told)) == 2 * len(symbols)
    for part in client.subscribed:
        request = {"method": "SUBSCRIBE", "params": part, "id": 1_000_000}
        assert len(json.dumps(request)) <= LONGEST_MESSAGE
