from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace
from tests.builders import BTC, fill, order, position, request

from vela.domain.order import OrderPurpose, OrderStatus
from vela.ports.execution import Balance, OrderReport
from vela.services.reconciliation import Reconciliation

STOP = "BTCUSDT-1700000000000-S1"


class Account:
    """Says what it is told to say."""

    def __init__(self) -> None:
        self.resting: list[OrderReport] = []
        self.held = {"BTC": Balance(Decimal("0.5"), Decimal(0))}
        self.ever: set[str] = set()

    async def open_orders(self) -> tuple[OrderReport, ...]:
        return tuple(self.resting)

    async def balances(self) -> dict[str, Balance]:
        return self.held

    async def has_order(self, client_order_id: str) -> bool:
        return client_order_id in self.ever


@pytest.fixture
def account() -> Account:
    return Account()


@pytest.fixture
def reconciliation(account: Account) -> Reconciliation:
    stand_in: Any = account
    return Reconciliation(stand_in, stand_in)


def report(order_id: str = STOP, **changes) -> OrderReport:
    return replace(OrderReport(order_id, "7", OrderStatus.ACCEPTED, (), 1, filled_quantity=Decimal(0)), **changes)


def resting_order(status: OrderStatus = OrderStatus.ACCEPTED, **changes):
    return order(status, OrderPurpose.STOP, request=request(STOP), **changes)


async def test_what_agrees_is_no_finding(account, reconciliation):
    account.resting = [report(), report("somebody-elses")]
    assert await reconciliation.look([resting_order()], [position()], 0.0) == ([], [], [], [], {}, [])


@pytest.mark.parametrize(
    "told",
    [
        [],
        [report(filled_quantity=Decimal("0.1"))],
        [report(filled_quantity=None, fills=(fill(quantity="0.1"),))],
    ],
    ids=["not listed", "more filled", "without a count"],
)
async def test_what_differs_is_to_be_asked_for_and_nothing_is_concluded(account, reconciliation, told):
    account.resting = told
    findings = await reconciliation.look([resting_order()], [position()], 0.0)
    assert findings == ([], [resting_order()], [], [], {}, [])


async def test_a_listed_order_of_which_nothing_was_executed_is_as_the_list_says(account, reconciliation):
    account.resting = [report()]
    unknown = resting_order(status=OrderStatus.UNKNOWN)
    assert await reconciliation.look([unknown], [position()], 0.0) == ([report()], [], [], [], {}, [])


async def test_an_order_that_was_given_up_and_is_there_is_told_apart_from_somebody_elses(account, reconciliation):
    other = "ETHUSDT-1700000000000-E"
    account.resting = [report(), report(other)]
    account.ever = {STOP}
    findings = await reconciliation.look([], [], 0.0)
    assert (findings.given_up, findings.strangers) == ([STOP], [other])
    assert findings.alarms == [f"order {other} at the venue is none of this record's"]
    assert (await reconciliation.look([], [], 0.0)).alarms == []


async def test_holdings_that_are_short_twice_are_told_of_once(account, reconciliation):
    account.held = {"BTC": Balance(Decimal("0.1"), Decimal("0.2"))}
    found = [(await reconciliation.look([], [position()], 0.0)).alarms for _ in range(3)]
    assert found == [[], ["the venue holds only 0.3 of 0.5 BTC that are ours"], []]
    account.held = {}
    assert (await reconciliation.look([], [position()], 0.0)).alarms == [
        "the venue holds only 0 of 0.5 BTC that are ours"
    ]


async def test_what_is_gone_for_a_minute_is_missing_unless_anything_was_traded_meanwhile(account, reconciliation):
    account.held = {"BTC": Balance(Decimal("0.1"), Decimal("0.2"))}

    async def missing(now: float, **changes):
        return (await reconciliation.look([], [position(**changes)], now)).missing

    assert [await missing(now) for now in (0.0, 59.9)] == [{}, {}]
    assert await missing(60.0, revision=5) == {BTC: Decimal("0.3")}
    assert [await missing(now, quantity=Decimal("0.4")) for now in (61.0, 120.9)] == [{}, {}]
    assert await missing(121.0, quantity=Decimal("0.4")) == {BTC: Decimal("0.3")}
    account.held = {"BTC": Balance(Decimal("0.4"), Decimal(0))}
    assert await missing(122.0, quantity=Decimal("0.4")) == {}
