from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.simulation.market import BTC, ETH, INSTRUMENTS
from tests.unit.simulation.venue import FEES, SELL, VOLUME, Venue, request

from vela.domain.errors import OrderNotFound, OrderRefused
from vela.domain.events import Tick
from vela.domain.order import OrderStatus, Side
from vela.simulation.depth import flat_offers
from vela.simulation.liquidity import MadeUpBook
from vela.simulation.spot_exchange import Phase, SpotExchange
from vela.simulation.spot_fees import SpotFees
from vela.simulation.spot_orders import SpotEventKind, SpotOrderType

NEW, TRIGGERED, TRADE, EXPIRED = (
    SpotEventKind.NEW,
    SpotEventKind.TRIGGERED,
    SpotEventKind.TRADE,
    SpotEventKind.EXPIRED,
)


def test_a_market_order_takes_the_book_level_by_level() -> None:
    venue = Venue()
    asks = venue.exchange.depth(BTC, SELL)
    wanted = asks[0][1] + asks[1][1]
    order = venue.place("a", "MARKET", str(wanted))
    assert order.status is OrderStatus.FILLED
    assert [(trade.fill.price, trade.fill.quantity) for trade in order.trades] == asks[:2]
    assert not any(trade.is_maker for trade in order.trades)


def test_what_was_taken_is_gone_until_the_price_moves() -> None:
    venue = Venue()
    before = venue.exchange.depth(BTC, SELL)
    venue.place("a", "MARKET", str(before[0][1]))
    assert venue.exchange.depth(BTC, SELL) == before[1:]
    venue.move(100.0)
    assert venue.exchange.depth(BTC, SELL) == before


def test_a_market_order_beyond_the_book_is_filled_in_part_and_expires() -> None:
    venue = Venue(usdt="100000")
    offered = sum(quantity for _, quantity in venue.exchange.depth(BTC, SELL))
    order = venue.place("a", "MARKET", str(offered + 1))
    assert (order.status, order.filled_quantity) == (OrderStatus.EXPIRED, offered)


def test_a_market_order_by_value_spends_no_more_than_that() -> None:
    venue = Venue()
    order = venue.place("a", "MARKET", worth="500")
    assert order.status is OrderStatus.FILLED
    assert 499 < order.filled_value <= 500
    assert venue.kinds("a")[-1] is TRADE
    sold = venue.place("b", "MARKET", worth="500", side=SELL)
    assert 499 < sold.filled_value <= 500


def test_fees_are_taken_in_the_third_asset_while_there_is_some() -> None:
    fees = SpotFees(FEES.maker, FEES.taker, asset="ETH")
    exchange = SpotExchange(
        INSTRUMENTS, {"USDT": Decimal(1000), "ETH": Decimal("0.03")}, fees=fees, liquidity=MadeUpBook(flat_offers)
    )
    exchange.on_tick(Tick(BTC, 100.0, 100.0, 100.0, volume=VOLUME), 1, 1.0)
    before_its_price = exchange.place(request("a", "MARKET", "1"), 1)
    exchange.on_tick(Tick(ETH, 10.0, 10.0, 10.0, volume=VOLUME), 2, 1.0)
    orders = [before_its_price, *(exchange.place(request(name, "MARKET", "1"), 2) for name in "bcd")]
    paid = [(order.trades[0].fill.fee, order.trades[0].fill.fee_asset) for order in orders]
    received, discounted = (Decimal("0.002"), "BTC"), (Decimal("0.015"), "ETH")
    assert paid == [received, discounted, discounted, received]


def test_a_limit_takes_up_to_its_price_and_rests_with_the_remainder() -> None:
    venue = Venue()
    price, quantity = venue.exchange.depth(BTC, SELL)[0]
    order = venue.place("a", "LIMIT", str(quantity + 1), str(price))
    assert (order.status, order.filled_quantity) == (OrderStatus.PARTIALLY_FILLED, quantity)
    assert venue.held("USDT")[1] == f"{price.normalize():f}"
    venue.move(100.0)
    order = venue.order("a")
    assert (order.status, [trade.is_maker for trade in order.trades]) == (OrderStatus.FILLED, [False, True])


def test_resting_orders_trade_no_more_than_the_market_did_best_limit_first() -> None:
    venue = Venue(btc="200")
    venue.place("far", "LIMIT", "60", "111", side=SELL)
    venue.place("near", "LIMIT", "70", "110", side=SELL)
    venue.move(112.0, 100.0, 112.0)  # 100 traded
    assert [venue.order(name).filled_quantity for name in ("near", "far")] == [70, 30]
    assert venue.order("far").trades[0].fill.price == 111
    venue.move(112.0, share=0.1)
    assert venue.order("far").filled_quantity == 40


def test_a_limit_that_was_not_reached_does_not_trade() -> None:
    venue = Venue()
    venue.place("a", "LIMIT", "1", "90")
    venue.move(95.0, 90.1, 101.0)
    assert venue.order("a").filled_quantity == 0


@pytest.mark.parametrize(("lasts", "status"), [("IOC", OrderStatus.EXPIRED), ("FOK", OrderStatus.EXPIRED)])
def test_ioc_keeps_what_it_got_and_fok_takes_all_or_nothing(lasts, status) -> None:
    venue = Venue()
    price, quantity = venue.exchange.depth(BTC, SELL)[0]
    order = venue.place("a", "LIMIT", str(quantity + 1), str(price), lasts=lasts)
    assert order.status is status
    assert order.filled_quantity == (quantity if lasts == "IOC" else 0)
    assert venue.held("USDT")[1] == "0"
    assert venue.place("b", "LIMIT", "1", "101", lasts=lasts).status is OrderStatus.FILLED


@pytest.mark.parametrize(
    ("kind", "side", "stop", "move"),
    [
        ("STOP_LOSS", "SELL", "95", (96.0, 94.9, 100.0)),
        ("STOP_LOSS", "BUY", "105", (104.0, 100.0, 105.0)),
        ("TAKE_PROFIT", "SELL", "105", (104.0, 100.0, 105.0)),
        ("TAKE_PROFIT", "BUY", "95", (96.0, 95.0, 100.0)),
    ],
)
def test_a_stop_triggers_when_touched_and_takes_at_its_level(kind, side, stop, move) -> None:
    venue = Venue()
    venue.place("a", kind, "0.5", side=Side(side), stop=stop)
    assert venue.order("a").working_time is None
    venue.move(100.0, 95.1, 104.9)
    assert venue.kinds("a") == [NEW]
    venue.move(*move)
    assert venue.kinds("a") == [NEW, TRIGGERED, TRADE]
    assert abs(venue.order("a").trades[0].fill.price - Decimal(stop)) <= Decimal("0.1")


def test_a_stop_limit_rests_when_the_market_gapped_beyond_its_limit() -> None:
    venue = Venue()
    venue.place("a", "STOP_LOSS_LIMIT", "1", "94", stop="95", side=SELL)
    venue.move(90.0, jump=True)
    assert venue.kinds("a") == [NEW, TRIGGERED]
    assert venue.held("BTC") == ("9", "1")
    venue.move(94.0, 90.0, 94.0)
    assert venue.order("a").status is OrderStatus.FILLED


def test_a_triggered_purchase_buys_what_the_account_can_pay() -> None:
    venue = Venue(usdt="1000")
    venue.place("a", "STOP_LOSS", "9.5", stop="105")
    venue.move(120.0)
    order = venue.order("a")
    assert order.status is OrderStatus.EXPIRED
    assert 8 < order.filled_quantity < 9.5
    assert venue.held("USDT")[1] == "0"


def test_of_a_pair_the_first_to_trade_ends_the_other() -> None:
    venue = Venue()
    pair = (
        request("up", "LIMIT_MAKER", "10", "110", side=SELL),
        request("down", "STOP_LOSS_LIMIT", "10", "89", stop="90", side=SELL),
    )
    venue.exchange.place_pair("pair", *pair, venue.time)
    assert venue.held("BTC") == ("0", "10")
    venue.move(110.0, 100.0, 110.0, share=0.04)
    assert venue.order("up").filled_quantity == 4
    assert venue.order("down").status is OrderStatus.EXPIRED
    assert venue.held("BTC") == ("0", "6")


def test_of_a_pair_the_stop_ends_the_limit_and_a_cancel_both() -> None:
    venue = Venue()
    for name in ("1", "2"):
        pair = (
            request("up" + name, "LIMIT_MAKER", "1", "110", side=SELL),
            request("down" + name, "STOP_LOSS", "1", stop="90", side=SELL),
        )
        venue.exchange.place_pair(name, *pair, venue.time)
    venue.cancel("up2")
    assert venue.order("down2").status is OrderStatus.CANCELLED
    venue.move(89.0)
    assert [venue.order(name).status for name in ("down1", "up1")] == [OrderStatus.FILLED, OrderStatus.EXPIRED]


@pytest.mark.parametrize(
    ("above", "below"),
    [
        (("up", "LIMIT_MAKER", "1", "90"), ("down", "STOP_LOSS", "1")),
        (("up", "LIMIT_MAKER", "2", "110"), ("down", "STOP_LOSS", "1")),
        (("down", "LIMIT_MAKER", "1", "110"), ("down", "STOP_LOSS", "1")),
    ],
)
def test_a_pair_that_does_not_belong_together_is_refused_whole(above, below) -> None:
    venue = Venue()
    with pytest.raises(OrderRefused):
        venue.exchange.place_pair("p", request(*above, side=SELL), request(*below, side=SELL, stop="90"), venue.time)
    assert (list(venue.exchange.log), dict(venue.exchange.pairs)) == ([], {})


@pytest.mark.parametrize(
    ("code", "order"),
    [
        ("step", ("MARKET", "0.0005")),
        ("min_quantity", ("MARKET", "0.001")),
        ("tick", ("LIMIT", "1", "100.05")),
        ("min_notional", ("LIMIT", "0.01", "100")),
        ("balance", ("LIMIT", "101", "100")),
        ("balance", ("MARKET", "99.9")),
        ("would_take", ("LIMIT_MAKER", "1", "100.1")),
    ],
)
def test_a_refusal_begins_with_its_code_and_changes_nothing(code, order) -> None:
    venue = Venue()
    with pytest.raises(OrderRefused, match=f"^{code}: .*accepted: "):
        venue.place("a", *order)
    assert list(venue.exchange.log) == []


def test_there_is_a_limit_to_open_orders_and_a_lower_one_to_stops() -> None:
    venue = Venue(usdt="1000000", btc="100")
    for number in range(5):
        venue.place(f"stop{number}", "STOP_LOSS", "0.1", stop="90", side=SELL)
    with pytest.raises(OrderRefused, match=r"^open_stops: 5 of BTC; accepted: up to 5"):
        venue.place("stop", "STOP_LOSS_LIMIT", "0.1", "89", stop="90", side=SELL)
    for number in range(195):
        venue.place(f"limit{number}", "LIMIT", "0.1", "90")
    with pytest.raises(OrderRefused, match=r"^open_orders: 200 of BTC; accepted: up to 200"):
        venue.place("limit", "LIMIT", "0.1", "90")


def test_a_stop_that_would_trigger_at_once_is_refused() -> None:
    venue = Venue()
    with pytest.raises(OrderRefused, match=r"^would_trigger: "):
        venue.place("a", "STOP_LOSS", "1", stop="100", side=SELL)


def test_a_client_id_is_unique_among_open_orders_only() -> None:
    venue = Venue()
    venue.place("a", "LIMIT", "1", "90")
    with pytest.raises(OrderRefused, match=r"^duplicate_client_id: "):
        venue.place("a", "LIMIT", "1", "90")
    venue.cancel("a")
    again = venue.place("a", "LIMIT", "1", "90")
    assert again.order_id > 1
    assert venue.order("a") == again
    assert venue.exchange.find(BTC, 1).status is OrderStatus.CANCELLED
    for symbol, order_id in ((ETH, 1), (BTC, 99)):
        with pytest.raises(OrderNotFound):
            venue.exchange.find(symbol, order_id)


def test_nothing_can_be_ordered_before_the_first_price() -> None:
    exchange = SpotExchange(INSTRUMENTS, {"USDT": Decimal(1000)}, fees=FEES, liquidity=MadeUpBook(flat_offers))
    with pytest.raises(OrderRefused, match=r"^no_price: "):
        exchange.place(request("a", "MARKET", "1"), 0)
    assert (exchange.price(BTC), exchange.depth(BTC, SELL)) == (None, [])


@pytest.mark.parametrize("phase", [Phase.HALT, Phase.BREAK, Phase.CANCEL_ONLY])
def test_outside_of_trading_a_symbol_neither_takes_nor_executes_orders_but_cancels(phase) -> None:
    venue = Venue()
    venue.place("limit", "LIMIT", "1", "90")
    venue.place("stop", "STOP_LOSS", "1", stop="90", side=SELL)
    venue.exchange.enter(phase, BTC, venue.time)
    venue.move(80.0)
    assert (venue.kinds("limit"), venue.kinds("stop"), venue.exchange.phase(BTC)) == ([NEW], [NEW], phase)
    with pytest.raises(OrderRefused, match=r"^market_closed: "):
        venue.place("b", "MARKET", "1")
    venue.cancel("limit")
    venue.exchange.enter(Phase.TRADING, BTC, venue.time)
    venue.move(80.0)
    assert TRIGGERED in venue.kinds("stop")


def test_a_delisted_symbol_is_unknown_and_its_orders_expire() -> None:
    venue = Venue()
    venue.place("limit", "LIMIT", "1", "90")
    venue.exchange.enter(Phase.DELISTED, BTC, venue.time)
    assert venue.kinds("limit") == [NEW, EXPIRED]
    assert list(venue.exchange.listed) == [ETH]
    with pytest.raises(OrderRefused, match=r"^unknown_symbol: BTC; accepted: ETH"):
        venue.place("b", "MARKET", "1")
    assert venue.held("USDT") == ("10000", "0")


def test_a_venue_may_expire_orders_on_its_own_both_of_a_pair() -> None:
    venue = Venue()
    pair = (
        request("up", "LIMIT_MAKER", "1", "110", side=SELL),
        request("down", "STOP_LOSS", "1", stop="90", side=SELL),
    )
    venue.exchange.place_pair("pair", *pair, venue.time)
    venue.exchange.expire(venue.order("down"), venue.time)
    assert venue.kinds("up") == venue.kinds("down") == [NEW, EXPIRED]
    assert venue.held("BTC") == ("10", "0")


def test_an_order_that_ended_cannot_be_cancelled() -> None:
    venue = Venue()
    venue.place("a", "MARKET", "1")
    with pytest.raises(OrderNotFound, match="is not open"):
        venue.cancel("a")


@settings(max_examples=60, deadline=None)
@given(
    steps=st.lists(
        st.tuples(
            st.sampled_from([*SpotOrderType, "move", "cancel"]),
            st.sampled_from(list(Side)),
            st.integers(20, 90_000),
            st.integers(800, 1200),
            st.integers(800, 1200),
            st.sampled_from(["GTC", "IOC", "FOK"]),
        ),
        max_size=40,
    ),
    fees=st.builds(
        SpotFees,
        maker=st.sampled_from([FEES.maker, -FEES.maker]),
        taker=st.just(FEES.taker),
        in_quote=st.booleans(),
        asset=st.sampled_from([None, "BTC"]),
    ),
)
def test_money_is_neither_made_nor_lost_and_nothing_stays_locked(steps, fees) -> None:
    venue = Venue(fees=fees)
    for number, (kind, side, quantity, price, stop, lasts) in enumerate(steps):
        if kind == "move":
            venue.move(price / 10, min(price, stop) / 10, max(price, stop) / 10, share=quantity / 90_000)
            continue
        if kind == "cancel":
            for order in venue.exchange.open_orders()[:1]:
                venue.exchange.cancel(order, venue.time, "c")
            continue
        values = {
            "price": str(Decimal(price) / 10) if kind.has_limit else None,
            "stop": str(Decimal(stop) / 10) if kind.is_stop else None,
            "lasts": lasts if kind is not SpotOrderType.LIMIT_MAKER else "GTC",
        }
        try:
            venue.place(str(number), kind, str(Decimal(quantity) / 1000), side=side, **values)
        except OrderRefused:
            continue
    usdt, btc = Decimal(10_000), Decimal(10)
    for event in venue.exchange.log:
        if event.trade is not None:
            fill = event.trade.fill
            sign = 1 if fill.side is Side.BUY else -1
            btc += sign * fill.quantity - (fill.fee if fill.fee_asset == "BTC" else 0)
            usdt -= sign * fill.value + (fill.fee if fill.fee_asset == "USDT" else 0)
    for order in venue.exchange.open_orders():
        venue.exchange.cancel(order, venue.time, "end")
    balances = venue.exchange.balances()
    assert (balances["USDT"].free, balances["BTC"].free) == (usdt, btc)
    assert [balance.locked for balance in balances.values()] == [0, 0]
