"""Candles of the past, by ccxt's one call for them."""

from __future__ import annotations

import math
from collections.abc import Sequence

from vela.adapters.exchanges.unified.calls import Calls
from vela.adapters.exchanges.unified.client import ExchangeClient, Row
from vela.adapters.exchanges.unified.listings import Listings
from vela.adapters.exchanges.unified.reading import moment
from vela.domain.candles import Candle
from vela.domain.timeframe import Timeframe
from vela.domain.trading_symbol import TradingSymbol


class Ohlcv:
    """`CandleHistory` over ccxt."""

    def __init__(self, client: ExchangeClient, calls: Calls, listings: Listings) -> None:
        """Ask through `client`."""
        self._client = client
        self._calls = calls
        self._listings = listings

    async def page(
        self, symbol: TradingSymbol, timeframe: Timeframe, since: int | None, count: int
    ) -> Sequence[Candle]:
        """See `CandleHistory.page`."""
        pair = self._listings[symbol].pair

        async def ask() -> list[Candle]:
            rows = await self._client.fetch_ohlcv(pair, timeframe.value, since, count)
            candles = sorted(map(_candle, rows), key=lambda candle: candle.open_time)
            return [candle for candle in candles if candle.open_time >= (since or 0)]

        return await self._calls.market(ask)


def _candle(row: Row) -> Candle:
    # Checked by whoever lets it in; a time in another unit would pass there as a candle from far away.
    values = (math.nan if value is None else float(value) for value in row[1:6])
    return Candle(moment({"open_time": row[0]}, "open_time"), *values)
