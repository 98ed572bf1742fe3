"""Exchanges that orders of real money can go to, and how to connect to them."""

from __future__ import annotations

from vela.adapters.exchanges import EXCHANGES
from vela.adapters.exchanges.unified.connection import Connection, Credentials
from vela.domain.errors import ConfigurationError
from vela.ports.clock import Clock


async def connect(
    exchange: str, credentials: Credentials | None, clock: Clock, *, base_url: str | None = None, patience: float = 10.0
) -> Connection:
    """Open a connection; `close` it.

    Args:
        exchange: one of `EXCHANGES`.
        credentials: of the account; None: only what is public is asked for.
        clock: the machine's.
        base_url: `http://host:port` of another server that speaks like the exchange; None: its own.
        patience: seconds until a request that is not answered has failed.

    Raises:
        ConfigurationError: there is no such exchange.
        VenueUnavailable: it cannot be reached.
    """
    if exchange not in EXCHANGES:
        raise ConfigurationError(f"exchange {exchange[:40]!r} is unknown; accepted: {', '.join(EXCHANGES)}")
    # ccxt takes a second to import, and only who trades at an exchange needs it.
    from vela.adapters.exchanges.binance.connection import BinanceConnection  # noqa: PLC0415

    connection = BinanceConnection(credentials, clock, base_url=base_url, patience=patience)
    await connection.open()
    return connection
