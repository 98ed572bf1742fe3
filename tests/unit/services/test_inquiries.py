from __future__ import annotations

import pytest
from msgspec.structs import replace
from tests.builders import order, request

from vela.domain.order import OrderStatus
from vela.ports.execution import FollowUp
from vela.services.inquiries import Inquiries


def sent(name: str = "a", status: OrderStatus = OrderStatus.UNKNOWN, created_time: int = 0):
    return replace(order(status, request=request(name)), created_time=created_time, updated_time=created_time)


def test_what_has_no_certain_answer_is_asked_for_with_growing_pauses():
    inquiries, asked = Inquiries(FollowUp()), []
    for time in range(0, 40_000, 100):
        asked += [time for _ in inquiries.due([sent()], time)]
    assert asked == [0, 500, 1_500, 3_500, 7_500, 15_500, 25_500, 35_500]


@pytest.mark.parametrize("status", [OrderStatus.ACCEPTED, OrderStatus.PARTIALLY_FILLED])
def test_what_is_known_is_asked_for_only_if_fills_are_missing(status: OrderStatus):
    inquiries = Inquiries(FollowUp())
    assert inquiries.due([sent(status=status)], 0) == []
    inquiries.lacks_fills("a")
    assert inquiries.due([sent(status=status)], 0) == [sent(status=status)]
    inquiries.told("a")
    assert inquiries.due([sent(status=status)], 99_000) == []


def test_an_answer_ends_the_question_and_the_next_one_begins_anew():
    inquiries = Inquiries(FollowUp())
    inquiries.due([sent()], 0)
    inquiries.due([], 100)
    assert inquiries.due([sent()], 200) == [sent()]


def test_not_found_is_final_after_so_many_times_and_so_long():
    inquiries = Inquiries(FollowUp(absent_tries=3, absent_seconds=60.0))
    assert [inquiries.is_absence_final(sent(), time) for time in (0, 70_000, 80_000)] == [False, False, True]
    late = Inquiries(FollowUp(absent_tries=3, absent_seconds=60.0))
    assert [late.is_absence_final(sent(), time) for time in (0, 1, 59_999, 60_000)] == [False, False, False, True]


def test_an_old_order_is_waited_for_from_the_first_question_on():
    """Its time is that of the fill it was planned upon; whoever sent it may have died a moment ago."""
    inquiries = Inquiries(FollowUp(absent_tries=3, absent_seconds=60.0))
    times = (100_000, 100_500, 101_500, 159_999, 160_000)
    assert [inquiries.is_absence_final(sent(created_time=5_000), time) for time in times] == [False] * 4 + [True]


def test_an_order_that_was_seen_between_counts_from_the_beginning():
    inquiries = Inquiries(FollowUp(absent_tries=2))
    assert not inquiries.is_absence_final(sent(), 0)
    inquiries.told("a")
    assert not inquiries.is_absence_final(sent(), 0)
    assert inquiries.is_absence_final(sent(), 0)


def test_a_venue_that_answers_at_once_is_believed_at_once():
    assert Inquiries(FollowUp()).is_absence_final(sent(), 0)


def test_what_was_sent_again_or_heard_of_is_waited_for_anew():
    inquiries = Inquiries(FollowUp(absent_tries=2, absent_seconds=60.0))
    lost = [inquiries.is_absence_final(sent(), time) for time in (0, 60_001)]
    again = replace(sent(status=OrderStatus.ACCEPTED), updated_time=60_002)
    found_missing = [inquiries.is_absence_final(again, time) for time in (60_003, 60_004, 120_002, 120_003)]
    assert (lost, found_missing) == ([False, True], [False, False, False, True])


def test_an_absence_that_was_final_counts_no_more():
    inquiries = Inquiries(FollowUp(absent_tries=2))
    assert [inquiries.is_absence_final(sent(), time) for time in (0, 1, 2, 3)] == [False, True, False, True]
