"""Orders whose answer never came, came late, or could not be believed: rows A01 to A08."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.builders import BTC
from tests.fakes import until
from tests.faults.catalogue.wire import RULES, WireDesk, bought, wire_desk
from tests.integration.venue_server import RunningVenue

from vela.domain.order import OrderStatus

ORDER, PAIR, REPLACE = "POST /api/v3/order", "DELETE /api/v3/orderList", "POST /api/v3/order/cancelReplace"


@pytest.fixture
async def pair_desk(venue: RunningVenue, tmp_path: Path) -> AsyncIterator[WireDesk]:
    """A desk whose positions stand between a stop and a target: cancelled as a list, then sold."""
    rules = type(RULES)(cooldown_ms=0, take_profit_ppm=100_000)
    async with wire_desk(venue, tmp_path / "data", rules) as opened:
        yield opened


# --------------------------------------------------------------------------------------- the answer to an order is lost


@pytest.mark.parametrize("kind", ["execute_and_timeout", "execute_and_reset", "garbage"])
async def test_a01_an_order_whose_answer_is_lost_is_asked_for_and_never_sent_again(desk: WireDesk, kind: str) -> None:
    desk.deafen()
    desk.venue.fault("GET /api/v3/order", "reject", nth=1, args={"status": 503})
    desk.lose(ORDER, kind)
    await desk.buy()
    [entry] = desk.sent
    assert desk.statuses(entry)[-1] is OrderStatus.UNKNOWN
    assert desk.wallet.reserved > 50, "what it may have cost is still set aside"
    await desk.at_rest(20.0)
    assert desk.statuses(entry)[-1] is OrderStatus.FILLED
    assert set(await desk.held()) == {BTC}
    assert desk.wallet.reserved == 0
    assert desk.accepted.count(entry) == 1


@pytest.mark.parametrize(("status", "code"), [(500, -1000), (502, -1006), (503, -1007), (504, -1007), (400, -1006)])
async def test_a02_a_server_error_is_no_refusal(desk: WireDesk, status: int, code: int) -> None:
    desk.deafen()
    desk.venue.fault(ORDER, "execute_and_5xx", nth=1, args={"status": status, "code": code, "message": "who knows"})
    await desk.buy()
    [entry] = desk.sent
    assert desk.statuses(entry)[-1] is OrderStatus.UNKNOWN
    await desk.look_after(1.0)
    assert desk.statuses(entry)[-1] is OrderStatus.FILLED
    assert desk.accepted.count(entry) == 1


async def test_a03_an_order_that_was_filled_at_once_keeps_its_id_to_itself(desk: WireDesk) -> None:
    # Executed orders leave their ids free: the venue would take the same order again.
    desk.deafen()
    desk.set("/lag", orders_ms=600_000)
    desk.lose(ORDER)
    await desk.buy()
    await desk.at_rest(40.0)
    [entry] = desk.sent
    assert desk.accepted == [entry]
    desk.set("/lag")
    await desk.at_rest(10.0)
    assert desk.accepted.count(entry) == 1
    assert set(await desk.held()) == {BTC}


async def test_a05_not_found_is_believed_after_five_times_and_a_minute_only(desk: WireDesk) -> None:
    desk.lose(ORDER, "drop_before")
    await desk.buy()
    [entry] = desk.sent
    await desk.at_rest(50.0)
    assert desk.statuses(entry)[-1] is OrderStatus.UNKNOWN
    await desk.at_rest(30.0)
    assert desk.statuses(entry)[-1] is OrderStatus.EXPIRED
    assert desk.accepted == []
    assert desk.wallet.reserved == 0


async def test_a05_an_order_that_shows_up_after_half_a_minute_is_taken_over(desk: WireDesk) -> None:
    desk.deafen()
    desk.set("/lag", orders_ms=30_000)
    desk.lose(ORDER)
    await desk.buy()
    [entry] = desk.sent
    await desk.at_rest(25.0)
    assert desk.statuses(entry)[-1] is OrderStatus.UNKNOWN
    desk.set("/clock", offset_ms=31_000)
    await desk.at_rest(20.0)
    assert desk.statuses(entry)[-1] is OrderStatus.FILLED


# -------------------------------------------------------------------------------------- the answer to a cancel is lost


@pytest.mark.parametrize("kind", ["drop_before", "execute_and_timeout"])
async def test_a06_an_order_whose_cancel_got_lost_stays_ours_until_its_end_is_told(desk: WireDesk, kind: str) -> None:
    stop = await bought(desk)
    desk.deafen()
    desk.lose(REPLACE, kind)
    await desk.sell()
    way_out = desk.sent[-1]
    assert desk.statuses(way_out)[-1] is OrderStatus.UNKNOWN
    assert stop in {order.client_order_id for order in desk.service._manager.live_orders} or kind != "drop_before"
    await desk.at_rest(100.0)
    assert await desk.held() == {}
    assert await desk.resting() == []
    assert len(desk.fills()) == 2, "bought once, sold once"
    assert desk.statuses(stop)[-1] is OrderStatus.CANCELLED


@pytest.mark.parametrize("kind", ["drop_before", "execute_and_timeout"])
async def test_a06_nor_is_a_pair_sold_twice_whose_cancel_got_lost(pair_desk: WireDesk, kind: str) -> None:
    desk = pair_desk
    await desk.buy()
    desk.deafen()
    desk.lose(PAIR, kind)
    await desk.sell()
    await desk.at_rest(100.0)
    assert await desk.held() == {}
    assert await desk.resting() == []
    assert len(desk.fills()) == 2


async def test_a06_a_stop_that_executes_although_its_cancel_was_sent_ends_the_position(desk: WireDesk) -> None:
    stop = await bought(desk)
    desk.lose(REPLACE, "drop_before")
    await desk.sell()
    desk.move("90")
    await until(lambda: desk.statuses(stop)[-1] is OrderStatus.FILLED)
    await desk.at_rest(100.0)
    assert await desk.held() == {}
    assert len(desk.fills()) == 2


# ------------------------------------------------------------------------------------------- what is told is old by now


async def test_a07_a_fill_that_is_faster_than_the_cancel_is_booked_and_nothing_else_is_sold(desk: WireDesk) -> None:
    stop = await bought(desk)
    desk.deafen()
    desk.move("97")
    await desk.sell()
    assert await desk.held() == {}
    assert desk.statuses(stop)[-1] is OrderStatus.FILLED
    assert len(desk.fills()) == 2
    [trade] = desk.trades()
    assert trade.exit_reason == "stop_loss"


async def test_a08_nothing_is_done_because_of_an_old_list_of_open_orders(desk: WireDesk) -> None:
    desk.set("/lag", open_orders_ms=40_000)
    stop = await bought(desk)
    assert await desk.resting() == [], "the list does not know the stop yet"
    await desk.at_rest(60.0)
    assert desk.statuses(stop)[-1] is OrderStatus.ACCEPTED
    desk.set("/clock", offset_ms=60_000)
    desk.move("97")
    await until(lambda: desk.statuses(stop)[-1] is OrderStatus.FILLED)
    assert await desk.resting() == [stop], "the list still knows the stop"
    await desk.at_rest(60.0)
    assert await desk.held() == {}
    assert len(desk.fills()) == 2
