"""The account at a venue that refuses, forgets, halts, or tells things twice: rows A13 to A17 and A31 to A37."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest
from tests.builders import BTC, ETH
from tests.fakes import until
from tests.faults.catalogue.wire import WireDesk, bought, wire_desk
from tests.integration.venue_server import KEY, SECRET, RunningVenue

from vela.adapters.clock import SystemClock
from vela.adapters.exchanges.live import connect
from vela.adapters.exchanges.unified.connection import Credentials
from vela.adapters.storage.sql.record import open_record
from vela.bootstrap.exchange_marketplace import ExchangeMarketplace
from vela.bootstrap.settings import load_settings
from vela.domain.errors import ConfigurationError, OrderUnresolved, RateLimited
from vela.domain.order import OrderStatus, Side
from vela.engine.ledger import opening
from vela.engine.rules import TradingRules
from vela.ports.record import Changes

ORDER, REPLACE = "POST /api/v3/order", "POST /api/v3/order/cancelReplace"
WRONG_CLOCK = {"code": -1021, "message": "Timestamp for this request is outside of the recvWindow."}


@pytest.fixture
async def pair_desk(venue: RunningVenue, tmp_path: Path) -> AsyncIterator[WireDesk]:
    """A desk whose targets close half of a position: a pair, and a stop of the rest."""
    rules = TradingRules(cooldown_ms=0, take_profit_ppm=100_000, take_profit_part_ppm=500_000)
    async with wire_desk(venue, tmp_path / "data", rules) as opened:
        yield opened


# ------------------------------------------------------------------------------------------------------ it is too much


async def test_a13_after_a_ban_nothing_at_all_is_asked_until_it_is_over(desk: WireDesk) -> None:
    desk.venue.fault(ORDER, "ban", nth=1, args={"seconds": 2})
    await desk.buy()
    [entry] = desk.sent
    assert desk.statuses(entry)[-1] is OrderStatus.REJECTED
    for _ in range(3):
        with pytest.raises(RateLimited):
            await desk.execution.balances()
    await asyncio.sleep(desk.connection._calls.budget.closed_for(desk.connection._calls.now()) + 0.1)
    # Asked during a ban, the venue would have made it longer.
    assert (await desk.execution.balances())["USDT"].free == 1_000_000


async def test_a13_what_closes_may_use_what_entries_may_not(desk: WireDesk) -> None:
    await bought(desk)
    calls = desk.connection._calls
    calls.budget.limit = 10
    calls.budget._used = 8
    await desk.buy(ETH)
    assert desk.statuses(desk.sent[-1])[-1] is OrderStatus.REJECTED
    await desk.sell()
    assert await desk.held() == {}


async def test_a14_what_others_at_the_same_address_use_is_counted(
    venue: RunningVenue, monkeypatch: pytest.MonkeyPatch
) -> None:
    credentials = Credentials(KEY, SECRET)
    first, second = [await connect("binance", credentials, SystemClock(), base_url=venue.http) for _ in range(2)]
    try:
        for _ in range(3):
            await first.execution([BTC]).balances()
        told: list[int] = []
        monkeypatch.setattr(second._calls.budget, "told", lambda used, _now: told.append(used))
        await second.execution([BTC]).balances()
        assert told[-1] > first._calls.budget._used
    finally:
        await first.close()
        await second.close()


# ------------------------------------------------------------------------------------------------ clock, key and stream


@pytest.mark.parametrize("offset_ms", [-1_200, -6_000, 12_000])
async def test_a15_a_clock_that_drifted_is_set_anew_and_the_order_goes_out(desk: WireDesk, offset_ms: int) -> None:
    desk.set("/clock", offset_ms=offset_ms)
    await bought(desk)
    assert abs(desk.connection.clock_offset() - offset_ms) < 500


async def test_a15_a_clock_that_cannot_be_set_ends_entries_until_the_venue_listens_again(desk: WireDesk) -> None:
    stop = await bought(desk)
    desk.venue.fault("*", "reject", args=WRONG_CLOCK)
    await desk.buy(ETH)
    assert len(desk.sent) == 3
    await desk.buy(ETH)
    assert desk.refusals[-1] == "venue"
    assert len(desk.sent) == 3
    assert desk.statuses(stop)[-1] is OrderStatus.ACCEPTED
    desk.mend()
    await desk.at_rest(40.0)
    await desk.buy(ETH)
    assert set(await desk.held()) == {BTC, ETH}


@pytest.mark.parametrize("path", ["/logout", "/disconnect"])
async def test_a16_what_happened_while_the_stream_was_lost_is_asked_for(desk: WireDesk, path: str) -> None:
    stop = await bought(desk)
    desk.deafen()
    desk.move("97")
    desk.mend()
    assert desk.statuses(stop)[-1] is OrderStatus.ACCEPTED
    desk.set(path)
    await until(lambda: desk.statuses(stop)[-1] is OrderStatus.FILLED)
    assert await desk.held() == {}


async def test_a17_a_stream_that_is_open_and_dead_is_not_waited_for(desk: WireDesk) -> None:
    stop = await bought(desk)
    desk.venue.fault("executionReport", "silent")
    desk.move("97")
    await desk.at_rest(20.0)
    assert desk.statuses(stop)[-1] is OrderStatus.ACCEPTED
    await desk.at_rest(20.0)
    assert desk.statuses(stop)[-1] is OrderStatus.FILLED
    assert await desk.held() == {}


# ---------------------------------------------------------------------------------------- what nobody expected


async def test_a31_a_state_that_nobody_knew_leads_to_a_question(desk: WireDesk) -> None:
    stop = await bought(desk)
    desk.deafen()
    desk.move("97")
    event = {"e": "executionReport", "s": "BTCUSDT", "c": stop, "i": 2, "X": "HIBERNATING", "T": desk.clock.now()}
    desk.connection._client.taps["executionReport"]({**event, "somethingNew": {}})  # type: ignore[attr-defined]
    await until(lambda: desk.statuses(stop)[-1] is OrderStatus.FILLED)
    assert await desk.held() == {}


async def test_a32_orders_of_ours_cannot_meet(pair_desk: WireDesk) -> None:
    desk = pair_desk
    await desk.buy()
    await desk.buy()
    assert desk.refusals[-1] == "position_open"
    resting = desk.venue.call("GET", "openOrders").json()
    assert {order["side"] for order in resting} == {Side.SELL}
    await desk.sell()
    assert await desk.held() == {}
    assert {event["status"] for event in desk.venue.truth()} & {"EXPIRED_IN_MATCH"} == set()


@pytest.mark.parametrize("state", ["HALT", "BREAK", "CANCEL_ONLY"])
async def test_a33_while_a_symbol_is_halted_others_are_traded_and_afterwards_it_is_too(
    desk: WireDesk, state: str
) -> None:
    await bought(desk)
    desk.set("/halt", symbol="BTC", state=state)
    await desk.sell()
    await desk.at_rest(40.0)
    assert set(await desk.held()) == {BTC}
    await desk.buy(ETH)
    assert set(await desk.held()) == {BTC, ETH}
    desk.set("/halt", symbol="BTC", state="TRADING")
    await desk.at_rest(40.0)
    assert set(await desk.held()) == {ETH}


async def test_a33_a_halted_symbol_keeps_a_new_account_from_starting_and_no_other(
    venue: RunningVenue, tmp_path: Path
) -> None:
    venue.control.post("/halt", json={"symbol": "BTC", "state": "HALT"}).raise_for_status()
    options = {"exchange": "binance", "exchange_url": venue.http, "symbols": "BTC,ETH", "data_dir": str(tmp_path)}
    place = ExchangeMarketplace(load_settings(options, {}, tmp_path / "vela.toml"), Credentials(KEY, SECRET))
    with open_record(tmp_path) as record:
        with pytest.raises(ConfigurationError, match="BTC/USDT is listed at binance but not traded now"):
            await place.open(record.trading)
        await place.close()
        await record.trading.commit(Changes(ledger=(opening("USDT", Decimal(1000), 1),)))
        await place.open(record.trading)
        await place.close()


async def test_a33_maintenance_is_waited_for_and_leaves_no_order_behind(desk: WireDesk) -> None:
    await bought(desk)
    desk.venue.fault("*", "maintenance", nth=1, args={"seconds": 0.6})
    await desk.buy(ETH)
    entry = desk.sent[-1]
    assert desk.statuses(entry)[-1] is OrderStatus.UNKNOWN
    with pytest.raises(OrderUnresolved):
        await desk.execution.balances()
    await asyncio.sleep(0.7)
    await desk.at_rest(80.0)
    assert desk.statuses(entry)[-1] is OrderStatus.EXPIRED
    assert set(await desk.held()) == {BTC}


async def test_a34_a_stop_that_the_venue_ends_is_placed_again_as_soon_as_it_can_be(desk: WireDesk) -> None:
    stop = await bought(desk)
    desk.set("/halt", symbol="BTC", state="CANCEL_ONLY")
    desk.set("/expire", symbol="BTC")
    await until(lambda: desk.statuses(stop)[-1] is OrderStatus.EXPIRED)
    await desk.at_rest(10.0)
    assert "BTC has no stop at the venue for 5 s; it is guarded here" in desk.alerts
    desk.set("/halt", symbol="BTC", state="TRADING")
    await desk.at_rest(40.0)
    [resting] = desk.venue.call("GET", "openOrders").json()
    assert resting["type"] == "STOP_LOSS"
    assert Decimal(resting["origQty"]) == (await desk.held())[BTC]


# ---------------------------------------------------------------------------------------- twice, early, or by halves


@pytest.mark.parametrize("kind", ["duplicate_event", "reorder_events"])
async def test_a35_a_fill_that_is_told_often_and_by_several_is_booked_once(desk: WireDesk, kind: str) -> None:
    desk.venue.fault("executionReport", kind)
    stop = await bought(desk)
    await desk.at_rest(40.0)
    desk.move("97")
    await desk.at_rest(40.0)
    await until(lambda: desk.statuses(stop)[-1] is OrderStatus.FILLED)
    assert len(desk.record.reader.fills(limit=10)) == len(desk.fills()) == 2
    assert await desk.held() == {}


async def test_a36_a_fill_that_is_told_before_the_order_was_answered_is_kept(desk: WireDesk) -> None:
    desk.venue.fault("executionReport", "reorder_events", args={"count": 2})
    desk.venue.fault(ORDER, "execute_and_timeout", nth=1, args={"seconds": 0.5})
    await desk.buy()
    [entry, _] = desk.sent if len(desk.sent) == 2 else [*desk.sent, ""]
    await until(lambda: desk.statuses(entry)[-1] is OrderStatus.FILLED)
    ranks = [["PLANNED", "SENT", "UNKNOWN", "ACCEPTED", "FILLED"].index(status) for status in desk.statuses(entry)]
    assert ranks == sorted(ranks), "no state is gone back to"
    assert set(await desk.held()) == {BTC}


async def test_a37_of_orders_that_belong_together_all_rest_or_none(pair_desk: WireDesk) -> None:
    desk = pair_desk
    desk.venue.fault(ORDER, "reject", nth=2)  # the first is the entry, the pair goes elsewhere
    await desk.buy()
    _, *protective = desk.sent
    assert len(protective) == 3
    assert desk.venue.call("GET", "openOrders").json() == []
    there = {event["client_order_id"]: event["status"] for event in desk.venue.truth()}
    for order in protective:
        assert desk.statuses(order)[-1] == there.get(order, OrderStatus.REJECTED), "both books tell the same end"
    assert "CANCELLED" in there.values()
    await desk.at_rest(5.0)
    resting = desk.venue.call("GET", "openOrders").json()
    assert sorted(order["type"] for order in resting) == ["LIMIT_MAKER", "STOP_LOSS", "STOP_LOSS"]
