from __future__ import annotations

from vela.venue.binance.time_unit import in_microseconds

TIME = 1_735_689_600_000


def test_times_become_microseconds_wherever_they_stand_and_nothing_else_does() -> None:
    order = {"orderId": 7, "time": TIME, "workingTime": -1, "price": "1.00000000", "fills": [{"tradeId": 3}]}
    assert in_microseconds([order]) == [order | {"time": TIME * 1000}]
    nested = {"orderReports": [{"transactTime": TIME}], "orderListId": 1}
    assert in_microseconds(nested) == {"orderReports": [{"transactTime": TIME * 1000}], "orderListId": 1}


def test_a_candle_has_its_times_at_the_first_and_the_seventh_place() -> None:
    candle = [TIME, "1", "2", "0.5", "1", "10", TIME + 59_999, "10", 100, "5", "5", "0"]
    changed = [TIME * 1000, *candle[1:6], (TIME + 59_999) * 1000, *candle[7:]]
    assert in_microseconds([candle]) == [changed]
    assert in_microseconds([["100.0", "1.0"]]) == [["100.0", "1.0"]]
