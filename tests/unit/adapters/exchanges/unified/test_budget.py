from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vela.adapters.exchanges.unified.budget import OrderBudget, RequestBudget

MINUTE = 60_000


def test_a_minute_s_weight_is_spent_and_the_next_one_begins_anew():
    budget = RequestBudget(100)
    assert [budget.take(20, 5_000, urgent=False) for _ in range(4)] == [0.0] * 4
    assert budget.take(20, 6_000, urgent=False) == 54.0
    assert budget.take(20, MINUTE, urgent=False) == 0.0


def test_a_part_is_kept_for_what_must_not_wait():
    budget = RequestBudget(100)
    budget.take(80, 0, urgent=False)
    assert budget.take(1, 0, urgent=False) > 0
    assert budget.take(20, 0, urgent=True) == 0.0
    assert budget.take(1, 0, urgent=True) > 0


def test_a_request_that_is_larger_than_all_may_go_alone():
    budget = RequestBudget(10)
    assert budget.take(40, 0, urgent=False) == 0.0
    assert budget.take(1, 0, urgent=True) > 0


def test_what_others_at_the_same_address_use_counts_too():
    budget = RequestBudget(100)
    budget.told(75, 30_000)
    assert budget.take(6, 30_000, urgent=False) > 0
    assert budget.take(5, 30_000, urgent=False) == 0.0


def test_a_count_that_comes_with_the_minute_may_be_of_the_one_before():
    budget = RequestBudget(100)
    budget.told(100, MINUTE + 500)
    assert budget.take(5, MINUTE + 500, urgent=False) == 0.0


def test_a_smaller_count_does_not_give_weight_back():
    budget = RequestBudget(100)
    budget.take(80, 30_000, urgent=False)
    budget.told(3, 31_000)
    assert budget.take(1, 31_000, urgent=False) > 0


def test_a_closed_exchange_is_asked_nothing_at_all():
    budget = RequestBudget(100)
    budget.close(10_000, 7, banned=False)
    assert budget.take(1, 12_000, urgent=True) == 5.0
    assert budget.closed_for(12_000) == 5.0
    assert budget.take(1, 17_000, urgent=True) == 0.0
    assert budget.closed_for(17_000) == 0.0


def test_without_a_word_how_long_a_limit_lasts_to_the_next_minute_and_a_ban_two_minutes():
    limited, banned = RequestBudget(100), RequestBudget(100)
    limited.close(20_000, None, banned=False)
    banned.close(20_000, None, banned=True)
    assert limited.closed_for(20_000) == 40.0
    assert banned.closed_for(20_000) == 120.0


def test_a_shorter_word_does_not_end_a_ban():
    budget = RequestBudget(100)
    budget.close(0, 100, banned=True)
    budget.close(0, 1, banned=False)
    assert budget.closed_for(0) == 100.0


def test_orders_of_ten_seconds_are_counted_and_a_part_is_kept_for_exits_and_stops():
    budget = OrderBudget()
    budget.limit = 10
    assert budget.wait_for(3, 4_000, urgent=False) == 0.0
    budget.spend(6, 4_000)
    assert budget.wait_for(2, 5_000, urgent=False) == 0.0
    assert budget.wait_for(3, 5_000, urgent=False) == 5.0
    assert budget.wait_for(4, 5_000, urgent=True) == 0.0
    assert budget.wait_for(5, 5_000, urgent=True) == 5.0
    assert budget.wait_for(5, 10_000, urgent=True) == 0.0


def test_more_orders_than_are_ever_allowed_at_once_are_the_exchange_s_to_refuse():
    budget = OrderBudget()
    assert budget.wait_for(1, 0, urgent=False) == 0.0
    budget.spend(1_000, 0)
    assert budget.wait_for(1, 0, urgent=False) == 0.0, "no limit is known"
    budget.limit = 2
    assert budget.wait_for(3, 0, urgent=True) == 10.0
    assert budget.wait_for(3, 10_000, urgent=True) == 0.0


def test_orders_that_others_placed_count_and_a_count_of_the_span_before_does_not():
    budget = OrderBudget()
    budget.limit = 10
    budget.told(10, 11_000)
    assert budget.wait_for(1, 11_000, urgent=True) == 0.0
    budget.told(10, 13_000)
    budget.told(1, 14_000)
    assert budget.wait_for(1, 14_000, urgent=True) == 6.0


def test_orders_are_closed_as_long_as_the_exchange_says():
    budget = OrderBudget()
    budget.close(0, 7)
    assert budget.wait_for(1, 1_000, urgent=True) == 6.0
    budget.close(0, None)
    assert budget.wait_for(1, 1_000, urgent=True) == 9.0
    assert budget.wait_for(1, 10_000, urgent=True) == 0.0


@given(st.lists(st.tuples(st.integers(1, 40), st.integers(0, 3 * MINUTE), st.booleans()), max_size=60))
def test_no_minute_is_ever_overspent(requests):
    budget, spent = RequestBudget(100), dict.fromkeys(range(4), 0)
    for weight, now, urgent in sorted(requests, key=lambda request: request[1]):
        if budget.take(weight, now, urgent=urgent) == 0.0:
            spent[now // MINUTE] += weight
    assert max(spent.values()) <= 100
