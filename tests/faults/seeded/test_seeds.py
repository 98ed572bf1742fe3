from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.faults.seeded.life import Lives

from vela.engine.order_manager import OrderManager

ROOT = Path(__file__).resolve().parents[3]
CHUNKS, PER_CHUNK = 10, 50
_DIGESTS = "from tests.faults.seeded.sweep import quiet_lives; print(*(quiet_lives().live(seed).digest for seed in {}))"


@pytest.fixture(scope="module")
def lives() -> Lives:
    return Lives()


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_nothing_is_lost_and_nothing_doubled(lives, chunk):
    accounts = [lives.live(seed) for seed in range(chunk * PER_CHUNK, (chunk + 1) * PER_CHUNK)]
    assert {account.seed: account.breaches for account in accounts if account.breaches} == {}


def test_the_same_seed_is_the_same_life_whatever_was_before_it_and_wherever(lives):
    seeds = [7, 3, 7]
    digests = [lives.live(seed).digest for seed in seeds]
    assert digests[0] == digests[2] != digests[1]
    command = [sys.executable, "-c", _DIGESTS.format(seeds[:2])]
    elsewhere = subprocess.run(
        command, cwd=ROOT, env=os.environ | {"PYTHONHASHSEED": "11"}, check=True, capture_output=True, text=True
    )
    assert elsewhere.stdout.split() == digests[:2]


def test_a_timeout_that_is_taken_for_a_refusal_is_found(lives, monkeypatch):
    monkeypatch.setattr(OrderManager, "on_unresolved", OrderManager.on_refused)
    found = next(account for account in map(lives.live, range(PER_CHUNK)) if account.breaches)
    assert any("at the venue" in breach for breach in found.breaches)
