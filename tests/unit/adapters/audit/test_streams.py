from __future__ import annotations

from vela.adapters.audit.findings import Problem
from vela.adapters.audit.snapshot import ConsumerState, GroupState, Snapshot, StreamState
from vela.adapters.audit.streams import judge_streams

NOW = 1_790_000_000_000
PATIENCE = 30_000
ALIVE = ConsumerState("1", 0, PATIENCE)


def group(age: int | None, *consumers: ConsumerState, pending: int = 0, name: str = "brain") -> GroupState:
    return GroupState(name, pending, 3, None if age is None else NOW - age, consumers)


def judged(*groups: GroupState, length: int = 3, letters: int = 0) -> list[tuple[str, str]]:
    snapshot = Snapshot(
        NOW, streams=(StreamState("vela:orders", length, groups),), letters={"vela:dead:orders": letters}
    )
    found = judge_streams(snapshot, patience_ms=PATIENCE, capacity=10_000)
    assert all(finding.fix is None for finding in found)  # messages are never thrown away
    return [(finding.problem, finding.sentence) for finding in found]


def test_a_bus_at_work_is_no_finding():
    assert judged(group(PATIENCE, ALIVE), group(None, name="orders"), length=4_999) == []


def test_a_quiet_group_whose_members_are_silent_is_no_finding():
    assert judged(group(None, ConsumerState("1", 0, 10**9))) == []


def test_what_waits_too_long_is_found():
    [(problem, sentence)] = judged(group(PATIENCE + 1, ALIVE, pending=2))
    assert problem is Problem.BEHIND
    assert sentence == "group brain has 2 pending and 3 unread, the oldest for 30 s"


def test_a_group_that_nobody_reads_is_named_as_what_holds_up_the_others():
    for members in ((), (ConsumerState("1", 2, PATIENCE + 1), ConsumerState("2", 0, 10**7))):
        [(problem, sentence)] = judged(group(PATIENCE + 1, *members))
        assert problem is Problem.NOBODY_READS
        assert "holds up trimming, publishers" in sentence
        assert ("no member" in sentence) == (not members)


def test_a_dead_member_beside_a_living_one_is_named():
    dead, slow = ConsumerState("2", 5, PATIENCE + 1), ConsumerState("3", 5, PATIENCE)
    found = judged(group(PATIENCE + 1, ALIVE, dead, slow, ConsumerState("4", 0, 10**9), pending=5))
    assert [problem for problem, _ in found] == [Problem.BEHIND, Problem.DEAD_CONSUMER]
    assert found[1][1].startswith("2 of group brain holds 5 messages")


def test_a_stream_that_is_nearly_full_names_the_slowest():
    slow = group(20_000, ALIVE, name="slow")
    [(problem, sentence)] = judged(group(10, ALIVE, name="quick"), slow, group(None, name="idle"), length=5_000)
    assert problem is Problem.NEARLY_FULL
    assert sentence.endswith("group slow holds it up")
    [(_, untrimmed)] = judged(length=5_000)
    assert untrimmed.endswith("all is handled and was not trimmed yet")


def test_dead_letters_are_counted():
    assert judged(letters=1_200)[0][1].startswith("1,200 messages could not be handled")
