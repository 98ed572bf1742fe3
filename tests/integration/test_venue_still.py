"""A market that stands still until the control port moves it: fills at exact prices, in exact parts, when asked for."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from tests.integration.venue_server import RunningVenue, running_venue
from websockets.asyncio.client import connect

from vela.domain.trading_symbol import TradingSymbol
from vela.simulation.spot_fees import SpotFees

MARKET = {"market": "still", "symbols": "BTC,ETH"}
LIMIT = {"type": "LIMIT", "timeInForce": "GTC"}


@pytest.fixture
def venue() -> Iterator[RunningVenue]:
    prices = {TradingSymbol("BTC"): Decimal(100)}
    with running_venue(MARKET, prices=prices, flat_book=True) as venue:
        yield venue


def move(venue: RunningVenue, price: str, **more: Any) -> None:
    venue.control.post("/price", json={"symbol": "BTC", "price": price, **more}).raise_for_status()


def state(venue: RunningVenue, name: str) -> tuple[str, str, str]:
    order = venue.call("GET", "order", symbol="BTCUSDT", origClientOrderId=name).json()
    return tuple(order[key].rstrip("0") for key in ("status", "executedQty", "cummulativeQuoteQty"))


def test_everything_is_offered_at_the_price_itself(venue) -> None:
    bought = venue.order(quantity="500").json()
    assert (bought["status"], bought["executedQty"]) == ("FILLED", "500.00000000")
    assert [fill["price"] for fill in bought["fills"]] == ["100.00000000"]
    book = venue.public("ticker/bookTicker?symbol=BTCUSDT")
    assert book["bidPrice"] == book["askPrice"] == "100.00000000"
    assert venue.public("ticker/price?symbol=ETHUSDT")["price"] != "0.00000000"  # where the made-up market begins


def test_a_move_fills_what_it_passes_at_its_own_price(venue) -> None:
    venue.order(side="SELL", newClientOrderId="target", price="110.00", quantity="1", **LIMIT)
    venue.order(side="SELL", newClientOrderId="stop", type="STOP_LOSS", stopPrice="90.00", quantity="1")
    move(venue, "109.99")
    assert state(venue, "target")[0] == "NEW"
    move(venue, "111")
    assert state(venue, "target") == ("FILLED", "1.", "110.")
    move(venue, "80")
    assert state(venue, "stop") == ("FILLED", "1.", "90.")


def test_a_jump_passes_a_stop_at_the_far_side(venue) -> None:
    venue.order(side="SELL", newClientOrderId="stop", type="STOP_LOSS", stopPrice="90.00", quantity="1")
    move(venue, "80", jump=True)
    assert state(venue, "stop") == ("FILLED", "1.", "80.")


def test_a_move_that_trades_little_fills_in_part(venue) -> None:
    venue.order(side="SELL", newClientOrderId="target", price="110.00", quantity="1", **LIMIT)
    move(venue, "110", volume=0.37)
    assert state(venue, "target") == ("PARTIALLY_FILLED", "0.37", "40.7")
    taken = venue.order(side="SELL", quantity="0.5", newClientOrderId="taker").json()
    assert (taken["status"], taken["executedQty"]) == ("EXPIRED", "0.37000000")
    move(venue, "110")
    assert state(venue, "target") == ("FILLED", "1.", "110.")


def test_candles_are_still_and_end_when_told(venue) -> None:
    before = venue.public("klines?symbol=BTCUSDT&interval=1m&limit=100")
    assert len(before) == 100
    assert {(row[1], row[4]) for row in before} == {("100.00000000", "100.00000000")}
    move(venue, "110")
    move(venue, "95")
    opened = venue.control.post("/candle").json()["time"]
    closed, forming = venue.public("klines?symbol=BTCUSDT&interval=1m&limit=2")
    assert (closed[0], forming[0]) == (opened - 60_000, opened)
    assert closed[1:5] == ["100.00000000", "110.00000000", "95.00000000", "95.00000000"]
    assert forming[1] == "95.00000000"


async def test_streams_tell_the_move_and_the_end_of_the_candle(venue) -> None:
    async with connect(f"{venue.ws}/ws/btcusdt@trade/btcusdt@kline_1m", proxy=None) as socket, asyncio.timeout(5):
        await asyncio.to_thread(move, venue, "101")
        await asyncio.to_thread(venue.control.post, "/candle")
        trade, moved, closed = [json.loads(await socket.recv()) for _ in range(3)]
    assert (trade["e"], trade["p"]) == ("trade", "101.00000000")
    assert [(event["k"]["c"], event["k"]["x"]) for event in (moved, closed)] == [
        ("101.00000000", False),
        ("101.00000000", True),
    ]


def test_fees_in_a_third_asset_reach_the_client() -> None:
    prices = {TradingSymbol("BTC"): Decimal(100), TradingSymbol("BNB"): Decimal(50)}
    fees = SpotFees(Decimal(0), Decimal("0.001"), asset="BNB")
    balances = {"USDT": Decimal(1000), "BNB": Decimal(1)}
    with running_venue({"market": "still", "symbols": "BTC,BNB"}, prices=prices, fees=fees, balances=balances) as venue:
        [fill] = venue.order(quantity="1").json()["fills"]
        assert (fill["commission"], fill["commissionAsset"]) == ("0.00150015", "BNB")
        [trade] = venue.call("GET", "myTrades", symbol="BTCUSDT").json()
        assert (trade["commission"], trade["commissionAsset"]) == ("0.00150015", "BNB")
        held = {row["asset"]: row["free"] for row in venue.call("GET", "account").json()["balances"]}
        assert held["BNB"] == "0.99849985"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"symbol": "BTC", "price": "100.001"}, "tick: price 100.001 of BTC; accepted: whole multiples of 0.01"),
        ({"symbol": "BTC", "price": "0"}, "accepted: above 0"),
        ({"symbol": "BTC", "price": "x"}, "price"),
        ({"symbol": "SOL", "price": "1"}, "SOL is not traded here; accepted: BTC, ETH"),
        ({"symbol": "BTC", "price": "1", "volume": -1}, "volume was -1.0; accepted: 0 to "),
    ],
)
def test_a_move_that_makes_no_sense_is_refused(venue, body, words) -> None:
    answer = venue.control.post("/price", json=body)
    assert answer.status_code == 400
    assert words in answer.json()["error"]
    assert venue.public("ticker/price?symbol=BTCUSDT")["price"] == "100.00000000"


def test_a_market_that_moves_by_itself_is_not_moved() -> None:
    with running_venue() as venue:
        for path, body in (("/price", {"symbol": "BTC", "price": "1"}), ("/candle", {})):
            answer = venue.control.post(path, json=body)
            assert answer.status_code == 400
            assert "accepted: a venue with --market still" in answer.json()["error"]
