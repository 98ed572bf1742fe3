from __future__ import annotations

from decimal import Decimal

import pytest
from tests.unit.simulation.venue import SELL, request

from vela.domain.errors import ConfigurationError
from vela.simulation.spot_fees import SpotFees

RECEIVED = SpotFees(Decimal("0.001"), Decimal("0.002"))
QUOTE = SpotFees(Decimal("0.001"), Decimal("0.002"), in_quote=True)
PURCHASE, SALE = request("a", "LIMIT", "1", "100"), request("b", "LIMIT", "1", "100", side=SELL)
PRICE, QUANTITY = Decimal(100), Decimal("0.5")


@pytest.mark.parametrize(
    ("maker", "taker", "words"),
    [("-1", "0", "maker fee was -1"), ("1", "0", "maker fee"), ("NaN", "0", "maker fee"), ("0", "-0.1", "taker fee")],
)
def test_a_fee_out_of_range_is_refused(maker, taker, words) -> None:
    with pytest.raises(ConfigurationError, match=words):
        SpotFees(Decimal(maker), Decimal(taker))


def test_a_purchase_pays_its_fee_in_what_it_receives_or_in_quote() -> None:
    assert RECEIVED.of(PURCHASE, PRICE, QUANTITY, is_maker=True) == (Decimal("0.0005"), "BTC")
    assert RECEIVED.of(SALE, PRICE, QUANTITY, is_maker=False) == (Decimal("0.1"), "USDT")
    assert QUOTE.of(PURCHASE, PRICE, QUANTITY, is_maker=False) == (Decimal("0.1"), "USDT")
    assert (RECEIVED.on_top, QUOTE.on_top) == (Decimal(0), Decimal("0.002"))


def test_a_fee_is_cut_to_eight_decimals_unless_it_shall_be_exact() -> None:
    quantity = Decimal("0.00001999")
    assert RECEIVED.of(PURCHASE, PRICE, quantity, is_maker=True)[0] == Decimal("0.00000001")
    exact = SpotFees(Decimal("0.001"), Decimal("0.002"), is_exact=True)
    assert exact.of(PURCHASE, PRICE, quantity, is_maker=True)[0] == Decimal("0.00000001999")


def test_a_rebate_is_a_negative_fee_and_needs_no_lock() -> None:
    rebate = SpotFees(Decimal("-0.0005"), Decimal(0), in_quote=True)
    assert rebate.of(SALE, PRICE, Decimal(1), is_maker=True) == (Decimal("-0.05"), "USDT")
    assert rebate.on_top == 0


def test_a_fee_in_a_third_asset_is_a_quarter_less_and_rebates_are_none() -> None:
    fees = SpotFees(Decimal("-0.001"), Decimal("0.002"), asset="BNB")
    assert fees.discounted(PRICE, Decimal(1), Decimal(600), is_maker=False) == Decimal("0.00025")
    assert fees.discounted(PRICE, Decimal(1), Decimal(600), is_maker=True) == 0
