from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from tests.faults.catalogue.wire import PRICES, STILL, WireDesk, wire_desk
from tests.integration.venue_server import RunningVenue, running_venue

from vela.simulation.spot_fees import SpotFees


@pytest.fixture(autouse=True)
def _state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.fixture
def venue() -> Iterator[RunningVenue]:
    """A venue whose market stands still at 100, with fees in quote."""
    fees = SpotFees(Decimal("0.001"), Decimal("0.001"), in_quote=True)
    with running_venue(STILL, prices=PRICES, flat_book=True, fees=fees) as server:
        yield server


@pytest.fixture
async def desk(venue: RunningVenue, tmp_path: Path) -> AsyncIterator[WireDesk]:
    async with wire_desk(venue, tmp_path / "data") as opened:
        yield opened
