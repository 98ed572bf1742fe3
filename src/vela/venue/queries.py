"""What clients who ask are told about orders: not always the newest, as the parts of a real venue are not in step."""

from __future__ import annotations

import msgspec

from vela.domain.errors import ConfigurationError, OrderNotFound
from vela.domain.trading_symbol import TradingSymbol
from vela.simulation.spot_exchange import SpotExchange
from vela.simulation.spot_orders import SpotEvent, SpotOrder
from vela.venue.clock import VenueClock

_LONGEST_MS = 86_400_000


class Lag(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How far queries are behind what has happened.

    Attributes:
        orders_ms: for so long nobody finds an order that was placed.
        open_orders_ms: so old is the list of open orders.
    """

    orders_ms: int = 0
    open_orders_ms: int = 0

    def __post_init__(self) -> None:
        for name in ("orders_ms", "open_orders_ms"):
            if not 0 <= getattr(self, name) <= _LONGEST_MS:
                raise ConfigurationError(f"{name} was {getattr(self, name)}; accepted: 0 to {_LONGEST_MS}")


class Queries:
    """Answers questions about orders as late as it was told to. What executes and what is cancelled is never late."""

    def __init__(self, exchange: SpotExchange, clock: VenueClock) -> None:
        """Answer about `exchange`'s orders, without a lag at first."""
        self.lag = Lag()
        self._exchange = exchange
        self._clock = clock

    def find(self, symbol: TradingSymbol, order_id: int | None = None, client_order_id: str | None = None) -> SpotOrder:
        """Return an order, see `SpotExchange.find`.

        Raises:
            OrderNotFound: there is none, or it is too new.
        """
        order = self._exchange.find(symbol, order_id, client_order_id)
        if not self._is_visible(order):
            raise OrderNotFound(f"order {order.order_id} is not visible yet; accepted: one of longer ago")
        return order

    def orders(self, symbol: TradingSymbol) -> list[SpotOrder]:
        """Return every order of the symbol, oldest first, but for those that are too new."""
        orders = self._exchange.orders.values()
        return [order for order in orders if order.request.symbol == symbol and self._is_visible(order)]

    def open_orders(self, symbol: TradingSymbol | None = None) -> list[SpotOrder]:
        """Return the open orders as they were a while ago, oldest first, but for those that are too new."""
        orders = self._earlier_open(symbol) if self.lag.open_orders_ms else self._exchange.open_orders(symbol)
        return [order for order in orders if self._is_visible(order)]

    def _is_visible(self, order: SpotOrder) -> bool:
        return order.created_time <= self._clock.now() - self.lag.orders_ms

    def _earlier_open(self, symbol: TradingSymbol | None) -> list[SpotOrder]:
        until = self._clock.now() - self.lag.open_orders_ms
        newest: dict[int, SpotEvent] = {}
        for event in self._exchange.log:
            if event.time <= until and symbol in {None, event.order.request.symbol}:
                newest[event.order.order_id] = event
        return [event.order for event in newest.values() if event.order.is_open]
