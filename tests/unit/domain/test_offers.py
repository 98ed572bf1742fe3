from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vela.domain.offers import average_price

BIDS = [(Decimal(100), Decimal(1)), (Decimal(90), Decimal(1)), (Decimal(50), Decimal(2))]
amounts = st.decimals("0.01", "1000", places=2)


@pytest.mark.parametrize(("quantity", "price"), [("0.5", 100), ("1", 100), ("2", 95), ("4", "72.5"), ("4.01", None)])
def test_the_best_is_taken_first_and_all_of_it_or_nothing(quantity: str, price: object) -> None:
    assert average_price(BIDS, Decimal(quantity)) == (None if price is None else Decimal(str(price)))


def test_nothing_is_offered() -> None:
    assert average_price([], Decimal(1)) is None


@given(st.lists(st.tuples(amounts, amounts), min_size=1), amounts)
def test_an_average_lies_between_the_best_and_the_worst(
    offers: list[tuple[Decimal, Decimal]], quantity: Decimal
) -> None:
    price = average_price(offers, quantity)
    assert (price is None) == (sum(offered for _, offered in offers) < quantity)
    if price is not None:
        rounding = Decimal("1e-20")
        assert min(p for p, _ in offers) - rounding <= price <= max(p for p, _ in offers) + rounding
