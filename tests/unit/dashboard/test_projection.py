from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal

import pytest
from tests.unit.dashboard.samples import (
    BTC,
    ETH,
    ETHBTC,
    MINUTE,
    START,
    XSS,
    closed,
    decided,
    decision,
    envelope,
    facts,
    filled,
    handled,
    held,
    moved,
    ordered,
    trade,
    wallet,
)

from vela.dashboard.facts import Newcomer
from vela.dashboard.projection import Projection
from vela.domain.candles import CandleFault
from vela.domain.events import (
    Alert,
    CandlesClosed,
    DecisionsMade,
    Gap,
    HistoryRequested,
    MarketEnded,
    PositionClosed,
    RefusedCandle,
    RegimeChanged,
    ServiceBeat,
    ServiceState,
    SignalsRaised,
    WalletChanged,
)
from vela.domain.instrument import Instrument
from vela.domain.order import OrderPurpose
from vela.domain.regime import MarketRegime
from vela.domain.signal import Action, Signal
from vela.domain.timeframe import Timeframe
from vela.domain.trading_symbol import TradingSymbol

SIGNAL = Signal(BTC, START, Action.BUY, "SmaCrossover", MarketRegime.BULL_TREND, 0.7)


@pytest.fixture
def projection() -> Projection:
    return Projection(facts())


def snapshot(projection, name="account"):
    stream = projection.stream(name)
    stream.flush()
    return json.loads(stream.snapshot())


def test_account_snapshot_has_the_protocols_shape(projection):
    for message in (closed(0, BTC, ETH), decided(0), ordered(), filled(), held()):
        projection.apply(message)
    projection.apply(envelope(WalletChanged(time=START, wallet=wallet(), marked=True)))
    projection.apply(envelope(PositionClosed(time=START, trade=trade(0, ETH))))
    shown = snapshot(projection)
    assert list(shown) == [
        "stream", "seq", "session", "symbols", "wallet", "equity_curve", "positions", "trades", "orders", "health",
        "alerts", "jobs",
    ]  # fmt: skip
    assert shown["session"] == {
        "version": "0.1.0",
        "mode": "paper",
        "market": "synthetic",
        "timeframe": "1m",
        "timeframe_ms": MINUTE,
        "speed": "60",
        "time": START + MINUTE,
        "ended": False,
        "candles": 2,
        "decisions": 1,
        "refused_candles": {},
        "settings": {"stake": "50", "max_positions": 2},
    }
    assert [line["symbol"]["full"] for line in shown["symbols"]] == ["BTCUSDT", "ETHUSDT", "ETHBTC"]
    assert shown["symbols"][0]["spark"] == [100.0]
    assert shown["symbols"][2]["price"] is None


def test_symbol_snapshot_has_the_protocols_shape(projection):
    for message in (closed(0), moved(START + MINUTE + 5, 100.5), decided(0), filled(minute=1)):
        projection.apply(message)
    shown = snapshot(projection, "BTC")
    assert list(shown) == [
        "stream", "seq", "symbol", "strategy", "regime", "tick", "candles", "forming", "markers", "series", "decisions",
    ]  # fmt: skip
    assert shown["symbol"] == {"base": "BTC", "quote": "USDT", "full": "BTCUSDT"}
    assert (shown["tick"], shown["forming"][4]) == ("0.01", 100.5)
    assert shown["markers"] == [
        {"time": START + MINUTE, "kind": "entry", "side": "BUY", "price": "97000", "reason": "signal"}
    ]


@pytest.mark.parametrize("text", ["BTC", "btcusdt", "BTC/USDT", " BTC "])
def test_a_symbol_is_found_by_whatever_means_it(projection, text):
    assert projection.symbol(text) is projection.symbols[BTC]


@pytest.mark.parametrize("text", ["DOGE", "", "banana", "../BTC", "BTC\x00", "x" * 500])
def test_other_texts_find_none(projection, text):
    assert projection.symbol(text) is None


def test_two_quotes_are_two_streams(projection):
    assert projection.symbol("ETH/BTC") is projection.symbols[ETHBTC]
    assert projection.symbol("ETH") is projection.symbols[ETH]


def test_a_new_symbol_gets_a_stream_and_the_account_a_gap(projection):
    projection.apply(closed(0, TradingSymbol("SOL")))
    assert projection.symbol("SOL") is not None
    account = projection.account
    assert account.flush() == []
    assert account.seq == 1


def test_of_a_symbol_that_comes_later_its_rules_and_strategy_are_asked_for():
    sol = TradingSymbol("SOL")
    rules = Instrument(sol, Decimal("0.01"), Decimal("0.1"))
    projection = Projection(replace(facts(), newcomer=lambda symbol: Newcomer(rules, f"for {symbol}")))
    projection.apply(closed(0, sol))
    stream = projection.symbols[sol]
    assert (stream.tick, stream.summary()["strategy"]) == ("0.01", "for SOL")


def test_refused_missing_signals_and_alerts_are_counted(projection):
    refused = RefusedCandle(BTC, START, CandleFault.OFF_GRID)
    message = CandlesClosed(
        time=START, timeframe=Timeframe.M1, candles=(), refused=(refused, refused), gaps=(Gap(BTC, 0, 0, 3),)
    )
    projection.apply(envelope(message))
    projection.apply(envelope(SignalsRaised(time=START, signals=(SIGNAL,))))
    projection.apply(envelope(Alert(time=START, level="warning", text="!")))
    account = projection.account
    assert snapshot(projection)["session"]["refused_candles"] == {"off_grid": 2}
    assert (account.counts.missing, account.counts.signals, account.alerts["warning"]) == (3, 1, 1)


def test_regime_and_signal_events(projection):
    change = RegimeChanged(time=START, symbol=BTC, regime=MarketRegime.BEAR_TREND, previous=MarketRegime.UNKNOWN)
    projection.apply(envelope(change))
    for minute, refusal in enumerate((None, "max_positions")):
        projection.apply(handled(minute, refusal=refusal))
    regime, sent, refused = (body for _, body in projection.symbols[BTC].flush())
    assert (regime["regime"], regime["previous"]) == ("bear_trend", "unknown")
    assert (sent["outcome"], sent["outcome_reason"]) == ("order", "")
    assert (refused["outcome"], refused["outcome_reason"]) == ("refused", "max_positions")
    assert refused["symbol"] == BTC.to_dict()


def test_the_end_of_a_recording_shows(projection):
    projection.apply(envelope(MarketEnded(time=START + 9)))
    [(event, body)] = projection.account.flush()
    assert (event, body["ended"], body["time"]) == ("session", True, START + 9)


def test_refresh_tells_the_session_each_time_and_health_every_five_seconds(projection):
    projection.apply(envelope(ServiceBeat(time=START, service="brain", state=ServiceState.RUNNING)))
    projection.account.flush()
    seen = []
    for second in range(11):
        projection.refresh(START + second * 1000)
        seen.append([event for event, _ in projection.account.flush()])
    assert [("session" in events, "health" in events) for events in seen] == [
        (True, second % 5 == 0) for second in range(11)
    ]


def test_open_positions_follow_the_price_with_each_refresh(projection):
    projection.apply(held())
    projection.apply(moved(START, 104.0))
    projection.account.flush()
    projection.apply(moved(START + 1, 106.0))
    assert projection.account.flush() == []
    projection.refresh(START)
    assert [body["price"] for event, body in projection.account.flush() if event == "position_update"] == [106.0]


def test_what_a_person_or_venue_wrote_passes_as_text(projection):
    projection.apply(ordered(1, reason=XSS))
    projection.apply(filled(1, reason=XSS))
    made = decision(0, strategy=XSS, reason=XSS, indicators={XSS: 1.0})
    projection.apply(envelope(DecisionsMade(time=START, decisions=(made,))))
    projection.apply(closed(0))
    assert snapshot(projection)["orders"][0]["reason"] == XSS
    shown = snapshot(projection, "BTC")
    assert (shown["strategy"], shown["decisions"][0]["reason"], list(shown["series"])) == (XSS, XSS, [XSS])
    assert shown["markers"][0]["reason"] == XSS


def test_other_messages_are_ignored(projection):
    projection.apply(envelope(HistoryRequested(time=START, request_id="1", symbols=(BTC,), count=3)))
    assert all(stream.flush() == [] for stream in projection.streams())


def test_exit_fills_make_exit_arrows(projection):
    projection.apply(filled(1, 0))
    projection.apply(filled(2, 3, OrderPurpose.STOP, "stop_loss"))
    kinds = [(marker["kind"], marker["side"], marker["reason"]) for marker in snapshot(projection, "BTC")["markers"]]
    assert kinds == [("entry", "BUY", "signal"), ("exit", "SELL", "stop_loss")]
