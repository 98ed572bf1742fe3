"""What a request passes before it is answered, whichever way it came: limits, key, clock and signature."""

from __future__ import annotations

from vela.venue.binance.desk import Desk, Endpoint, Security
from vela.venue.binance.errors import BinanceError
from vela.venue.binance.parameters import Parameters

_MAINTENANCE = BinanceError(-1016, "This service is no longer available.", status=503)


class Gate:
    """Lets requests in, or not."""

    def __init__(self, desk: Desk) -> None:
        """Stand before `desk`."""
        self._desk = desk
        self._closed_until = 0

    def close(self, seconds: float) -> None:
        """Let nobody in for maintenance."""
        self._closed_until = self._desk.now() + int(seconds * 1000)

    def ban(self, seconds: float) -> None:
        """Let nobody in as if too much had been asked."""
        self._desk.limiter.ban(self._desk.now() + int(seconds * 1000))

    def admit(self, endpoint: Endpoint) -> None:
        """Count a request against the limits.

        Raises:
            BinanceError: it must wait.
        """
        now = self._desk.now()
        if now < self._closed_until:
            raise _MAINTENANCE
        self._desk.limiter.spend(endpoint.weight, now)
        self._desk.order_limiter.spend(endpoint.orders, now)

    def counts(self, endpoint: Endpoint | None = None) -> dict[str, str]:
        """Return the headers that tell a client how much of its limits it has used."""
        now = self._desk.now()
        used = str(self._desk.limiter.used(now))
        weights = {"X-MBX-USED-WEIGHT": used, "X-MBX-USED-WEIGHT-1M": used}
        if endpoint is None or not endpoint.orders:
            return weights
        ten_seconds, day = self._desk.order_limiter.placed(now)
        return weights | {"X-MBX-ORDER-COUNT-10S": str(ten_seconds), "X-MBX-ORDER-COUNT-1D": str(day)}

    def check(self, security: Security, parameters: Parameters, key: str | None, payload: str) -> None:
        """Check who asks.

        Args:
            security: what the request must bring.
            parameters: what it brought.
            key: the API key that it brought.
            payload: what must have been signed.

        Raises:
            BinanceError: it may not be answered.
        """
        if security is Security.NONE:
            return
        if not key:
            raise BinanceError(-2014, "API-key format invalid.", status=401)
        if key != self._desk.terms.api_key:
            raise BinanceError(-2015, "Invalid API-key, IP, or permissions for action.", status=401)
        if security is Security.SIGNED:
            parameters.check_time(self._desk.now())
            parameters.check_signature(self._desk.terms.api_secret, payload)
