from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from tests.builders import BTC, ETH, position

from vela.domain.errors import OrderRefused, RateLimited
from vela.engine.order_manager import OrderManager
from vela.services.protection_watch import ProtectionWatch


def manager(**states: str) -> OrderManager:
    held = {symbol: state for symbol, state in ((BTC, states.get("btc")), (ETH, states.get("eth"))) if state}
    positions = tuple(position(symbol=symbol) for symbol in held)
    stub: Any = SimpleNamespace(positions=positions, stop_state=lambda p: held[p.symbol])
    return cast("OrderManager", stub)


def test_what_was_refused_is_tried_again_after_pauses_that_grow():
    watch, tried = ProtectionWatch(), []
    watch.failed(OrderRefused("no"), 0.0)
    for second in range(200):
        if watch.is_retry_due(float(second)):
            tried.append(second)
            watch.failed(OrderRefused("no"), float(second))
    assert tried == [1, 3, 7, 15, 31, 61, 91, 121, 151, 181]


def test_who_asked_too_much_waits_as_long_as_told():
    watch = ProtectionWatch()
    watch.failed(RateLimited("wait", 45.0), 0.0)
    assert not watch.is_retry_due(44.9)
    assert watch.is_retry_due(45.0)
    assert not watch.is_retry_due(46.0)


def test_a_position_that_stands_bare_for_long_is_told_of_once():
    watch, bare = ProtectionWatch(), manager(btc="guarded", eth="resting")
    assert watch.alarms(bare, 0.0) == []
    assert watch.alarms(bare, 5.0) == []
    assert watch.alarms(bare, 5.5) == ["BTC has no stop at the venue for 5 s; it is guarded here"]
    assert watch.alarms(bare, 9.0) == []
    assert watch.alarms(manager(btc="resting"), 10.0) == []
    assert watch.alarms(bare, 11.0) == []
    assert len(watch.alarms(bare, 17.0)) == 1


def test_once_all_is_protected_the_next_try_comes_soon_again():
    watch = ProtectionWatch()
    for _ in range(5):
        watch.failed(OrderRefused("no"), 0.0)
    watch.alarms(manager(btc="resting"), 1.0)
    watch.failed(OrderRefused("no"), 2.0)
    assert watch.is_retry_due(3.0)
