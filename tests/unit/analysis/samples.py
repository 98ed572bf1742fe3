"""Small runs, written as a reader would."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import numpy as np
from hypothesis import strategies as st
from tests.builders import trade

from vela.analysis.series import Series, Times
from vela.domain.position import Trade

DAY = 86_400_000
HOUR = 3_600_000
NEW_YEAR = 1_735_689_600_000  # 2025-01-01 00:00 UTC

returns_lists = st.lists(st.floats(-0.5, 0.5), min_size=2, max_size=60)
equity_lists = st.lists(st.floats(0.01, 1e6), min_size=1, max_size=60)
pnl_lists = st.lists(st.integers(-10_000, 10_000).map(lambda cents: cents / 100), max_size=60)
scales = st.floats(1e-3, 1e3)


def series(*values: float) -> Series:
    return np.array(values, dtype=np.float64)


def days(count: int, step: int = DAY) -> Times:
    return NEW_YEAR + np.arange(count, dtype=np.int64) * step


def closed(pnl: str | float | Decimal = "1", **changes) -> Trade:
    return msgspec.structs.replace(trade(), pnl=Decimal(str(pnl)), **changes)


def held(*spans: tuple[int, int]) -> list[Trade]:
    return [closed(entry_time=entry, exit_time=leave) for entry, leave in spans]
