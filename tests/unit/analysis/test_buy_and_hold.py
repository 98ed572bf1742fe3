from __future__ import annotations

import pytest
from tests.unit.analysis.samples import series

from vela.analysis.buy_and_hold import buy_and_hold_pct


@pytest.mark.parametrize(
    ("values", "expected"), [((200, 50, 250), 25.0), ((200,), 0.0), ((200, 100), -50.0), ((), None), ((0, 1), None)]
)
def test_by_hand(values: tuple[float, ...], expected: float | None) -> None:
    assert buy_and_hold_pct(series(*values)) == expected
