from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.builders import fill

from vela.domain.errors import OrderError

amounts = st.decimals("1e-10", "1e9", places=10)


@given(amounts, amounts)
def test_the_value_is_exact(price: Decimal, quantity: Decimal):
    assert Fraction(fill(str(price), str(quantity)).value) == Fraction(price) * Fraction(quantity)


@pytest.mark.parametrize("value", ["0", "-1", "NaN", "sNaN", "Infinity"])
def test_price_and_quantity_must_be_above_zero(value: str):
    with pytest.raises(OrderError, match=r"price of fill f1 was .*; accepted: a number above 0"):
        fill(price=value)
    with pytest.raises(OrderError, match=r"quantity of fill f1 was .*; accepted: a number above 0"):
        fill(quantity=value)


@pytest.mark.parametrize("fee", ["NaN", "sNaN", "Infinity", "-Infinity"])
def test_a_fee_must_be_finite(fee: str):
    with pytest.raises(OrderError, match="fee of fill f1"):
        fill(fee=Decimal(fee))


@pytest.mark.parametrize("fee", ["0", "0.05", "-0.01"])
def test_a_fee_may_be_nothing_or_a_rebate(fee: str):
    assert fill(fee=Decimal(fee)).fee == Decimal(fee)
