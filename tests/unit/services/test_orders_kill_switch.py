"""The orders service heeds the kill switch and the limits, and fails closed where it cannot read the switch."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest
from tests.builders import BTC, ETH, MINUTE, signal
from tests.fakes import Desk

from vela.adapters.storage.sql.record import RECORD_FILE, Record
from vela.domain.candles import Candle
from vela.domain.events import (
    Alert,
    CandlesClosed,
    Message,
    PositionClosed,
    PricesMoved,
    SignalsRaised,
    SymbolCandle,
    Tick,
)
from vela.domain.order import OrderStatus
from vela.domain.position import ExitReason
from vela.domain.signal import Action
from vela.domain.timeframe import Timeframe
from vela.domain.trading_symbol import TradingSymbol
from vela.engine.limits import Limits
from vela.engine.rules import TradingRules
from vela.ports.execution import FollowUp
from vela.ports.kill_switch import NEVER_SET, SwitchState

ENTRY = "BTCUSDT-0-E"


class Lever:
    """A kill switch in memory, which can be broken."""

    def __init__(self, **state) -> None:
        self.now = SwitchState(1, **state) if state else NEVER_SET
        self.fault: BaseException | None = None
        self.hangs = False
        self.looks = 0

    def set(self, **state) -> None:
        self.now = SwitchState(self.now.number + 1, **state)

    async def state(self) -> SwitchState:
        self.looks += 1
        if self.hangs:
            await asyncio.Event().wait()
        if self.fault is not None:
            raise self.fault
        return self.now

    async def turn(self, **_: object) -> SwitchState:
        raise AssertionError("the service only looks")


def prices(time: int, **by_base: float) -> PricesMoved:
    ticks = tuple(Tick(TradingSymbol(base), price, price, price, jump=True) for base, price in by_base.items())
    return PricesMoved(time=time, ticks=ticks)


def buys(minute: int, *symbols: TradingSymbol) -> SignalsRaised:
    wanted = symbols or (BTC,)
    signals = tuple(signal(Action.BUY, symbol, (minute - 1) * MINUTE) for symbol in wanted)
    return SignalsRaised(time=minute * MINUTE, signals=signals)


def sells(minute: int) -> SignalsRaised:
    return SignalsRaised(time=minute * MINUTE, signals=(signal(Action.SELL, BTC, (minute - 1) * MINUTE),))


def closes(minute: int, price: float) -> CandlesClosed:
    row = SymbolCandle(BTC, Candle((minute - 1) * MINUTE, price, price, price, price, 1.0))
    return CandlesClosed(time=minute * MINUTE, timeframe=Timeframe.M1, candles=(row,))


QUOTES = prices(MINUTE, BTC=100.0, ETH=100.0)


@pytest.fixture
def lever() -> Lever:
    return Lever()


def alerts(desk: Desk) -> list[str]:
    return [alert.text for alert in desk.heard.of(Alert)]


async def end(desk: Desk) -> None:
    assert desk.working is not None
    desk.working.cancel()
    await asyncio.gather(desk.working, return_exceptions=True)


# -------------------------------------------------------------------------------------------------------------- heeding


async def test_every_entry_is_preceded_by_a_look(record: Record, lever: Lever) -> None:
    desk = Desk(record, kill_switch=lever)
    await desk.service.start()
    looks = []
    desk.execution.before_send = lambda _: looks.append(lever.looks)
    working = asyncio.create_task(desk.bus.consume("orders", desk.service._handle))  # without the watch
    await desk.say(QUOTES, buys(1, BTC, ETH), sells(2))
    working.cancel()
    assert looks == [2, 2, 3, 3, 3], "entry and stop, entry and stop, exit, after the look of the start"


async def test_while_it_is_on_entries_are_refused_and_positions_keep_their_stops(record: Record, lever: Lever) -> None:
    desk = await Desk(record, kill_switch=lever).start()
    await desk.say(QUOTES, buys(1))
    lever.set(is_on=True, reason="away")
    await desk.say(buys(1, ETH))
    assert desk.outcomes == {BTC: None, ETH: "kill_switch"}
    assert await desk.resting() == [f"BTCUSDT-{MINUTE}-S1"]
    assert record.reader.summary().refused == {"kill_switch": 1}
    assert alerts(desk) == ["kill switch on: away; no entries"]
    assert desk.service.detail == "kill switch on: away"
    lever.set()
    await desk.say(prices(2 * MINUTE, ETH=100.0), buys(2, ETH))
    assert set(await desk.held()) == {BTC, ETH}
    assert alerts(desk)[-1] == "kill switch off: entries may pass"
    assert desk.service.detail == ""
    await end(desk)


async def test_it_is_heeded_without_any_message(record: Record, lever: Lever) -> None:
    desk = await Desk(record, kill_switch=lever).start()
    await desk.say(QUOTES, buys(1, BTC, ETH))
    lever.set(is_on=True, flatten=True)
    await desk.look_after(0.5)
    assert {closed.trade.exit_reason for closed in desk.heard.of(PositionClosed)} == {ExitReason.KILL_SWITCH}
    assert (await desk.held(), await desk.resting()) == ({}, [])
    await end(desk)


async def test_an_exit_that_the_venue_refused_is_tried_again(record: Record, lever: Lever) -> None:
    desk = await Desk(record, "ok", "ok", "refuse", kill_switch=lever).start()
    await desk.say(QUOTES, buys(1))
    lever.set(is_on=True, flatten=True)
    await desk.look_after(0.5)
    await desk.look_after(0.5)
    assert set(await desk.held()) == {BTC}, "a second has to pass"
    await desk.look_after(0.5)
    assert await desk.held() == {}
    exits = [order_id for order_id in desk.execution.sent if "-X" in order_id]
    assert [desk.statuses(order_id)[-1] for order_id in exits] == [OrderStatus.REJECTED, OrderStatus.FILLED]
    await end(desk)


async def test_an_entry_without_an_answer_is_taken_back(record: Record, lever: Lever) -> None:
    desk = await Desk(record, "hush", kill_switch=lever).start()
    await desk.say(prices(0, BTC=100.0), prices(MINUTE, ETH=100.0), buys(1))  # no fresh quote: the order waits
    assert desk.statuses(ENTRY)[-1] is OrderStatus.UNKNOWN
    lever.set(is_on=True)
    await desk.look_after(0.5)
    assert desk.statuses(ENTRY)[-1] is OrderStatus.CANCELLED
    await desk.say(prices(2 * MINUTE, BTC=100.0))
    assert await desk.held() == {}
    await end(desk)


async def test_an_entry_that_was_filled_before_it_could_be_taken_back_is_held_and_protected(
    record: Record, lever: Lever
) -> None:
    desk = await Desk(record, "hush", kill_switch=lever).start()
    await desk.say(QUOTES, buys(1))
    lever.set(is_on=True)
    await desk.look_after(0.5)
    assert desk.statuses(ENTRY)[-1] is OrderStatus.FILLED
    assert await desk.held() == {BTC: Decimal("0.49975")}
    assert await desk.resting() == [f"BTCUSDT-{MINUTE}-S1"]
    await end(desk)


async def test_a_switch_that_is_on_at_the_start_holds_from_the_start(record: Record) -> None:
    first = await Desk(record).start()
    await first.say(QUOTES, buys(1))
    await end(first)
    second = await Desk(record, kill_switch=Lever(is_on=True, flatten=True), now=MINUTE).start()
    await second.say(prices(2 * MINUTE, BTC=100.0, ETH=100.0), buys(2, ETH))
    assert await second.held() == {}
    assert second.outcomes == {ETH: "kill_switch"}
    await end(second)


async def test_at_a_venue_of_which_something_can_be_missed_it_is_heeded_at_once(record: Record, lever: Lever) -> None:
    patience = FollowUp(absent_tries=3, absent_seconds=60.0, reconcile_seconds=30.0)
    desk = await Desk(record, "ok", "ok", "lose", kill_switch=lever, follow_up=patience, now=MINUTE).start()
    await desk.say(QUOTES, buys(1, BTC, ETH))
    lever.set(is_on=True, flatten=True)
    await desk.look_after(0.5)
    assert (await desk.held(), await desk.resting()) == ({}, [])
    assert desk.statuses("ETHUSDT-0-E")[-1] is OrderStatus.UNKNOWN, "the venue may still get it"
    for _ in range(5):
        await desk.look_after(30.0)
    assert desk.statuses("ETHUSDT-0-E")[-1] is OrderStatus.EXPIRED
    assert desk.execution.sent.count("ETHUSDT-0-E") == 1
    await end(desk)


async def test_the_switch_of_the_record_is_heeded(record: Record, tmp_path: Path) -> None:
    desk = await Desk(record).start()
    with closing(sqlite3.connect(tmp_path / RECORD_FILE)) as connection, connection:
        connection.execute("INSERT INTO kill_switch VALUES (1, 0, 1, 0, 'by hand', 'test', 0)")
    await desk.say(QUOTES, buys(1))
    assert desk.outcomes == {BTC: "kill_switch"}
    await end(desk)


# ------------------------------------------------------------------------------------------------------- failing closed


@pytest.mark.parametrize(
    "fault", [RuntimeError("boom"), OSError(5, "Input/output error"), ValueError(), TimeoutError()]
)
async def test_a_switch_that_cannot_be_read_lets_no_entry_pass(record: Record, lever: Lever, fault: Exception) -> None:
    desk = await Desk(record, kill_switch=lever).start()
    await desk.say(QUOTES, buys(1))
    lever.fault = fault
    await desk.say(buys(1, ETH), sells(2))
    assert desk.outcomes == {BTC: None, ETH: "kill_switch"}
    assert await desk.held() == {}, "an exit passes"
    [text] = alerts(desk)
    assert text == f"kill switch on: it cannot be read: {str(fault) or type(fault).__name__}; no entries"
    assert [alert.level for alert in desk.heard.of(Alert)] == ["critical"]
    assert "cannot be read" in desk.service.detail
    lever.fault = None
    await desk.say(prices(3 * MINUTE, BTC=100.0), buys(3))
    assert set(await desk.held()) == {BTC}
    await end(desk)


async def test_a_switch_that_does_not_answer_lets_no_entry_pass(
    record: Record, lever: Lever, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vela.services.orders._LONGEST_LOOK_SECONDS", 0.01)
    desk = await Desk(record, kill_switch=lever).start()
    lever.hangs = True
    await desk.say(QUOTES, buys(1))
    assert desk.outcomes == {BTC: "kill_switch"}
    assert "it cannot be read: TimeoutError" in alerts(desk)[0]
    await end(desk)


async def test_a_switch_that_is_gone_from_the_record_lets_no_entry_pass(record: Record, tmp_path: Path) -> None:
    desk = await Desk(record).start()
    with closing(sqlite3.connect(tmp_path / RECORD_FILE)) as connection:
        connection.execute("DROP TABLE kill_switch")
    await desk.say(QUOTES, buys(1))
    assert desk.outcomes == {BTC: "kill_switch"}
    assert "it cannot be read: the record cannot be used: no such table: kill_switch" in alerts(desk)[0]
    await end(desk)


async def test_a_switch_that_cannot_be_read_goes_on_closing_what_it_was_told_to_close(
    record: Record, lever: Lever
) -> None:
    desk = await Desk(record, "ok", "ok", *["refuse"] * 3, kill_switch=lever).start()
    await desk.say(QUOTES, buys(1))
    lever.set(is_on=True, flatten=True)
    await desk.look_after(0.5)
    lever.fault = RuntimeError("boom")
    for _ in range(3):
        assert set(await desk.held()) == {BTC}
        await desk.look_after(4.0)
    assert await desk.held() == {}
    await end(desk)


# --------------------------------------------------------------------------------------------------------------- limits


async def test_limits_hold_across_a_crash(record: Record) -> None:
    rules, limits = TradingRules(cooldown_ms=0, max_positions=3), Limits(max_daily_loss_ppm=100, max_order=Decimal(50))
    first = await Desk(record, rules=rules, limits=limits).start()
    lost: list[Message] = [QUOTES, buys(1), closes(1, 100.0), closes(2, 99.0)]
    await first.say(*lost)
    assert "more than 0.01 % in a day" in alerts(first)[-1]
    assert first.service._restraints.summary == "no entries: daily_loss"
    await end(first)
    second = await Desk(record, rules=rules, limits=limits, now=2 * MINUTE).start()
    assert alerts(second) == []
    await second.say(prices(2 * MINUTE, BTC=99.0, ETH=100.0), closes(2, 99.0), buys(2, ETH))
    assert second.outcomes == {ETH: "daily_loss"}
    await second.look_after(0.5)
    assert second.service.detail == "no entries: daily_loss"
    await end(second)


async def test_what_losses_are_measured_from_is_on_disk_before_the_order_is_sent(
    record: Record, tmp_path: Path
) -> None:
    desk = await Desk(record, limits=Limits(max_drawdown_ppm=100_000)).start()
    found = []

    def look(_: object) -> None:
        with closing(sqlite3.connect(tmp_path / RECORD_FILE)) as connection:
            found.append(connection.execute("SELECT day_equity, highest, drawn_down FROM limit_marks").fetchone())

    desk.execution.before_send = look
    await desk.say(QUOTES, buys(1))
    assert found[0] == ("1000", "1000", 0)
    await end(desk)
