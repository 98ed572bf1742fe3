"""What Binance's endpoints work with, and what an endpoint is."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from vela.domain.errors import ConfigurationError
from vela.domain.instrument import Instrument
from vela.domain.trading_symbol import TradingSymbol
from vela.simulation.spot_exchange import SpotExchange
from vela.simulation.spot_orders import SpotOrderType
from vela.venue.binance.depth import Depths
from vela.venue.binance.errors import BinanceError
from vela.venue.binance.limits import OrderLimiter, WeightLimiter
from vela.venue.binance.parameters import Parameters
from vela.venue.tape import Tape
from vela.venue.venue import Venue

_KEY_LIFE_MS = 60 * 60_000
_LARGEST_LIMIT = 1_000_000


class Security(StrEnum):
    """What a request must bring: nothing, the API key, or key, time and signature."""

    NONE = "none"
    KEY = "key"
    SIGNED = "signed"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One thing that can be asked for.

    Attributes:
        answer: reads the parameters and returns what is sent as JSON.
        weight: what a request counts against the limit.
        security: what it must bring.
        orders: how many new orders it counts.
    """

    answer: Callable[[Desk, Parameters], object]
    weight: int = 1
    security: Security = Security.NONE
    orders: int = 0


class ListenKeys:
    """Keys of user data streams; one is valid for an hour after it was last used."""

    def __init__(self, seed: int) -> None:
        """Derive the keys from `seed`."""
        self._seed = seed
        self._count = 0
        self._valid: dict[str, int] = {}

    def new(self, now: int) -> str:
        """Return the valid key, or make one."""
        for key in list(self._valid):
            if self.is_valid(key, now):
                self.keep(key, now)
                return key
        self._count += 1
        key = hashlib.sha512(f"{self._seed} {self._count}".encode()).hexdigest()[:64]
        self._valid[key] = now + _KEY_LIFE_MS
        return key

    def is_valid(self, key: str, now: int) -> bool:
        """Say whether a stream may be opened with `key`."""
        return self._valid.get(key, 0) > now

    def keep(self, key: str, now: int) -> None:
        """Make a key valid for another hour.

        Raises:
            BinanceError: it is not valid any more, or never was.
        """
        if not self.is_valid(key, now):
            raise BinanceError(-1125, "This listenKey does not exist.")
        self._valid[key] = now + _KEY_LIFE_MS

    def end(self, now: int) -> list[str]:
        """End all keys and return those that were valid."""
        valid = [key for key in self._valid if self.is_valid(key, now)]
        self._valid.clear()
        return valid

    def drop(self, key: str, now: int) -> None:
        """End a key.

        Raises:
            BinanceError: it is not valid any more, or never was.
        """
        self.keep(key, now)
        del self._valid[key]


@dataclass(frozen=True, slots=True)
class Terms:
    """What the venue lets its one account do.

    Attributes:
        api_key: what its requests bring.
        api_secret: what they are signed with.
        key_may_withdraw: what the venue says of the key; nothing can be withdrawn here.
        weight_limit: request weight per minute, above 0.
        order_limit: new orders per ten seconds, above 0.
        limit_stops_only: stops without a limit are not taken.
    """

    api_key: str = "vela-venue-key"
    api_secret: str = "vela-venue-secret"  # noqa: S105  of a market where nothing is worth anything
    key_may_withdraw: bool = False
    weight_limit: int = 6000
    order_limit: int = 100
    limit_stops_only: bool = False

    def __post_init__(self) -> None:
        for name, limit in (("weight limit", self.weight_limit), ("order limit", self.order_limit)):
            if not 0 < limit <= _LARGEST_LIMIT:
                raise ConfigurationError(f"{name} was {limit}; accepted: 1 to {_LARGEST_LIMIT}")
        for name, value in (("api key", self.api_key), ("api secret", self.api_secret)):
            if not value or not value.isascii() or not value.isprintable():
                raise ConfigurationError(f"{name} was {value[:40]!r}; accepted: printable ASCII text, not nothing")


class Desk:
    """The venue, and what only Binance's clients know of it."""

    def __init__(self, venue: Venue, terms: Terms, seed: int) -> None:
        """Serve one account on `terms`. `seed`: of the keys of its streams."""
        self.venue = venue
        self.terms = terms
        self.listen_keys = ListenKeys(seed)
        self.depths = Depths(venue.exchange)
        self.limiter = WeightLimiter(terms.weight_limit)
        self.order_limiter = OrderLimiter(terms.order_limit)
        self._client_ids = 0

    @property
    def exchange(self) -> SpotExchange:
        """Where orders go."""
        return self.venue.exchange

    @property
    def instruments(self) -> Mapping[TradingSymbol, Instrument]:
        """What is traded."""
        return self.venue.exchange.listed

    @property
    def order_types(self) -> list[SpotOrderType]:
        """What kinds of orders are taken."""
        return [kind for kind in SpotOrderType if kind.has_limit or not (kind.is_stop and self.terms.limit_stops_only)]

    def now(self) -> int:
        """Return the venue's time, ms UTC."""
        return self.venue.clock.now()

    def tape(self, symbol: TradingSymbol) -> Tape:
        """Return the symbol's public record."""
        return self.venue.tapes[symbol]

    def new_client_id(self) -> str:
        """Return an id for an order or a cancel whose client gave none."""
        self._client_ids += 1
        return f"venue{self._client_ids:017d}"
