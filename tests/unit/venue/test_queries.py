from __future__ import annotations

import pytest
from tests.unit.simulation.market import BTC, ETH
from tests.unit.simulation.venue import SELL, Venue

from vela.adapters.clock import SimulatedClock
from vela.domain.errors import ConfigurationError, OrderNotFound
from vela.domain.order import OrderStatus
from vela.venue.clock import VenueClock
from vela.venue.queries import Lag, Queries


class Asked:
    """A venue and what is told about its orders; both have the same time."""

    def __init__(self, **lag: int) -> None:
        self.venue = Venue()
        self._clock = SimulatedClock(0, None)
        self.queries = Queries(self.venue.exchange, VenueClock(self._clock))
        self.queries.lag = Lag(**lag)

    def at(self, time: int) -> Queries:
        self.venue.time = time
        self._clock.set(time)
        return self.queries


def names(orders) -> list[str]:
    return [order.request.client_order_id for order in orders]


def test_without_a_lag_everything_is_told_at_once() -> None:
    asked = Asked()
    queries = asked.at(1000)
    asked.venue.place("a", "LIMIT", "1", "90")
    assert queries.find(BTC, client_order_id="a") == asked.venue.order("a")
    assert names(queries.orders(BTC)) == names(queries.open_orders()) == ["a"]
    assert queries.open_orders(ETH) == queries.orders(ETH) == []


def test_a_new_order_is_found_only_after_a_while_and_can_be_cancelled_before() -> None:
    asked = Asked(orders_ms=500)
    queries = asked.at(1000)
    asked.venue.place("a", "LIMIT", "1", "90")
    asked.at(1499)
    with pytest.raises(OrderNotFound):
        queries.find(BTC, client_order_id="a")
    assert queries.orders(BTC) == queries.open_orders() == []
    asked.at(1500)
    assert names(queries.open_orders()) == ["a"]
    asked.venue.cancel("a")
    assert queries.find(BTC, client_order_id="a").status is OrderStatus.CANCELLED


def test_the_open_orders_are_those_of_a_while_ago() -> None:
    asked = Asked(open_orders_ms=1000)
    queries = asked.at(1000)
    asked.venue.place("a", "LIMIT", "1", "110", side=SELL)
    assert queries.open_orders() == []
    asked.at(3000)
    asked.venue.move(111.0, 100.0, 111.0)
    asked.at(4000)
    assert asked.venue.order("a").status is OrderStatus.FILLED
    assert names(queries.open_orders(BTC)) == ["a"]
    asked.at(5000)
    assert queries.open_orders() == []


@pytest.mark.parametrize("lag", [{"orders_ms": -1}, {"open_orders_ms": 86_400_001}])
def test_a_lag_has_its_limits(lag) -> None:
    with pytest.raises(ConfigurationError, match="accepted: 0 to 86400000"):
        Lag(**lag)
