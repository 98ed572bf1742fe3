from __future__ import annotations

import os
import signal

import pytest

from vela.bootstrap.crash_test import arm_from
from vela.domain.crashpoints import crashpoint, disarm
from vela.domain.errors import ConfigurationError


@pytest.fixture(autouse=True)
def kills(monkeypatch: pytest.MonkeyPatch):
    sent: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "kill", lambda pid, number: sent.append((pid, number)))
    yield sent
    disarm()


@pytest.mark.parametrize(("wanted", "passes"), [("P07", 1), ("P07:1", 1), ("P07:3", 3)])
def test_the_process_ends_when_it_passes_the_point_so_often(kills, wanted: str, passes: int) -> None:
    arm_from({"VELA_CRASH_AT": wanted})
    for _ in range(passes - 1):
        crashpoint("P07")
    crashpoint("P08")
    assert kills == []
    crashpoint("P07")
    assert kills == [(os.getpid(), signal.SIGKILL)]


@pytest.mark.parametrize("environment", [{}, {"VELA_CRASH_AT": ""}])
def test_without_a_word_nothing_is_armed(kills, environment) -> None:
    arm_from(environment)
    crashpoint("P07")
    assert kills == []


@pytest.mark.parametrize("wanted", ["P99", "x", "P07:0", "P07:x", "P07:-1", "P07:1:2"])
def test_another_word_is_refused(wanted: str) -> None:
    with pytest.raises(ConfigurationError, match=r"VELA_CRASH_AT.*accepted"):
        arm_from({"VELA_CRASH_AT": wanted})
