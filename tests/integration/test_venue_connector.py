"""Binance's own Python connector trades on the venue: nothing of it is changed but the address."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator

import pytest
from tests.integration.venue_server import KEY, SECRET, RunningVenue, running_venue

REASON = "binance-connector is not installed: pip install binance-connector"
# A client is no part of Vela: who wants to see it trade here installs it.
spot = pytest.importorskip("binance.spot", reason=REASON, exc_type=ImportError)
streams = pytest.importorskip("binance.websocket.spot.websocket_stream", reason=REASON, exc_type=ImportError)
errors = pytest.importorskip("binance.error", reason=REASON, exc_type=ImportError)

SYMBOL = "BTCUSDT"


@pytest.fixture(scope="module")
def venue() -> Iterator[RunningVenue]:
    with running_venue() as venue:
        yield venue


@pytest.fixture
def client(venue) -> Iterator[object]:
    client = spot.Spot(api_key=KEY, api_secret=SECRET, base_url=venue.http)
    yield client
    client.session.close()


@pytest.fixture
def price(client) -> float:
    return float(client.ticker_price(SYMBOL)["price"])


def test_the_market_can_be_read(client) -> None:
    assert client.ping() == {}
    assert [symbol["symbol"] for symbol in client.exchange_info()["symbols"]] == ["BTCUSDT", "ETHUSDT"]
    assert len(client.klines(SYMBOL, "15m", limit=10)) == 10
    assert len(client.depth(SYMBOL, limit=5)["bids"]) == 5
    assert {ticker["symbol"] for ticker in client.book_ticker()} == {"BTCUSDT", "ETHUSDT"}
    numbers = {trade["id"] for trade in client.trades(SYMBOL, limit=1000)}
    assert {trade["a"] for trade in client.agg_trades(SYMBOL)} & numbers


def test_orders_are_placed_replaced_paired_and_cancelled(client, price) -> None:
    bought = client.new_order(SYMBOL, "BUY", "MARKET", quantity=0.01)
    assert (bought["status"], bought["fills"][0]["commissionAsset"]) == ("FILLED", "BTC")
    low, lower, high = (round(price * share, 2) for share in (0.8, 0.7, 1.2))
    resting = client.new_order(SYMBOL, "BUY", "LIMIT", quantity=0.01, price=low, timeInForce="GTC")
    replaced = client.cancel_and_replace(
        SYMBOL,
        "BUY",
        "LIMIT",
        "STOP_ON_FAILURE",
        cancelOrderId=resting["orderId"],
        quantity=0.01,
        price=lower,
        timeInForce="GTC",
    )
    assert (replaced["cancelResult"], replaced["newOrderResult"]) == ("SUCCESS", "SUCCESS")
    pair = client.new_oco_order(
        symbol=SYMBOL,
        side="SELL",
        quantity=0.005,
        aboveType="LIMIT_MAKER",
        abovePrice=high,
        belowType="STOP_LOSS_LIMIT",
        belowStopPrice=low,
        belowPrice=lower,
        belowTimeInForce="GTC",
    )
    assert (pair["listOrderStatus"], len(pair["orderReports"])) == ("EXECUTING", 2)
    assert [found["orderListId"] for found in client.get_oco_open_orders()] == [pair["orderListId"]]
    assert len(client.get_open_orders(SYMBOL)) == 3
    assert len(client.cancel_open_orders(SYMBOL)) == 2  # an order and a list
    assert client.get_open_orders(SYMBOL) == []
    assert [order["status"] for order in client.get_orders(SYMBOL)][-1] == "CANCELED"


def test_replacing_an_order_that_is_gone_says_which_half_failed(client, price) -> None:
    with pytest.raises(errors.ClientError) as refusal:
        client.cancel_and_replace(
            SYMBOL, "BUY", "MARKET", "STOP_ON_FAILURE", cancelOrigClientOrderId="nobody", quantity=0.01
        )
    assert refusal.value.error_code == -2022
    resting = client.new_order(SYMBOL, "BUY", "LIMIT", quantity=0.01, price=round(price * 0.5, 2), timeInForce="GTC")
    with pytest.raises(errors.ClientError, match="LOT_SIZE"):
        client.cancel_and_replace(
            SYMBOL, "BUY", "MARKET", "STOP_ON_FAILURE", cancelOrderId=resting["orderId"], quantity="0.000001"
        )
    assert client.get_order(SYMBOL, orderId=resting["orderId"])["status"] == "NEW"
    with pytest.raises(errors.ClientError) as refusal:
        client.cancel_and_replace(
            SYMBOL, "BUY", "MARKET", "ALLOW_FAILURE", cancelOrigClientOrderId="nobody", quantity=0.01
        )
    assert (refusal.value.status_code, refusal.value.error_code) == (409, -2021)
    assert refusal.value.error_data["newOrderResult"] == "SUCCESS"


def test_a_test_order_passes_the_filters_only(client) -> None:
    assert client.new_order_test(SYMBOL, "SELL", "MARKET", quantity=1000) == {}
    with pytest.raises(errors.ClientError, match="LOT_SIZE"):
        client.new_order_test(SYMBOL, "SELL", "MARKET", quantity="0.000001")


def test_streams_and_the_account_by_listen_key(client, venue) -> None:
    messages: list[dict[str, object]] = []
    socket = streams.SpotWebsocketStreamClient(
        stream_url=venue.ws, on_message=lambda _, text: messages.append(json.loads(text))
    )
    try:
        socket.kline(SYMBOL, "1m")
        socket.book_ticker(SYMBOL)
        socket.diff_book_depth(SYMBOL)
        socket.user_data(listen_key=client.new_listen_key()["listenKey"])
        time.sleep(0.5)
        client.new_order(SYMBOL, "BUY", "MARKET", quantity=0.01)
        time.sleep(0.7)
    finally:
        socket.stop()
        socket.socket_manager.join(5)
        socket.socket_manager.ws.shutdown()  # the connector leaves it open
    seen = Counter(message.get("e", "bookTicker" if "B" in message else "answer") for message in messages)
    assert seen["executionReport"] == 2
    assert min(seen[kind] for kind in ("kline", "bookTicker", "depthUpdate", "outboundAccountPosition")) > 0
