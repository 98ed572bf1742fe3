from __future__ import annotations

from decimal import Decimal

from vela.adapters.exchanges.unified.places import Places, executed
from vela.domain.fill import Fill
from vela.domain.order import OrderStatus, Side
from vela.domain.trading_symbol import TradingSymbol
from vela.ports.execution import OrderReport

BTC, ETH, SOL = (TradingSymbol(name) for name in ("BTC", "ETH", "SOL"))
FILL = Fill("1", "a", BTC, Side.BUY, Decimal(100), Decimal("0.4"), Decimal(0), "BTC", 0)


def told(filled: str | None = None, *fills: Fill) -> OrderReport:
    quantity = None if filled is None else Decimal(filled)
    return OrderReport("a", "1", OrderStatus.ACCEPTED, fills, 0, filled_quantity=quantity)


def test_an_order_that_was_sent_is_looked_for_where_it_was_sent():
    places = Places([BTC, ETH])
    places.keep("a", SOL)
    assert places.candidates("a") == [SOL]


def test_any_other_is_looked_for_everywhere_beginning_where_its_id_points():
    places = Places([BTC, ETH, SOL])
    assert places.candidates("SOLUSDT-1-E") == [SOL, BTC, ETH]
    assert places.candidates("who-knows") == [BTC, ETH, SOL]


def test_what_is_executed_is_remembered_as_it_was_told():
    places = Places([BTC])
    places.keep("a", BTC)
    assert places.filled("a") == 0
    places.told(told(None, FILL))
    assert places.filled("a") == Decimal("0.4")
    places.told(told("0.7", FILL))
    places.told(told(None, FILL))
    assert places.filled("a") == Decimal("0.7")
    assert places.filled("unknown") == 0


def test_a_report_of_nobody_s_order_is_handed_on():
    report = told("0.7")
    assert Places([BTC]).told(report) is report


def test_memory_has_an_end():
    places = Places([BTC])
    for number in range(10_001):
        places.keep(str(number), BTC)
    assert places.get("0") is None
    assert places.get("10000") is not None


def test_executed_is_what_the_venue_counts_or_else_what_the_fills_add_up_to():
    assert executed(told()) == 0
    assert executed(told(None, FILL, FILL)) == Decimal("0.8")
    assert executed(told("0.9", FILL)) == Decimal("0.9")
