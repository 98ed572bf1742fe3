from __future__ import annotations

from decimal import Decimal

import pytest

from vela.adapters.exchanges.unified.reading import MessageError
from vela.adapters.exchanges.unified.reports import fills_of, order_report, report
from vela.domain.fill import Fill
from vela.domain.order import OrderStatus, Side
from vela.domain.trading_symbol import TradingSymbol

BTC = TradingSymbol("BTC")
NOW = 1_700_000_000_000


def order(**fields) -> dict[str, object]:
    return {"id": "7", "status": "open", "filled": "0.00000000", "timestamp": NOW, "lastUpdateTimestamp": None} | fields


def trade(**fields) -> dict[str, object]:
    fee = {"cost": "0.001", "currency": "BNB"}
    return {"id": "1", "price": "100.10", "amount": "0.5", "fee": fee, "timestamp": NOW + 5} | fields


def fills(*trades, time=None):
    return fills_of(trades, "mine", BTC, Side.BUY, id_prefix="BTCUSDT:", time=time)


@pytest.mark.parametrize(
    ("told", "filled", "status"),
    [
        ("open", "0", OrderStatus.ACCEPTED),
        ("open", "0.1", OrderStatus.PARTIALLY_FILLED),
        ("canceling", "0", OrderStatus.ACCEPTED),
        ("closed", "1", OrderStatus.FILLED),
        ("canceled", "0.1", OrderStatus.CANCELLED),
        ("expired", "0", OrderStatus.EXPIRED),
        ("rejected", "0", OrderStatus.REJECTED),
        ("A_WORD_NEVER_SEEN", "0", OrderStatus.ACCEPTED),
        ("A_WORD_NEVER_SEEN", "0.1", OrderStatus.PARTIALLY_FILLED),
    ],
)
def test_an_order_s_state_in_our_words(told, filled, status):
    assert order_report(order(status=told, filled=filled), "mine", ()).status is status


def test_the_time_is_that_of_the_last_change():
    assert order_report(order(), "mine", ()).time == NOW
    assert order_report(order(lastUpdateTimestamp=NOW + 1), "mine", ()).time == NOW + 1


def test_the_filled_quantity_is_told_only_where_fills_are_missing():
    [fill] = fills(trade())
    assert order_report(order(filled="0.50"), "mine", [fill]).filled_quantity is None
    assert order_report(order(filled="0.75"), "mine", [fill]).filled_quantity == Decimal("0.75")
    assert order_report(order(filled="0.25"), "mine", [fill]).filled_quantity is None
    assert report("mine", "7", OrderStatus.FILLED, (), NOW, Decimal(1)).filled_quantity == 1


def test_a_fill_is_exact_and_its_id_unique_beyond_its_symbol():
    assert fills(trade()) == (
        Fill("BTCUSDT:1", "mine", BTC, Side.BUY, Decimal("100.10"), Decimal("0.5"), Decimal("0.001"), "BNB", NOW + 5),
    )


def test_a_trade_without_a_time_has_the_order_s():
    [fill] = fills(trade(timestamp=None), time=NOW)
    assert fill.time == NOW
    with pytest.raises(MessageError):
        fills(trade(timestamp=None))


def test_a_rebate_is_a_negative_fee():
    [fill] = fills(trade(fee={"cost": "-0.002", "currency": "USDT"}))
    assert fill.fee == Decimal("-0.002")


@pytest.mark.parametrize(
    "fields",
    [
        {"price": "NaN"},
        {"price": "0"},
        {"amount": "-1"},
        {"amount": None},
        {"fee": None},
        {"fee": {"cost": "Infinity", "currency": "BNB"}},
        {"fee": {"cost": "0.1"}},
        {"id": None},
        {"timestamp": NOW * 1000},
    ],
    ids=str,
)
def test_what_is_no_trade_is_not_booked(fields):
    with pytest.raises(MessageError):
        fills(trade(**fields))


@pytest.mark.parametrize(
    "told",
    [
        "<html>",
        None,
        {},
        order(filled=None),
        order(filled="NaN"),
        order(filled="-1"),
        order(id=None),
        order(status=None),
        order(timestamp=NOW * 1000),
        order(lastUpdateTimestamp="soon"),
    ],
    ids=lambda told: str(told)[:60],
)
def test_what_is_no_order_is_not_reported(told):
    with pytest.raises(MessageError):
        order_report(told, "mine", ())
