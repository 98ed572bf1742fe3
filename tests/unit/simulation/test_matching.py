"""What `test_exchange.py` and `test_spot_exchange.py` show of matching as a whole; here: how its two markets differ."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.unit.simulation.market import BTC, ETH, INSTRUMENTS
from tests.unit.simulation.venue import FEES, SELL, request

from vela.domain.events import Tick
from vela.domain.order import OrderStatus
from vela.simulation.accounts import Account
from vela.simulation.book import Book
from vela.simulation.depth import flat_offers
from vela.simulation.exchange_events import ExchangeEvent, OrderCancelled, OrderFilled, OrderTriggered, order_of
from vela.simulation.liquidity import Liquidity, MadeUpBook, Slippage
from vela.simulation.matching import Matching
from vela.simulation.spot_fees import SpotFees
from vela.simulation.spot_orders import SpotRequest

RULES = {instrument.symbol: instrument for instrument in INSTRUMENTS}
NO_FEES = SpotFees(Decimal(0), Decimal(0))


class Trading:
    """A book and the rules that work on it; the market stands at 100."""

    def __init__(self, liquidity: Liquidity, fees: SpotFees = NO_FEES) -> None:
        self.events: list[ExchangeEvent] = []
        balances = {"USDT": Decimal(1000), "BTC": Decimal(10)}
        self.book = Book(Account(balances), lambda event, _: self.events.append(event))
        self.matching = Matching(RULES, fees, liquidity)
        self.matching.advance(Tick(BTC, 100.0, 100.0, 100.0, volume=5.0))

    def accept(self, wanted: SpotRequest) -> None:
        self.book.accept(wanted, 1, self.matching.need(wanted, wanted.quantity or Decimal(0)))

    def move(self, price: float, *, budget: int | None = None, jump: float | None = None) -> None:
        if jump is not None:
            self.matching.advance(Tick(BTC, jump, jump, jump, jump=True, volume=5.0))
        tick = Tick(BTC, price, min(price, jump or 100.0), max(price, jump or 100.0), volume=5.0)
        move = self.matching.moved(tick, self.matching.advance(tick))
        self.matching.match(self.book, self.book.of_symbol(BTC), move, 2, budget)

    def fills(self) -> list[tuple[str, Decimal, Decimal]]:
        fills = [event.fill for event in self.events if isinstance(event, OrderFilled)]
        return [(fill.client_order_id, fill.price, fill.quantity) for fill in fills]


def endless(slippage_ppm: int = 0) -> Slippage:
    return Slippage(slippage_ppm, 0)


def test_a_limit_gets_the_better_price_over_a_gap_only_where_there_is_no_book() -> None:
    prices = {}
    for name, liquidity in (("endless", endless()), ("book", MadeUpBook(flat_offers))):
        trading = Trading(liquidity)
        trading.accept(request("a", "LIMIT", "1", "110", side=SELL))
        trading.move(115.0, jump=115.0)
        prices[name] = trading.fills()[0][1]
    assert prices == {"endless": 115, "book": 110}


def test_a_stop_takes_all_at_a_price_that_slips_or_what_the_book_has() -> None:
    trading = Trading(endless(slippage_ppm=10_000))
    trading.accept(request("a", "STOP_LOSS", "8", stop="90", side=SELL))
    trading.move(85.0)
    assert trading.fills() == [("a", Decimal("89.1"), Decimal(8))]
    trading = Trading(MadeUpBook(flat_offers))
    trading.accept(request("a", "STOP_LOSS", "8", stop="90", side=SELL))
    trading.move(85.0)
    assert trading.fills() == [("a", Decimal(90), Decimal(5))]
    assert any(isinstance(event, OrderTriggered) for event in trading.events)


def test_the_first_of_a_group_to_trade_ends_the_others_before() -> None:
    trading = Trading(endless())
    for wanted in (
        request("stop", "STOP_LOSS", "10", stop="90", side=SELL, group="g"),
        request("target", "LIMIT", "10", "110", side=SELL, group="g"),
    ):
        trading.accept(wanted)
    trading.move(110.0)
    cancelled, filled = trading.events[2:]
    assert (type(cancelled), order_of(cancelled)) == (OrderCancelled, "stop")
    assert (type(filled), order_of(filled)) == (OrderFilled, "target")


def test_what_rests_trades_no_more_than_its_budget() -> None:
    trading = Trading(MadeUpBook(flat_offers))
    for name in "abc":
        trading.accept(request(name, "LIMIT", "2", "110", side=SELL))
    trading.move(110.0, budget=3000)
    assert [(name, quantity) for name, _, quantity in trading.fills()] == [("a", Decimal(2)), ("b", Decimal(1))]
    assert [order.open_quantity for order in trading.book.of_symbol(BTC)] == [1, 2]


def test_a_purchase_keeps_its_worst_price_and_the_fee_on_top_ready() -> None:
    trading = Trading(endless(slippage_ppm=10_000), SpotFees(FEES.maker, FEES.taker, in_quote=True))
    need = trading.matching.need
    assert need(request("a", "LIMIT", "2", "100"), Decimal(2)) == Decimal("200.4")
    assert need(request("a", "STOP_LOSS", "1", stop="100"), Decimal(1)) == Decimal("101.202")
    assert need(request("a", "MARKET", "1"), Decimal(1)) == 0
    assert need(request("a", "MARKET", "1", side=SELL), Decimal(1)) == 1


@pytest.mark.parametrize(("side", "paid"), [("BUY", ("0.015", "BTC")), ("SELL", ("2", "USDT"))])
def test_what_is_sold_whole_has_nothing_left_to_pay_the_fee_with(side, paid) -> None:
    trading = Trading(endless(), SpotFees(Decimal(0), Decimal("0.002"), asset="BTC"))
    wanted = request("a", "MARKET", "10", side=type(SELL)(side))
    trading.accept(wanted)
    trading.matching.take(trading.book, trading.book.find("a"), trading.matching.quote(BTC), 1)
    [fill] = [event.fill for event in trading.events if isinstance(event, OrderFilled)]
    assert (fill.fee, fill.fee_asset) == (Decimal(paid[0]), paid[1])


def test_what_cannot_be_paid_as_a_whole_expires_where_nothing_is_done_in_part() -> None:
    trading = Trading(endless())
    trading.accept(request("a", "MARKET", "11"))
    order = trading.matching.take(trading.book, trading.book.find("a"), trading.matching.quote(BTC), 1)
    assert (order.status, trading.fills()) == (OrderStatus.EXPIRED, [])


def test_prices_are_known_from_the_first_tick_on() -> None:
    matching = Trading(endless()).matching
    assert (matching.has_price(BTC), matching.has_price(ETH)) == (True, False)
    assert matching.price(BTC) == 100
