"""What Binance's own Python connector does on the venue; nothing of it is changed but the address."""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from binance.error import ClientError
from binance.spot import Spot
from binance.websocket.spot.websocket_stream import SpotWebsocketStreamClient
from tests.integration.clients.sessions import Venue, run

SYMBOL = "BTCUSDT"


@contextmanager
def connected(venue: Venue) -> Iterator[Any]:
    client = Spot(api_key=venue.key, api_secret=venue.secret, base_url=venue.http)
    yield client
    client.session.close()


def refusal(order: Callable[..., object], *arguments: Any, **named: Any) -> ClientError:
    try:
        answer = order(*arguments, **named)
    except ClientError as error:
        return error
    raise AssertionError(f"not refused, but {answer}")


def price(client: Any, share: float) -> float:
    return round(float(client.ticker_price(SYMBOL)["price"]) * share, 2)


def session_the_market_can_be_read(venue: Venue) -> None:
    with connected(venue) as client:
        assert client.ping() == {}
        assert [symbol["symbol"] for symbol in client.exchange_info()["symbols"]] == ["BTCUSDT", "ETHUSDT"]
        assert len(client.klines(SYMBOL, "15m", limit=10)) == 10
        assert len(client.depth(SYMBOL, limit=5)["bids"]) == 5
        assert {ticker["symbol"] for ticker in client.book_ticker()} == {"BTCUSDT", "ETHUSDT"}
        numbers = {trade["id"] for trade in client.trades(SYMBOL, limit=1000)}
        assert {trade["a"] for trade in client.agg_trades(SYMBOL)} & numbers
        assert client.api_key_permissions()["enableWithdrawals"] is False


def session_orders_are_placed_replaced_paired_and_cancelled(venue: Venue) -> None:
    with connected(venue) as client:
        bought = client.new_order(SYMBOL, "BUY", "MARKET", quantity=0.01)
        assert (bought["status"], bought["fills"][0]["commissionAsset"]) == ("FILLED", "BTC")
        low, lower, high = (price(client, share) for share in (0.8, 0.7, 1.2))
        resting = client.new_order(SYMBOL, "BUY", "LIMIT", quantity=0.01, price=low, timeInForce="GTC")
        new = {"quantity": 0.01, "price": lower, "timeInForce": "GTC"}
        replaced = client.cancel_and_replace(
            SYMBOL, "BUY", "LIMIT", "STOP_ON_FAILURE", cancelOrderId=resting["orderId"], **new
        )
        assert (replaced["cancelResult"], replaced["newOrderResult"]) == ("SUCCESS", "SUCCESS")
        above = {"aboveType": "LIMIT_MAKER", "abovePrice": high}
        below = {"belowType": "STOP_LOSS_LIMIT", "belowStopPrice": low, "belowPrice": lower, "belowTimeInForce": "GTC"}
        pair = client.new_oco_order(symbol=SYMBOL, side="SELL", quantity=0.005, **above, **below)
        assert (pair["listOrderStatus"], len(pair["orderReports"])) == ("EXECUTING", 2)
        assert [found["orderListId"] for found in client.get_oco_open_orders()] == [pair["orderListId"]]
        assert len(client.get_open_orders(SYMBOL)) == 3
        assert len(client.cancel_open_orders(SYMBOL)) == 2  # an order and a list
        assert client.get_open_orders(SYMBOL) == []
        assert [order["status"] for order in client.get_orders(SYMBOL)][-1] == "CANCELED"


def session_a_replacement_says_which_half_failed(venue: Venue) -> None:
    with connected(venue) as client:
        replace = (client.cancel_and_replace, SYMBOL, "BUY", "MARKET")
        gone: dict[str, Any] = {"cancelOrigClientOrderId": "nobody", "quantity": 0.01}
        assert refusal(*replace, "STOP_ON_FAILURE", **gone).error_code == -2022
        low = price(client, 0.5)
        resting = client.new_order(SYMBOL, "BUY", "LIMIT", quantity=0.01, price=low, timeInForce="GTC")
        too_small: dict[str, Any] = {"cancelOrderId": resting["orderId"], "quantity": "0.000001"}
        assert "LOT_SIZE" in refusal(*replace, "STOP_ON_FAILURE", **too_small).error_message
        assert client.get_order(SYMBOL, orderId=resting["orderId"])["status"] == "NEW"
        half = refusal(*replace, "ALLOW_FAILURE", **gone)
        assert (half.status_code, half.error_code) == (409, -2021)
        assert half.error_data["newOrderResult"] == "SUCCESS"


def session_a_test_order_passes_the_filters_only(venue: Venue) -> None:
    with connected(venue) as client:
        assert client.new_order_test(SYMBOL, "SELL", "MARKET", quantity=1000) == {}
        refused = refusal(client.new_order_test, SYMBOL, "SELL", "MARKET", quantity="0.000001")
        assert "LOT_SIZE" in refused.error_message


def session_streams_and_the_account_by_listen_key(venue: Venue) -> None:
    messages: list[dict[str, object]] = []
    socket = SpotWebsocketStreamClient(
        stream_url=venue.ws, on_message=lambda _, text: messages.append(json.loads(text))
    )

    def seen() -> Counter[object]:
        return Counter(message.get("e", "bookTicker" if "B" in message else "answer") for message in messages)

    def wait_for(kind: str, count: int) -> None:
        until = time.monotonic() + 10
        while seen()[kind] < count:
            assert time.monotonic() < until, seen()
            time.sleep(0.05)

    with connected(venue) as client:
        socket.kline(SYMBOL, "1m")
        socket.book_ticker(SYMBOL)
        socket.diff_book_depth(SYMBOL)
        socket.user_data(listen_key=client.new_listen_key()["listenKey"])
        wait_for("answer", 4)
        client.new_order(SYMBOL, "BUY", "MARKET", quantity=0.01)
        for kind, count in (("executionReport", 2), ("outboundAccountPosition", 1)):
            wait_for(kind, count)
        for kind in ("kline", "bookTicker", "depthUpdate"):
            wait_for(kind, 1)
    socket.stop()


if __name__ == "__main__":
    run(sys.modules[__name__])
