from __future__ import annotations

import json

import pytest
from tests.jobs import job
from tests.unit.dashboard.samples import BTC, MINUTE, START, alert, facts, filled, held, order, trade, wallet

from vela.dashboard.account_stream import AccountStream
from vela.domain.events import ServiceBeat, ServiceState
from vela.domain.jobs import JobState
from vela.domain.order import OrderStatus


@pytest.fixture
def prices():
    return {BTC: 101.0}


@pytest.fixture
def account(prices) -> AccountStream:
    return AccountStream(facts(), prices.get, list)


def bodies(account, event):
    return [body for name, body in account.flush() if name == event]


def test_every_order_fill_and_trade_is_told_in_order(account):
    for number in range(500):
        account.order(order(number))
        account.fill(filled(number).message)
        account.closed(trade(number))
    events = account.flush()
    assert [event for event, _ in events] == [*["order_update", "fill", "trade"] * 500, "wallet_update"]
    assert [body["seq"] for _, body in events] == list(range(1, 1502))


def test_lists_are_bounded_and_newest_first(account):
    for number in range(500):
        account.order(order(number))
        account.closed(trade(number))
    account.flush()
    shown = json.loads(account.snapshot())
    assert (len(shown["orders"]), len(shown["trades"])) == (200, 200)
    assert shown["orders"][0]["client_order_id"] == "o-499"
    assert shown["trades"][0]["entry_time"] == START + 499 * MINUTE


def test_what_comes_twice_changes_nothing(account):
    for _ in range(2):
        assert account.fill(filled().message) is (_ == 0)
        account.closed(trade())
    assert [event for event, _ in account.flush()] == ["fill", "trade", "wallet_update"]
    assert (account.counts.fills, account.counts.trades) == (1, 1)


def test_an_orders_older_state_does_not_return(account):
    account.order(order(status=OrderStatus.FILLED, time=START + 2))
    account.order(order(status=OrderStatus.SENT, time=START + 1))
    [body] = bodies(account, "order_update")
    assert (body["status"], body["quantity"], body["average_price"]) == ("FILLED", "0.0005", "97000.1")
    assert account.counts.orders == 1


def test_positions_are_told_once_a_flush_with_their_newest_state(account, prices):
    account.hold(held(stop_state="planned").message)
    account.hold(held(stop_state="resting").message)
    prices[BTC] = 102.0
    [body] = bodies(account, "position_update")
    assert body["stop_state"] == "resting"
    assert (body["price"], body["unrealised_pnl"], body["unrealised_pct"]) == (102.0, "1", 2.0)
    assert (body["entry_price"], body["stop_price"], body["take_profit_price"]) == ("100", "98", None)


def test_a_closed_position_is_told_as_closed(account):
    account.hold(held().message)
    account.flush()
    account.closed(trade())
    [body] = bodies(account, "position_update")
    assert body["closed"] is True
    assert json.loads(account.snapshot())["positions"] == []


def test_a_position_whose_end_is_in_the_record_does_not_come_back(account):
    account.recall_trade(trade())
    account.hold(held().message)
    account.closed(trade())
    account.flush()
    assert account.holdings == {}


def test_an_open_position_without_a_price_is_shown(account, prices):
    prices.clear()
    account.hold(held().message)
    [body] = bodies(account, "position_update")
    assert (body["price"], body["unrealised_pct"]) == (None, None)


def test_only_the_newest_wallet_is_told(account):
    account.mark(wallet(1))
    account.mark(wallet(3, cash="960"))
    account.mark(wallet(2))
    [body] = bodies(account, "wallet_update")
    assert (body["cash"], body["free"], body["equity"], body["realised_pnl"]) == ("960", "949.9", "1011.1", "1.3")
    assert body["point"] == (START + 3 * MINUTE, 1011.1)
    assert json.loads(account.snapshot())["equity_curve"] == [
        [START + MINUTE, 1001.2],
        [START + 3 * MINUTE, 1011.1],
    ]


def test_an_untouched_account_holds_its_capital(account):
    shown = json.loads(account.snapshot())
    assert shown["wallet"] == {
        "quote": "USDT",
        "time": 0,
        "initial_capital": "1000",
        "cash": "1000",
        "free": "1000",
        "equity": "1000",
        "realised_pnl": "0",
        "unrealised_pnl": "0",
        "fees": "0",
        "trades": 0,
        "wins": 0,
    }


def test_the_wallet_counts_every_trade_not_only_those_listed(account):
    for number in range(500):
        account.closed(trade(number, pnl="0" if number % 2 else "0.01"))
        account.closed(trade(number))
    [body] = bodies(account, "wallet_update")
    assert (body["trades"], body["wins"]) == (500, 250)
    assert json.loads(account.snapshot())["wallet"]["trades"] == 500


def test_alerts_are_told_once_and_the_newest_fifty_kept(account):
    for number in range(60):
        account.alert(alert(text=f"alert {number}").message)
    account.alert(alert(text="alert 59").message)
    account.alert(alert("critical", "alert 59").message)
    told = bodies(account, "alert")
    assert (len(told), told[0]["text"], told[-1]["level"]) == (61, "alert 0", "critical")
    shown = json.loads(account.snapshot())["alerts"]
    assert (len(shown), shown[0]) == (50, {"time": START, "level": "critical", "text": "alert 59"})
    assert account.alerts == {"warning": 60, "critical": 1}


def test_health_is_told_when_it_changes_not_with_every_beat(account):
    def beat(seconds: int, state: ServiceState = ServiceState.RUNNING, restarts: int = 0) -> None:
        account.beat(ServiceBeat(time=START + seconds * 1000, service="brain", state=state, restarts=restarts))

    account.now = START + 5000
    beat(1)
    assert bodies(account, "health") != []
    beat(2)
    assert bodies(account, "health") == []
    beat(3, ServiceState.FAILED, 1)
    [body] = bodies(account, "health")
    assert body["services"] == [
        {"service": "brain", "status": "failed", "beat_age_ms": 2000, "restarts": 1, "detail": ""}
    ]


def test_an_expected_service_that_never_spoke_is_starting():
    account = AccountStream(facts(services=("brain",)), lambda _: None, list)
    [service] = account.services()
    assert (service["status"], service["beat_age_ms"]) == ("starting", None)


def test_backtests_are_told_in_their_newest_state_and_stand_in_the_snapshot(account):
    for state in (JobState.QUEUED, JobState.RUNNING):
        account.jobs.take(job("1", state, stage="trading", progress=0.5))
    account.jobs.take(job("2"))
    told = bodies(account, "job_update")
    assert [(body["id"], body["state"], body["seq"]) for body in told] == [("1", "running", 1), ("2", "queued", 2)]
    assert account.flush() == []
    shown = json.loads(account.snapshot())["jobs"]
    assert [one["id"] for one in shown] == ["2", "1"]
    assert shown[1] == {name: value for name, value in told[0].items() if name not in {"stream", "seq"}}


def test_the_snapshot_holds_the_newest_hundred_backtests(account):
    for number in range(150):
        account.jobs.take(job(str(number), JobState.FAILED))
    account.flush()
    assert [one["id"] for one in json.loads(account.snapshot())["jobs"]] == [*map(str, range(149, 49, -1))]
