from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any

import ccxt
import pytest
from tests.binance_wire import KEY, wire
from tests.fakes import ManualClock

from vela.adapters.exchanges.binance.client import BinanceClient
from vela.adapters.exchanges.binance.connection import BinanceConnection
from vela.domain.errors import VenueUnavailable

URL = "ws://127.0.0.1:1/stream/ws/prices0"


@pytest.fixture
async def client() -> AsyncIterator[BinanceClient]:
    made = BinanceConnection(None, ManualClock(), base_url="http://127.0.0.1:1")._client
    yield made
    made.clients = {}
    await made.close()


class Socket:
    """What the client sees of one of ccxt's sockets."""

    def __init__(self, url: str = URL, *, held: bool = False) -> None:
        self.url = url
        self.futures: dict[str, object] = {"held": object()} if held else {}
        self.subscriptions: dict[str, Any] = {}
        self.errors: list[Exception] = []

    def on_error(self, error: Exception) -> None:
        self.errors.append(error)

    def resolve(self, _answer: object, _number: str) -> None:
        return


@pytest.mark.parametrize(
    "message",
    [
        {"e": "trade", "s": "BTCUSDT"},
        {"stream": "btcusdt@trade", "data": {"e": "trade", "s": "BTCUSDT"}},
        {"subscriptionId": 0, "event": {"e": "trade", "s": "BTCUSDT"}},
    ],
    ids=["plain", "combined", "of the account"],
)
def test_an_event_reaches_whoever_listens_in_whatever_envelope(client, message):
    heard: list[object] = []
    client.taps["trade"] = heard.append
    client.handle_message(Socket(), message)
    assert heard == [{"e": "trade", "s": "BTCUSDT"}]


@pytest.mark.parametrize(
    "message", [{"e": "outboundAccountPosition", "B": []}, {"e": "never seen"}, {"result": None, "id": 1}]
)
def test_what_nobody_listens_to_is_passed_over(client, message):
    socket = Socket()
    client.handle_message(socket, message)
    assert socket.errors == []


def test_an_ended_event_stream_drops_its_socket(client):
    socket = Socket()
    client.clients = {URL: socket}
    client.handle_message(socket, {"subscriptionId": 0, "event": {"e": "eventStreamTerminated", "E": 1}})
    assert [type(error) for error in socket.errors] == [VenueUnavailable]


def test_a_refused_subscription_drops_its_socket(client):
    socket = Socket(held=True)
    client.clients = {URL: socket}
    client.handle_message(socket, {"error": {"code": 2, "msg": "Invalid request"}, "id": 1})
    assert [type(error) for error in socket.errors] == [VenueUnavailable]


async def test_a_message_that_cannot_be_read_drops_its_socket_instead_of_its_reader(client):
    socket = client.client(URL)
    again = client.client(URL)
    assert again is socket
    socket.handle_text_or_binary_message('{"e": "gar')
    assert isinstance(socket.error, VenueUnavailable)
    assert URL not in client.clients


async def test_what_a_listener_raises_ends_in_the_same_way(client):
    def broken(_event: object) -> None:
        raise RuntimeError("a bug")

    client.taps["trade"] = broken
    socket = client.client(URL)
    socket.handle_text_or_binary_message('{"e": "trade"}')
    assert isinstance(socket.error, VenueUnavailable)


async def test_held_sockets_tell_their_loss(client):
    socket = client.client(URL)
    socket.connected.resolve(URL)
    holding = asyncio.create_task(client.hold_market("prices0", ["btcusdt@aggTrade"]))
    await asyncio.sleep(0)
    client.drop(URL, "silent for too long")
    with pytest.raises(VenueUnavailable, match="silent"):
        await holding
    client.drop(URL, "gone already")
    await client.close()


async def test_the_account_s_socket_must_be_subscribed_to_be_held(client):
    with pytest.raises(VenueUnavailable):
        await client.hold_account()


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"code": -2010, "msg": "Account has insufficient balance for requested action."}, ccxt.InsufficientFunds),
        ({"code": -2011, "msg": "Unknown order sent."}, ccxt.OrderNotFound),
        ({"code": -1013, "msg": "Filter failure: LOT_SIZE"}, ccxt.InvalidOrder),
        ({"code": -1007, "msg": "Timeout"}, ccxt.RequestTimeout),
        ({"code": -9999, "msg": "never seen"}, ccxt.ExchangeError),
        ({}, ccxt.ExchangeError),
    ],
    ids=str,
)
def test_an_error_s_body_means_what_it_would_mean_of_an_answer(client, body, kind):
    assert type(client.error_of(body)) is kind


async def test_requests_are_counted_by_their_weight(monkeypatch):
    taken: list[int] = []

    async def admit(weight: int) -> None:
        taken.append(weight)

    async with wire() as exchange:
        client = exchange.connection._client
        exchange.answer("GET openOrders", [])
        monkeypatch.setattr(client.calls, "admit", admit)
        await client.fetch_open_orders()
        await client.fetch_open_orders("BTC/USDT")
    assert taken == [80, 6]


async def test_what_is_signed_is_never_logged(caplog):
    with caplog.at_level(logging.DEBUG):
        async with wire() as exchange:
            exchange.answer("GET account", {"balances": []})
            await exchange.connection._client.fetch_balance()
    assert KEY not in caplog.text
    assert "signature" not in caplog.text
    assert not logging.getLogger("ccxt.base.exchange").isEnabledFor(logging.INFO)
