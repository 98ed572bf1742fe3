from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from tests.builders import BTC, ETH, position, request

from vela.domain.errors import OrderUnresolved
from vela.domain.events import Tick
from vela.domain.order import OrderPurpose, OrderRequest, Side
from vela.domain.position import ExitReason, Position
from vela.engine.step import Plan
from vela.services.book_check import BookCheck

LEAVING = position(leaving=ExitReason.SIGNAL)


class Book:
    def __init__(self) -> None:
        self.price: Decimal | Exception | None = Decimal(100)
        self.asked = 0

    async def average_price(self, _request: OrderRequest) -> Decimal | None:
        self.asked += 1
        if isinstance(self.price, Exception):
            raise self.price
        return self.price


@pytest.fixture
def book() -> Book:
    return Book()


@pytest.fixture
def check(book: Book) -> BookCheck:
    stand_in: Any = book
    made = BookCheck(stand_in)
    made.priced([Tick(BTC, 100.0, 100.0, 100.0)])
    return made


def plan(purpose: OrderPurpose = OrderPurpose.EXIT, symbol=BTC) -> Plan:
    return Plan(purpose, (), (request("a", symbol=symbol, side=Side.SELL, quantity="0.5"),))


async def test_as_long_as_nothing_failed_nobody_looks(check: BookCheck, book: Book) -> None:
    assert await check.obstacle(plan()) is None
    check.failed(plan(symbol=ETH))
    assert await check.obstacle(plan()) is None
    assert book.asked == 0


@pytest.mark.parametrize(
    ("price", "words"),
    [
        (Decimal("94.99"), "it takes 0.5 at 94.99, the newest price is 100"),
        (None, "it does not take 0.5"),
        (OrderUnresolved("no answer"), "it is not told (no answer)"),
        (Decimal(95), None),
        (Decimal(120), None),
    ],
)
async def test_after_a_failure_an_exit_needs_a_book_near_the_price(
    check: BookCheck, book: Book, price: Any, words: str | None
) -> None:
    book.price = price
    check.failed(plan(OrderPurpose.STOP))
    obstacle = await check.obstacle(plan())
    assert obstacle == (None if words is None else (f"BTC is not sold before its book is back: {words}", True))
    assert check.waiting([LEAVING]) == (frozenset() if words is None else {BTC})


async def test_it_is_told_once_until_an_order_succeeds(check: BookCheck, book: Book) -> None:
    book.price = None
    check.failed(plan())
    told = [await check.obstacle(plan()) for _ in range(2)]
    assert [one.is_new for one in told if one] == [True, False]
    check.succeeded(plan())
    assert check.waiting([LEAVING]) == frozenset()
    assert await check.obstacle(plan()) is None
    check.failed(plan())
    again = await check.obstacle(plan())
    assert again is not None
    assert again.is_new


@pytest.mark.parametrize("positions", [[], [position()], [position(symbol=ETH, leaving=ExitReason.SIGNAL)]])
async def test_what_was_closed_otherwise_waits_no_more(check: BookCheck, book: Book, positions: list[Position]) -> None:
    book.price = None
    check.failed(plan())
    assert await check.obstacle(plan()) is not None
    assert check.waiting(positions) == frozenset()
    again = await check.obstacle(plan())
    assert again is not None
    assert again.is_new


@pytest.mark.parametrize("purpose", [OrderPurpose.ENTRY, OrderPurpose.STOP, OrderPurpose.TAKE_PROFIT])
async def test_what_is_no_exit_does_not_wait(check: BookCheck, book: Book, purpose: OrderPurpose) -> None:
    book.price = None
    check.failed(plan())
    assert await check.obstacle(plan(purpose)) is None


async def test_what_should_have_been_closed_before_the_start_is_looked_at(check: BookCheck, book: Book) -> None:
    book.price = None
    check.start([position(symbol=ETH, leaving=ExitReason.SIGNAL), position()])
    assert await check.obstacle(plan()) is None
    [obstacle] = [await check.obstacle(plan(symbol=ETH))]
    assert obstacle is not None
    assert obstacle.text.endswith("no price was told yet")
