"""Services of a scaled system die twice, Redis and PostgreSQL once, and the network to either is cut.

`service_kills` does the same at more length.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.faults.service_kills import POSTGRESQL, REDIS, Kill, run_disturbed
from tests.postgres import PostgresServer
from tests.redis_process import require_redis

_LONGEST_SECONDS = 120.0  # for machines that are busy with other things

KILLS: list[Kill] = [
    ("brain", "orders", "simulator"),
    (REDIS,),
    ("market-data", "persistence", "dashboard"),
    (POSTGRESQL,),
    (REDIS, "silent"),
    ("historical", "brain", "orders"),
    ("market-data", "persistence"),
    (POSTGRESQL, "cut off"),
    ("historical", "simulator", "dashboard"),
]


@pytest.mark.timeout(600)  # a machine that is busy with other things starts processes slowly
def test_services_redis_and_postgresql_die_and_nothing_is_lost_or_doubled(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    require_redis()
    differences, recoveries = run_disturbed(tmp_path, postgres, KILLS, 3, _LONGEST_SECONDS, away=2.0)
    assert differences == []
    assert len(recoveries) == len(KILLS)
