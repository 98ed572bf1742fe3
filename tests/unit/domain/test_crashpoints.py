from __future__ import annotations

import pytest

from vela.domain.crashpoints import POINTS, arm, crashpoint, disarm


@pytest.fixture(autouse=True)
def unarmed():
    yield
    disarm()


def test_nothing_happens_where_nothing_is_armed():
    for point in POINTS:
        crashpoint(point)


def test_an_armed_point_acts_each_time_it_is_passed_and_no_other_does():
    passed = []
    arm("P07", lambda: passed.append("P07"))
    for point in ("P06", "P07", "P08", "P07"):
        crashpoint(point)
    assert passed == ["P07", "P07"]
    disarm()
    crashpoint("P07")
    assert passed == ["P07", "P07"]


def test_a_point_that_is_not_there_cannot_be_armed():
    with pytest.raises(ValueError, match="accepted: P01 to P25"):
        arm("P26", lambda: None)
