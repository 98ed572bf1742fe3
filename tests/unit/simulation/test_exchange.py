from __future__ import annotations

import contextlib
from decimal import Decimal

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from tests.unit.simulation.market import BTC, ETH, MINUTE, SOL, Market, limit, market, stop

from vela.domain.errors import ConfigurationError, LedgerError, OrderNotFound, OrderRefused
from vela.domain.events import Tick
from vela.domain.money import add
from vela.domain.order import OrderStatus, Side
from vela.ports.execution import Balance
from vela.simulation import exchange as exchange_module
from vela.simulation.exchange_events import OrderAccepted, OrderCancelled, OrderExpired, OrderFilled

# ------------------------------------------------------------------------------------------------------- market orders


def test_a_large_order_pays_for_its_share_of_what_is_traded():
    trading = Market({"USDT": "1000"}, slippage_ppm=1_000, impact_ppm=20_000)
    trading.jump(MINUTE, 100.0, volume=200.0)
    trading.submit(market("a", "2"))
    assert trading.fill("a").price == Decimal("100.3")  # 0.1 %, and a tenth of 2 %


def test_stops_at_one_price_weigh_on_the_market_together():
    trading = Market({"BTC": "10"}, impact_ppm=20_000)
    trading.jump(MINUTE, 100.0)
    trading.submit(stop("a", "1", "98"), stop("b", "3", "98"), stop("c", "2", "97"))
    trading.move(2 * MINUTE, 96.0, 96.0, 100.0, volume=400.0)
    # 4 of 400 are a tenth of 2 %: 97.804, down to the tick. 2 of 400 are 0.1415 %: 96.8628.
    assert [trading.fill(name).price for name in "abc"] == [Decimal("97.8"), Decimal("97.8"), Decimal("96.8")]


def test_impact_out_of_range_is_refused():
    with pytest.raises(ConfigurationError, match="impact was 1000001 ppm; accepted: 0 to 1000000"):
        Market({}, impact_ppm=1_000_001)


def test_a_market_order_pays_the_fresh_quote_with_slippage_and_the_exact_fee():
    trading = Market({"USDT": "1000"}, slippage_ppm=500)
    trading.jump(MINUTE, 100.3)
    accepted, filled = trading.submit(market("a", "2"))
    assert isinstance(accepted, OrderAccepted)
    assert isinstance(filled, OrderFilled)
    fill = trading.fill("a")
    assert (fill.price, fill.fee, fill.time) == (
        Decimal("100.4"),
        Decimal("0.2008"),
        MINUTE,
    )  # 100.35015 up to the tick
    assert trading.exchange.balances() == {
        "USDT": Balance(Decimal("798.9992"), Decimal(0)),
        "BTC": Balance(Decimal(2), Decimal(0)),
    }


def test_a_sold_market_order_gets_less():
    trading = Market({"BTC": "2"}, slippage_ppm=500)
    trading.jump(MINUTE, 100.3)
    trading.submit(market("a", "2", Side.SELL))
    assert trading.fill("a").price == Decimal("100.2")
    assert trading.exchange.balances()["USDT"].free == Decimal("200.1996")


def test_without_a_fresh_quote_a_market_order_waits_for_the_symbol_s_next_tick():
    trading = Market({"USDT": "1000"})
    trading.jump(MINUTE, 100.0)
    trading.jump(2 * MINUTE, 50.0, ETH)  # BTC had no candle
    assert [type(event) for event in trading.submit(market("a", "1"))] == [OrderAccepted]
    trading.move(2 * MINUTE + 1, 51.0, 50.0, 51.0, ETH)
    assert trading.status("a") is OrderStatus.ACCEPTED
    trading.jump(3 * MINUTE, 120.0)
    assert trading.fill("a").price == 120


def test_an_order_placed_before_any_price_waits_too():
    trading = Market({"USDT": "1000"})
    trading.submit(market("a", "1"))
    trading.jump(MINUTE, 100.0)
    assert trading.fill("a").price == 100


def test_a_waiting_buy_that_cannot_be_paid_expires():
    trading = Market({"USDT": "100"})
    trading.submit(market("a", "1"))
    [event] = trading.jump(MINUTE, 100.0)
    assert isinstance(event, OrderExpired)
    report = trading.exchange.order("a")
    assert (report.status, report.reason) == (OrderStatus.EXPIRED, "balance")
    assert trading.exchange.balances() == {"USDT": Balance(Decimal(100), Decimal(0))}


def test_a_waiting_order_below_the_minimum_value_expires():
    trading = Market({"BTC": "1"})
    trading.submit(market("a", "0.01", Side.SELL))
    trading.jump(MINUTE, 100.0)
    assert trading.exchange.order("a").reason == "min_notional"


# ---------------------------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("code", "request_"),
    [
        ("balance", market("a", "10")),
        ("balance", market("a", "1", Side.SELL)),
        ("balance", limit("a", "10", "100", Side.BUY)),  # the fee does not fit
        ("balance", stop("a", "1", "90")),
        ("min_notional", market("a", "0.01")),
        ("min_notional", limit("a", "0.01", "100", Side.BUY)),
        ("min_quantity", limit("a", "0.001", "100000", Side.BUY)),
        ("step", market("a", "1.0001")),
        ("step", market("a", "1E+40")),
        ("tick", limit("a", "1", "100.05", Side.BUY)),
        ("tick", stop("a", "1", "100.05", Side.BUY)),
        ("unknown_symbol", market("a", "1", symbol=SOL)),
        ("duplicate_client_id", market("used", "1")),
    ],
)
def test_a_refusal_begins_with_its_code_and_changes_nothing(code, request_):
    trading = Market({"USDT": "1000"})
    trading.jump(MINUTE, 100.0)
    trading.submit(limit("used", "1", "50", Side.BUY))
    trading.take(trading.exchange.cancel("used"))
    with pytest.raises(OrderRefused, match=f"^{code}: .*accepted: "):
        trading.submit(request_)
    with pytest.raises(OrderNotFound):
        trading.exchange.order("a")
    assert trading.exchange.balances() == {"USDT": Balance(Decimal(1000), Decimal(0))}


def test_one_refused_order_takes_the_others_with_it():
    trading = Market({"USDT": "1000"})
    trading.jump(MINUTE, 100.0)
    with pytest.raises(OrderRefused, match=r"^balance"):
        trading.submit(market("a", "5"), market("b", "5"))
    assert trading.exchange.balances() == {"USDT": Balance(Decimal(1000), Decimal(0))}
    with pytest.raises(OrderRefused, match=r"^duplicate_client_id"):
        trading.submit(market("a", "1"), market("a", "1"))


def test_a_sale_pays_for_a_purchase_of_the_same_submission():
    trading = Market({"BTC": "2"}, fee_rate="0")
    trading.jump(MINUTE, 100.0)
    trading.exchange.on_ticks(MINUTE, [Tick(ETH, 50.0, 50.0, 50.0, jump=True)])
    trading.submit(market("out", "2", Side.SELL), market("in", "4", symbol=ETH))
    assert trading.exchange.balances()["ETH"].free == 4


@pytest.mark.parametrize("arguments", [{"fee_rate": "1"}, {"fee_rate": "NaN"}, {"slippage_ppm": 1_000_001}])
def test_impossible_costs_are_a_mistake_of_configuration(arguments):
    with pytest.raises(ConfigurationError, match="accepted"):
        Market({}, **arguments)


# ------------------------------------------------------------------------------------------------------- resting orders


@pytest.fixture
def holding() -> Market:
    trading = Market({"USDT": "1000", "BTC": "1"}, fee_rate="0", slippage_ppm=10_000)
    trading.jump(MINUTE, 100.0)
    return trading


@pytest.mark.parametrize(
    ("order", "move", "price"),
    [
        (stop("a", "1", "90"), (100.0, 90.1, 100.0), None),
        (stop("a", "1", "90"), (95.0, 90.0, 100.0), "89.1"),
        (stop("a", "1", "110", Side.BUY), (100.0, 100.0, 109.9), None),
        (stop("a", "1", "110", Side.BUY), (100.0, 100.0, 110.0), "111.1"),
        (limit("a", "1", "110"), (100.0, 100.0, 109.9), None),
        (limit("a", "1", "110"), (100.0, 100.0, 115.0), "110"),
        (limit("a", "1", "90", Side.BUY), (95.0, 80.0, 100.0), "90"),
        (limit("a", "1", "105", Side.BUY), (100.0, 100.0, 100.0), "100"),  # better at once
    ],
)
def test_a_resting_order_fills_when_the_range_touches_it(holding, order, move, price):
    holding.submit(order)
    holding.move(MINUTE + 1, *move)
    if price is None:
        assert holding.status("a") is OrderStatus.ACCEPTED
    else:
        assert holding.fill("a").price == Decimal(price)


def test_a_gap_over_the_level_fills_at_the_candle_s_open(holding):
    holding.submit(stop("a", "1", "90"))
    assert holding.jump(2 * MINUTE, 80.0) == []  # orders of the last close come first
    holding.move(3 * MINUTE - 1, 95.0, 79.0, 99.0)
    assert holding.fill("a").price == Decimal("79.2")


def test_an_order_is_not_tested_by_the_tick_it_came_after(holding):
    holding.submit(stop("a", "1", "90"))
    holding.move(MINUTE, 80.0, 80.0, 100.0)
    assert holding.status("a") is OrderStatus.ACCEPTED


def test_open_orders_lock_what_they_may_need():
    trading = Market({"USDT": "1000", "BTC": "1"}, slippage_ppm=10_000)
    trading.submit(limit("l", "1", "100", Side.BUY), stop("s", "1", "100", Side.BUY), limit("t", "1", "200"))
    balances = trading.exchange.balances()
    assert balances["USDT"].locked == Decimal("100.1") + Decimal("101.101")
    assert balances["BTC"] == Balance(Decimal(0), Decimal(1))


def test_a_stop_that_gapped_beyond_what_the_account_holds_expires():
    trading = Market({"USDT": "101"})
    trading.jump(MINUTE, 90.0)
    trading.submit(stop("a", "1", "100", Side.BUY))
    trading.jump(2 * MINUTE, 110.0)
    trading.move(2 * MINUTE + 1, 110.0, 110.0, 110.0)
    assert trading.exchange.order("a").reason == "balance"
    assert trading.exchange.balances() == {"USDT": Balance(Decimal(101), Decimal(0))}


def test_older_orders_come_first(holding):
    holding.submit(limit("b", "5", "90", Side.BUY))
    holding.submit(limit("a", "5", "95", Side.BUY))
    events = holding.move(MINUTE + 1, 90.0, 90.0, 100.0)
    assert [event.fill.client_order_id for event in events] == ["b", "a"]


# --------------------------------------------------------------------------------------------------------------- groups


def test_a_stop_counts_before_the_target_of_its_group(holding):
    holding.submit(limit("target", "1", "110", group="g"), stop("stop", "1", "90", group="g"))
    assert holding.exchange.balances()["BTC"] == Balance(Decimal(0), Decimal(1))
    holding.move(MINUTE + 1, 105.0, 80.0, 120.0)
    assert holding.fill("stop").price == Decimal("89.1")
    report = holding.exchange.order("target")
    assert (report.status, report.reason) == (OrderStatus.CANCELLED, "group")
    assert holding.exchange.open_orders() == ()


def test_a_market_order_that_fills_cancels_its_group(holding):
    holding.submit(stop("stop", "1", "90", group="g"))
    holding.submit(market("out", "1", Side.SELL, group="g"))
    assert holding.status("stop") is OrderStatus.CANCELLED
    holding.submit(market("in", "1"))
    holding.submit(market("one", "1", Side.SELL, group="h"), market("two", "1", Side.SELL, group="h"))
    assert holding.status("two") is OrderStatus.CANCELLED


def test_a_group_holds_one_symbol_and_side(holding):
    with pytest.raises(OrderRefused, match=r"^group"):
        holding.submit(stop("stop", "1", "90", group="g"), stop("buy", "1", "110", Side.BUY, group="g"))


# ------------------------------------------------------------------------------------------------- cancel and replace


def test_a_replacement_uses_what_the_old_order_had_locked(holding):
    holding.submit(stop("old", "1", "90"))
    events = holding.replace(["old"], stop("new", "1", "95"))
    assert [type(event) for event in events] == [OrderCancelled, OrderAccepted]
    assert [report.client_order_id for report in holding.exchange.open_orders()] == ["new"]
    assert holding.exchange.order("old").reason == "client"


@pytest.mark.parametrize(
    ("cancel", "new", "error"),
    [(["old", "ghost"], stop("new", "1", "95"), OrderNotFound), (["old"], stop("new", "2", "95"), OrderRefused)],
)
def test_a_failed_replacement_changes_nothing(holding, cancel, new, error):
    holding.submit(stop("old", "1", "90"))
    with pytest.raises(error):
        holding.replace(cancel, new)
    assert holding.status("old") is OrderStatus.ACCEPTED
    with pytest.raises(OrderNotFound):
        holding.exchange.order("new")


def test_what_is_over_cannot_be_cancelled(holding):
    holding.submit(market("a", "1"))
    with pytest.raises(OrderNotFound):
        holding.exchange.cancel("a")


# ----------------------------------------------------------------------------------------------------- time and replay


def test_old_prices_set_the_quote_and_test_nothing(holding):
    holding.submit(stop("a", "1", "90"))
    holding.jump(10 * MINUTE, 100.0)
    holding.submit(stop("b", "1", "80", Side.BUY))
    twin = holding.replayed()
    assert twin.on_ticks(10 * MINUTE - 1, [Tick(BTC, 70.0, 70.0, 70.0)]) == ()
    assert twin.time == 10 * MINUTE
    assert [type(event) for event in twin.submit(market("c", "1"))] == [OrderAccepted]  # 70 is an old price


def test_the_same_prices_again_after_a_crash_do_no_harm(holding):
    holding.submit(stop("a", "1", "90"))
    holding.move(2 * MINUTE - 1, 95.0, 85.0, 100.0)
    holding.submit(limit("b", "1", "90", Side.BUY))
    holding.exchange = holding.replayed()
    before = holding.exchange.balances()
    assert holding.jump(MINUTE, 100.0) == []
    assert holding.move(2 * MINUTE - 1, 95.0, 85.0, 100.0) == []
    assert holding.exchange.balances() == before


def test_an_event_out_of_turn_is_refused(holding):
    holding.submit(stop("a", "1", "90"))
    with pytest.raises(LedgerError, match="event 1 cannot follow event 1"):
        holding.exchange.apply(holding.events[0])


def test_only_the_newest_ended_orders_are_kept(holding, monkeypatch):
    monkeypatch.setattr(exchange_module, "FINAL_ORDERS_KEPT", 2)
    for name in "abc":
        holding.submit(stop(name, "1", "90"))
        holding.take(holding.exchange.cancel(name))
    with pytest.raises(OrderNotFound):
        holding.exchange.order("a")
    assert holding.status("b") is OrderStatus.CANCELLED
    with pytest.raises(OrderRefused, match=r"^duplicate"):
        holding.submit(stop("a", "1", "90"))


def test_symbols_that_are_not_traded_are_passed_over(holding):
    assert holding.exchange.on_ticks(MINUTE, [Tick(SOL, 1.0, 1.0, 1.0)]) == ()


# ------------------------------------------------------------------------------------------------------------- stateful

prices = st.integers(50, 150).map(lambda tenths: Decimal(tenths) / 10)
quantities = st.integers(1, 4000).map(lambda steps: Decimal(steps) / 1000)
groups = st.sampled_from([None, None, "g", "h"])
sides = st.sampled_from(Side)


class Exchange(RuleBasedStateMachine):
    """Random commands and prices; money is neither made nor lost, and the events tell the whole story."""

    def __init__(self) -> None:
        super().__init__()
        self.market = Market({"USDT": "20", "BTC": "2"}, fee_rate="0.00175", slippage_ppm=1234)
        self.time = 0
        self.names = 0

    def send(self, cancel, *requests):
        with contextlib.suppress(OrderRefused, OrderNotFound):
            self.market.replace(cancel, *requests)

    def name(self) -> str:
        self.names += 1
        return f"o{self.names}"

    @rule(side=sides, quantity=quantities, group=groups)
    def place_market(self, side, quantity, group):
        self.send([], market(self.name(), quantity, side, group=group))

    @rule(side=sides, quantity=quantities, price=prices, group=groups, place=st.sampled_from([limit, stop]))
    def place_resting(self, side, quantity, price, group, place):
        self.send([], place(self.name(), quantity, price, side, group))

    @rule(quantity=quantities, low=prices, high=prices, side=sides)
    def place_pair(self, quantity, low, high, side):
        group = self.name()
        self.send([], stop(self.name(), quantity, low, side, group), limit(self.name(), quantity, high, side, group))

    @rule(number=st.integers(1, 20), quantity=quantities, price=prices, side=sides)
    def replace(self, number, quantity, price, side):
        self.send([f"o{number}"], stop(self.name(), quantity, price, side))

    @rule(number=st.integers(1, 20))
    def cancel(self, number):
        self.send([f"o{number}"])

    @rule(price=prices, other=prices, last=prices, step=st.integers(-1, 3), jump=st.booleans())
    def tick(self, price, other, last, step, jump):
        self.time = max(0, self.time + step)
        low, high = float(min(price, other, last)), float(max(price, other, last))
        ticks = [Tick(BTC, float(last), low, high, jump)]
        before = self.market.exchange.balances()
        events = self.market.exchange.on_ticks(self.time, ticks)
        assert self.market.exchange.balances() == before  # only apply changes them
        self.market.take(events)

    @invariant()
    def no_balance_is_negative(self):
        assert all(b.free >= 0 and b.locked >= 0 for b in self.market.exchange.balances().values())

    @invariant()
    def totals_follow_from_the_fills(self):
        totals = {"USDT": Decimal(20), "BTC": Decimal(2)}
        for event in self.market.events:
            if isinstance(event, OrderFilled):
                sign = 1 if event.fill.side is Side.BUY else -1
                totals["BTC"] = add(totals["BTC"], sign * event.fill.quantity)
                totals["USDT"] = add(totals["USDT"], -sign * event.fill.value, -event.fill.fee)
        assert {asset: add(b.free, b.locked) for asset, b in self.market.exchange.balances().items()} == totals

    @invariant()
    def locked_is_what_open_orders_need(self):
        accepted = {e.request.client_order_id: e for e in self.market.events if isinstance(e, OrderAccepted)}
        needs: dict[tuple[str, str], Decimal] = {}
        for report in self.market.exchange.open_orders():
            event = accepted[report.client_order_id]
            key = event.asset, event.request.group or report.client_order_id
            needs[key] = max(needs.get(key, Decimal(0)), event.amount)
        for asset, balance in self.market.exchange.balances().items():
            assert balance.locked == sum((need for (held, _), need in needs.items() if held == asset), Decimal(0))

    @invariant()
    def at_most_one_order_of_a_group_ever_fills_before_it_is_empty(self):
        open_groups: dict[str, set[str]] = {}
        for event in self.market.events:
            if isinstance(event, OrderAccepted) and event.request.group:
                open_groups.setdefault(event.request.group, set()).add(event.request.client_order_id)
            name = (
                event.fill.client_order_id if isinstance(event, OrderFilled) else getattr(event, "client_order_id", "")
            )
            for members in open_groups.values():
                if name in members:
                    members.remove(name)
                    assert not (isinstance(event, OrderFilled) and members)

    @invariant()
    def the_events_rebuild_the_state(self):
        twin, exchange = self.market.replayed(), self.market.exchange
        assert twin.balances() == exchange.balances()
        assert twin.open_orders() == exchange.open_orders()
        assert twin.sequence == exchange.sequence == len(self.market.events)
        names = [f"o{number}" for number in range(1, self.names + 1)]
        known = [name for name in names if name in exchange._used_ids]
        assert [twin.order(name) for name in known] == [exchange.order(name) for name in known]


Exchange.TestCase.settings = settings(max_examples=60, stateful_step_count=40)
TestRandomTrading = Exchange.TestCase
