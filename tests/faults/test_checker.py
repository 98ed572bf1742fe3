"""The checker finds what it is there to find: an account that is in order is spoilt in one place after the other."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from tests.faults.checker import breaches
from tests.faults.evidence import Row, told
from tests.faults.life import Life
from tests.faults.scenario import Scenario


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An account that was killed once and holds a position behind a stop that was moved."""
    folder = tmp_path_factory.mktemp("account")
    with Life(folder, exits="part", is_flat=True, seed=1) as life:
        life.survive(Scenario("P17", "answered", "none"))
        life.settle(steps=1)
    assert breaches(folder / "data", folder / "truth.jsonl") == []
    return folder


@pytest.fixture
def copy(account: Path, tmp_path: Path) -> Path:
    shutil.copytree(account / "data", tmp_path / "data")
    shutil.copy(account / "truth.jsonl", tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("spoil", "found"),
    [
        ("DELETE FROM fills", "is at the venue only"),
        ("UPDATE fills SET fill_id = 'BTCUSDT:999'", "is on record only"),
        ("UPDATE fills SET fee = '0.1'", "fee is 0.1 here"),
        ("UPDATE fills SET side = 'SELL'", "side is SELL here"),
        ("UPDATE ledger_entries SET amount = '1' WHERE transaction_id = 'opening' AND line = 1", "sums to"),
        ("UPDATE ledger_entries SET amount = '1' WHERE transaction_id = 'opening'", "cash + cost is"),
        ("UPDATE balances SET amount = '1' WHERE account = 'cash'", "its postings make another sum"),
        ("UPDATE ledger_entries SET amount = '1' WHERE account = 'holdings'", "the ledger moved by 1,"),
        (
            "UPDATE orders SET status = 'CANCELLED' WHERE status = 'ACCEPTED'",
            "CANCELLED here and ACCEPTED at the venue",
        ),
        ("UPDATE orders SET filled_quantity = '9'", "says 9 filled"),
        ("DELETE FROM orders WHERE purpose = 'entry'", "is at the venue without an intent"),
        ("UPDATE order_events SET status = 'PLANNED' WHERE seq = 3", "went back to PLANNED"),
        ("UPDATE positions SET quantity = '9'", "behind a stop"),
        ("UPDATE positions SET quantity = '9'", "the position is 9"),
        ("UPDATE positions SET cost = '9'", "the positions cost 9"),
        ("DELETE FROM positions", "is not a position nor written off"),
        ("DELETE FROM positions", "0 held"),
        ("UPDATE signals SET client_order_id = NULL, refusal = 'x'", "answers no signal"),
    ],
)
def test_what_is_wrong_in_the_record_is_found(copy: Path, spoil: str, found: str) -> None:
    with closing(sqlite3.connect(copy / "data" / "vela.sqlite")) as record, record:
        assert record.execute(spoil).rowcount > 0
    assert [breach for breach in breaches(copy / "data", copy / "truth.jsonl") if found in breach]


def of_order(events: list[Row], *, is_entry: bool) -> Row:
    return [event for event in events if event["client_order_id"].endswith("-E") is is_entry][-1]


@pytest.mark.parametrize(
    ("is_entry", "spoil", "found"),
    [
        (True, {"event": "new", "status": "FILLED"}, "was accepted twice"),
        (True, {"client_order_id": "BTCUSDT-1-E", "event": "new"}, "is at the venue without an intent"),
        (False, {"event": "cancelled", "status": "CANCELLED"}, "behind a stop"),
    ],
)
def test_what_happened_at_the_venue_and_is_not_known_is_found(
    copy: Path, is_entry: bool, spoil: Row, found: str
) -> None:
    truth = copy / "truth.jsonl"
    event = of_order([event for event in told(truth) if event["type"] != "LIMIT_MAKER"], is_entry=is_entry)
    with truth.open("a") as lines:
        lines.write(json.dumps(event | spoil) + "\n")
    assert [breach for breach in breaches(copy / "data", truth) if found in breach]
