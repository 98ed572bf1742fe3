from __future__ import annotations

import asyncio

import ccxt
import pytest
from tests.fakes import ManualClock

from vela.adapters.exchanges.unified.budget import RequestBudget
from vela.adapters.exchanges.unified.calls import Calls
from vela.domain.errors import CredentialsRefused, OrderRefused, OrderUnresolved, RateLimited, VenueUnavailable

NOW = 1_700_000_000_000


class Exchange:
    """Answers what it was told to, and counts how often it was asked."""

    def __init__(self, ahead_ms: int = 0) -> None:
        self.clock = ManualClock(NOW)
        self.budget = RequestBudget(100)
        self.calls = Calls(self.clock, self.budget, self.time)
        self.answers: list[object] = []
        self.asked = 0
        self.time_asked = 0
        self.travels: list[float] = []
        self._ahead_ms = ahead_ms

    async def time(self) -> int:
        self.time_asked += 1
        self.clock.seconds += self.travels.pop(0) if self.travels else 0.2  # there and back
        return self.clock.now() + self._ahead_ms

    async def ask(self) -> object:
        self.asked += 1
        await self.calls.admit(10)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


async def test_an_answer_is_handed_on():
    exchange = Exchange()
    exchange.answers = ["order"]
    assert await exchange.calls.place(exchange.ask, urgent=False) == "order"


async def test_an_exception_becomes_ours_without_a_trace_of_the_address():
    exchange = Exchange()
    exchange.answers = [ccxt.RequestTimeout("binance POST https://x?signature=canary"), ccxt.InsufficientFunds("no")]
    with pytest.raises(OrderUnresolved) as unresolved:
        await exchange.calls.place(exchange.ask, urgent=False)
    assert unresolved.value.__suppress_context__
    with pytest.raises(OrderRefused):
        await exchange.calls.place(exchange.ask, urgent=False)


async def test_the_clock_is_set_to_the_middle_of_the_way():
    exchange = Exchange(ahead_ms=5_000)
    await exchange.calls.set_clock()
    assert exchange.calls.offset_ms == 5_100
    assert exchange.calls.now() == NOW + 5_100


async def test_an_answer_that_took_long_says_little_about_the_clock():
    exchange = Exchange()
    exchange.travels = [2.4, 0.2]
    await exchange.calls.set_clock()
    assert (exchange.calls.offset_ms, exchange.time_asked) == (100, 2)


async def test_of_slow_answers_only_the_quickest_counts():
    exchange = Exchange()
    exchange.travels = [2.4, 0.6, 1.8]
    await exchange.calls.set_clock()
    assert (exchange.calls.offset_ms, exchange.time_asked) == (300, 3)


async def test_after_a_wrong_clock_it_is_asked_once_more_and_no_more_than_that():
    exchange = Exchange(ahead_ms=-6_000)
    exchange.answers = [ccxt.InvalidNonce("-1021"), "order"]
    assert await exchange.calls.place(exchange.ask, urgent=False) == "order"
    assert exchange.calls.offset_ms == -5_900
    exchange.answers = [ccxt.InvalidNonce("-1021"), ccxt.InvalidNonce("-1021"), "never"]
    with pytest.raises(CredentialsRefused):
        await exchange.calls.place(exchange.ask, urgent=False)
    assert exchange.asked == 4


async def test_nothing_else_is_ever_sent_twice():
    exchange = Exchange()
    exchange.answers = [ccxt.NetworkError("lost"), "never"]
    with pytest.raises(OrderUnresolved):
        await exchange.calls.place(exchange.ask, urgent=True)
    assert exchange.asked == 1


async def test_without_budget_orders_fail_at_once_and_the_market_waits():
    exchange = Exchange()
    exchange.budget.take(80, exchange.calls.now(), urgent=False)
    with pytest.raises(RateLimited) as limited:
        await exchange.calls.place(exchange.ask, urgent=False)
    assert 0 < limited.value.retry_after <= 60
    exchange.answers = ["exit", "candles"]
    assert await exchange.calls.place(exchange.ask, urgent=True) == "exit"
    waiting = asyncio.create_task(exchange.calls.market(exchange.ask))
    await asyncio.sleep(0)
    assert not waiting.done()
    exchange.clock.set(NOW + 60_000)
    assert await waiting == "candles"
    assert exchange.clock.seconds > 0


async def test_what_an_answer_says_of_the_budget_is_obeyed():
    exchange = Exchange()
    exchange.clock.set(NOW - NOW % 60_000 + 90_000)
    exchange.calls.answered(200, {"x-mbx-used-weight-1m": "80"}, "X-MBX-USED-WEIGHT-1M")
    with pytest.raises(RateLimited):
        await exchange.calls.query(exchange.ask)
    exchange.clock.set(exchange.clock.now() + 60_000)
    exchange.calls.answered(429, {"Retry-After": "47"}, None)  # beyond this minute, which ends in 30 s
    with pytest.raises(RateLimited) as limited:
        await exchange.calls.place(exchange.ask, urgent=True)
    assert limited.value.retry_after == 47
    exchange.calls.answered(418, {"Retry-After": "nonsense"}, None)
    assert exchange.budget.closed_for(exchange.calls.now()) == 120


async def test_a_refusal_for_asking_too_much_says_how_long():
    exchange = Exchange()
    exchange.budget.close(exchange.calls.now(), 45, banned=False)
    exchange.clock.set(NOW)
    with pytest.raises(RateLimited) as limited:
        await exchange.calls.query(exchange.ask)
    assert limited.value.retry_after == 45


async def test_the_market_s_errors_are_those_of_a_venue():
    exchange = Exchange()
    exchange.answers = [ccxt.DDoSProtection("429")]
    with pytest.raises(VenueUnavailable):
        await exchange.calls.market(exchange.ask)


async def test_a_cancelled_call_is_cancelled():
    exchange = Exchange()
    exchange.budget.take(100, exchange.calls.now(), urgent=True)
    waiting = asyncio.create_task(exchange.calls.market(asyncio.Event().wait))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_too_many_orders_are_no_reason_not_to_cancel():
    exchange = Exchange()
    exchange.calls.answered(429, {}, None, of_orders=True)
    with pytest.raises(RateLimited, match="no new orders") as limited:
        await exchange.calls.place(exchange.ask, urgent=True)
    assert limited.value.retry_after == 10
    exchange.answers = ["cancelled", "state", "order"]
    assert await exchange.calls.cancel(exchange.ask) == "cancelled"
    assert await exchange.calls.query(exchange.ask) == "state"
    exchange.clock.set(NOW + 10_000)
    assert await exchange.calls.place(exchange.ask, urgent=False) == "order"
