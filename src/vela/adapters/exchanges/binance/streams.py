"""Binance's market streams: aggregated trades for prices, klines for candles."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import structlog

from vela.adapters.exchanges.binance.client import BinanceClient
from vela.adapters.exchanges.binance.messages import read_kline, read_trade
from vela.adapters.exchanges.unified.listings import Listings
from vela.adapters.exchanges.unified.reading import MessageError
from vela.adapters.exchanges.unified.streams import CANDLES, PRICES, Channel, StreamListener
from vela.domain.timeframe import Timeframe
from vela.domain.trading_symbol import TradingSymbol

_MOST_STREAMS = 100  # per socket: Binance never answers a subscription of more than 4,096 bytes

_log = structlog.get_logger("vela.exchange")


class BinanceStreams:
    """`MarketStreams` of Binance."""

    def __init__(self, client: BinanceClient, listings: Listings) -> None:
        """Subscribe through `client`."""
        self._client = client
        self._listings = listings

    def channels(self, symbols: Sequence[TradingSymbol], timeframe: Timeframe) -> Sequence[Channel]:
        """See `MarketStreams.channels`."""
        parts = [tuple(symbols[first : first + _MOST_STREAMS]) for first in range(0, len(symbols), _MOST_STREAMS)]
        return [
            Channel(kind, number, part, timeframe) for kind in (PRICES, CANDLES) for number, part in enumerate(parts)
        ]

    def listen(self, listener: StreamListener) -> None:
        """See `MarketStreams.listen`."""

        def on_trade(message: Mapping[str, Any]) -> None:
            trade = read_trade(message)
            if trade.market_id in self._listings.by_id:
                listener.traded(self._listings.by_id[trade.market_id], trade.price, trade.time)

        def on_kline(message: Mapping[str, Any]) -> None:
            seen = read_kline(message)
            if seen.market_id in self._listings.by_id:
                symbol = self._listings.by_id[seen.market_id]
                listener.candle(symbol, seen.candle, seen.time, is_closed=seen.is_closed)

        self._client.taps["aggTrade"] = _skipping_garbage(on_trade)
        self._client.taps["kline"] = _skipping_garbage(on_kline)

    async def hold(self, channel: Channel) -> None:
        """See `MarketStreams.hold`."""
        try:
            await self._client.hold_market(_name(channel), self._streams(channel, channel.symbols))
        except asyncio.CancelledError:  # whoever comes next may want other streams
            self._client.drop(self._client.market_url(_name(channel)), "nobody listens any more")
            raise

    async def resubscribe(self, channel: Channel, symbols: Sequence[TradingSymbol]) -> None:
        """See `MarketStreams.resubscribe`."""
        await self._client.resubscribe_market(_name(channel), self._streams(channel, symbols))

    def reconnect(self, channel: Channel) -> None:
        """See `MarketStreams.reconnect`."""
        self._client.drop(self._client.market_url(_name(channel)), "silent for too long")

    def _streams(self, channel: Channel, symbols: Sequence[TradingSymbol]) -> list[str]:
        what = "aggTrade" if channel.kind == PRICES else f"kline_{channel.timeframe.value}"
        return [f"{self._listings[symbol].market_id.lower()}@{what}" for symbol in symbols]


def _name(channel: Channel) -> str:
    return f"{channel.kind}{channel.number}"


def _skipping_garbage(take: Callable[[Mapping[str, Any]], None]) -> Callable[[Mapping[str, Any]], None]:
    def taken(message: Mapping[str, Any]) -> None:
        try:
            take(message)
        except MessageError as problem:
            _log.warning("message left out", error=str(problem))

    return taken
