from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.integration.venue_server import RunningVenue, running_venue


@pytest.fixture(scope="module")
def shared_venue() -> Iterator[RunningVenue]:
    with running_venue() as venue:
        yield venue


@pytest.fixture
def venue(shared_venue: RunningVenue) -> Iterator[RunningVenue]:
    """A venue that others of the module traded on; its clock and its faults are as at the start."""
    yield shared_venue
    shared_venue.control.delete("/faults")
    shared_venue.control.post("/clock", json={"offset_ms": 0})
