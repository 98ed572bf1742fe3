"""The orders service after a crash of its own."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest
from tests.builders import BTC, ETH, MINUTE
from tests.fakes import Desk
from tests.unit.services.order_messages import ENTRY, buy, closes, prices, raised, sell

from vela.adapters.storage.sql.record import RECORD_FILE, Record
from vela.domain.errors import BusError
from vela.domain.events import (
    Envelope,
    MarketEnded,
    OrderChanged,
    OrderFilled,
    PositionClosed,
    PricesMoved,
    SignalHandled,
    Tick,
    Topic,
    WalletChanged,
)
from vela.domain.order import OrderPurpose, OrderStatus
from vela.domain.position import ExitReason
from vela.engine.rules import TradingRules
from vela.ports.record import Changes

# ------------------------------------------------------------------------------------------------------- after a crash


async def test_a_fill_that_happened_while_it_was_down_is_adopted_and_protected(record: Record) -> None:
    first = await Desk(record, "die late").start()
    await first.die(prices(MINUTE, BTC=100.0), raised(1))
    assert await first.held() == {}
    second = await Desk(record, now=MINUTE).start()
    await second.bus.settled()
    assert second.statuses(ENTRY) == [OrderStatus.FILLED]
    assert await second.held() == {BTC: Decimal("0.49975")}
    assert await second.resting() == [f"BTCUSDT-{MINUTE}-S1"]
    assert second.execution.sent == [f"BTCUSDT-{MINUTE}-S1"]


@pytest.mark.parametrize(("part", "left"), [(500_000, ["R1"]), (1_000_000, [])])
async def test_a_target_reached_while_nobody_listened_is_heard_of_with_the_stop_that_it_cancelled(
    record: Record, part: int, left: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = TradingRules(take_profit_ppm=10_000, take_profit_part_ppm=part)
    first = await Desk(record, rules=rules).start()
    await first.say(prices(MINUTE, BTC=100.0), raised(1))

    async def failing(changes: Changes) -> None:
        raise RuntimeError("killed while writing the fill")

    with monkeypatch.context() as dying:
        dying.setattr(record.trading, "commit", failing)
        await first.die(PricesMoved(time=MINUTE + 1, ticks=(Tick(BTC, 102.0, 100.0, 102.0),)))
    second = await Desk(record, rules=rules, now=MINUTE + 1).start()
    # Asked for one after the other, the stop would be missed before the target is known, and placed again.
    assert second.execution.sent == []
    assert await second.resting() == [f"BTCUSDT-{MINUTE}-{mark}" for mark in left]


@pytest.mark.parametrize("moment", ["die early", "die late"])
async def test_a_stop_is_there_after_a_crash_while_it_was_placed(record: Record, moment: str) -> None:
    first = await Desk(record, "ok", moment).start()
    await first.die(prices(MINUTE, BTC=100.0), raised(1))
    second = await Desk(record, now=MINUTE).start()
    assert await second.resting() == [f"BTCUSDT-{MINUTE}-S1"]
    assert second.execution.sent == [f"BTCUSDT-{MINUTE}-S1"] * (moment == "die early")
    [order] = (await record.trading.load()).orders
    assert (order.purpose, order.status) == (OrderPurpose.STOP, OrderStatus.ACCEPTED)


@pytest.mark.parametrize("moment", ["die early", "die late"])
async def test_all_protective_orders_are_there_after_a_crash_while_they_were_placed(
    record: Record, moment: str
) -> None:
    rules = TradingRules(take_profit_ppm=10_000, take_profit_part_ppm=500_000)
    first = await Desk(record, "ok", moment, rules=rules).start()
    await first.die(prices(MINUTE, BTC=100.0), raised(1))
    second = await Desk(record, rules=rules, now=MINUTE).start()
    placed = [f"BTCUSDT-{MINUTE}-{mark}" for mark in ("S1", "R1", "T1")]
    assert await second.resting() == placed
    assert second.execution.sent == placed * (moment == "die early")


async def test_a_position_without_any_stop_gets_one_at_the_start(record: Record) -> None:
    first = await Desk(record, "ok", "refuse").start()
    await first.say(prices(MINUTE, BTC=100.0), raised(1))
    assert await first.resting() == []
    second = await Desk(record, now=MINUTE).start()
    assert await second.resting() == [f"BTCUSDT-{MINUTE}-S2"]


async def test_an_entry_that_never_arrived_is_sent_when_its_signal_comes_again(record: Record) -> None:
    first = await Desk(record, "die early").start()
    await first.die(prices(MINUTE, BTC=100.0), raised(1))
    second = await Desk(record, now=0).start()
    await second.bus.settled()
    assert second.execution.sent == []
    await second.say(prices(MINUTE, BTC=100.0), raised(1))
    assert second.execution.sent == [ENTRY, f"BTCUSDT-{MINUTE}-S1"]
    assert await second.held() == {BTC: Decimal("0.49975")}
    await second.say(raised(1))
    assert len(second.execution.sent) == 2


async def test_an_entry_that_never_arrived_expires_when_time_has_gone_on(record: Record) -> None:
    first = await Desk(record, "die early").start()
    await first.die(prices(MINUTE, BTC=100.0), raised(1))
    second = await Desk(record, now=0).start()
    await second.say(prices(5 * MINUTE, ETH=100.0, BTC=100.0), raised(5, buy(5, ETH)))
    assert second.statuses(ENTRY) == [OrderStatus.EXPIRED]
    assert set(await second.held()) == {ETH}
    assert ENTRY not in second.execution.sent


async def test_an_exit_that_never_arrived_is_sent_when_its_signal_comes_again(record: Record) -> None:
    first = await Desk(record, "ok", "ok", "die early").start()
    await first.die(prices(MINUTE, BTC=100.0), raised(1), raised(2, sell(2)))
    second = await Desk(record, now=MINUTE).start()
    assert second.execution.sent == []  # the market is taken up before the signal
    await second.say(prices(2 * MINUTE, BTC=100.0), raised(2, sell(2)))
    assert await second.held() == {}
    [closed] = second.heard.of(PositionClosed)
    assert (closed.trade.exit_reason, closed.trade.exit_time) == (ExitReason.SIGNAL, 2 * MINUTE)
    assert second.execution.sent == [f"BTCUSDT-{MINUTE}-X2"]


async def test_a_signal_that_was_dealt_with_is_not_acted_on_again(record: Record) -> None:
    rules = TradingRules(cooldown_ms=0, max_positions=1)
    first = await Desk(record, rules=rules).start()
    signals = raised(1, buy(1), buy(1, ETH))
    await first.say(prices(MINUTE, BTC=100.0, ETH=100.0), signals, raised(2, sell(2)))
    assert first.outcomes[ETH] == "max_positions"
    second = await Desk(record, now=0, rules=rules).start()
    await second.say(prices(MINUTE, BTC=100.0, ETH=100.0), signals, raised(2, sell(2)))
    assert second.execution.sent == []
    assert second.heard.of(SignalHandled) == []
    assert await second.held() == {}
    await second.say(raised(3))
    assert await second.held() == {BTC: Decimal("0.49975")}


async def test_the_capital_is_paid_in_once(record: Record, tmp_path: Path) -> None:
    for _ in range(2):
        desk = await Desk(record).start()
        await desk.bus.settled()
        assert desk.heard.of(WalletChanged)[-1].wallet.cash == 1000
    with closing(sqlite3.connect(tmp_path / RECORD_FILE)) as connection:
        [[count]] = connection.execute("SELECT count(*) FROM ledger_entries WHERE transaction_id = 'opening'")
        [[header]] = connection.execute("SELECT events FROM paper_events WHERE number = 1")
    assert count == 2
    assert json.loads(header)["balances"] == {"USDT": "1000"}


# ------------------------------------------------------------------------------------------ where others start anew


async def test_what_was_committed_and_not_told_is_told_at_the_next_start(record: Record, monkeypatch) -> None:
    desk = await Desk(record).start()
    publish = desk.bus.publish

    async def failing(message) -> None:
        if isinstance(message, OrderChanged):
            raise BusError("gone")
        await publish(message)

    monkeypatch.setattr(desk.bus, "publish", failing)
    await desk.bus.publish(prices(MINUTE, BTC=100.0))
    await desk.bus.publish(raised(1))
    assert desk.working is not None
    with pytest.raises(BusError, match="gone"):
        await asyncio.wait_for(desk.working, 5)
    assert desk.statuses(ENTRY) == []
    again = await Desk(record).start()
    await again.bus.settled()
    assert again.statuses(ENTRY) == [OrderStatus.PLANNED, OrderStatus.SENT, OrderStatus.FILLED]
    assert await record.trading.outbox.pending(limit=5) == []


async def test_who_starts_anew_knows_the_prices_that_the_one_before_was_told(record: Record, monkeypatch) -> None:
    desk = await Desk(record).start()
    handled = {
        Topic.TICKERS: [Envelope("a", MINUTE, prices(MINUTE, BTC=100.0, ETH=50.0))],
        Topic.CANDLES: [Envelope("b", MINUTE, closes(1))],
    }
    assert desk.working is not None
    desk.working.cancel()
    again = Desk(record)

    async def told(consumer, topic, *, most):
        assert (consumer, most > 0) == ("orders", True)
        return handled[topic]

    monkeypatch.setattr(again.bus, "handled", told)
    await again.start()
    # Its message was acknowledged before: the signal comes without new prices, and is executed at those that stood.
    await again.say(raised(1))
    assert again.statuses(ENTRY) == [OrderStatus.PLANNED, OrderStatus.SENT, OrderStatus.FILLED]
    [entry] = again.heard.of(OrderFilled)[:1]
    assert entry.fill.time == MINUTE


async def test_who_starts_anew_knows_that_the_market_has_ended(record: Record, monkeypatch) -> None:
    desk = Desk(record)
    handled = {
        Topic.TICKERS: [Envelope("a", MINUTE, prices(MINUTE, BTC=100.0))],
        Topic.CANDLES: [Envelope("b", MINUTE, MarketEnded(time=MINUTE)), Envelope("c", MINUTE, closes(1))],
    }

    async def told(_consumer, topic, *, most):
        return handled[topic]

    monkeypatch.setattr(desk.bus, "handled", told)
    await desk.start()
    await desk.say(raised(1))
    assert desk.outcomes == {BTC: "market_ended"}
