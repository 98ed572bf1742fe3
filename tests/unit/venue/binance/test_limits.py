from __future__ import annotations

import pytest

from vela.venue.binance.errors import BinanceError
from vela.venue.binance.limits import OrderLimiter, WeightLimiter

MINUTE = 60_000


def test_a_new_minute_is_a_new_budget() -> None:
    limiter = WeightLimiter(10)
    limiter.spend(10, 0)
    assert (limiter.used(0), limiter.used(MINUTE)) == (10, 0)
    limiter.spend(10, MINUTE)


def test_over_the_limit_one_waits_for_the_next_minute() -> None:
    limiter = WeightLimiter(10)
    limiter.spend(10, 1000)
    with pytest.raises(BinanceError) as refusal:
        limiter.spend(1, 1500)
    assert (refusal.value.status, refusal.value.code, refusal.value.headers["Retry-After"]) == (429, -1003, "59")


def test_who_does_not_wait_is_banned_for_two_minutes_and_then_for_longer() -> None:
    limiter = WeightLimiter(1)
    limiter.spend(1, 0)
    statuses = []
    for _ in range(12):
        with pytest.raises(BinanceError) as refusal:
            limiter.spend(1, 0)
        statuses.append(refusal.value.status)
    assert statuses == [429] * 10 + [418] * 2
    with pytest.raises(BinanceError, match="IP banned until 120000"):
        limiter.spend(1, 2 * MINUTE - 1)
    limiter.spend(1, 2 * MINUTE)
    for _ in range(11):
        with pytest.raises(BinanceError) as refusal:
            limiter.spend(1, 2 * MINUTE)
    assert refusal.value.headers["Retry-After"] == "240"


def test_orders_are_counted_in_spans_of_ten_seconds_and_a_day() -> None:
    limiter = OrderLimiter(3)
    limiter.spend(1, 1000)
    limiter.spend(2, 9999)
    assert limiter.placed(9999) == (3, 3)
    assert limiter.placed(10_000) == (0, 3)
    limiter.spend(3, 10_000)
    assert limiter.placed(10_000) == (3, 6)


def test_too_many_orders_are_refused_and_not_counted() -> None:
    limiter = OrderLimiter(3)
    limiter.spend(2, 1000)
    with pytest.raises(BinanceError, match="current limit is 3 orders per 10 SECOND") as refusal:
        limiter.spend(2, 1000)
    assert (refusal.value.status, refusal.value.code, refusal.value.headers["Retry-After"]) == (429, -1015, "9")
    limiter.spend(1, 1000)
    limiter.spend(0, 1000)  # other requests
    assert limiter.placed(1000) == (3, 3)
