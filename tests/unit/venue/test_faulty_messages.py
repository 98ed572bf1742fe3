from __future__ import annotations

import pytest

from vela.adapters.clock import SystemClock
from vela.venue.faults import Fault, FaultArguments, FaultKind, FaultPlan
from vela.venue.faulty_messages import FaultyMessages


class Stopwatch(SystemClock):
    seconds = 0.0

    def monotonic(self) -> float:
        return self.seconds


def sent(fault: Fault, texts: str = "abcdef", clock: SystemClock | None = None) -> list[list[str]]:
    plan = FaultPlan(1)
    plan.add(fault)
    messages = FaultyMessages(plan, clock or Stopwatch())
    return [messages.through(("btcusdt@trade", "trade"), text) for text in texts]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (FaultKind.OMIT_EVENT, ["a", "c"]),
        (FaultKind.DUPLICATE_EVENT, ["a", "b", "b", "c"]),
        (FaultKind.REPEAT_LAST, ["a", "a", "c"]),
        (FaultKind.SILENT, ["a"]),
    ],
)
def test_the_second_message_goes_wrong(kind, expected) -> None:
    assert [text for texts in sent(Fault("trade", kind, nth=2), "abc") for text in texts] == expected


def test_repeating_goes_on_with_the_last_good_message() -> None:
    plan = FaultPlan(1)
    messages = FaultyMessages(plan, Stopwatch())
    assert messages.through(("s", "trade"), "good") == ["good"]
    plan.add(Fault("trade", FaultKind.REPEAT_LAST))
    assert [messages.through(("s", "trade"), text) for text in "ab"] == [["good"], ["good"]]


def test_messages_are_held_back_and_turned_round() -> None:
    fault = Fault("btcusdt@*", FaultKind.REORDER_EVENTS, nth=2, args=FaultArguments(count=3))
    assert sent(fault) == [["a"], [], [], ["d", "c", "b"], ["e"], ["f"]]


def test_a_silence_ends_and_is_of_one_stream() -> None:
    clock, plan = Stopwatch(), FaultPlan(1)
    messages = FaultyMessages(plan, clock)
    plan.add(Fault("a", FaultKind.SILENT, nth=1, args=FaultArguments(seconds=5.0)))
    assert messages.through(("a", "trade"), "1") == []
    assert messages.through(("b", "trade"), "2") == ["2"]
    clock.seconds = 4.9
    assert messages.through(("a", "trade"), "3") == []
    clock.seconds = 5.0
    assert messages.through(("a", "trade"), "4") == ["4"]


def test_garbage_is_no_json() -> None:
    assert sent(Fault("trade", FaultKind.GARBAGE), "a")[0][0].count("{") == 1
