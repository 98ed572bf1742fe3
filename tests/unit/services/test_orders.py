from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest
from tests.builders import BTC, ETH, MINUTE, SOL
from tests.fakes import Desk
from tests.unit.services.order_messages import ENTRY, buy, closes, falls, prices, raised, sell

from vela.adapters.storage.sql.record import RECORD_FILE, Record
from vela.domain.events import (
    Alert,
    MarketEnded,
    OrderFilled,
    PositionClosed,
    SignalHandled,
    WalletChanged,
)
from vela.domain.order import OrderRequest, OrderStatus
from vela.domain.position import ExitReason
from vela.domain.signal import SignalOutcome
from vela.domain.trading_symbol import TradingSymbol
from vela.engine.rules import TradingRules

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
