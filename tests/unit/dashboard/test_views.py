from __future__ import annotations

import json
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.dashboard.samples import BTC, ETHBTC, START, filled, order, position, trade, wallet

from vela.dashboard.views import (
    fill_view,
    order_view,
    position_marker,
    position_view,
    symbol_name,
    trade_view,
    wallet_view,
)
from vela.domain.money import multiply
from vela.domain.order import OrderStatus
from vela.domain.position import PositionSide

MONEY = st.decimals("0.00000001", "1e9", places=8)


def test_a_symbol_is_always_its_three_parts():
    assert symbol_name(BTC) == {"base": "BTC", "quote": "USDT", "full": "BTCUSDT"}
    assert symbol_name(ETHBTC) == {"base": "ETH", "quote": "BTC", "full": "ETHBTC"}


@given(MONEY, MONEY, st.floats(1e-8, 1e6), st.sampled_from(PositionSide))
def test_unrealised_profit_is_exact_and_has_the_sides_sign(quantity, cost, price, side):
    held = msgspec.structs.replace(position(side=side), quantity=quantity, cost=cost)
    shown = Decimal(position_view(held, None, None, "none", price)["unrealised_pnl"])
    assert shown == side.sign * (multiply(Decimal(repr(price)), quantity) - cost)


@given(MONEY, MONEY, MONEY)
def test_amounts_survive_as_text_without_exponent(cash, market_value, fees):
    held = msgspec.structs.replace(wallet(), cash=cash, market_value=market_value, fees=fees)
    shown = json.loads(msgspec.json.encode(wallet_view(held, 0, 0)))
    assert (Decimal(shown["cash"]), Decimal(shown["fees"])) == (cash, fees)
    assert Decimal(shown["equity"]) == cash + market_value
    assert Decimal(shown["free"]) == cash - held.reserved
    assert not any("E" in amount for name, amount in shown.items() if name not in {"quote", "time", "trades", "wins"})


def test_an_order_without_fills_has_no_average_price():
    shown = order_view(order(status=OrderStatus.SENT, time=START + 5))
    assert (shown["average_price"], shown["price"], shown["stop_price"]) == (None, None, None)
    assert (shown["time"], shown["quantity"], shown["filled_quantity"]) == (START, "0.0005", "0")


def test_an_average_that_never_ends_is_cut():
    held = msgspec.structs.replace(position(), entry_value=Decimal(100), entry_quantity=Decimal(3))
    assert position_view(held, None, None, "none", None)["entry_price"] == "33.33333333333333"


@pytest.mark.parametrize(("side", "word"), [(PositionSide.LONG, "BUY"), (PositionSide.SHORT, "SELL")])
def test_an_open_positions_arrow_points_the_way_it_was_opened(side, word):
    assert position_marker(position(side=side)) == {
        "time": START,
        "kind": "entry",
        "side": word,
        "price": "100",
        "reason": "signal",
    }


def test_trades_and_fills_are_text_where_they_are_money():
    assert trade_view(trade())["pnl"] == "0.4"
    assert trade_view(trade())["exit_reason"] == "take_profit"
    assert fill_view(filled().message.fill)["fee"] == "0.0485"
