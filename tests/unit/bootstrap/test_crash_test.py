from __future__ import annotations

import os
import signal

import pytest

from vela.bootstrap.crash_test import arm_from, follow_up_from
from vela.bootstrap.settings import load_settings
from vela.domain.crashpoints import crashpoint, disarm
from vela.domain.errors import ConfigurationError
from vela.ports.execution import FollowUp


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


def test_it_is_asked_to_leave_once_where_that_is_wanted(kills) -> None:
    arm_from({"VELA_CRASH_AT": "P07:2:TERM"})
    for _ in range(4):
        crashpoint("P07")
    assert kills == [(os.getpid(), signal.SIGTERM)]


@pytest.mark.parametrize("wanted", ["P99", "x", "P07:0", "P07:x", "P07:-1", "P07:1:2", "P07:TERM"])
def test_another_word_is_refused(wanted: str) -> None:
    with pytest.raises(ConfigurationError, match=r"VELA_CRASH_AT.*accepted"):
        arm_from({"VELA_CRASH_AT": wanted})


ELSEWHERE = {"exchange": "binance", "exchange_url": "http://127.0.0.1:8080"}


@pytest.mark.parametrize(
    ("environment", "expected"),
    [({}, None), ({"VELA_FOLLOW_UP": ""}, None), ({"VELA_FOLLOW_UP": "2,0.5,1"}, FollowUp(2, 0.5, 1.0))],
)
def test_orders_are_followed_up_sooner_where_that_is_wanted(environment, expected: FollowUp | None) -> None:
    assert follow_up_from(environment, load_settings(ELSEWHERE, {})) == expected


@pytest.mark.parametrize("wanted", ["1", "0,1,1", "1,-1,1", "1,1,0", "1,1,nan", "x,1,1", "1,1,1,1"])
def test_another_follow_up_is_refused(wanted: str) -> None:
    with pytest.raises(ConfigurationError, match=r"VELA_FOLLOW_UP.*accepted: tries"):
        follow_up_from({"VELA_FOLLOW_UP": wanted}, load_settings(ELSEWHERE, {}))


def test_at_a_real_exchange_nobody_follows_up_sooner() -> None:
    with pytest.raises(ConfigurationError, match="is for tests; accepted: with --exchange-url"):
        follow_up_from({"VELA_FOLLOW_UP": "2,0.5,1"}, load_settings({"exchange": "binance"}, {}))
