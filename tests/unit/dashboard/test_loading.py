from __future__ import annotations

import json

import msgspec
from tests.unit.dashboard.samples import (
    BTC,
    ETH,
    MINUTE,
    START,
    Record,
    closed,
    decision,
    envelope,
    facts,
    filled,
    history,
    order,
    outcome,
    position,
    trade,
    wallet,
)

from vela.dashboard.loading import load, recall
from vela.dashboard.projection import Projection
from vela.domain.events import PositionClosed
from vela.domain.order import OrderPurpose, OrderStatus, OrderType
from vela.domain.regime import MarketRegime
from vela.ports.latest_values import LatestPrice, LatestRegime, LatestStrategy, Snapshot

RECORD = Record(
    trades=[trade(5), trade(0)],
    orders=[order(2), order(1)],
    fills=[filled(1).message.fill],
    decisions=[decision(minute) for minute in range(999, 400, -1)],
    positions=[position(ETH)],
    wallet=wallet(9),
)


def loaded(record: Record = RECORD) -> Projection:
    projection = Projection(facts())
    load(projection, record, history)
    return projection


def snapshot(projection, name="account"):
    return json.loads(projection.stream(name).snapshot())


def test_the_account_is_as_recorded():
    shown = snapshot(loaded())
    assert [one["entry_time"] for one in shown["trades"]] == [START + 5 * MINUTE, START]
    assert [one["client_order_id"] for one in shown["orders"]] == ["o-2", "o-1"]
    assert shown["positions"][0]["symbol"]["full"] == "ETHUSDT"
    assert (shown["positions"][0]["stop_price"], shown["positions"][0]["stop_state"]) == ("98", "planned")
    assert shown["equity_curve"][0] == [START, 1000.0]
    assert shown["wallet"]["cash"] == "950.1"
    assert (shown["session"]["candles"], shown["session"]["decisions"]) == (1000, 900)
    assert shown["session"]["refused_candles"] == {"off_grid": 3}
    assert shown["session"]["time"] == START + 1000 * MINUTE


def test_symbols_are_as_recorded():
    shown = snapshot(loaded(), "BTC")
    assert len(shown["candles"]) == 500
    assert len(shown["decisions"]) == 100
    assert shown["decisions"][0]["candle_time"] == START + 999 * MINUTE
    assert shown["series"]["fast"][-1] == 1099.0
    assert shown["regime"] == "bull_trend"
    assert [marker["kind"] for marker in shown["markers"]] == ["entry", "exit", "entry", "exit"]


def test_recorded_decisions_tell_what_became_of_them():
    outcomes = [outcome(999, refusal="cooldown"), outcome(998, refusal=None), outcome(997, ETH)]
    record = Record(decisions=[decision(minute) for minute in range(999, 989, -1)], outcomes=outcomes)
    shown = snapshot(loaded(record), "BTC")["decisions"]
    assert [one["outcome"] for one in shown[:3]] == ["refused", "order", None]
    assert shown[0]["outcome_reason"] == "cooldown"


def test_totals_count_trades_beyond_those_listed():
    record = Record(trades=[trade(number, pnl="-1" if number % 3 else "1") for number in range(300, 0, -1)])
    shown = snapshot(loaded(record))
    assert (len(shown["trades"]), shown["wallet"]["trades"], shown["wallet"]["wins"]) == (200, 300, 100)


def test_a_trade_that_is_recorded_while_the_totals_are_read_counts_once(monkeypatch):
    record = Record(trades=[trade(0)])

    def totals() -> tuple[int, int]:
        if len(record._trades) == 1:
            record._trades = [trade(5), trade(0)]
            return 1, 1
        return len(record._trades), 2

    monkeypatch.setattr(record, "trade_totals", totals)
    projection = loaded(record)
    projection.apply(envelope(PositionClosed(time=START, trade=trade(5))))
    assert (projection.account.counts.trades, projection.account.counts.wins) == (2, 2)


def test_nothing_loaded_is_sent_as_news():
    assert [event for stream in loaded().streams() for event in stream.flush()] == []


def test_messages_that_the_record_knows_already_change_nothing():
    projection = loaded()
    before = snapshot(projection, "BTC")
    for message in (closed(999), filled(1), envelope(PositionClosed(time=START, trade=trade(5)))):
        projection.apply(message)
    assert [event for stream in projection.streams() for event in stream.flush()] == []
    assert snapshot(projection, "BTC") == before


def test_a_stop_that_rests_is_shown_as_resting():
    request = msgspec.structs.replace(order().request, symbol=ETH, type=OrderType.STOP, stop_price=position().cost)
    stop = msgspec.structs.replace(order(), request=request, purpose=OrderPurpose.STOP, status=OrderStatus.ACCEPTED)
    shown = snapshot(loaded(Record(orders=[stop], positions=[position(ETH), position(BTC)])))
    assert [one["stop_state"] for one in shown["positions"]] == ["resting", "planned"]


def test_the_newest_word_on_a_symbol_counts_where_it_is_newer_than_the_record():
    projection = loaded()
    end = START + 1000 * MINUTE
    regime = MarketRegime.HIGH_VOLATILITY
    later = {BTC: LatestPrice(time=end + 5, price=123.5), ETH: LatestPrice(time=end - 5, price=7.5)}
    regimes = {BTC: LatestRegime(time=end, regime=regime), ETH: LatestRegime(time=START, regime=regime)}
    strategies = {ETH: LatestStrategy(time=end, strategy="Mine", params={})}
    old_price = projection.symbols[ETH].price
    recall(projection, Snapshot(later, regimes, strategies))
    btc, eth = projection.symbols[BTC].summary(), projection.symbols[ETH].summary()
    assert (btc["price"], btc["regime"]) == (123.5, "high_volatility")
    assert (eth["price"], eth["strategy"]) == (old_price, "Mine")
