"""Every service in a process of its own trades as all of them in one."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.faults.scaled import ScaledRun, run_embedded, write_recordings
from tests.postgres import PostgresServer
from tests.redis_process import require_redis


@pytest.mark.timeout(300)  # a machine that is busy with other things starts processes slowly
def test_a_recording_gives_the_same_trades_ledger_and_summary_in_both_shapes(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    require_redis()
    market = write_recordings(tmp_path / "market", 150)
    expected = run_embedded(market, tmp_path / "embedded")
    with ScaledRun(tmp_path, market, postgres, ("--no-page",)) as system:
        found = system.finish(240)
    assert expected.differences(found) == []
    assert expected.summary["trades"] > 2
    assert found.rows["outbox"] == []
