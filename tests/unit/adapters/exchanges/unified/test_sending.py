from __future__ import annotations

from decimal import Decimal

import pytest
from tests.builders import BTC

from vela.adapters.exchanges.unified.sending import point_of_sent, sending
from vela.domain.order import OrderRequest, OrderType, Side

QUANTITY = Decimal(1)
ENTRY = OrderRequest("E", BTC, Side.BUY, OrderType.MARKET, QUANTITY)
EXIT = OrderRequest("X", BTC, Side.SELL, OrderType.MARKET, QUANTITY)
STOP = OrderRequest("S", BTC, Side.SELL, OrderType.STOP, QUANTITY, stop_price=Decimal(90))
TARGET = OrderRequest("T", BTC, Side.SELL, OrderType.LIMIT, QUANTITY, price=Decimal(110))


@pytest.mark.parametrize(
    ("requests", "point"),
    [([ENTRY], "P06"), ([EXIT], "P20"), ([STOP], "P16"), ([STOP, TARGET], "P16"), ([TARGET], "P16")],
)
def test_what_is_sent_says_which_point_is_passed(requests: list[OrderRequest], point: str) -> None:
    with sending(requests):
        assert point_of_sent() == point
    assert point_of_sent() == "P06"
