from __future__ import annotations

import pytest

from vela.domain.errors import ConfigurationError
from vela.venue.faults import OF_MESSAGES, OF_REQUESTS, Fault, FaultArguments, FaultKind, FaultPlan

ORDER = ("POST /api/v3/order", "/api/v3/order")


def plan(*faults: Fault, seed: int = 1) -> FaultPlan:
    made = FaultPlan(seed)
    for fault in faults:
        made.add(fault)
    return made


def test_every_kind_is_of_requests_or_of_messages() -> None:
    assert set(FaultKind) == OF_REQUESTS | OF_MESSAGES


@pytest.mark.parametrize("endpoint", ["POST /api/v3/order", "/api/v3/order", "/api/v3/*", "*"])
def test_an_endpoint_is_a_pattern(endpoint) -> None:
    assert plan(Fault(endpoint, FaultKind.DELAY)).hit(ORDER, OF_REQUESTS) is not None


@pytest.mark.parametrize("endpoint", ["GET /api/v3/order", "/api/v3/order/test", "order"])
def test_other_endpoints_are_left_alone(endpoint) -> None:
    assert plan(Fault(endpoint, FaultKind.DELAY)).hit(ORDER, OF_REQUESTS) is None


def test_the_nth_time_only() -> None:
    faults = plan(Fault("*", FaultKind.DELAY, nth=2))
    assert [faults.hit(ORDER, OF_REQUESTS) is not None for _ in range(4)] == [False, True, False, False]


def test_chances_follow_the_seed() -> None:
    fault = Fault("*", FaultKind.DELAY, probability=0.3)
    drawn = [[plan_.hit(ORDER, OF_REQUESTS) is not None for _ in range(200)] for plan_ in (plan(fault), plan(fault))]
    assert drawn[0] == drawn[1]
    assert 30 < sum(drawn[0]) < 90
    assert [plan(fault, seed=2).hit(ORDER, OF_REQUESTS) is not None for _ in range(200)] != drawn[0]


def test_messages_and_requests_have_faults_of_their_own() -> None:
    faults = plan(Fault("*", FaultKind.OMIT_EVENT))
    assert faults.hit(ORDER, OF_REQUESTS) is None
    assert faults.hit(("executionReport",), OF_MESSAGES) is not None


def test_cleared_faults_are_gone() -> None:
    faults = plan(Fault("*", FaultKind.DELAY))
    faults.clear()
    assert (faults.faults, faults.hit(ORDER, OF_REQUESTS)) == ((), None)


@pytest.mark.parametrize(
    "wrong",
    [
        {"nth": 0},
        {"nth": 1, "probability": 0.5},
        {"probability": 0.0},
        {"probability": float("nan")},
        {"args": FaultArguments(seconds=-1.0)},
        {"args": FaultArguments(seconds=float("nan"))},
        {"args": FaultArguments(count=1)},
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(wrong) -> None:
    with pytest.raises(ConfigurationError, match="accepted: "):
        Fault("*", FaultKind.DELAY, **wrong)
