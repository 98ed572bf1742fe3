from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest
from tests.builders import BTC, ETH, MINUTE, SOL, signal
from tests.fakes import Desk

from vela.adapters.storage.sql.record import RECORD_FILE, Record, open_record
from vela.domain.candles import Candle
from vela.domain.errors import BusError
from vela.domain.events import (
    Alert,
    CandlesClosed,
    Envelope,
    MarketEnded,
    OrderChanged,
    OrderFilled,
    PositionClosed,
    PricesMoved,
    SignalHandled,
    SignalsRaised,
    SymbolCandle,
    Tick,
    Topic,
    WalletChanged,
)
from vela.domain.order import OrderPurpose, OrderRequest, OrderStatus
from vela.domain.position import ExitReason
from vela.domain.signal import Action, Signal, SignalOutcome
from vela.domain.timeframe import Timeframe
from vela.domain.trading_symbol import TradingSymbol
from vela.engine.rules import TradingRules
from vela.ports.record import Changes

ENTRY = "BTCUSDT-0-E"


def prices(time: int, **by_base: float) -> PricesMoved:
    ticks = tuple(Tick(TradingSymbol(base), price, price, price, jump=True) for base, price in by_base.items())
    return PricesMoved(time=time, ticks=ticks)


def falls(time: int, start: float, end: float) -> PricesMoved:
    return PricesMoved(time=time, ticks=(Tick(BTC, end, end, start),))


def raised(minute: int, *signals: Signal) -> SignalsRaised:
    return SignalsRaised(time=minute * MINUTE, signals=signals or (buy(minute),))


def buy(minute: int, symbol: TradingSymbol = BTC, confidence: float = 1.0) -> Signal:
    return signal(Action.BUY, symbol, (minute - 1) * MINUTE, confidence=confidence)


def sell(minute: int, symbol: TradingSymbol = BTC) -> Signal:
    return signal(Action.SELL, symbol, (minute - 1) * MINUTE)


def closes(minute: int, price: float = 100.0, high: float | None = None) -> CandlesClosed:
    top = price if high is None else high
    row = SymbolCandle(BTC, Candle((minute - 1) * MINUTE, price, top, price, price, 1.0))
    return CandlesClosed(time=minute * MINUTE, timeframe=Timeframe.M1, candles=(row,))


@pytest.fixture
async def record(tmp_path: Path) -> AsyncIterator[Record]:
    with open_record(tmp_path) as opened:
        yield opened


# ------------------------------------------------------------------------------------------------------------- the way


async def test_an_entry_is_filled_booked_and_protected_before_the_next_message(record: Record) -> None:
    desk = await Desk(record).start()
    await desk.say(prices(MINUTE, BTC=100.0), raised(1))
    assert desk.statuses(ENTRY) == [OrderStatus.PLANNED, OrderStatus.SENT, OrderStatus.FILLED]
    assert desk.outcomes == {BTC: None}
    assert await desk.held() == {BTC: Decimal("0.49975")}
    assert await desk.resting() == [f"BTCUSDT-{MINUTE}-S1"]


async def test_exits_go_first_then_entries_by_confidence_then_by_symbol(record: Record) -> None:
    desk = await Desk(record, rules=TradingRules(cooldown_ms=0, max_positions=3)).start()
    await desk.say(prices(MINUTE, BTC=100.0, ETH=100.0, SOL=100.0), raised(1, buy(1, SOL)))
    desk.execution.sent.clear()
    await desk.say(raised(2, buy(2, ETH, 0.5), sell(2, SOL), buy(2, BTC, 0.5)))
    entries = [order_id for order_id in desk.execution.sent if "-S" not in order_id]
    assert entries == [f"SOLUSDT-{MINUTE}-X2", f"BTCUSDT-{MINUTE}-E", f"ETHUSDT-{MINUTE}-E"]
    await desk.say(raised(3, sell(3, BTC), sell(3, ETH)))
    desk.execution.sent.clear()
    await desk.say(raised(4, buy(4, BTC, 0.2), buy(4, ETH, 0.9), buy(4, SOL, 0.5)))
    entries = [order_id[:3] for order_id in desk.execution.sent if order_id.endswith("-E")]
    assert entries == ["ETH", "SOL", "BTC"]


async def test_an_exit_makes_room_for_an_entry_of_the_same_moment(record: Record) -> None:
    desk = await Desk(record, rules=TradingRules(cooldown_ms=0, max_positions=1)).start()
    await desk.say(prices(MINUTE, BTC=100.0, ETH=100.0), raised(1))
    await desk.say(raised(2, buy(2, ETH), sell(2)))
    assert set(await desk.held()) == {ETH}


async def test_the_intent_is_on_disk_before_the_order_is_sent(record: Record, tmp_path: Path) -> None:
    desk = await Desk(record).start()
    found: list[tuple[str, str]] = []

    def look(requests: Sequence[OrderRequest]) -> None:
        with closing(sqlite3.connect(tmp_path / RECORD_FILE)) as connection:
            for request in requests:
                query = "SELECT client_order_id, status FROM orders WHERE client_order_id = ?"
                found.append(connection.execute(query, (request.client_order_id,)).fetchone())

    desk.execution.before_send = look
    await desk.say(prices(MINUTE, BTC=100.0), raised(1), raised(2, sell(2)))
    assert found == [(order_id, "SENT") for order_id in desk.execution.sent]
    assert len(found) == 3


async def test_a_message_is_told_only_after_it_was_committed(record: Record) -> None:
    desk = await Desk(record).start()
    committed: list[str] = []
    commit = record.trading.commit

    async def failing(changes) -> None:
        if changes.fills:
            raise RuntimeError("killed while writing the fill")
        await commit(changes)
        committed.extend(order.client_order_id for order in changes.orders)

    record.trading.commit = failing  # type: ignore[method-assign]
    await desk.die(prices(MINUTE, BTC=100.0), raised(1))
    assert committed == [ENTRY, ENTRY]
    assert desk.heard.of(OrderFilled) == []


# --------------------------------------------------------------------------------------------------- what comes again


async def test_a_signal_that_is_delivered_twice_is_acted_on_once(record: Record) -> None:
    desk = await Desk(record).start()
    await desk.say(prices(MINUTE, BTC=100.0), raised(1), raised(1))
    await desk.say(raised(2, sell(2)), raised(2, sell(2)), raised(1))
    assert desk.execution.sent == [ENTRY, f"BTCUSDT-{MINUTE}-S1", f"BTCUSDT-{MINUTE}-X2"]
    assert len(desk.heard.of(SignalHandled)) == 2
    assert await desk.held() == {}


async def test_a_refused_signal_that_is_delivered_twice_stays_refused(record: Record) -> None:
    desk = await Desk(record).start()
    await desk.say(raised(1), prices(MINUTE, BTC=100.0), raised(1))
    assert desk.outcomes == {BTC: "no_price"}
    assert desk.execution.sent == []


async def test_a_signal_whose_handling_was_committed_and_not_acknowledged_is_acted_on_once(record: Record) -> None:
    desk = await Desk(record, "die late").start()
    await desk.die(prices(MINUTE, BTC=100.0), raised(1))
    again = await Desk(record, now=MINUTE).start()
    again.execution.venue = desk.execution.venue
    await again.say(prices(MINUTE, BTC=100.0), raised(1), raised(1))
    assert again.execution.sent == [f"BTCUSDT-{MINUTE}-S1"]
    assert set(await again.held()) == {BTC}


async def test_new_signals_are_not_looked_up_in_the_record(record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = await Desk(record, rules=TradingRules(cooldown_ms=0, max_positions=3)).start()
    looked_up: list[TradingSymbol] = []
    outcome = record.trading.outcome

    async def watched(symbol: TradingSymbol, strategy: str, candle_time: int) -> SignalOutcome | None:
        looked_up.append(symbol)
        return await outcome(symbol, strategy, candle_time)

    monkeypatch.setattr(record.trading, "outcome", watched)
    await desk.say(prices(MINUTE, BTC=100.0, ETH=100.0), raised(1, buy(1), buy(1, ETH)), raised(2, sell(2)))
    assert looked_up == []
    await desk.say(raised(1, buy(1, ETH)))
    assert looked_up == [ETH]


# -------------------------------------------------------------------------------------------------- the venue's answers


async def test_a_refused_order_is_over_and_costs_nothing(record: Record) -> None:
    desk = await Desk(record, "refuse").start()
    await desk.say(prices(MINUTE, BTC=100.0), raised(1))
    assert desk.statuses(ENTRY)[-1] is OrderStatus.REJECTED
    assert await desk.held() == {}
    await desk.say(raised(2))
    assert await desk.held() == {BTC: Decimal("0.49975")}
    assert desk.heard.of(WalletChanged)[-1].wallet.reserved == 0


async def test_an_order_without_an_answer_is_asked_for_at_the_next_candle_and_never_sent_again(record: Record) -> None:
    desk = await Desk(record, "hush").start()
    await desk.say(prices(MINUTE, BTC=100.0), raised(1))
    assert desk.statuses(ENTRY)[-1] is OrderStatus.UNKNOWN
    assert [alert.level for alert in desk.heard.of(Alert)] == ["warning"]
    await desk.say(raised(2))
    assert desk.outcomes == {BTC: "position_open"}
    desk.execution.is_mute = True
    await desk.say(closes(2))
    assert desk.statuses(ENTRY)[-1] is OrderStatus.UNKNOWN
    desk.execution.is_mute = False
    await desk.say(closes(3))
    assert desk.statuses(ENTRY)[-1] is OrderStatus.FILLED
    assert await desk.held() == {BTC: Decimal("0.49975")}
    assert desk.execution.sent.count(ENTRY) == 1
    assert len(await desk.resting()) == 1


async def test_an_order_that_got_lost_frees_what_it_reserved_and_expires(record: Record) -> None:
    desk = await Desk(record, "lose").start()
    await desk.say(prices(MINUTE, BTC=100.0), raised(1), closes(2))
    await desk.say(raised(3))
    assert desk.statuses(ENTRY)[-2:] == [OrderStatus.UNKNOWN, OrderStatus.EXPIRED]
    assert await desk.held() == {BTC: Decimal("0.49975")}
    assert desk.execution.sent.count(ENTRY) == 1


async def test_a_stop_that_got_lost_is_sent_again(record: Record) -> None:
    desk = await Desk(record, "ok", "lose").start()
    await desk.say(prices(MINUTE, BTC=100.0), raised(1))
    assert await desk.resting() == []
    await desk.say(closes(2))
    assert await desk.resting() == [f"BTCUSDT-{MINUTE}-S1"]


async def test_a_stop_that_was_hit_before_the_cancel_came_is_booked_and_nothing_is_sold_twice(record: Record) -> None:
    desk = await Desk(record).start()
    await desk.say(prices(MINUTE, BTC=100.0), raised(1))
    await desk.execution.venue.on_prices(falls(MINUTE + 1, 100.0, 90.0))  # the venue is ahead of us
    await desk.say(raised(2, sell(2)))
    assert await desk.held() == {}
    assert await desk.resting() == []
    [closed] = desk.heard.of(PositionClosed)
    assert closed.trade.exit_reason is ExitReason.STOP_LOSS
    assert desk.statuses(f"BTCUSDT-{MINUTE}-X2")[-1] is OrderStatus.REJECTED
    assert (await desk.execution.balances())["BTC"].free == 0


async def test_a_replacement_that_fails_leaves_the_old_stop_and_is_tried_again(record: Record) -> None:
    rules = TradingRules(cooldown_ms=0, trailing_ppm=10_000)
    desk = await Desk(record, "ok", "ok", "gone", rules=rules).start()
    await desk.say(prices(MINUTE, BTC=100.0), raised(1), closes(2, 110.0))
    assert await desk.resting() == [f"BTCUSDT-{MINUTE}-S3"]
    assert desk.statuses(f"BTCUSDT-{MINUTE}-S1")[-1] is OrderStatus.CANCELLED
    assert desk.statuses(f"BTCUSDT-{MINUTE}-S2")[-1] is OrderStatus.REJECTED


async def test_a_stop_that_is_gone_because_its_replacement_was_refused_is_placed_anew(record: Record) -> None:
    rules = TradingRules(cooldown_ms=0, trailing_ppm=10_000)
    desk = await Desk(record, "ok", "ok", "half", rules=rules).start()
    await desk.say(prices(MINUTE, BTC=100.0), raised(1), closes(2, 110.0))
    assert desk.statuses(f"BTCUSDT-{MINUTE}-S1")[-1] is OrderStatus.CANCELLED
    assert desk.statuses(f"BTCUSDT-{MINUTE}-S2")[-1] is OrderStatus.REJECTED
    assert await desk.resting() == [f"BTCUSDT-{MINUTE}-S3"]


async def test_a_position_whose_stop_is_refused_is_guarded_here(record: Record) -> None:
    desk = await Desk(record, "ok", "refuse").start()
    await desk.say(prices(MINUTE, BTC=100.0), raised(1))
    assert await desk.resting() == []
    await desk.say(prices(MINUTE + 1, BTC=97.0))
    assert await desk.held() == {}
    [closed] = desk.heard.of(PositionClosed)
    assert closed.trade.exit_reason is ExitReason.STOP_LOSS


async def test_a_stop_executes_on_prices_alone(record: Record) -> None:
    desk = await Desk(record).start()
    await desk.say(prices(MINUTE, BTC=100.0), raised(1), falls(MINUTE + 1, 100.0, 97.5))
    assert await desk.held() == {}
    [closed] = desk.heard.of(PositionClosed)
    # A fill bears the time of its candle, however finely the prices came.
    assert (closed.trade.exit_reason, closed.time) == (ExitReason.STOP_LOSS, MINUTE)


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
    await second.say(prices(2 * MINUTE, BTC=100.0), raised(2, sell(2)))
    assert await second.held() == {}
    [closed] = second.heard.of(PositionClosed)
    assert closed.trade.exit_reason is ExitReason.SIGNAL


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


# -------------------------------------------------------------------------------------------------------- what it says


async def test_after_the_markets_end_and_without_a_price_nothing_is_entered(record: Record) -> None:
    desk = await Desk(record).start()
    await desk.say(raised(1, buy(1, SOL)))
    assert desk.outcomes == {SOL: "no_price"}
    await desk.say(prices(MINUTE, BTC=100.0), MarketEnded(time=MINUTE), raised(2))
    assert desk.outcomes[BTC] == "market_ended"
    assert desk.execution.sent == []


async def test_the_wallet_is_shown_at_the_start_after_fills_and_marked_at_closes(record: Record) -> None:
    desk = await Desk(record).start()
    await desk.say(prices(MINUTE, BTC=100.0))
    await desk.say(
        raised(1),
        closes(2, 101.0),
        closes(3, 102.0),
        prices(3 * MINUTE, BTC=102.0),
        raised(3, sell(3)),
        closes(4, 103.0),
        closes(5, 104.0),
    )
    shown = desk.heard.of(WalletChanged)
    assert [(m.time // MINUTE, m.marked) for m in shown] == [
        (0, False),
        (1, False),
        (2, True),
        (3, True),
        (3, False),
    ], "a flat account is not marked again and again"
    assert [m.wallet.market_value > 0 for m in shown] == [False, True, True, True, False]
    assert shown[3].wallet.equity - shown[2].wallet.equity == Decimal("0.49975")
    for message in shown:
        wallet = message.wallet
        assert wallet.cash + wallet.cost == wallet.initial_capital + wallet.realised_pnl - wallet.fees


async def test_other_messages_lead_to_nothing(record: Record) -> None:
    desk = await Desk(record).start()
    await desk.bus.settled()
    desk.heard.messages.clear()
    others = [Alert(time=1, level="info", text="x"), MarketEnded(time=1)]
    await desk.say(*others)
    assert desk.heard.messages == others
    assert desk.service.consumers == ("orders",)


# ------------------------------------------------------------------------------------------ where others start anew


async def test_a_signal_that_a_brain_repeats_after_its_restart_is_acted_on_once(record: Record) -> None:
    desk = await Desk(record, rules=TradingRules(cooldown_ms=0)).start()
    await desk.say(prices(MINUTE, BTC=100.0), raised(1), raised(1))
    assert [m.outcome.client_order_id for m in desk.heard.of(SignalHandled)] == [ENTRY]
    await desk.say(raised(2, sell(2)), raised(1), raised(2, sell(2)))
    assert await desk.held() == {}
    assert len(desk.heard.of(SignalHandled)) == 2
    assert desk.working is not None
    assert not desk.working.done()


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
