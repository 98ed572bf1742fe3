"""Prices that are none, or out of all proportion, reach nobody who trades: rows A27, A28."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.builders import BTC, MINUTE, signal
from tests.fakes import Desk, ListedFeed

from vela.adapters.storage.sql.record import open_record
from vela.domain.events import Alert, PricesMoved, SignalsRaised, Tick
from vela.domain.signal import Action
from vela.services.market_data import MarketDataService

NO_STOP = ["refuse"] * 20


def moved(price: float) -> PricesMoved:
    return PricesMoved(time=MINUTE, ticks=(Tick(BTC, price, price, price, jump=True),))


@pytest.mark.parametrize(
    ("price", "is_sold", "is_told"),
    [
        pytest.param(97.0, True, False, id="that happened"),
        pytest.param(0.0, False, False, id="a27 nothing"),
        pytest.param(-97.0, False, False, id="a27 below nothing"),
        pytest.param(10.0, False, True, id="a28 a tenth"),
        pytest.param(100_000.0, False, True, id="a28 thousandfold"),
    ],
)
async def test_a27_a28_nothing_is_sold_at_a_price_that_cannot_be(
    tmp_path: Path, price: float, *, is_sold: bool, is_told: bool
) -> None:
    # The stop was refused: every price is watched here.
    with open_record(tmp_path) as record:
        desk = await Desk(record, "ok", *NO_STOP, now=MINUTE).start()
        await desk.say(moved(100.0), SignalsRaised(time=MINUTE, signals=(signal(Action.BUY, BTC, 0),)))
        sent = len(desk.execution.sent)
        feed = ListedFeed([moved(100.0), moved(price), moved(price)])
        await MarketDataService(desk.bus, desk.clock, feed, desk.clock, None).work()
        assert (len(desk.execution.sent) > sent) is is_sold
        assert set(await desk.held()) == {BTC}
        told = [alert.text for alert in desk.heard.of(Alert) if "frozen" in alert.text]
        assert len(told) == is_told
        assert desk.working is not None
        desk.working.cancel()
