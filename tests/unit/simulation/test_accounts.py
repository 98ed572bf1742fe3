from __future__ import annotations

from decimal import Decimal

import pytest

from vela.domain.errors import LedgerError
from vela.ports.execution import Balance
from vela.simulation.accounts import Account


@pytest.fixture
def account() -> Account:
    return Account({"USDT": Decimal(100)})


def test_a_reservation_moves_money_from_free_to_locked_and_back(account):
    account.reserve("a", "order", "USDT", Decimal(30))
    assert account.balances() == {"USDT": Balance(Decimal(70), Decimal(30))}
    account.release("a", "order")
    assert account.balances() == {"USDT": Balance(Decimal(100), Decimal(0))}


def test_orders_under_one_key_share_the_largest_lock(account):
    account.reserve("oco", "stop", "USDT", Decimal(90))
    account.reserve("oco", "target", "USDT", Decimal(80))
    assert account.locked("oco") == 90
    account.release("oco", "stop")
    assert account.locked("oco") == 80
    assert account.free("USDT") == 20


def test_no_more_than_what_is_free_can_be_locked(account):
    account.reserve("a", "one", "USDT", Decimal(60))
    with pytest.raises(LedgerError, match="accepted: up to 40"):
        account.reserve("b", "two", "USDT", Decimal(41))
    assert account.free("USDT") == 40


def test_releasing_what_was_never_reserved_changes_nothing(account):
    account.release("a", "order")
    assert account.free("USDT") == 100


def test_locked_money_cannot_be_spent_and_a_refused_posting_changes_nothing(account):
    account.reserve("a", "order", "USDT", Decimal(30))
    with pytest.raises(LedgerError, match="cannot be spent"):
        account.post({"BTC": Decimal(1), "USDT": Decimal(-71)})
    assert account.balances() == {"USDT": Balance(Decimal(70), Decimal(30))}
    account.post({"BTC": Decimal(1), "USDT": Decimal(-70)})
    assert account.free("BTC") == 1


def test_a_copy_lives_its_own_life(account):
    account.reserve("oco", "stop", "USDT", Decimal(10))
    twin = account.copy()
    twin.reserve("oco", "target", "USDT", Decimal(50))
    twin.post({"USDT": Decimal(-5)})
    assert account.balances() == {"USDT": Balance(Decimal(90), Decimal(10))}
    assert twin.balances() == {"USDT": Balance(Decimal(45), Decimal(50))}


@pytest.mark.parametrize("amount", ["-1", "NaN", "Infinity"])
def test_an_impossible_initial_balance_is_refused(amount):
    with pytest.raises(LedgerError, match="initial balance of USDT"):
        Account({"USDT": Decimal(amount)})
