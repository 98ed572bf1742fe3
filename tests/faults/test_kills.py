from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.faults.checker import breaches, trades
from tests.faults.kills import run_to_end, run_with_kills

OPTIONS = [
    "--candles",
    "4000",
    "--symbols",
    "BTC,ETH,SOL",
    "--seed",
    "7",
    "--stop-loss",
    "1",
    "--take-profit",
    "1.5",
    "--take-profit-part",
    "40",
]


@pytest.mark.timeout(300)
def test_ten_kills_lose_nothing_and_double_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for key in [key for key in os.environ if key.startswith("VELA_")]:
        monkeypatch.delenv(key)
    monkeypatch.chdir(tmp_path)
    undisturbed, disturbed = tmp_path / "undisturbed", tmp_path / "disturbed"
    expected = run_to_end("synthetic", undisturbed, OPTIONS)
    # A start alone takes about half a second: most kills fall into trading, some into the way up.
    killed = run_with_kills("synthetic", disturbed, OPTIONS, kills=10, seed=5, longest=1.4)
    actual = run_to_end("synthetic", disturbed, OPTIONS)
    assert killed >= 3
    assert breaches(undisturbed) == []
    assert breaches(disturbed) == []
    assert len(trades(undisturbed)) > 20
    assert trades(disturbed) == trades(undisturbed)
    assert actual == expected
