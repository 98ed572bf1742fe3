from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.unit.dashboard.follower import EVENTS

from vela.dashboard.shapes import AccountSnapshot, SymbolSnapshot
from vela.domain.position import ExitReason
from vela.engine.risk import Refusal

DOCUMENT = (Path(__file__).resolve().parents[3] / "docs" / "page-protocol.md").read_text(encoding="utf-8")


def codes(row: str) -> set[str]:
    [cells] = re.findall(rf"^\| {re.escape(row)} \| (.*) \|$", DOCUMENT, re.MULTILINE)
    return set(re.findall(r"`(\w+)[^`]*`", cells))


def test_refusals_are_those_of_the_engine():
    assert codes("a signal's `outcome_reason`") == {refusal.value for refusal in Refusal}


def test_reasons_of_exits_are_those_of_the_domain():
    assert codes("a trade's `exit_reason`, an exit's or a stop's `reason`, a marker's") == {
        reason.value for reason in ExitReason
    }


def test_every_event_is_in_a_stream_and_has_a_body():
    streams = codes("`account`") | codes("a symbol's short name")
    assert streams == set(EVENTS)
    assert all(re.search(rf"^\| `{event}` \| ", DOCUMENT, re.MULTILINE) for event in EVENTS)


@pytest.mark.parametrize("shape", [AccountSnapshot, SymbolSnapshot])
def test_snapshots_have_the_documented_members(shape):
    blocks = re.findall(r"```json\n(.*?)```", DOCUMENT, re.DOTALL)
    members = [set(re.findall(r'"(\w+)":', block)) for block in blocks]
    assert any(set(shape.__annotations__) <= found for found in members)
