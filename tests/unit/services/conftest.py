from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from vela.adapters.storage.sql.record import Record, open_record


@pytest.fixture
async def record(tmp_path: Path) -> AsyncIterator[Record]:
    with open_record(tmp_path) as opened:
        yield opened
