"""What ccxt does on the venue; nothing of it is changed but the address."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from itertools import pairwise
from typing import Any

import ccxt.pro as ccxt
from tests.integration.clients.sessions import Venue, run

SYMBOL = "BTC/USDT"


@asynccontextmanager
async def connected(venue: Venue) -> AsyncIterator[Any]:
    exchange = ccxt.binance(
        {
            "apiKey": venue.key,
            "secret": venue.secret,
            "enableRateLimit": False,
            "options": {"fetchMarkets": {"types": ["spot"]}, "fetchMargins": False, "fetchCurrencies": False},
        }
    )
    api = exchange.urls["api"]
    api.update(public=f"{venue.http}/api/v3", private=f"{venue.http}/api/v3", sapi=f"{venue.http}/sapi/v1")
    api["ws"]["spot"] = f"{venue.ws}/stream/ws"
    api["ws"]["ws-api"]["spot"] = f"{venue.ws}/ws-api/v3"
    try:
        await exchange.load_markets()
        yield exchange
    finally:
        await exchange.close()


async def refused(asked: Any, *kinds: type[Exception]) -> None:
    with suppress(*kinds):
        raise AssertionError(f"none of {kinds}, but {await asked}")


async def session_the_market_can_be_read(venue: Venue) -> None:
    async with connected(venue) as client:
        precision = client.market(SYMBOL)["precision"]
        assert (precision["price"], precision["amount"]) == (0.01, 0.00001)
        candles = await client.fetch_ohlcv(SYMBOL, "1m", limit=100)
        assert [later[0] - earlier[0] for earlier, later in pairwise(candles)] == [60_000] * 99
        assert len(await client.fetch_ohlcv(SYMBOL, "5m", limit=20)) == 20
        book = await client.fetch_order_book(SYMBOL)
        assert book["bids"][0][0] < book["asks"][0][0]
        assert (await client.fetch_ticker(SYMBOL))["last"] > 0
        assert await client.fetch_trades(SYMBOL)
        assert (await client.fetch_balance())["USDT"]["free"] == 1_000_000
        assert abs(await client.fetch_time() - client.milliseconds()) < 1000
        assert (await client.sapiGetAccountApiRestrictions())["enableWithdrawals"] is False


async def session_orders(venue: Venue) -> None:
    async with connected(venue) as client:
        ask = (await client.fetch_order_book(SYMBOL))["asks"][0][0]
        low, lower, high = (round(ask * share, 2) for share in (0.5, 0.4, 2))
        bought = await client.create_order(SYMBOL, "market", "buy", 0.01)
        assert (bought["status"], bought["filled"], bought["fee"]["currency"]) == ("closed", 0.01, "BTC")
        assert bought["average"] >= ask * 0.99
        by_cost = await client.create_order(SYMBOL, "market", "buy", 1, None, {"cost": 500})
        assert 490 < by_cost["cost"] <= 500

        resting = await client.create_order(SYMBOL, "limit", "buy", 0.02, low, {"clientOrderId": "mine"})
        assert resting["status"] == "open"
        again = client.create_order(SYMBOL, "limit", "buy", 0.02, low, {"clientOrderId": "mine"})
        await refused(again, ccxt.InvalidOrder)
        stop = await client.create_order(SYMBOL, "limit", "sell", 0.01, lower, {"stopLossPrice": low})
        maker = await client.create_order(SYMBOL, "limit", "sell", 0.01, high, {"postOnly": True})
        placed = {order["id"] for order in (resting, stop, maker)}
        assert {order["id"] for order in await client.fetch_open_orders(SYMBOL)} == placed
        assert (await client.fetch_order(stop["id"], SYMBOL))["info"]["type"] == "STOP_LOSS_LIMIT"
        assert (await client.fetch_balance())["BTC"]["used"] == 0.02
        assert (await client.cancel_order(resting["id"], SYMBOL))["status"] == "canceled"
        await refused(client.cancel_order(resting["id"], SYMBOL), ccxt.OrderNotFound)
        await client.cancel_all_orders(SYMBOL)
        assert await client.fetch_open_orders(SYMBOL) == []
        assert (await client.fetch_balance())["BTC"]["used"] == 0

        trades = await client.fetch_my_trades(SYMBOL)
        assert [(trade["id"], trade["price"], trade["amount"]) for trade in trades] == [
            (fill["fill_id"], float(fill["price"]), float(fill["quantity"])) for fill in venue.fills()
        ]


async def session_an_order_larger_than_the_market_is_filled_in_parts(venue: Venue) -> None:
    async with connected(venue) as client:
        price = round((await client.fetch_ticker(SYMBOL))["last"] * 1.05, 2)
        order = await client.create_order(SYMBOL, "limit", "buy", 9, price)
        assert order["status"] == "open"
        assert 0 < order["filled"] < 9
        while (later := await client.fetch_order(order["id"], SYMBOL))["filled"] == order["filled"]:
            pass
        assert len(await client.fetch_my_trades(SYMBOL)) > len(order["trades"])
        if later["status"] == "open":
            await client.cancel_order(order["id"], SYMBOL)


async def session_refusals_are_errors_that_ccxt_knows(venue: Venue) -> None:
    async with connected(venue) as client:
        too_dear = client.create_order(SYMBOL, "limit", "buy", 1000, 100_000)
        await refused(too_dear, ccxt.InsufficientFunds)
        too_small = client.create_order(SYMBOL, "limit", "buy", 0.00001, 10_000)
        await refused(too_small, ccxt.InvalidOrder, ccxt.BadRequest)
        taking = client.create_order(SYMBOL, "limit", "buy", 0.01, 1_000_000, {"postOnly": True})
        await refused(taking, ccxt.OrderImmediatelyFillable)
        venue.post("/clock", offset_ms=-6000)
        await refused(client.fetch_balance(), ccxt.InvalidNonce)
        venue.post("/clock", offset_ms=0)
        client.secret = "wrong"
        await refused(client.fetch_balance(), ccxt.AuthenticationError)


async def session_an_order_survives_the_answer_that_never_came(venue: Venue) -> None:
    async with connected(venue) as client:
        venue.post("/faults", endpoint="POST /api/v3/order", kind="execute_and_reset", nth=1)
        lost = client.create_order(SYMBOL, "market", "buy", 0.01, None, {"clientOrderId": "lost"})
        await refused(lost, ccxt.NetworkError)
        order = await client.fetch_order(None, SYMBOL, {"origClientOrderId": "lost"})
        assert order["status"] == "closed"
        venue.post("/faults", endpoint="POST /api/v3/order", kind="drop_before", nth=1)
        never = client.create_order(SYMBOL, "market", "buy", 0.01, None, {"clientOrderId": "never"})
        await refused(never, ccxt.NetworkError)
        await refused(client.fetch_order(None, SYMBOL, {"origClientOrderId": "never"}), ccxt.OrderNotFound)


async def session_streams(venue: Venue) -> None:
    async with connected(venue) as client, asyncio.timeout(20):
        assert (await client.watch_ohlcv(SYMBOL, "1m"))[-1][4] > 0
        assert (await client.watch_trades(SYMBOL))[0]["symbol"] == SYMBOL
        assert (await client.watch_ticker(SYMBOL))["last"] > 0
        assert (await client.watch_bids_asks([SYMBOL]))[SYMBOL]["bid"] > 0
        book = await client.watch_order_book(SYMBOL)
        assert book["bids"][0][0] < book["asks"][0][0]


async def session_the_account_is_told_over_the_websocket_api(venue: Venue) -> None:
    async with connected(venue) as client, asyncio.timeout(20):
        watching = asyncio.create_task(client.watch_orders(SYMBOL))
        balance = asyncio.create_task(client.watch_balance())
        await asyncio.sleep(0.5)
        placed = await client.create_order(SYMBOL, "limit", "buy", 0.01, 10_000)
        assert (await watching)[0]["id"] == placed["id"]
        assert (await balance)["USDT"]["used"] == 100
        over_socket = await client.create_order_ws(SYMBOL, "limit", "buy", 0.01, 10_000)
        assert over_socket["status"] == "open"


if __name__ == "__main__":
    run(sys.modules[__name__])
