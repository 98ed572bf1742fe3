"""A connection to Binance Spot."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import structlog
from typing_extensions import override

from vela.adapters.exchanges.binance.client import BinanceClient
from vela.adapters.exchanges.binance.execution import BinanceExecution
from vela.adapters.exchanges.binance.streams import BinanceStreams
from vela.adapters.exchanges.unified.budget import RequestBudget
from vela.adapters.exchanges.unified.connection import Connection, Credentials, KeyRights
from vela.adapters.exchanges.unified.execution import FOLLOW_UP
from vela.domain.errors import CredentialsRefused, RateLimited, VelaError, VenueUnavailable
from vela.domain.trading_symbol import TradingSymbol
from vela.ports.clock import Clock
from vela.ports.execution import FollowUp

_WEIGHT_PER_MINUTE = 6000

_log = structlog.get_logger("vela.exchange")


class BinanceConnection(Connection):
    """`Connection` to Binance Spot, or to a venue that speaks like it."""

    name = "binance"
    _client: BinanceClient

    def __init__(
        self, credentials: Credentials | None, clock: Clock, *, base_url: str | None = None, patience: float = 10.0
    ) -> None:
        """Prepare to connect.

        Args:
            credentials: of the account; None: only what is public is asked for.
            clock: the machine's.
            base_url: `http://host:port` of another server, None: Binance's own.
            patience: seconds until a request that is not answered has failed.
        """
        super().__init__(_client(credentials, base_url, patience), clock, RequestBudget(_WEIGHT_PER_MINUTE))

    async def key_rights(self) -> KeyRights:
        """See `Connection.key_rights`."""
        try:
            rights = await self._calls.query(self._client.sapi_get_account_apirestrictions)
        except (CredentialsRefused, RateLimited):
            raise
        except VelaError as problem:
            raise VenueUnavailable(f"the rights of the key cannot be seen: {problem}") from None
        can_trade, can_withdraw = (rights.get(name) for name in ("enableSpotAndMarginTrading", "enableWithdrawals"))
        if not isinstance(can_trade, bool) or not isinstance(can_withdraw, bool):
            raise VenueUnavailable("the rights of the key cannot be seen: the answer does not name them")
        return KeyRights(can_trade=can_trade, can_withdraw=can_withdraw)

    @override
    async def fee_asset(self) -> str | None:
        """See `Connection.fee_asset`."""
        try:
            answer = await self._calls.query(self._client.sapi_get_bnbburn)
        except VelaError as problem:
            _log.warning("the asset of fees is not told", error=str(problem))
            return None
        return "BNB" if answer.get("spotBNBBurn") else None

    def execution(self, symbols: Iterable[TradingSymbol], follow_up: FollowUp = FOLLOW_UP) -> BinanceExecution:
        """See `Connection.execution`."""
        return BinanceExecution(self._client, self._calls, self._listings, symbols, self._clock, follow_up)

    def _streams(self) -> BinanceStreams:
        return BinanceStreams(self._client, self._listings)


def _client(credentials: Credentials | None, base_url: str | None, patience: float) -> BinanceClient:
    client = BinanceClient(
        {
            "apiKey": credentials.key if credentials is not None else "",
            "secret": credentials.secret if credentials is not None else "",
            "number": str,
            "timeout": int(patience * 1000),
            "timeout_on_exit": 0,
            "commonCurrencies": {},  # assets keep the names that the exchange gives them
            "streaming": {"keepAlive": 10_000},
            "options": {
                "defaultType": "spot",
                "recvWindow": 5_000,  # an order that is under way for longer is refused, not executed
                "fetchMarkets": {"types": ["spot"]},
                "fetchMargins": False,
                "fetchCurrencies": False,
                "warnOnFetchOpenOrdersWithoutSymbol": False,
            },
        }
    )
    client.taps = {}
    if base_url is not None:
        _redirect(client.urls["api"], base_url.rstrip("/"))
    return client


def _redirect(addresses: dict[str, Any], base_url: str) -> None:
    sockets = base_url.replace("http", "ws", 1)
    addresses |= {"public": f"{base_url}/api/v3", "private": f"{base_url}/api/v3", "sapi": f"{base_url}/sapi/v1"}
    addresses["ws"]["spot"] = f"{sockets}/stream/ws"  # by "/stream" ccxt knows the spot market
    addresses["ws"]["ws-api"]["spot"] = f"{sockets}/ws-api/v3"
