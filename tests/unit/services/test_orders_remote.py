"""The orders service on a venue that tells things late, twice or not at all."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest
from msgspec.structs import replace
from tests.builders import BTC, MINUTE, signal
from tests.fakes import Desk, until

from vela.adapters.storage.sql.record import Record
from vela.domain.errors import CredentialsRefused, OrderRefused, RateLimited, VenueUnavailable
from vela.domain.events import Alert, PricesMoved, SignalsRaised, Tick
from vela.domain.order import OrderRequest, OrderStatus, OrderType, Side
from vela.domain.signal import Action
from vela.ports.execution import EventsMissed, FollowUp, OrderReport

ENTRY = "BTCUSDT-0-E"
STOP = f"BTCUSDT-{MINUTE}-S1"


def prices(time: int, price: float = 100.0) -> PricesMoved:
    return PricesMoved(time=time, ticks=(Tick(BTC, price, price, price, jump=True),))


def raised(minute: int, action: Action = Action.BUY) -> SignalsRaised:
    return SignalsRaised(time=minute * MINUTE, signals=(signal(action, BTC, (minute - 1) * MINUTE),))


async def remote(record: Record, *script: str) -> Desk:
    patience = FollowUp(absent_tries=3, absent_seconds=60.0, reconcile_seconds=30.0)
    return await Desk(record, *script, now=MINUTE, follow_up=patience).start()


async def reports(desk: Desk, *events: OrderReport | EventsMissed) -> None:
    for event in events:
        desk.execution.told.put_nowait(event)
    await until(desk.execution.told.empty)
    await desk.look_after(0.0)


# ---------------------------------------------------------------------------------------------------------- events come


async def test_what_the_venue_tells_of_itself_is_booked_once_however_often_it_tells(record: Record) -> None:
    desk = await remote(record)
    await desk.say(prices(MINUTE), raised(1))
    await desk.execution.venue.on_prices(PricesMoved(time=MINUTE + 1, ticks=(Tick(BTC, 97.0, 97.0, 100.0),)))
    stopped = await desk.execution.venue.order(STOP)
    await reports(desk, stopped, stopped)
    assert await desk.held() == {}
    assert desk.statuses(STOP)[-1] is OrderStatus.FILLED


async def test_a_report_without_its_fills_leads_to_a_question(record: Record) -> None:
    desk = await remote(record)
    await desk.say(prices(MINUTE), raised(1))
    await desk.execution.venue.on_prices(PricesMoved(time=MINUTE + 1, ticks=(Tick(BTC, 97.0, 97.0, 100.0),)))
    whole = await desk.execution.venue.order(STOP)
    await reports(desk, replace(whole, fills=(), filled_quantity=whole.fills[0].quantity))
    await desk.look_after(1.0)
    assert await desk.held() == {}


async def test_after_an_interruption_everything_is_compared(record: Record) -> None:
    desk = await remote(record)
    await desk.say(prices(MINUTE), raised(1))
    await desk.execution.venue.on_prices(PricesMoved(time=MINUTE + 1, ticks=(Tick(BTC, 97.0, 97.0, 100.0),)))
    assert set(await desk.held()) == {BTC}
    await reports(desk, EventsMissed())
    assert await desk.held() == {}


async def test_an_exit_that_waited_for_the_book_leaves_no_later_position_unguarded(
    record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = await remote(record, "ok", "ok", "refuse")
    await desk.say(prices(MINUTE), raised(1))

    async def no_book(_: OrderRequest) -> None:
        return None

    with monkeypatch.context() as halted:
        halted.setattr(desk.execution, "average_price", no_book)
        await desk.say(prices(2 * MINUTE), raised(2, Action.SELL))
        await desk.look_after(10.0)
    assert [alert.text for alert in desk.heard.of(Alert) if "book" in alert.text] == [
        "BTC is not sold before its book is back: it does not take 0.49975"
    ]
    await desk.execution.venue.on_prices(PricesMoved(time=2 * MINUTE + 1, ticks=(Tick(BTC, 90.0, 90.0, 90.0),)))
    await reports(desk, await desk.execution.venue.order(STOP))
    assert await desk.held() == {}
    desk.execution.script = ["hush", "refuse"]
    await desk.say(prices(3 * MINUTE, 90.0), raised(3))
    await desk.look_after(1.0)
    assert set(await desk.held()) == {BTC}
    await desk.say(PricesMoved(time=3 * MINUTE + 1, ticks=(Tick(BTC, 80.0, 80.0, 90.0),)))
    assert await desk.held() == {}


# -------------------------------------------------------------------------------------------- nobody knows, for a while


async def test_not_found_is_final_only_after_so_many_times_and_so_long(record: Record) -> None:
    desk = await remote(record, "lose")
    await desk.say(prices(MINUTE), raised(1))
    for _ in range(9):  # it is asked for at 7 s, ..., 63 s
        await desk.look_after(7.0)
        assert desk.statuses(ENTRY)[-1] is OrderStatus.UNKNOWN
    await desk.look_after(4.0)
    assert desk.statuses(ENTRY)[-1] is OrderStatus.UNKNOWN
    await desk.look_after(7.0)
    assert desk.statuses(ENTRY)[-1] is OrderStatus.EXPIRED
    assert desk.execution.sent == [ENTRY]


async def test_an_order_that_shows_up_after_a_while_is_taken_over(record: Record) -> None:
    desk = await remote(record, "hush")
    desk.execution.is_mute = True
    await desk.say(prices(MINUTE), raised(1))
    await desk.look_after(5.0)
    desk.execution.is_mute = False
    await desk.look_after(5.0)
    assert await desk.held() == {BTC: Decimal("0.49975")}
    assert desk.execution.sent == [ENTRY, STOP]


async def test_an_exit_that_never_arrived_is_sent_under_a_new_id(record: Record) -> None:
    desk = await remote(record, "ok", "ok", "lose")
    await desk.say(prices(MINUTE), raised(1))
    desk.clock.advance(60.0)
    await desk.say(prices(2 * MINUTE), raised(2, Action.SELL))
    for _ in range(8):
        await desk.look_after(10.0)
    assert await desk.held() == {}
    assert [order_id[-2:] for order_id in desk.execution.sent] == ["-E", "S1", "X2", "X3"]


async def test_an_order_that_was_given_up_and_comes_up_late_is_taken_back(record: Record) -> None:
    desk = await remote(record, "lose")
    await desk.say(prices(MINUTE), raised(1))
    for _ in range(8):
        await desk.look_after(10.0)
    late = OrderRequest(ENTRY, BTC, Side.BUY, OrderType.LIMIT, Decimal(1), price=Decimal(50))
    await desk.execution.venue.submit(late)
    await desk.look_after(31.0)
    assert (await desk.execution.venue.order(ENTRY)).status is OrderStatus.CANCELLED


# ----------------------------------------------------------------------------------------------------- refused, for now


@pytest.mark.parametrize("refusal", [RateLimited("too much", 2.0), OrderRefused("not now")])
async def test_a_stop_that_was_refused_is_tried_again(record: Record, refusal: OrderRefused) -> None:
    desk = await remote(record, "ok", "refuse")
    desk.execution.refusal = refusal
    await desk.say(prices(MINUTE), raised(1))
    assert await desk.resting() == []
    await desk.look_after(3.0)
    assert await desk.resting() == [f"BTCUSDT-{MINUTE}-S2"]


async def test_a_position_that_stays_without_a_stop_is_an_alarm(record: Record) -> None:
    desk = await remote(record, *["ok", *["refuse"] * 20])
    await desk.say(prices(MINUTE), raised(1))
    for _ in range(8):
        await desk.look_after(1.0)
    alarms = [alert.text for alert in desk.heard.of(Alert) if alert.level == "critical"]
    assert alarms == ["BTC has no stop at the venue for 5 s; it is guarded here"]


async def test_with_a_key_that_is_refused_nothing_more_is_entered_until_it_passes(record: Record) -> None:
    desk = await remote(record, "refuse")
    desk.execution.refusal = CredentialsRefused("wrong key")
    await desk.say(prices(MINUTE), raised(1), prices(2 * MINUTE), raised(2))
    assert desk.execution.sent == [ENTRY]
    assert desk.outcomes == {BTC: "venue"}


# -------------------------------------------------------------------------------------------- what nobody should act on


async def test_signals_that_waited_too_long_and_old_prices_enter_nothing(record: Record) -> None:
    desk = await remote(record)
    await desk.say(prices(MINUTE))
    desk.clock.advance(61.0)
    await desk.say(raised(1))
    assert desk.outcomes == {BTC: "no_price"}
    await desk.say(prices(desk.clock.now()))
    async with desk.service._turns.turn():
        await desk.bus.publish(raised(3))
        await asyncio.sleep(0)
        desk.clock.advance(16.0)
    await desk.say(prices(desk.clock.now()))
    assert desk.outcomes == {BTC: "late"}
    assert desk.execution.sent == []


async def test_exits_pass_however_old_their_signals_and_prices_are(record: Record) -> None:
    desk = await remote(record)
    await desk.say(prices(MINUTE), raised(1))
    async with desk.service._turns.turn():
        await desk.bus.publish(raised(2, Action.SELL))
        await asyncio.sleep(0)
        desk.clock.advance(61.0)
    await desk.bus.settled()
    assert await desk.held() == {}


async def test_an_order_of_another_instance_keeps_it_from_starting(record: Record) -> None:
    desk = Desk(record, now=MINUTE, follow_up=FollowUp(reconcile_seconds=30.0))
    other = OrderRequest("BTCUSDT-1700000000000-E", BTC, Side.BUY, OrderType.LIMIT, Decimal(1), price=Decimal(50))
    await desk.execution.venue.on_prices(prices(0))
    await desk.execution.venue.submit(other)
    with pytest.raises(VenueUnavailable, match="another instance trades on this account"):
        await desk.start()


async def test_a_key_that_passes_again_at_the_next_comparison_lets_entries_pass(record: Record) -> None:
    desk = await remote(record, "refuse")
    desk.execution.refusal = CredentialsRefused("wrong key")
    await desk.say(prices(MINUTE), raised(1))
    await desk.look_after(31.0)
    await desk.say(prices(desk.clock.now()), raised(3))
    assert set(await desk.held()) == {BTC}


async def test_a_key_that_does_not_pass_at_a_comparison_keeps_entries_back(
    record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = await remote(record)

    async def refuse() -> tuple[OrderReport, ...]:
        raise CredentialsRefused("wrong key")

    monkeypatch.setattr(desk.execution, "open_orders", refuse)
    await desk.look_after(31.0)
    await desk.say(prices(desk.clock.now()), raised(2))
    assert desk.outcomes == {BTC: "venue"}
