from __future__ import annotations

import aiohttp
import ccxt
import pytest
from tests.binance_wire import KEY, NOW, SECRET, Refusal, Wire, wire
from tests.fakes import ManualClock

from vela.adapters.exchanges.binance.connection import BinanceConnection
from vela.adapters.exchanges.unified.connection import Credentials, KeyRights
from vela.domain.errors import ConfigurationError, CredentialsRefused, VenueUnavailable
from vela.domain.timeframe import Timeframe
from vela.domain.trading_symbol import TradingSymbol

RIGHTS = {"ipRestrict": True, "enableReading": True, "enableWithdrawals": False, "enableSpotAndMarginTrading": True}


async def test_what_a_key_allows():
    async with wire() as exchange:
        exchange.answer("GET account/apiRestrictions", RIGHTS, RIGHTS | {"enableWithdrawals": True})
        assert await exchange.connection.key_rights() == KeyRights(can_trade=True, can_withdraw=False)
        assert await exchange.connection.key_rights() == KeyRights(can_trade=True, can_withdraw=True)
        assert "signature" in exchange.of("GET account/apiRestrictions")[0]


@pytest.mark.parametrize(
    "answer",
    [
        Refusal(404, {"code": -1000, "msg": "not spoken here"}),
        Refusal(404, None),
        {},
        {"enableWithdrawals": False},
        RIGHTS | {"enableWithdrawals": "false"},
        RIGHTS | {"enableWithdrawals": None},
        "<html>",
        [],
        ccxt.RequestTimeout("x"),
    ],
    ids=str,
)
async def test_what_the_exchange_does_not_say_is_not_proven(answer):
    async with wire() as exchange:
        exchange.answer("GET account/apiRestrictions", answer)
        with pytest.raises(VenueUnavailable, match="rights of the key cannot be seen"):
            await exchange.connection.key_rights()


async def test_a_key_that_is_refused_altogether():
    async with wire() as exchange:
        exchange.answer("GET account/apiRestrictions", Refusal(401, {"code": -2015, "msg": "Invalid API-key"}))
        with pytest.raises(CredentialsRefused):
            await exchange.connection.key_rights()


@pytest.mark.parametrize(
    ("answer", "asset"),
    [
        ({"spotBNBBurn": True, "interestBNBBurn": False}, "BNB"),
        ({"spotBNBBurn": False, "interestBNBBurn": True}, None),
        ({}, None),
        (Refusal(404, None), None),
        (ccxt.RequestTimeout("x"), None),
    ],
    ids=str,
)
async def test_what_fees_are_taken_in(answer, asset):
    async with wire() as exchange:
        exchange.answer("GET bnbBurn", answer)
        assert await exchange.connection.fee_asset() == asset


@pytest.mark.parametrize("name", ["GET time", "GET exchangeInfo"])
@pytest.mark.parametrize(
    "answer", [ccxt.ExchangeNotAvailable("https://secret"), Refusal(503, {}), "<html>", {}, []], ids=str
)
async def test_an_exchange_that_cannot_be_used_says_so_in_one_line_and_leaves_nothing_open(name, answer):
    exchange = Wire()
    exchange.forget(name)
    exchange.answer(name, answer)
    with pytest.raises(VenueUnavailable, match=r"^binance cannot be used: [^\n]+$") as problem:
        await exchange.connection.open()
    assert "secret" not in str(problem.value)
    assert exchange.connection._session.closed


async def test_the_clock_is_set_before_anything_is_signed():
    exchange = Wire()
    exchange.forget("GET time")
    exchange.answer("GET time", {"serverTime": NOW + 90_000})
    await exchange.connection.open()
    assert exchange.connection.clock_offset() == 90_000
    await exchange.connection.close()


@pytest.mark.parametrize(
    ("limits", "limit"),
    [
        ([{"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 1200}], 1200),
        ([{"rateLimitType": "ORDERS", "interval": "MINUTE", "intervalNum": 1, "limit": 50}], 6000),
        ([{"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": "many"}], 6000),
        (None, 6000),
    ],
    ids=str,
)
async def test_the_exchange_says_how_much_may_be_asked(limits, limit):
    exchange = Wire()
    exchange.listed["rateLimits"] = limits
    await exchange.connection.open()
    assert exchange.connection._calls.budget.limit == limit
    await exchange.connection.close()


async def test_rules_and_feeds_of_what_is_listed():
    async with wire(symbols=["BTC", "币安人生"]) as exchange:
        lively = TradingSymbol("币安人生")
        [rules] = exchange.connection.instruments([lively])
        assert (rules.symbol, str(rules.tick), str(rules.step)) == (lively, "0.01", "0.001")

        async def settled() -> None:
            return

        feed = exchange.connection.feed([lively], Timeframe.M1, exchange.clock, settled)
        assert [rule.symbol for rule in feed.instruments()] == [lively]
        with pytest.raises(
            ConfigurationError, match="ETH/USDT is not traded at binance; accepted: BTC/USDT, 币安人生/USDT"
        ):
            exchange.connection.feed([TradingSymbol("ETH")], Timeframe.M1, exchange.clock, settled)


async def test_a_name_in_chinese_is_encoded_before_it_is_signed():
    async with wire(symbols=["币安人生"]) as exchange:
        exchange.answer("GET order", Refusal(400, {"code": -2013, "msg": "Order does not exist."}))
        with pytest.raises(Exception, match="not known"):
            await exchange.connection.execution([TradingSymbol("币安人生")]).order("a")
        assert exchange.of("GET order")[0]["symbol"] == "币安人生USDT"
        [url] = [exchange.connection._client.last_request_url]
        assert url.isascii()


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080", "http://127.0.0.1:8080/"])
async def test_another_address_is_used_for_everything(url):
    connection = BinanceConnection(None, ManualClock(), base_url=url)
    addresses = connection._client.urls["api"]
    assert addresses["public"] == addresses["private"] == "http://127.0.0.1:8080/api/v3"
    assert addresses["sapi"] == "http://127.0.0.1:8080/sapi/v1"
    assert addresses["ws"]["spot"] == "ws://127.0.0.1:8080/stream/ws"
    assert addresses["ws"]["ws-api"]["spot"] == "ws://127.0.0.1:8080/ws-api/v3"


async def test_the_session_trusts_no_proxy_of_the_environment(monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    async with wire() as exchange:
        session = exchange.connection._session
        assert isinstance(session, aiohttp.ClientSession)
        assert not session.trust_env


def test_credentials_are_never_shown():
    assert KEY not in repr(Credentials(KEY, SECRET))
    assert SECRET not in str(Credentials(KEY, SECRET))
