"""What is used of ccxt, and what is put over its classes so that everything they send and hear passes our hands."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import aiohttp
import structlog

from vela.adapters.exchanges.unified.calls import Calls
from vela.adapters.exchanges.unified.errors import described
from vela.domain.crashpoints import crashpoint
from vela.domain.errors import VenueUnavailable

_LONGEST_DIAL_PAUSE_S = 5.0

_log = structlog.get_logger("vela.exchange")


# An order, a trade or a balance as ccxt tells it: all numbers as text.
Told = Mapping[str, Any]

# A candle as ccxt tells it: time, open, high, low, close, volume.
Row = Sequence[int | str | None]


class ExchangeClient(Protocol):
    """What is used of ccxt in `unified`."""

    calls: Calls
    cafile: str
    ssl_context: ssl.SSLContext | None
    session: aiohttp.ClientSession | None
    own_session: bool

    async def fetch_time(self) -> int:
        """Return the exchange's time, ms UTC."""
        ...

    async def load_markets(self, anew: bool = False, /) -> Mapping[str, Told]:  # noqa: FBT001, FBT002  as ccxt has it
        """Return what is listed; `anew`: ask again."""
        ...

    async def fetch_tickers(self) -> Mapping[str, Told]:
        """Return the last 24 hours of every symbol."""
        ...

    async def fetch_ohlcv(self, pair: str, timeframe: str, since: int | None, limit: int, /) -> Sequence[Row]:
        """Return up to `limit` candles that open at or after `since` (ms UTC; None: the newest)."""
        ...

    async def create_order(
        self, pair: str, kind: str, side: str, amount: str, price: str | None, terms: Told, /
    ) -> Told:
        """Place an order."""
        ...

    async def cancel_order(self, order_id: str, pair: str, terms: Told, /) -> Told:
        """Cancel an order."""
        ...

    async def fetch_order(self, order_id: str, pair: str, terms: Told, /) -> Told:
        """Return an order."""
        ...

    async def fetch_open_orders(self) -> Sequence[Told]:
        """Return all open orders."""
        ...

    async def fetch_balance(self) -> Told:
        """Return what is held."""
        ...

    async def fetch_order_book(self, pair: str, limit: int, /) -> Told:
        """Return the best bids and asks."""
        ...

    async def close(self) -> None:
        """Close the sockets."""
        ...


class WatchedClient:
    """Mixed in before the exchange's own class of ccxt.pro. `calls` is set before anything is asked.

    Attributes:
        calls: budget and clock.
        weight_per_cost: request weight of one unit of what ccxt calls cost.
        used_weight_header: in which the exchange counts; None: it does not tell.
        order_count_header: the same of new orders in ten seconds.
    """

    calls: Calls
    weight_per_cost = 1.0
    used_weight_header: str | None = None
    order_count_header: str | None = None

    # --------------------------------------------------------------------------------------------------------- REST

    async def throttle(self, cost: float | None = None) -> None:
        """Wait for the budget instead of ccxt's own."""
        await self.calls.admit(max(1, round((cost or 0.0) * self.weight_per_cost)))

    def nonce(self) -> int:
        """Return the time that requests are signed with."""
        return self.calls.now()

    def on_rest_response(self, code: int, _reason: str, _url: str, method: str, *rest: Any) -> str:  # noqa: ANN401
        """See every answer, before anything is read from it."""
        headers, body = rest[0], rest[1]
        counted_in = (self.used_weight_header, self.order_count_header)
        self.calls.answered(code, headers, *counted_in, of_orders=self.is_order_limit(body))
        if method != "GET":
            crashpoint("P08")
        return str(body).strip()

    def is_order_limit(self, _body: str) -> bool:
        """Say whether an answer means that too many orders were placed, not that too much was asked."""
        return False

    # ------------------------------------------------------------------------------------------------------ sockets

    def client(self, url: str) -> Any:  # noqa: ANN401  ccxt's socket carries no types
        """Return the socket for `url`; a message that cannot be read ends it, so that it is opened anew."""
        clients: dict[str, Any] = getattr(self, "clients", None) or {}
        is_new = url not in clients
        socket = super().client(url)  # type: ignore[misc]
        if is_new:
            read = socket.handle_text_or_binary_message
            socket.handle_text_or_binary_message = lambda data: _guarded(socket, read, data)
        return socket

    def ws_dial_delay(self, url: str) -> float:
        """Return the seconds until a socket may be opened: ccxt's growing pauses, cut short, and bans in full."""
        pause: float = super().ws_dial_delay(url)  # type: ignore[misc]
        return max(min(pause, _LONGEST_DIAL_PAUSE_S), self.calls.budget.closed_for(self.calls.now()))

    def drop(self, url: str, reason: str) -> None:
        """Close the socket for `url`; whoever holds it is told."""
        socket = (getattr(self, "clients", None) or {}).get(url)
        if socket is not None:
            socket.on_error(VenueUnavailable(reason))


def _guarded(socket: Any, read: Callable[[str | bytes], None], data: str | bytes) -> None:  # noqa: ANN401
    # An exception here would end ccxt's reading for good, and nobody would be told.
    try:
        read(data)
    except Exception as error:  # noqa: BLE001  whatever a message holds
        _log.warning("message not understood", error=described(error), length=len(data))
        socket.on_error(VenueUnavailable("a message could not be read"))
