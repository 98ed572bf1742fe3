from __future__ import annotations

from decimal import Decimal

import pytest
from tests.unit.simulation.market import INSTRUMENTS

from vela.domain.errors import OrderRefused
from vela.simulation.filters import check_notional, check_price, check_quantity

RULES = INSTRUMENTS[0]  # tick 0.1, step 0.001, 0.002 at least, worth 5 at least


def test_what_lies_on_the_grids_and_reaches_the_minimums_passes() -> None:
    check_quantity("a", Decimal("0.002"), RULES)
    check_price("a", Decimal("100.1"), RULES)
    check_notional("a", Decimal(2500), Decimal("0.002"), RULES)


@pytest.mark.parametrize(
    ("check", "arguments", "code"),
    [
        (check_quantity, ("0.0025",), "step"),
        (check_quantity, ("0.001",), "min_quantity"),
        (check_quantity, ("1E+60",), "step"),
        (check_price, ("100.15",), "tick"),
        (check_notional, ("2499.9", "0.002"), "min_notional"),
    ],
)
def test_what_does_not_is_refused_with_its_code(check, arguments, code) -> None:
    with pytest.raises(OrderRefused, match=f"^{code}: .*accepted: "):
        check("a", *map(Decimal, arguments), RULES)
