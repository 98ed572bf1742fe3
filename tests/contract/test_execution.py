"""What every `Execution` must do, whatever venue is behind it.

An adapter joins with a `Venue` of its own: an account with 1,000 USDT and 2 BTC, no slippage, a fee of 0.1 % taken in
quote, and a way to move the market.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Protocol

import pytest
from tests.integration.venue_server import KEY, SECRET, ScriptedMarket, scripted_venue

from vela.adapters.clock import SystemClock
from vela.adapters.exchanges.live import connect
from vela.adapters.exchanges.simulated.paper import PaperExecution
from vela.adapters.exchanges.unified.connection import Credentials
from vela.adapters.storage.sql.record import Record, open_record
from vela.domain.errors import OrderNotFound, OrderRefused, OrderUnresolved
from vela.domain.events import PricesMoved, Tick
from vela.domain.instrument import Instrument
from vela.domain.order import OrderRequest, OrderStatus, OrderType, Side
from vela.domain.trading_symbol import TradingSymbol
from vela.ports.execution import Balance, Execution, OrderReport
from vela.simulation.spot_fees import SpotFees

BTC = TradingSymbol("BTC")
BALANCES = {"USDT": Decimal(1000), "BTC": Decimal(2)}
FEE = Decimal("0.001")
INSTRUMENT = Instrument(BTC, Decimal("0.01"), Decimal("0.0001"), Decimal(5), Decimal("0.0001"))


class Venue(Protocol):
    execution: Execution

    async def move(self, price: float) -> tuple[OrderReport, ...]:
        """Let the market trade at `price`; returns what the adapter was told through `on_prices`."""
        ...


class PaperVenue:
    def __init__(self, record: Record) -> None:
        self.execution: Execution = PaperExecution(
            record.paper_log, [INSTRUMENT], BALANCES, fee_rate=FEE, slippage_ppm=0
        )
        self._time = 0
        self._price = 0.0

    async def move(self, price: float) -> tuple[OrderReport, ...]:
        self._time += 1000
        last, self._price = self._price or price, price
        tick = Tick(BTC, price, min(last, price), max(last, price))
        return await self.execution.on_prices(PricesMoved(time=self._time, ticks=(tick,)))


@asynccontextmanager
async def paper(directory: Path) -> AsyncIterator[Venue]:
    with open_record(directory) as record:
        yield PaperVenue(record)


class WireVenue:
    def __init__(self, market: ScriptedMarket, execution: Execution) -> None:
        self.execution = execution
        self._market = market
        self._time = 0
        self._price = 0.0

    async def move(self, price: float) -> tuple[OrderReport, ...]:
        self._time += 1000
        last, self._price = self._price or price, price
        tick = Tick(BTC, price, min(last, price), max(last, price))
        self._market.move(tick, self._time)
        return await self.execution.on_prices(PricesMoved(time=self._time, ticks=(tick,)))


@asynccontextmanager
async def binance(_: Path) -> AsyncIterator[Venue]:
    market = ScriptedMarket(INSTRUMENT, volume=100_000.0)
    fees = SpotFees(FEE, FEE, in_quote=True)
    with scripted_venue(market, balances=BALANCES, fees=fees) as server:
        connection = await connect("binance", Credentials(KEY, SECRET), SystemClock(), base_url=server.http)
        try:
            yield WireVenue(market, connection.execution([BTC]))
        finally:
            await connection.close()


VENUES: dict[str, Callable[[Path], AbstractAsyncContextManager[Venue]]] = {"paper": paper, "binance": binance}


@pytest.fixture(params=VENUES)
async def venue(request, tmp_path) -> AsyncIterator[Venue]:
    async with VENUES[request.param](tmp_path) as made:
        await made.move(100.0)
        yield made


@pytest.fixture
def execution(venue: Venue) -> Execution:
    return venue.execution


def market(name, quantity="1", side=Side.SELL):
    return OrderRequest(name, BTC, side, OrderType.MARKET, Decimal(quantity))


def limit(name, price, quantity="1", side=Side.SELL, group=None):
    return OrderRequest(name, BTC, side, OrderType.LIMIT, Decimal(quantity), price=Decimal(price), group=group)


def stop(name, price, quantity="1", side=Side.SELL, group=None):
    return OrderRequest(name, BTC, side, OrderType.STOP, Decimal(quantity), stop_price=Decimal(price), group=group)


async def test_a_market_order_is_filled_with_its_fee(execution):
    [report] = await execution.submit(market("a"))
    assert (report.client_order_id, report.status) == ("a", OrderStatus.FILLED)
    [fill] = report.fills
    assert (fill.client_order_id, fill.symbol, fill.side) == ("a", BTC, Side.SELL)
    assert (fill.price, fill.quantity, fill.fee, fill.fee_asset) == (100, 1, Decimal("0.1"), "USDT")
    assert await execution.order("a") == report
    balances = await execution.balances()
    assert balances["USDT"] == Balance(Decimal("1099.9"), Decimal(0))
    assert balances["BTC"] == Balance(Decimal(1), Decimal(0))


async def test_what_a_market_order_would_get_is_told_before_it_is_sent(execution):
    for side in Side:
        order = market(side.value, side=side)
        told = await execution.average_price(order)
        [report] = await execution.submit(order)
        assert [fill.price for fill in report.fills] == [told]
    assert len(await execution.open_orders()) == 0


async def test_a_resting_order_locks_what_it_needs_and_fills_when_the_market_comes(venue, execution):
    [report] = await execution.submit(limit("a", "110"))
    assert (report.status, report.fills) == (OrderStatus.ACCEPTED, ())
    assert await execution.open_orders() == (report,)
    assert (await execution.balances())["BTC"] == Balance(Decimal(1), Decimal(1))
    await venue.move(109.0)
    assert (await execution.order("a")).status is OrderStatus.ACCEPTED
    await venue.move(111.0)
    filled = await execution.order("a")
    assert filled.status is OrderStatus.FILLED
    assert filled.venue_order_id == report.venue_order_id
    assert await execution.open_orders() == ()


async def test_prices_tell_which_orders_changed_fills_first(venue, execution):
    await execution.submit(limit("target", "110", group="g"), stop("stop", "90", group="g"))
    assert await venue.move(100.5) == ()
    reports = await venue.move(89.0)
    assert [(report.client_order_id, report.status) for report in reports] in (
        [],  # a venue that knows the prices tells in its own time
        [("stop", OrderStatus.FILLED), ("target", OrderStatus.CANCELLED)],
    )


async def test_one_cancels_the_other_and_both_share_one_reservation(venue, execution):
    await execution.submit(stop("stop", "90", "2", group="g"), limit("target", "110", "2", group="g"))
    assert (await execution.balances())["BTC"] == Balance(Decimal(0), Decimal(2))
    await venue.move(111.0)
    assert (await execution.order("target")).status is OrderStatus.FILLED
    # Binance says of the other one that it expired.
    assert (await execution.order("stop")).status in {OrderStatus.CANCELLED, OrderStatus.EXPIRED}


@pytest.mark.parametrize(
    "requests",
    [
        [market("a", "3")],
        [market("a", "0.01")],
        [market("a", "0.00015")],
        [limit("a", "100.001")],
        [stop("a", "90", "1.5", group="g"), limit("b", "110", "2.5", group="g")],
    ],
    ids=["balance", "min_notional", "step", "tick", "one_of_two"],
)
async def test_a_refused_order_leaves_nothing_behind(execution, requests):
    before = await execution.balances()
    with pytest.raises(OrderRefused):
        await execution.submit(*requests)
    with pytest.raises(OrderNotFound):
        await execution.order("a")
    assert await execution.open_orders() == ()
    assert await execution.balances() == before


async def test_an_open_order_s_client_id_cannot_be_used_again(execution):
    await execution.submit(limit("a", "110"))
    before = await execution.order("a")
    # Unresolved where somebody else may have sent the first one: who asks then finds it.
    with pytest.raises((OrderRefused, OrderUnresolved)):
        await execution.submit(limit("a", "120"))
    assert await execution.order("a") == before


async def test_a_cancelled_order_is_over(execution):
    await execution.submit(limit("a", "110"))
    report = await execution.cancel("a")
    assert report.status is OrderStatus.CANCELLED
    assert await execution.order("a") == report
    assert (await execution.balances())["BTC"] == Balance(Decimal(2), Decimal(0))
    with pytest.raises(OrderNotFound):
        await execution.cancel("a")


async def test_what_never_was_is_not_found(execution):
    with pytest.raises(OrderNotFound):
        await execution.order("ghost")
    with pytest.raises(OrderNotFound):
        await execution.cancel("ghost")


async def test_a_replacement_is_one_step(execution):
    await execution.submit(stop("old", "90", "2"))
    cancelled, accepted = await execution.replace(["old"], stop("new", "95", "2"))
    assert (cancelled.client_order_id, cancelled.status) == ("old", OrderStatus.CANCELLED)
    assert (accepted.client_order_id, accepted.status) == ("new", OrderStatus.ACCEPTED)
    assert await execution.open_orders() == (accepted,)


async def test_a_replacement_that_comes_too_late_places_nothing(venue, execution):
    await execution.submit(stop("old", "90"))
    await venue.move(89.0)
    with pytest.raises(OrderNotFound):
        await execution.replace(["old"], stop("new", "80"))
    with pytest.raises(OrderNotFound):
        await execution.order("new")


@pytest.mark.parametrize("new", [stop("new", "95", "3"), stop("new", "95.001")], ids=["balance", "tick"])
async def test_a_refused_replacement_places_nothing(execution, new):
    [old] = await execution.submit(stop("old", "90"))
    with pytest.raises(OrderRefused):
        await execution.replace(["old"], new)
    # What is wrong in itself is seen before the old order is cancelled. The balance Binance looks at only afterwards,
    # when the old order has given it back.
    kept = [(), (old,)] if new.quantity > 2 else [(old,)]
    assert await execution.open_orders() in kept
    with pytest.raises(OrderNotFound):
        await execution.order("new")


async def test_a_pair_is_replaced_as_a_whole(execution):
    pair = [stop("stop", "90", "2", group="g"), limit("target", "110", "2", group="g")]
    await execution.submit(*pair)
    reports = await execution.replace(["stop", "target"], market("exit", "2"))
    assert [(report.client_order_id, report.status) for report in reports] == [
        ("stop", OrderStatus.CANCELLED),
        ("target", OrderStatus.CANCELLED),
        ("exit", OrderStatus.FILLED),
    ]
    assert await execution.open_orders() == ()


async def test_a_stop_that_is_on_its_own_is_placed_beside_a_pair_and_replaced_with_it(execution):
    pair = [stop("stop", "90", "0.5", group="g"), limit("target", "110", "0.5", group="g")]
    await execution.submit(pair[0], stop("rest", "90", "1.5"), pair[1])
    assert {report.client_order_id for report in await execution.open_orders()} == {"stop", "target", "rest"}
    reports = await execution.replace(["stop", "rest", "target"], stop("new", "95", "2"))
    assert [report.client_order_id for report in reports] == ["stop", "rest", "target", "new"]
    assert [report.client_order_id for report in await execution.open_orders()] == ["new"]


async def test_of_several_orders_none_is_left_when_one_is_refused(execution):
    with pytest.raises(OrderRefused):
        await execution.submit(stop("a", "90", "1"), stop("b", "90", "3"))
    assert await execution.open_orders() == ()


async def test_fills_are_told_once_each_with_ids_of_their_own(venue, execution):
    await execution.submit(market("a"), limit("b", "105", "0.5"), stop("c", "95", "0.5"))
    await venue.move(106.0)
    await venue.move(94.0)
    fills = [fill for name in "abc" for fill in (await execution.order(name)).fills]
    assert [(fill.client_order_id, fill.quantity) for fill in fills] == [
        ("a", 1),
        ("b", Decimal("0.5")),
        ("c", Decimal("0.5")),
    ]
    assert len({fill.fill_id for fill in fills}) == 3


async def test_open_orders_come_oldest_first(execution):
    for name in ("b", "a", "c"):
        await execution.submit(limit(name, "110", "0.1"))
    assert [report.client_order_id for report in await execution.open_orders()] == ["b", "a", "c"]
