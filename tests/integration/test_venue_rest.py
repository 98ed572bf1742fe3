"""The venue's rules on the wire: signatures, clocks, filters, weights, faults, and the truth behind them."""

from __future__ import annotations

import asyncio
import json
import re
import time
from decimal import Decimal
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from tests.integration.venue_server import KEY, running_venue
from websockets.asyncio.client import connect

from vela.domain.trading_symbol import register_assets
from vela.simulation.spot_fees import SpotFees
from vela.venue.binance.parameters import signed

LIMIT = {"type": "LIMIT", "timeInForce": "GTC", "price": "20000.00"}


def error(answer: httpx.Response) -> tuple[int, int, str]:
    return answer.status_code, answer.json()["code"], answer.json()["msg"]


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"quantity": "0.000001"}, (-1013, "Filter failure: LOT_SIZE")),
        ({**LIMIT, "price": "20000.001"}, (-1013, "Filter failure: PRICE_FILTER")),
        ({**LIMIT, "price": "10000000000"}, (-1013, "Filter failure: PRICE_FILTER")),
        ({"quantity": "0.00001"}, (-1013, "Filter failure: NOTIONAL")),
        ({"quantity": "NaN"}, (-1100, "Illegal characters found in parameter 'quantity'; legal range is ")),
        ({"quantity": "-1"}, (-1100, "Illegal characters found in parameter 'quantity'; legal range is ")),
        ({"quantity": "1e999"}, (-1100, "Illegal characters found in parameter 'quantity'; legal range is ")),
        ({"quantity": ""}, (-1105, "Parameter 'quantity' was empty.")),
        ({"quantity": "0"}, (-1102, "Mandatory parameter 'quantity' was not sent, was empty/null, or malformed.")),
        ({"quoteOrderQty": "10"}, (-1106, "Parameter 'quantity' sent when not required.")),
        ({**LIMIT, "price": "20000.000000001"}, (-1111, "Parameter 'price' has too much precision.")),
        ({"price": "1"}, (-1106, "Parameter 'price' sent when not required.")),
        ({**LIMIT, "price": ""}, (-1102, "Mandatory parameter 'price' was not sent")),
        ({**LIMIT, "timeInForce": "GTX"}, (-1115, "Invalid timeInForce.")),
        ({"type": "ICEBERG"}, (-1116, "Invalid orderType.")),
        ({"side": "HOLD"}, (-1117, "Invalid side.")),
        ({"symbol": "DOGEUSDT"}, (-1121, "Invalid symbol.")),
        ({"symbol": "btcusdt"}, (-1121, "Invalid symbol.")),
        ({"newClientOrderId": "ü"}, (-1100, "Illegal characters found in parameter 'newClientOrderId'")),
        ({"flavour": "sweet"}, (-1104, "Not all sent parameters were read; read '")),
        ({"side": "SELL", "quantity": "11"}, (-2010, "Account has insufficient balance for requested action.")),
        ({**LIMIT, "type": "LIMIT_MAKER", "price": "999999"}, (-1106, "Parameter 'timeInForce' sent when not")),
        ({"type": "STOP_LOSS", "stopPrice": "1000"}, (-2010, "Stop price would trigger immediately.")),
        ({"selfTradePreventionMode": "NONE"}, (-2010, "This symbol does not allow the specified self-trade")),
        ({"type": "STOP_LOSS", "stopPrice": "1", "icebergQty": "1"}, (-2010, "Iceberg orders are not supported")),
    ],
)
def test_an_order_that_breaks_a_rule_gets_binances_error(venue, parameters, expected) -> None:
    before = len(venue.truth())
    status, code, message = error(venue.order(**parameters))
    assert (status, code) == (400, expected[0])
    assert message.startswith(expected[1])
    assert len(venue.truth()) == before


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("klines?symbol=BTCUSDT", -1102),
        ("klines?symbol=BTCUSDT&interval=7m", -1120),
        ("klines?symbol=BTCUSDT&interval=1H", -1120),
        ("klines?interval=1m", -1102),
        ("depth?symbol=%00", -1121),
        ("depth?symbol=BTCUSDT&limit=0", -1130),
        ("trades?symbol=BTCUSDT&limit=ten", -1100),
        ("ticker/price?symbols=[1]", -1135),
        ("ticker/price?symbols=[%22NOUSDT%22]", -1121),
        ("time?x=1", -1104),
        ("nothing", -1000),
    ],
)
def test_a_question_that_makes_no_sense_gets_binances_error(venue, path, code) -> None:
    assert venue.public(path)["code"] == code


def test_orders_that_are_not_there(venue) -> None:
    wanted = {"symbol": "BTCUSDT", "orderId": 999_999}
    assert error(venue.call("GET", "order", **wanted))[:2] == (400, -2013)
    assert error(venue.call("DELETE", "order", **wanted))[:2] == (400, -2011)
    assert error(venue.call("DELETE", "openOrders", symbol="ETHUSDT"))[:2] == (400, -2011)
    assert error(venue.call("GET", "order", symbol="BTCUSDT"))[1] == -1102


def test_parameters_may_come_in_the_body_or_in_both_and_are_signed_as_sent(venue) -> None:
    order = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.01"}
    assert venue.call("POST", "order", in_body=True, **order).status_code == 200
    query = "symbol=BTCUSDT&side=BUY&type=MARKET"
    body = f"quantity=0.01&timestamp={time.time_ns() // 1_000_000}"
    url = f"{venue.http}/api/v3/order?{query}"
    for payload, status in ((query + body, 200), (body + query, 400)):
        content = f"{body}&signature={signed('test-secret', payload)}"
        answer = httpx.post(url, content=content, headers={"X-MBX-APIKEY": KEY}, trust_env=False)
        assert answer.status_code == status, answer.text


def test_who_may_ask(venue) -> None:
    assert error(venue.call("GET", "account", key="")) == (401, -2014, "API-key format invalid.")
    assert error(venue.call("GET", "account", key="other"))[:2] == (401, -2015)
    unsigned = httpx.get(f"{venue.http}/api/v3/account?timestamp=1", headers={"X-MBX-APIKEY": KEY}, trust_env=False)
    assert error(unsigned)[1] == -1021
    assert error(venue.call("GET", "account", timestamp=""))[1] == -1105
    assert error(venue.call("GET", "account", recvWindow=60_001))[1] == -1130
    assert error(venue.call("GET", "account", x=1, y=2))[1] == -1104


def test_what_the_key_may_do(venue) -> None:
    path = "/sapi/v1/account/apiRestrictions"
    allowed = {name for name, may in venue.call("GET", path).json().items() if may is True}
    assert allowed == {"enableReading", "enableSpotAndMarginTrading"}
    assert error(venue.call("GET", path, key="other"))[:2] == (401, -2015)
    with running_venue(key_may_withdraw=True) as generous:
        assert generous.call("GET", path).json()["enableWithdrawals"] is True
    assert venue.call("GET", "/sapi/v1/system/status").status_code == 404


def test_what_fees_are_taken_in(venue) -> None:
    path = "/sapi/v1/bnbBurn"
    assert venue.call("GET", path).json() == {"spotBNBBurn": False, "interestBNBBurn": False}
    fees = SpotFees(Decimal("0.001"), Decimal("0.001"), asset="BNB")
    with running_venue({"symbols": "BTC,BNB"}, fees=fees) as burning:
        assert burning.call("GET", path).json()["spotBNBBurn"] is True


@pytest.mark.parametrize(
    ("offset", "message"),
    [
        (-1500, "Timestamp for this request was 1000ms ahead of the server's time."),
        (6000, "Timestamp for this request is outside of the recvWindow."),
    ],
)
def test_a_clock_that_is_off(venue, offset, message) -> None:
    venue.control.post("/clock", json={"offset_ms": offset})
    assert error(venue.call("GET", "account")) == (400, -1021, message)
    if offset > 0:
        assert venue.call("GET", "account", recvWindow=10_000).status_code == 200


def test_who_asks_too_much_waits_and_who_does_not_wait_is_banned() -> None:
    with running_venue(weight_limit=100) as venue:
        statuses = []
        for _ in range(80):
            answer = venue.call("GET", "openOrders")
            statuses.append(answer.status_code)
        assert set(statuses) == {200, 429, 418}
        assert statuses == sorted(statuses, key=[200, 429, 418].index)
        assert int(answer.headers["Retry-After"]) > 60
        assert re.search(r"IP banned until \d{13}\.", answer.json()["msg"])


def test_who_places_too_many_orders_waits() -> None:
    with running_venue(order_limit=2) as venue:
        answers = [venue.order() for _ in range(5)]
        refused = next(answer for answer in answers if answer.status_code == 429)
        assert error(refused)[1:] == (-1015, "Too many new orders; current limit is 2 orders per 10 SECOND.")
        assert 1 <= int(refused.headers["Retry-After"]) <= 10
        assert answers[0].headers["X-MBX-ORDER-COUNT-10S"] == "1"
        assert venue.call("GET", "account").status_code == 200
        limits = {limit["interval"]: limit["limit"] for limit in venue.public("exchangeInfo")["rateLimits"]}
        assert limits == {"MINUTE": 6000, "SECOND": 2, "DAY": 200_000}


def test_a_symbol_that_takes_stops_with_a_limit_only() -> None:
    with running_venue(limit_stops_only=True) as venue:
        types = venue.public("exchangeInfo")["symbols"][0]["orderTypes"]
        assert set(types) == {"LIMIT", "MARKET", "STOP_LOSS_LIMIT", "TAKE_PROFIT_LIMIT", "LIMIT_MAKER"}
        stop = {"side": "SELL", "stopPrice": "1000.00"}
        refusal = error(venue.order(type="STOP_LOSS", **stop))
        assert refusal == (400, -2010, "Stop loss orders are not supported for this symbol.")
        assert venue.order(**{**LIMIT, "type": "STOP_LOSS_LIMIT", "price": "900.00", **stop}).status_code == 200


def test_times_come_in_microseconds_when_asked_for_and_are_understood(venue) -> None:
    in_microseconds = {"X-MBX-TIME-UNIT": "MICROSECOND"}
    asked = "klines?symbol=BTCUSDT&interval=1m&limit=1"
    first, again = (
        httpx.get(f"{venue.http}/api/v3/{asked}&startTime={start}", headers=in_microseconds, trust_env=False).json()
        for start in (0, 10**14)
    )
    assert first[0][0] == venue.public(f"{asked}&startTime=0")[0][0] * 1000
    assert again == first
    assert venue.call("GET", "account", timestamp=time.time_ns() // 1000).status_code == 200


NAME = "币安人生"


async def test_a_symbol_with_a_name_that_is_not_ascii() -> None:
    register_assets([NAME])
    with running_venue({"symbols": f"BTC,{NAME}"}) as venue:
        symbol = NAME + "USDT"
        placed = await asyncio.to_thread(venue.order, symbol=symbol, quantity="10")
        assert (placed.status_code, placed.json()["symbol"]) == (200, symbol)
        assert symbol in [one["symbol"] for one in (await asyncio.to_thread(venue.public, "exchangeInfo"))["symbols"]]
        async with connect(f"{venue.ws}/ws/{quote(symbol.lower())}@miniTicker", proxy=None) as socket:
            assert json.loads(await socket.recv())["s"] == symbol
        async with connect(f"{venue.ws}/ws", proxy=None) as socket:
            await socket.send(json.dumps({"method": "SUBSCRIBE", "params": [f"{symbol.lower()}@trade"], "id": 1}))
            assert [json.loads(await socket.recv()).get("s") for _ in range(2)] == [None, symbol]


@pytest.mark.parametrize(
    ("asked", "state"), [({}, "HALT"), ({"state": "BREAK"}, "BREAK"), ({"state": "CANCEL_ONLY"}, "CANCEL_ONLY")]
)
def test_a_halted_symbol(venue, asked, state) -> None:
    placed = venue.order(**LIMIT).json()
    venue.control.post("/halt", json={"symbol": "BTC", **asked}).raise_for_status()
    assert venue.public("exchangeInfo?symbol=BTCUSDT")["symbols"][0]["status"] == state
    assert error(venue.order()) == (400, -2010, "Market is closed.")
    assert venue.call("DELETE", "order", symbol="BTCUSDT", orderId=placed["orderId"]).status_code == 200
    venue.control.post("/halt", json={"symbol": "BTC", "halted": False}).raise_for_status()
    assert venue.order().status_code == 200


def test_a_delisted_symbol_is_gone_with_its_orders(venue) -> None:
    placed = venue.order(**LIMIT).json()
    venue.control.post("/halt", json={"symbol": "BTC", "state": "DELISTED"}).raise_for_status()
    assert [symbol["symbol"] for symbol in venue.public("exchangeInfo")["symbols"]] == ["ETHUSDT"]
    for answer in (venue.order(), venue.call("GET", "order", symbol="BTCUSDT", orderId=placed["orderId"])):
        assert error(answer)[:2] == (400, -1121)
    assert venue.public("klines?symbol=BTCUSDT&interval=1m")["code"] == -1121
    assert venue.call("GET", "openOrders").json() == []
    last = venue.truth()[-1]
    assert (last["order_id"], last["event"], last["reason"]) == (placed["orderId"], "expired", "delisted")
    venue.control.post("/halt", json={"symbol": "BTC", "state": "TRADING"}).raise_for_status()
    assert venue.order().status_code == 200


def test_the_venue_expires_orders_on_its_own(venue) -> None:
    venue.order(newClientOrderId="limit", **LIMIT)
    venue.order(newClientOrderId="stop", type="STOP_LOSS", stopPrice="999999.00")
    for body, name in (({"symbol": "BTC"}, "stop"), ({"clientOrderId": "limit"}, "limit")):
        assert venue.control.post("/expire", json=body).json() == {"expired": [name]}
        order = venue.call("GET", "order", symbol="BTCUSDT", origClientOrderId=name).json()
        assert order["status"] == "EXPIRED"
        assert venue.control.post("/expire", json=body).status_code == 400


def test_new_orders_and_the_list_of_open_ones_lag_behind(venue) -> None:
    venue.control.post("/lag", json={"orders_ms": 60_000}).raise_for_status()
    placed = venue.order(**LIMIT).json()
    wanted = {"symbol": "BTCUSDT", "orderId": placed["orderId"]}
    assert error(venue.call("GET", "order", **wanted))[:2] == (400, -2013)
    assert venue.call("GET", "openOrders").json() == []
    venue.control.post("/lag", json={"open_orders_ms": 60_000}).raise_for_status()
    assert venue.call("GET", "order", **wanted).json()["status"] == "NEW"
    assert venue.call("GET", "openOrders").json() == []
    venue.control.post("/lag", json={}).raise_for_status()
    assert len(venue.call("GET", "openOrders").json()) == 1
    assert venue.call("DELETE", "order", **wanted).status_code == 200


@pytest.mark.parametrize("kind", ["execute_and_timeout", "execute_and_reset"])
def test_an_order_is_executed_and_nobody_hears_of_it(venue, kind) -> None:
    venue.fault("POST /api/v3/order", kind, nth=1, args={"seconds": 0.1})
    with pytest.raises(httpx.TransportError):
        venue.order(newClientOrderId=kind)
    assert venue.call("GET", "order", symbol="BTCUSDT", origClientOrderId=kind).json()["status"] == "FILLED"


def test_an_order_is_executed_and_the_answer_says_unknown(venue) -> None:
    venue.fault("POST /api/v3/order", "execute_and_5xx", nth=2, args={"status": 504})
    assert venue.order(newClientOrderId="first").status_code == 200
    assert error(venue.order(newClientOrderId="second"))[:2] == (504, -1007)
    assert venue.call("GET", "order", symbol="BTCUSDT", origClientOrderId="second").json()["status"] == "FILLED"
    assert venue.order().status_code == 200


def test_an_order_never_arrives(venue) -> None:
    before = len(venue.truth())
    venue.fault("*/order", "drop_before")
    with pytest.raises(httpx.TransportError):
        venue.order()
    assert len(venue.truth()) == before


def test_other_faults_of_requests(venue) -> None:
    venue.fault("/api/v3/time", "delay", nth=1, args={"seconds": 0.2})
    began = time.monotonic()
    assert "serverTime" in venue.public("time")
    assert time.monotonic() - began >= 0.2
    venue.fault(
        "POST /api/v3/order", "reject", nth=1, args={"code": -1013, "message": "Filter failure: MAX_NUM_ORDERS"}
    )
    assert error(venue.order()) == (400, -1013, "Filter failure: MAX_NUM_ORDERS")
    venue.fault("/api/v3/ping", "garbage", nth=1)
    with pytest.raises(json.JSONDecodeError):
        venue.public("ping")
    venue.fault("/api/v3/ping", "maintenance", nth=1, args={"seconds": 0.3})
    assert venue.public("ping")["code"] == -1016
    assert venue.order().status_code == 503
    time.sleep(0.4)
    assert venue.public("ping") == {}
    venue.fault("/api/v3/ping", "ban", nth=1, args={"seconds": 0.3})
    assert venue.public("ping")["code"] == -1003
    assert venue.order().status_code == 418
    time.sleep(0.4)
    assert venue.public("ping") == {}


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        ("/faults", {"endpoint": "*", "kind": "earthquake"}, "earthquake"),
        ("/faults", {"endpoint": "*", "kind": "delay", "nth": 0}, "nth was 0; accepted: 1 or more"),
        ("/faults", {"endpoint": "*", "kind": "delay", "probability": 2}, "accepted: above 0, up to 1"),
        ("/faults", {"endpoint": "*", "kind": "delay", "when": "noon"}, "when"),
        ("/clock", {"offset_ms": 10**18}, "accepted: up to ten years"),
        ("/clock", {}, "offset_ms"),
        ("/lag", {"orders_ms": -1}, "orders_ms was -1; accepted: 0 to "),
        ("/expire", {}, "accepted: symbol or clientOrderId"),
        ("/expire", {"clientOrderId": "nobody"}, "no such order is open"),
        ("/halt", {"symbol": "BTC", "state": "SIESTA"}, "SIESTA"),
        ("/halt", {"symbol": "DOGE"}, "DOGE is not traded here; accepted: BTC, ETH"),
        ("/halt", {"symbol": "banana"}, "banana"),
    ],
)
def test_a_control_request_that_makes_no_sense_is_refused(venue, path, body, words) -> None:
    answer = venue.control.post(path, json=body)
    assert answer.status_code == 400
    assert words in answer.json()["error"]


def test_the_truth_is_written_down_and_adds_up(tmp_path: Path) -> None:
    file = tmp_path / "truth.jsonl"
    with running_venue(truth=file) as venue:
        venue.order(quantity="0.5")
        placed = venue.order(**LIMIT).json()
        venue.call("DELETE", "order", symbol="BTCUSDT", orderId=placed["orderId"])
        truth = venue.truth()
        assert venue.control.get("/truth?after=1").json() == truth[1:]
        assert venue.control.get("/truth?after=x").status_code == 400
        balances = {row["asset"]: float(row["free"]) for row in venue.call("GET", "account").json()["balances"]}
    assert [json.loads(line) for line in file.read_text().splitlines()] == truth
    assert [event["sequence"] for event in truth] == list(range(1, len(truth) + 1))
    fills = [event["fill"] for event in truth if event["event"] == "trade"]
    spent = sum(float(fill["price"]) * float(fill["quantity"]) for fill in fills)
    assert balances["USDT"] == pytest.approx(1_000_000 - spent)
    assert balances["BTC"] == pytest.approx(10 + sum(float(f["quantity"]) - float(f["fee"]) for f in fills))


def test_the_same_seed_plays_the_same_market() -> None:
    played = 520  # a few more than the history at hand from the start

    def candles() -> list[object]:
        with running_venue() as venue:
            while (
                len(rows := venue.public(f"klines?symbol=BTCUSDT&interval=1m&startTime=0&limit={played + 1}")) <= played
            ):
                time.sleep(0.1)
            return list(rows[:played])

    assert candles() == candles()


def test_a_connection_that_rests_stays_open_for_longer_than_clients_keep_one(venue):
    import http.client

    connection = http.client.HTTPConnection(venue.http.removeprefix("http://"), timeout=5)
    try:
        for pause in (6.0, 0.0):  # else an order that is sent just when the venue closes is never answered
            connection.request("GET", "/api/v3/time")
            assert connection.getresponse().read()
            socket = connection.sock
            time.sleep(pause)
            assert connection.sock is socket
    finally:
        connection.close()
