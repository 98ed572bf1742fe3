"""Binance's own Python connector trades on the venue: nothing of it is changed but the address."""

from __future__ import annotations

import pytest
from tests.integration.venue_clients import problems_of


@pytest.mark.timeout(600)  # the first time its environment is made
def test_every_session_goes_well() -> None:
    problems = problems_of("connector_sessions")
    assert problems
    for name, problem in problems.items():
        assert problem is None, f"{name}: {problem}"
