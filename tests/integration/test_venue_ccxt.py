"""An ordinary client, ccxt, trades on the venue: nothing of it is changed but the address."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from itertools import pairwise

import pytest
from tests.integration.venue_server import KEY, SECRET, RunningVenue, running_venue

# A client is no part of Vela: who wants to see it trade here installs it.
ccxt = pytest.importorskip("ccxt.pro", reason="ccxt is not installed: pip install ccxt", exc_type=ImportError)

SYMBOL = "BTC/USDT"


@pytest.fixture
def venue() -> Iterator[RunningVenue]:
    with running_venue() as venue:
        yield venue


@pytest.fixture
async def client(venue: RunningVenue) -> AsyncIterator[object]:
    exchange = ccxt.binance(
        {
            "apiKey": KEY,
            "secret": SECRET,
            "enableRateLimit": False,
            "options": {"fetchMarkets": {"types": ["spot"]}, "fetchMargins": False, "fetchCurrencies": False},
        }
    )
    exchange.urls["api"].update(public=f"{venue.http}/api/v3", private=f"{venue.http}/api/v3")
    exchange.urls["api"]["ws"]["spot"] = f"{venue.ws}/stream/ws"
    exchange.urls["api"]["ws"]["ws-api"]["spot"] = f"{venue.ws}/ws-api/v3"
    try:
        await exchange.load_markets()
        yield exchange
    finally:
        await exchange.close()


async def test_the_market_can_be_read(client) -> None:
    assert client.market(SYMBOL)["precision"] == {
        **client.market(SYMBOL)["precision"],
        "price": 0.01,
        "amount": 0.00001,
    }
    candles = await client.fetch_ohlcv(SYMBOL, "1m", limit=100)
    assert len(candles) == 100
    assert [later[0] - earlier[0] for earlier, later in pairwise(candles)] == [60_000] * 99
    assert len(await client.fetch_ohlcv(SYMBOL, "5m", limit=20)) == 20
    book = await client.fetch_order_book(SYMBOL)
    assert book["bids"][0][0] < book["asks"][0][0]
    assert (await client.fetch_ticker(SYMBOL))["last"] > 0
    assert await client.fetch_trades(SYMBOL)
    assert (await client.fetch_balance())["USDT"]["free"] == 1_000_000
    assert abs(await client.fetch_time() - client.milliseconds()) < 1000


async def test_a_session_of_orders(client, venue) -> None:
    ask = (await client.fetch_order_book(SYMBOL))["asks"][0][0]
    bought = await client.create_order(SYMBOL, "market", "buy", 0.01)
    assert (bought["status"], bought["filled"]) == ("closed", 0.01)
    assert bought["average"] >= ask * 0.99
    assert bought["fee"]["currency"] == "BTC"
    by_cost = await client.create_order(SYMBOL, "market", "buy", 1, None, {"cost": 500})
    assert 490 < by_cost["cost"] <= 500

    resting = await client.create_order(SYMBOL, "limit", "buy", 0.02, round(ask * 0.5, 2), {"clientOrderId": "mine"})
    assert resting["status"] == "open"
    with pytest.raises(ccxt.InvalidOrder):
        await client.create_order(SYMBOL, "limit", "buy", 0.02, round(ask * 0.5, 2), {"clientOrderId": "mine"})
    stop = await client.create_order(
        SYMBOL, "limit", "sell", 0.01, round(ask * 0.4, 2), {"stopLossPrice": round(ask * 0.5, 2)}
    )
    maker = await client.create_order(SYMBOL, "limit", "sell", 0.01, round(ask * 2, 2), {"postOnly": True})
    assert {order["id"] for order in await client.fetch_open_orders(SYMBOL)} == {
        order["id"] for order in (resting, stop, maker)
    }
    assert (await client.fetch_order(stop["id"], SYMBOL))["info"]["type"] == "STOP_LOSS_LIMIT"
    assert (await client.fetch_balance())["BTC"]["used"] == 0.02
    assert (await client.cancel_order(resting["id"], SYMBOL))["status"] == "canceled"
    with pytest.raises(ccxt.OrderNotFound):
        await client.cancel_order(resting["id"], SYMBOL)
    await client.cancel_all_orders(SYMBOL)
    assert await client.fetch_open_orders(SYMBOL) == []
    assert (await client.fetch_balance())["BTC"]["used"] == 0

    trades = await client.fetch_my_trades(SYMBOL)
    fills = [event["fill"] for event in venue.truth() if "fill" in event]
    assert [(trade["id"], trade["price"], trade["amount"]) for trade in trades] == [
        (fill["fill_id"], float(fill["price"]), float(fill["quantity"])) for fill in fills
    ]


async def test_an_order_larger_than_the_market_is_filled_in_parts(client) -> None:
    price = round((await client.fetch_ticker(SYMBOL))["last"] * 1.05, 2)
    order = await client.create_order(SYMBOL, "limit", "buy", 9, price)
    assert order["status"] == "open"
    assert 0 < order["filled"] < 9
    later = order
    while later["filled"] == order["filled"]:
        await asyncio.sleep(0.05)
        later = await client.fetch_order(order["id"], SYMBOL)
    assert len(await client.fetch_my_trades(SYMBOL)) > len(order["trades"])


@pytest.mark.parametrize(
    ("error", "order"),
    [
        ("InsufficientFunds", ("limit", "buy", 1000, 100_000)),
        ("InvalidOrder", ("limit", "buy", 0.00001, 10_000)),
        ("OrderImmediatelyFillable", ("limit", "buy", 0.01, 1_000_000, {"postOnly": True})),
    ],
)
async def test_refusals_are_the_errors_that_ccxt_knows(client, error, order) -> None:
    with pytest.raises((getattr(ccxt, error), ccxt.BadRequest) if error == "InvalidOrder" else getattr(ccxt, error)):
        await client.create_order(SYMBOL, *order)


async def test_a_wrong_secret_and_a_wrong_clock_are_refused(client, venue) -> None:
    venue.control.post("/clock", json={"offset_ms": -6000})
    with pytest.raises(ccxt.InvalidNonce):
        await client.fetch_balance()
    venue.control.post("/clock", json={"offset_ms": 0})
    client.secret = "wrong"
    with pytest.raises(ccxt.AuthenticationError):
        await client.fetch_balance()


async def test_an_order_survives_the_answer_that_never_came(client, venue) -> None:
    venue.fault("POST /api/v3/order", "execute_and_reset", nth=1)
    with pytest.raises(ccxt.NetworkError):
        await client.create_order(SYMBOL, "market", "buy", 0.01, None, {"clientOrderId": "lost"})
    order = await client.fetch_order(None, SYMBOL, {"origClientOrderId": "lost"})
    assert order["status"] == "closed"
    venue.fault("POST /api/v3/order", "drop_before", nth=1)
    with pytest.raises(ccxt.NetworkError):
        await client.create_order(SYMBOL, "market", "buy", 0.01, None, {"clientOrderId": "never"})
    with pytest.raises(ccxt.OrderNotFound):
        await client.fetch_order(None, SYMBOL, {"origClientOrderId": "never"})


async def test_streams_reach_ccxt(client) -> None:
    async with asyncio.timeout(20):
        assert (await client.watch_ohlcv(SYMBOL, "1m"))[-1][4] > 0
        assert (await client.watch_trades(SYMBOL))[0]["symbol"] == SYMBOL
        assert (await client.watch_ticker(SYMBOL))["last"] > 0
        assert (await client.watch_bids_asks([SYMBOL]))[SYMBOL]["bid"] > 0
        book = await client.watch_order_book(SYMBOL)
        assert book["bids"][0][0] < book["asks"][0][0]


async def test_the_account_is_told_over_the_websocket_api(client) -> None:
    async with asyncio.timeout(20):
        watching = asyncio.create_task(client.watch_orders(SYMBOL))
        balance = asyncio.create_task(client.watch_balance())
        await asyncio.sleep(0.5)
        placed = await client.create_order(SYMBOL, "limit", "buy", 0.01, 10_000)
        assert (await watching)[0]["id"] == placed["id"]
        assert (await balance)["USDT"]["used"] == 100
        over_socket = await client.create_order_ws(SYMBOL, "limit", "buy", 0.01, 10_000)
        assert over_socket["status"] == "open"
