from __future__ import annotations

import json

import pytest
from tests.unit.dashboard.samples import BTC, MINUTE, START, candle, decision, outcome

from vela.dashboard.symbol_stream import SymbolStream
from vela.domain.events import Tick


@pytest.fixture
def stream() -> SymbolStream:
    return SymbolStream(BTC, "0.01", "SmaCrossover", MINUTE, 500)


def snapshot(stream):
    return json.loads(stream.snapshot())


def tick(price: float, *, jump: bool = False) -> Tick:
    return Tick(BTC, price, price - 1, price + 2, jump)


def test_nothing_new_makes_no_event(stream):
    assert stream.flush() == []
    assert stream.seq == 0


def test_prices_between_two_flushes_become_one(stream):
    for second in range(1, 11):
        stream.move(tick(100.0 + second), START + second * 1000)
    [(event, body)] = stream.flush()
    assert event == "price_update"
    assert (body["seq"], body["price"], body["time"]) == (1, 110.0, START + 10_000)
    assert body["forming"] == [START, 101.0, 112.0, 101.0, 110.0, 0.0]
    assert (body["closed"], "closed_many" in body) == (None, False)
    assert (stream.moves, stream.updates) == (10, 1)


def test_the_price_at_the_very_end_of_a_candle_belongs_to_it(stream):
    stream.move(tick(100.0, jump=True), START)
    stream.move(tick(103.0), START + MINUTE)
    assert snapshot(stream)["forming"] == [START, 100.0, 105.0, 100.0, 103.0, 0.0]


def test_a_jump_there_begins_the_next_one(stream):
    stream.move(tick(100.0, jump=True), START)
    stream.move(tick(103.0, jump=True), START + MINUTE)
    assert snapshot(stream)["forming"][:2] == [START + MINUTE, 103.0]


def test_a_closed_candle_ends_the_forming_one_but_not_the_next(stream):
    stream.move(tick(100.0), START + 1)
    stream.close(candle(0))
    assert snapshot(stream)["forming"] is None
    stream.move(tick(100.0), START + MINUTE + 1)
    stream.flush()
    assert not stream.close(candle(0))
    assert stream.flush() == []
    assert snapshot(stream)["forming"][0] == START + MINUTE


def test_late_ticks_of_a_closed_candle_begin_nothing(stream):
    stream.close(candle(0))
    stream.move(tick(100.0), START + MINUTE)
    assert snapshot(stream)["forming"] is None


def test_one_closed_candle_and_several(stream):
    stream.close(candle(0))
    [(_, one)] = stream.flush()
    assert one["closed"] == (START, 100.0, 101.0, 99.0, 100.0, 2.0)
    assert one["price"] == 100.0
    stream.close(candle(1))
    stream.close(candle(3))
    [(_, several)] = stream.flush()
    assert several["closed"] is None
    assert [row[0] for row in several["closed_many"]] == [START + MINUTE, START + 3 * MINUTE]


def test_a_candle_that_comes_twice_counts_once(stream):
    assert stream.close(candle(0))
    assert not stream.close(candle(0))
    assert len(stream.candle_rows()) == 1


def test_more_candles_than_are_kept_skip_a_number():
    stream = SymbolStream(BTC, "0.01", "", MINUTE, 10)
    for minute in range(25):
        stream.close(candle(minute))
    [(_, body)] = stream.flush()
    assert body["seq"] == 2
    assert [row[0] for row in snapshot(stream)["candles"]] == [START + m * MINUTE for m in range(15, 25)]


def test_backfilled_candles_take_their_places_and_skip_a_number(stream):
    stream.close(candle(0))
    stream.close(candle(3))
    stream.flush()
    stream.backfill([candle(2), candle(1), candle(0)])
    assert stream.flush() == []
    assert stream.seq == 2
    assert [row[0] for row in snapshot(stream)["candles"]] == [START + m * MINUTE for m in range(4)]
    assert not stream.close(candle(2))


def test_the_newest_twenty_decisions_are_sent_and_the_others_counted(stream):
    for minute in range(50):
        stream.decide(decision(minute))
    events = stream.flush()
    assert [event for event, _ in events] == ["decision"] * 20
    assert [body["seq"] for _, body in events] == list(range(1, 21))
    assert [body["skipped"] for _, body in events] == [30] + [0] * 19
    assert events[-1][1]["candle_time"] == START + 49 * MINUTE
    assert events[-1][1]["time"] == START + 50 * MINUTE


def test_a_known_or_older_decision_changes_nothing_but_another_strategys_does(stream):
    assert stream.decide(decision(5))
    assert not stream.decide(decision(5))
    assert not stream.decide(decision(4))
    assert stream.decide(decision(5, strategy="MacdStrategy"))
    assert stream.strategy == "MacdStrategy"


def test_series_are_aligned_with_candles(stream):
    for minute in range(4):
        stream.close(candle(minute))
    stream.decide(decision(1, indicators={"fast": 1.5}))
    stream.decide(decision(3, indicators={"fast": 3.5, "slow": 3.0}))
    stream.decide(decision(9, indicators={"fast": 9.5}))
    stream.flush()
    assert snapshot(stream)["series"] == {"fast": [None, 1.5, None, 3.5], "slow": [None, None, None, 3.0]}


def test_memory_stays_bounded(stream):
    for minute in range(2000):
        stream.close(candle(minute))
        stream.decide(decision(minute))
        side = "BUY" if minute % 2 else "SELL"
        stream.mark({"time": START + minute * MINUTE, "kind": "entry", "side": side, "price": "1", "reason": "signal"})
        if minute % 7 == 0:
            stream.flush()
    stream.flush()
    shown = snapshot(stream)
    assert (len(shown["candles"]), len(shown["decisions"]), len(shown["markers"])) == (500, 100, 200)
    assert shown["decisions"][0]["candle_time"] == START + 1999 * MINUTE
    assert len(shown["series"]["fast"]) == 500
    assert len(stream._references) <= 98


def test_decisions_tell_what_became_of_them(stream):
    for minute in range(4):
        stream.decide(decision(minute))
    stream.recall_outcome(outcome(0))
    stream.handled(outcome(1, refusal=None), START)
    stream.handled(outcome(2, refusal="cooldown"), START)
    news = [body for event, body in stream.flush() if event == "signal"]
    assert [(body["outcome"], body["outcome_reason"]) for body in news] == [("order", ""), ("refused", "cooldown")]
    shown = [(one["outcome"], one["outcome_reason"]) for one in snapshot(stream)["decisions"]]
    assert shown == [(None, ""), ("refused", "cooldown"), ("order", ""), ("refused", "max_positions")]


def test_an_outcome_that_comes_twice_is_told_once_and_memory_stays_bounded(stream):
    for minute in [*range(300), 299]:
        stream.handled(outcome(minute), START)
    assert len(stream._outcomes._values) == 100
    assert [body["candle_time"] for _, body in stream.flush()] == [START + m * MINUTE for m in range(200, 300)]


@pytest.mark.parametrize("count", [0, 1, 3, 4, 500])
def test_a_short_snapshot_holds_the_newest_candles_and_all_else(stream, count):
    for minute in range(4):
        stream.close(candle(minute))
        stream.decide(decision(minute, indicators={"fast": 1.0 + minute}))
    stream.flush()
    whole, short = snapshot(stream), json.loads(stream.short_snapshot(count))
    kept = min(count, 4)
    assert short["candles"] == whole["candles"][4 - kept :]
    assert short["series"] == ({"fast": whole["series"]["fast"][4 - kept :]} if kept else {})
    for shown in (whole, short):
        del shown["candles"], shown["series"]
    assert short == whole


def test_partial_fills_share_an_arrow(stream):
    arrow = {"time": START + 1, "kind": "entry", "side": "BUY", "price": "1", "reason": "signal"}
    stream.mark(arrow)
    stream.mark({**arrow, "time": START + 999})
    stream.mark({**arrow, "kind": "exit", "side": "SELL"})
    stream.mark({**arrow, "time": START + MINUTE})
    assert len(snapshot(stream)["markers"]) == 3


def test_change_is_against_a_day_ago_or_the_oldest_price(stream):
    assert stream.summary()["change_pct"] is None
    stream.close(candle(0, 50.0))
    stream.close(candle(1, 100.0))
    assert stream.summary()["change_pct"] == pytest.approx(100.0)
    for hour in range(1, 30):
        stream.close(candle(hour * 60, 100.0 + hour))
    assert stream.summary()["change_pct"] == pytest.approx((129 / 105 - 1) * 100)


def test_unwatched_changes_cost_one_number(stream):
    stream.close(candle(0))
    stream.decide(decision(0))
    stream.discard()
    assert stream.seq == 1
    assert stream.flush() == []
    assert snapshot(stream)["seq"] == 1
