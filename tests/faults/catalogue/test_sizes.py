"""Orders filled in part, too small, or off the grid, and what they cost: rows A09 to A12, A29, A30."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.builders import BTC, ETH, instrument
from tests.fakes import until
from tests.faults.catalogue.wire import PRICES, RULES, STILL, WireDesk, bought, wire_desk
from tests.integration.venue_server import KEY, SECRET, RunningVenue, running_venue

from vela.adapters.exchanges.unified.connection import Credentials
from vela.adapters.storage.sql.record import open_record
from vela.bootstrap.exchange_marketplace import ExchangeMarketplace
from vela.bootstrap.settings import load_settings
from vela.domain.errors import ConfigurationError
from vela.domain.money import ZERO, add, multiply, plain, subtract
from vela.domain.order import OrderStatus
from vela.domain.signal import Action
from vela.engine.rules import Stake, StakeKind, TradingRules
from vela.engine.sizing import entry_steps
from vela.simulation.spot_fees import SpotFees

FEE = Decimal("0.001")
ORDER = "POST /api/v3/order"


@asynccontextmanager
async def desk_with(
    data_dir: Path, fees: SpotFees, rules: TradingRules = RULES, **more: Any
) -> AsyncIterator[WireDesk]:
    market = {**STILL, "symbols": "BTC,ETH,BNB"}
    balances = {"USDT": Decimal(100_000), "BNB": Decimal(10)}
    with running_venue(market, prices=PRICES, flat_book=True, fees=fees, balances=balances, **more) as venue:
        async with wire_desk(venue, data_dir, rules) as desk:
            yield desk


async def stops(desk: WireDesk) -> Decimal:
    """Return how much the stops at the venue would sell."""
    orders = desk.venue.call("GET", "openOrders").json()
    return add(*(Decimal(order["origQty"]) for order in orders if order["side"] == "SELL"))


async def test_a09_what_was_filled_of_an_order_is_held_protected_and_sold_and_no_more(desk: WireDesk) -> None:
    desk.move("100", volume=0.37)
    await desk.buy()
    assert await desk.held() == {BTC: Decimal("0.37")}
    assert await stops(desk) == Decimal("0.37")
    assert desk.wallet.reserved == 0
    desk.move("100", volume=0.1)
    await desk.sell()
    assert await desk.held() == {BTC: Decimal("0.27")}
    assert await stops(desk) == Decimal("0.27")
    desk.move("100")
    await desk.at_rest(40.0)
    assert await desk.held() == {}
    assert await stops(desk) == 0
    assert add(*(quantity for _, quantity in desk.fills())) == Decimal("0.74")


async def test_a10_a_remainder_too_small_to_be_sold_is_given_up_and_its_place_is_free(desk: WireDesk) -> None:
    desk.move("100", volume=0.00004)
    await desk.buy()
    assert await desk.held() == {}
    assert [text for text in desk.alerts if "too little to be sold" in text] == [
        "0.00004 BTC are too little to be sold: written off, they stay on the account"
    ]
    desk.move("100")
    await desk.at_rest(60.0)
    await bought_again(desk)
    assert len([text for text in desk.alerts if "too little to be sold" in text]) == 1


async def bought_again(desk: WireDesk) -> None:
    await desk.buy()
    assert set(await desk.held()) == {BTC}


async def test_a11_an_entry_whose_stop_would_be_below_the_venues_minimum_is_refused(desk: WireDesk) -> None:
    rules = TradingRules(cooldown_ms=0, stake=Stake(StakeKind.FIXED, Decimal("5.1")), stop_loss_ppm=50_000)
    desk.service._manager._rules = rules
    await desk.buy()
    assert desk.refusals == ["min_notional"]
    assert desk.accepted == []


@pytest.mark.parametrize("step", ["0.001", "1", "10", "0.00000001"])
def test_a12_quantities_are_cut_to_the_step_and_never_rounded_up(step: str) -> None:
    rules = instrument(step=step)
    for budget in map(Decimal, ("0.0000000999", "19.999999999", "123456.789")):
        stake = Stake(StakeKind.FIXED, budget)
        quantity = rules.quantity(entry_steps(stake, Decimal("1.37"), rules.step, Decimal(10**6), Decimal(10**6), FEE))
        assert quantity % Decimal(step) == 0
        assert multiply(quantity, Decimal("1.37")) <= budget < multiply(add(quantity, Decimal(step)), Decimal("1.37"))
    owned = Decimal("29.98765432198765")
    assert owned - Decimal(step) < rules.orderable_part(owned) <= owned


async def test_a12_an_order_that_is_refused_is_over_and_frees_its_money_once(desk: WireDesk) -> None:
    before = desk.wallet
    desk.venue.fault(ORDER, "reject", nth=1, args={"code": -1013, "message": "Filter failure: LOT_SIZE"})
    await desk.buy()
    [entry] = desk.sent
    assert desk.statuses(entry)[-1] is OrderStatus.REJECTED
    await desk.at_rest(60.0)
    after = desk.wallet
    assert (after.cash, after.reserved) == (before.cash, ZERO)
    assert desk.accepted == []


async def test_a_purchase_dearer_than_all_there_is_is_booked_and_protected(venue: RunningVenue, tmp_path: Path) -> None:
    rules = TradingRules(cooldown_ms=0, stake=Stake(StakeKind.ALL))
    async with wire_desk(venue, tmp_path / "data", rules) as desk:
        await desk.price(100.0)
        desk.move("103")
        await desk.signal(Action.BUY)
        [quantity] = (await desk.held()).values()
        assert await stops(desk) == quantity
        assert desk.wallet.cash < 0
        assert desk.wallet.initial_capital == 1000
        assert any("below zero until a sale brings them back" in text for text in desk.alerts)
        await desk.sell()
        assert desk.wallet.cash > 0


# ----------------------------------------------------------------------------------------------------------------- fees

FEES = {
    "in what is received": (SpotFees(FEE, FEE), ["BTC", "USDT"]),
    "in quote": (SpotFees(FEE, FEE, in_quote=True), ["USDT", "USDT"]),
    "in a third asset": (SpotFees(FEE, FEE, asset="BNB"), ["BNB", "BNB"]),
}


@pytest.mark.parametrize("case", FEES)
async def test_a29_whatever_asset_fees_are_taken_in_no_more_is_sold_than_there_is(tmp_path: Path, case: str) -> None:
    fees, assets = FEES[case]
    async with desk_with(tmp_path / "data", fees) as desk:
        await bought(desk)
        [(asset, amount)] = taken(desk)
        [quantity] = (await desk.held()).values()
        [(_, filled)] = desk.fills()
        assert quantity == subtract(filled, amount if asset == "BTC" else ZERO)
        await desk.sell()
        assert await desk.held() == {}
        assert [asset for asset, _ in taken(desk)] == assets
        assert OrderStatus.REJECTED not in {order.status for order in desk.orders}
        left = {name: held.free for name, held in (await desk.execution.balances()).items()}
        assert 0 <= left.get("BTC", ZERO) < Decimal("0.00001"), "less than a step"


async def test_a29_fees_that_eat_a_position_leave_one_that_can_be_sold(tmp_path: Path) -> None:
    # Without a stop nothing is locked, and the owner has nothing besides: fees come out of the position in ETH.
    rules = TradingRules(cooldown_ms=0, stop_loss_ppm=0)
    async with desk_with(tmp_path / "data", SpotFees(FEE, FEE, asset="ETH"), rules) as desk:
        await desk.buy(ETH)
        [bought_eth] = (await desk.held()).values()
        await desk.buy(BTC)
        eaten = taken(desk)[-1]
        assert eaten[0] == "ETH"
        await desk.signal(Action.SELL, ETH)
        assert desk.orders[-1].status is OrderStatus.REJECTED
        assert set(await desk.held()) == {BTC, ETH}
        await desk.at_rest(150.0)
        assert set(await desk.held()) == {BTC}, "what is there was sold"
        assert f"{eaten[1]} ETH of {bought_eth} are not at the venue any more: written off" in desk.alerts
        left = (await desk.execution.balances())["ETH"]
        assert 0 <= left.free + left.locked < Decimal("0.0001"), "less than a step"


async def test_a29_what_the_owner_took_away_is_written_off_only_once_it_is_surely_gone(tmp_path: Path) -> None:
    rules = TradingRules(cooldown_ms=0, stop_loss_ppm=0)
    async with desk_with(tmp_path / "data", SpotFees(FEE, FEE, in_quote=True), rules) as desk:
        await desk.buy(ETH)
        [whole] = (await desk.held()).values()
        desk.venue.order(symbol="ETHUSDT", side="SELL", quantity="0.5").raise_for_status()
        await desk.at_rest(55.0)
        assert not any("written off" in text for text in desk.alerts)
        await desk.at_rest(60.0)
        assert (await desk.held())[ETH] == subtract(whole, Decimal("0.5"))
        assert f"0.5 ETH of {plain(whole)} are not at the venue any more: written off" in desk.alerts
        await desk.price(50.0, ETH)
        await desk.signal(Action.SELL, ETH)
        assert await desk.held() == {}


async def test_a29_a_new_account_whose_fees_would_eat_a_position_is_not_begun_with(tmp_path: Path) -> None:
    fees = SpotFees(FEE, FEE, asset="BNB")
    with (
        running_venue({**STILL, "symbols": "BTC,ETH,BNB"}, prices=PRICES, fees=fees) as venue,
        open_record(tmp_path) as record,
    ):
        for symbols in ("BTC,BNB", "BTC"):
            options = {"exchange": "binance", "exchange_url": venue.http, "symbols": symbols, "data_dir": str(tmp_path)}
            place = ExchangeMarketplace(load_settings(options, {}, tmp_path / "vela.toml"), Credentials(KEY, SECRET))
            try:
                if symbols == "BTC":
                    await place.open(record)
                    continue
                with pytest.raises(ConfigurationError, match="takes the account's fees in BNB, which is among"):
                    await place.open(record)
            finally:
                await place.close()


def taken(desk: WireDesk) -> list[tuple[str, Decimal]]:
    fills = [event["fill"] for event in desk.venue.truth() if "fill" in event]
    return [(fill["fee_asset"], Decimal(fill["fee"])) for fill in fills]


@pytest.mark.parametrize(("maker", "gained"), [("0.001", False), ("-0.0001", True)])
async def test_a30_a_fee_takes_and_only_a_rebate_gives(tmp_path: Path, maker: str, *, gained: bool) -> None:
    # The target trades at its own price as a maker; the entry, as a taker, is free here.
    rules = TradingRules(cooldown_ms=0, take_profit_ppm=100_000)
    fees = SpotFees(Decimal(maker), ZERO, in_quote=True)
    async with desk_with(tmp_path / "data", fees, rules) as desk:
        before = desk.wallet.cash
        await desk.buy()
        [(_, quantity)] = desk.fills()
        desk.move("111")
        await until(desk.trades)
        without_fee = multiply(quantity, Decimal(10))
        assert (subtract(desk.wallet.cash, before) > without_fee) is gained
        assert subtract(desk.wallet.cash, before) == without_fee - multiply(quantity, Decimal(110), Decimal(maker))
