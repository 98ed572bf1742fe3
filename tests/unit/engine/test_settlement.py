# mypy: disable-error-code="comparison-overlap"
# A Decimal equals the int of the same value.
from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.builders import fill

from vela.domain.money import add, multiply
from vela.domain.order import Side
from vela.engine.ledger import Account, Ledger, fill_transaction, opening
from vela.engine.settlement import fee_asset_of_owner, settled, worth

amounts = st.decimals("0.00000001", "1e6", places=8)


def test_a_fee_in_quote_is_left_as_it_is():
    assert settled(fill(fee_asset="USDT")) == fill(fee_asset="USDT")
    assert fee_asset_of_owner(fill(fee_asset="USDT")) is None


def test_a_fee_out_of_the_purchase_is_a_smaller_purchase_and_a_fee_in_quote():
    net = settled(fill("100", "0.5", fee=Decimal("0.0005"), fee_asset="BTC"))
    assert (net.quantity, net.fee, net.fee_asset) == (Decimal("0.4995"), Decimal("0.05"), "USDT")
    assert fee_asset_of_owner(fill(fee=Decimal("0.0005"), fee_asset="BTC")) is None


@pytest.mark.parametrize(
    "paid",
    [fill(fee_asset="BNB"), fill(side=Side.SELL, fee=Decimal("0.0005"), fee_asset="BTC")],
    ids=["another asset", "base of a sale"],
)
def test_any_other_fee_is_paid_by_the_owner(paid):
    assert settled(paid) == paid
    assert fee_asset_of_owner(paid) == paid.fee_asset
    assert fee_asset_of_owner(fill(fee=Decimal(0), fee_asset="BNB")) is None


def test_what_has_no_price_has_no_worth_here():
    assert worth(Decimal("0.1"), Decimal(600)) == 60
    assert worth(Decimal("0.1"), None) == 0


@given(amounts, amounts, st.decimals("-0.001", "0.01", places=6), st.sampled_from(["USDT", "BTC", "BNB"]))
def test_cash_and_base_move_by_what_the_venue_moved_them_and_the_books_balance(price, quantity, rate, asset):
    fee = multiply(rate, quantity if asset == "BTC" else multiply(price, quantity))
    bought = fill(str(price), str(quantity), fee=fee, fee_asset=asset)
    ledger, capital = Ledger(), Decimal(10) ** 15
    ledger.book(opening("USDT", capital, 0))
    ledger.book(fill_transaction(settled(bought), None))
    fee_of = {"USDT": Decimal(0), "BTC": Decimal(0), "BNB": Decimal(0), asset: fee}
    assert ledger.balance(Account.CASH, "USDT") == add(capital, -bought.value, -fee_of["USDT"])
    assert ledger.balance(Account.HOLDINGS, "BTC") == add(quantity, -fee_of["BTC"])
    cash, cost = ledger.balance(Account.CASH, "USDT"), ledger.balance(Account.COST, "USDT")
    assert add(cash, cost) == add(capital, -ledger.balance(Account.FEES, "USDT"))
