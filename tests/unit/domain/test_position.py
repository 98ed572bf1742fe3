from __future__ import annotations

import decimal
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.builders import position, wallet

from vela.domain.order import Side
from vela.domain.position import PositionSide

amounts = st.decimals("-1e12", "1e12", places=18)


def test_a_side_knows_its_sign_and_the_order_that_opens_it():
    assert (PositionSide.LONG.sign, PositionSide.LONG.entry_side) == (1, Side.BUY)
    assert (PositionSide.SHORT.sign, PositionSide.SHORT.entry_side) == (-1, Side.SELL)


def test_the_entry_price_is_the_average_over_the_entrys_fills():
    held = position(quantity=Decimal("0.1"), entry_quantity=Decimal("0.4"), entry_value=Decimal(50))
    assert held.entry_price == pytest.approx(125.0, rel=1e-15)


@given(amounts, amounts, amounts)
def test_equity_and_open_profit_are_exact(cash: Decimal, value: Decimal, cost: Decimal):
    account = wallet(cash=cash, market_value=value, cost=cost)
    assert Fraction(account.equity) == Fraction(cash) + Fraction(value)
    assert Fraction(account.unrealised_pnl) == Fraction(value) - Fraction(cost)


def test_equity_keeps_more_digits_than_the_default_context():
    account = wallet(cash=Decimal("12345678901234567890.123456789"), market_value=Decimal("0.000000000001"))
    with decimal.localcontext() as context:
        context.prec = 6
        assert account.equity == Decimal("12345678901234567890.123456789001")
        assert account.unrealised_pnl == Decimal("-49.999999999999")
