from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.builders import fill, position

from vela.domain.errors import LedgerError
from vela.domain.order import Side
from vela.engine.ledger import Account, Ledger, check_balanced, fill_transaction, opening, write_off
from vela.engine.positions import relieved_cost
from vela.ports.record import LedgerTransaction, Posting

amounts = st.decimals("1e-8", "1e6", places=8)
fees = st.decimals("-1", "10", places=8)


def transaction(*postings: tuple[Account, str, str]) -> LedgerTransaction:
    return LedgerTransaction(
        "t", 1, tuple(Posting(account, asset, Decimal(amount)) for account, asset, amount in postings)
    )


def funded(capital: str = "1000") -> Ledger:
    ledger = Ledger()
    ledger.book(opening("USDT", Decimal(capital), 0))
    return ledger


def balances(ledger: Ledger) -> dict[tuple[Account, str], Decimal]:
    keys = [(account, asset) for account in Account for asset in ("USDT", "BTC", "BNB")]
    return {key: ledger.balance(*key) for key in keys if ledger.balance(*key)}


def test_the_capital_is_cash_and_is_owed():
    ledger = funded()
    assert balances(ledger) == {(Account.CASH, "USDT"): 1000, (Account.CAPITAL, "USDT"): -1000}
    assert opening("USDT", Decimal(1000), 7).time == 7


def test_a_round_trip_by_hand():
    ledger = funded()
    ledger.book(fill_transaction(fill("100", "2", fee=Decimal("0.2")), None))
    assert balances(ledger) == {
        (Account.CASH, "USDT"): Decimal("799.8"),
        (Account.COST, "USDT"): 200,
        (Account.FEES, "USDT"): Decimal("0.2"),
        (Account.CAPITAL, "USDT"): -1000,
        (Account.HOLDINGS, "BTC"): 2,
        (Account.MARKET, "BTC"): -2,
    }
    sale = fill("110", "0.5", Side.SELL, fill_id="f2", fee=Decimal("0.055"))
    ledger.book(fill_transaction(sale, Decimal(50)))
    assert balances(ledger) == {
        (Account.CASH, "USDT"): Decimal("854.745"),
        (Account.COST, "USDT"): 150,
        (Account.FEES, "USDT"): Decimal("0.255"),
        (Account.REALISED, "USDT"): -5,
        (Account.CAPITAL, "USDT"): -1000,
        (Account.HOLDINGS, "BTC"): Decimal("1.5"),
        (Account.MARKET, "BTC"): Decimal("-1.5"),
    }


@pytest.mark.parametrize(("asset", "account"), [("USDT", Account.CASH), ("BNB", Account.MARKET)])
def test_a_fee_leaves_the_account_that_holds_its_asset(asset: str, account: Account):
    postings = fill_transaction(fill(fee=Decimal("0.1"), fee_asset=asset), None).postings
    assert Posting(account, asset, Decimal("-0.1")) in postings
    assert Posting(Account.FEES, asset, Decimal("0.1")) in postings


def test_what_the_owners_other_assets_paid_in_fees_is_paid_in_and_spent():
    ledger = Ledger()
    ledger.book(opening("USDT", Decimal(1000), 0))
    ledger.book(fill_transaction(fill("100", "0.5", fee=Decimal("0.001"), fee_asset="BNB"), None, Decimal("0.6")))
    assert ledger.balance(Account.FEES, "USDT") == Decimal("0.6")
    assert ledger.balance(Account.CAPITAL, "USDT") == Decimal("-1000.6")
    assert ledger.balance(Account.CASH, "USDT") == 950


def test_what_is_written_off_is_a_loss():
    ledger = Ledger({(Account.COST, "USDT"): Decimal(3)})
    ledger.book(write_off("BTC-1", "USDT", Decimal(3), 7))
    assert ledger.balance(Account.COST, "USDT") == 0
    assert ledger.balance(Account.REALISED, "USDT") == 3


def test_no_posting_moves_nothing():
    assert all(p.amount for p in fill_transaction(fill(fee=Decimal(0)), None).postings)
    sold_at_cost = fill_transaction(fill("100", "0.5", Side.SELL, fee=Decimal(0)), Decimal(50))
    assert Account.REALISED not in {p.account for p in sold_at_cost.postings}
    assert Account.FEES not in {p.account for p in sold_at_cost.postings}


def test_a_transaction_is_named_after_its_fill():
    booked = fill_transaction(fill(fill_id="77", time=5), None)
    assert (booked.id, booked.time) == ("fill:77", 5)


@given(amounts, amounts, fees, st.sampled_from(["USDT", "BTC", "BNB"]), st.none() | amounts)
def test_postings_of_any_fill_sum_to_zero_per_asset(price, quantity, fee, asset, relieved):
    side = Side.BUY if relieved is None else Side.SELL
    booked = fill_transaction(fill(str(price), str(quantity), side, fee=fee, fee_asset=asset), relieved)
    check_balanced(booked)
    for name in {p.asset for p in booked.postings}:
        assert sum(Fraction(p.amount) for p in booked.postings if p.asset == name) == 0


@pytest.mark.parametrize(
    "postings",
    [
        [(Account.CASH, "USDT", "-1")],
        [(Account.CASH, "USDT", "-1"), (Account.FEES, "USDT", "1.000000000000000001")],
        [(Account.CASH, "USDT", "-1"), (Account.HOLDINGS, "BTC", "1")],
    ],
)
def test_what_does_not_balance_is_refused_and_nothing_booked(postings):
    ledger = funded()
    before = balances(ledger)
    with pytest.raises(LedgerError, match="unaccounted for"):
        ledger.book(transaction(*postings))
    assert balances(ledger) == before


@pytest.mark.parametrize("account", [Account.COST, Account.HOLDINGS])
def test_what_is_held_is_never_below_zero(account: Account):
    ledger = funded("1000")
    ledger.book(transaction((Account.COST, "USDT", "1000"), (Account.CAPITAL, "USDT", "-1000")))
    ledger.book(transaction((Account.HOLDINGS, "USDT", "1000"), (Account.MARKET, "USDT", "-1000")))
    before = balances(ledger)
    over = transaction((Account.FEES, "USDT", "1000.00000001"), (account, "USDT", "-1000.00000001"))
    with pytest.raises(LedgerError, match=f"would leave -0.00000001 USDT in {account.value}"):
        ledger.book(over)
    assert balances(ledger) == before
    ledger.book(transaction((Account.FEES, "USDT", "1000"), (account, "USDT", "-1000")))
    assert ledger.balance(account, "USDT") == 0


def test_only_what_a_transaction_leaves_counts_not_the_order_of_its_postings():
    ledger = Ledger()
    ledger.book(
        transaction((Account.CASH, "USDT", "-5"), (Account.CASH, "USDT", "10"), (Account.CAPITAL, "USDT", "-5"))
    )
    assert ledger.balance(Account.CASH, "USDT") == 5


def test_an_account_in_one_asset_says_nothing_about_another():
    with pytest.raises(LedgerError, match="BTC in holdings"):
        funded().book(transaction((Account.HOLDINGS, "BTC", "-1"), (Account.FEES, "BTC", "1")))


def test_it_goes_on_from_stored_balances_without_touching_them():
    stored = {("cash", "USDT"): Decimal(10)}
    ledger = Ledger(stored)
    ledger.book(transaction((Account.CASH, "USDT", "-4"), (Account.FEES, "USDT", "4")))
    assert ledger.balance(Account.CASH, "USDT") == 6
    assert stored == {("cash", "USDT"): Decimal(10)}


trades = st.lists(
    st.tuples(st.booleans(), amounts, st.decimals("0.0001", "1", places=4), st.decimals("0", "1", places=6))
)


@given(trades)
def test_cash_and_cost_are_capital_and_profit_less_fees_after_any_fills(moves):
    ledger = funded("1000000")
    held = position(quantity=Decimal(0), cost=Decimal(0))
    for number, (buys, price, share, fee) in enumerate(moves):
        if buys:
            bought = fill(str(price), str(share), fee=fee, fill_id=str(number))
            ledger.book(fill_transaction(bought, None))
            held = position(quantity=held.quantity + bought.quantity, cost=held.cost + bought.value)
        elif held.quantity:
            quantity = (
                held.quantity if share == 1 else (held.quantity * share).quantize(Decimal("1e-8")) or held.quantity
            )
            sold = fill(str(price), str(quantity), Side.SELL, fee=min(fee, price * quantity), fill_id=str(number))
            cost = relieved_cost(held, quantity)
            ledger.book(fill_transaction(sold, cost))
            held = position(quantity=held.quantity - quantity, cost=held.cost - cost)
        cash, at_cost, fees = (Fraction(ledger.balance(a, "USDT")) for a in (Account.CASH, Account.COST, Account.FEES))
        assert cash + at_cost == 1_000_000 - Fraction(ledger.balance(Account.REALISED, "USDT")) - fees
        assert at_cost == Fraction(held.cost)
        assert ledger.balance(Account.HOLDINGS, "BTC") == held.quantity
        assert at_cost >= 0
