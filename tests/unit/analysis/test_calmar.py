from __future__ import annotations

import pytest

from vela.analysis.calmar import calmar


@pytest.mark.parametrize(
    ("growth", "drawdown", "expected"), [(30.0, 15.0, 2.0), (-10.0, 20.0, -0.5), (30.0, 0.0, None), (None, 15.0, None)]
)
def test_by_hand(growth: float | None, drawdown: float, expected: float | None) -> None:
    assert calmar(growth, drawdown) == expected
