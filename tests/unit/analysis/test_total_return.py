from __future__ import annotations

import pytest

from vela.analysis.total_return import total_return_pct


@pytest.mark.parametrize(
    ("initial", "final", "expected"),
    [
        (1000.0, 1100.0, 10.0),
        (1000.0, 1000.0, 0.0),
        (1000.0, 0.0, -100.0),
        (1000.0, -500.0, -150.0),
        (0.0, 100.0, None),
        (-1.0, 100.0, None),
        (1e-300, 1e300, None),
    ],
)
def test_by_hand(initial: float, final: float, expected: float | None) -> None:
    assert total_return_pct(initial, final) == expected
