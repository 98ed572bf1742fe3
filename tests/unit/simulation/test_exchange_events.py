from __future__ import annotations

from decimal import Decimal

import pytest
from tests.unit.simulation.market import BTC
from tests.unit.simulation.venue import SELL, request

from vela.domain.fill import Fill
from vela.simulation.exchange_events import (
    OrderAccepted,
    OrderCancelled,
    OrderExpired,
    OrderFilled,
    OrderTriggered,
    order_of,
)

FILL = Fill("2", "a", BTC, SELL, Decimal(90), Decimal(2), Decimal("0.18"), "USDT", 6)


@pytest.mark.parametrize(
    "event",
    [
        OrderAccepted(1, 5, request("a", "LIMIT", "1", "100"), "USDT", Decimal(100)),
        OrderTriggered(1, 5, "a", Decimal(0)),
        OrderFilled(1, 5, FILL),
        OrderCancelled(1, 5, "a", "client"),
        OrderExpired(1, 5, "a", "balance"),
    ],
    ids=lambda event: type(event).__name__,
)
def test_every_event_is_about_an_order(event) -> None:
    assert order_of(event) == "a"
