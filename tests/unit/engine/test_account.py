# mypy: disable-error-code="comparison-overlap"
# A Decimal equals the int of the same value.
from __future__ import annotations

from decimal import Decimal

from tests.builders import BTC, fill, instrument, order, position

from vela.engine.account import TradingAccount
from vela.engine.ledger import fill_transaction
from vela.engine.rules import TradingRules


def account() -> TradingAccount:
    made = TradingAccount(TradingRules(), {BTC: instrument()}, {})
    made.fund(0)
    return made


def test_the_capital_is_paid_in():
    empty = TradingAccount(TradingRules(), {}, {})
    before = empty.is_funded
    assert len(empty.fund(7).postings) == 2
    assert (before, empty.is_funded) == (False, True)
    assert empty.free([]) == 1000


def test_what_a_purchase_costs_beyond_the_cash_is_known():
    for quantity, missing in (("9.9", 0), ("10.1", Decimal("10.05"))):
        at = account()
        at.book(fill_transaction(fill(quantity=quantity), None))
        assert at.overdraft == missing
    assert at.free([]) == 0


def test_what_entries_may_still_cost_is_not_free():
    sent = order(reserved=Decimal("100.1"))
    assert account().free([sent]) == Decimal("899.9")
    half = order(reserved=Decimal("100.1"), filled_value=Decimal(50))
    assert account().reserved([half]) == Decimal("50.05")
    more = order(reserved=Decimal("100.1"), filled_value=Decimal(200))
    assert account().reserved([more]) == 0


def test_a_position_is_worth_its_cost_until_its_symbol_has_closed():
    at, held = account(), position()
    assert at.market_value(held) == 50
    at.mark(BTC, 110.0)
    assert at.market_value(held) == 55


def test_what_the_account_is_worth_is_known_once_all_that_is_held_has_closed():
    at = account()
    assert at.known_wallet(9, [], []) == at.wallet(9, [], [])
    assert at.known_wallet(9, [position()], []) is None
    assert at.close(BTC) is None
    at.mark(BTC, 110.0)
    assert at.known_wallet(9, [position()], []) == at.wallet(9, [position()], [])
    assert at.close(BTC) == 110.0


def test_the_wallet_balances():
    at = account()
    at.book(fill_transaction(fill(), None))
    wallet = at.wallet(9, [position()], [])
    assert (wallet.time, wallet.cash, wallet.cost, wallet.fees) == (9, Decimal("949.95"), 50, Decimal("0.05"))
    assert wallet.cash + wallet.cost == wallet.initial_capital + wallet.realised_pnl - wallet.fees
