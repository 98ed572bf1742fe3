from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.simulation.market import BTC, INSTRUMENTS

from vela.venue.binance.errors import BinanceError
from vela.venue.binance.parameters import Parameters, read_parameters, signed

TRADED = {BTC: INSTRUMENTS[0]}


def test_the_documented_example_has_the_documented_signature() -> None:
    secret = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j"
    payload = (
        "symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1&recvWindow=5000&timestamp=1499827319559"
    )
    assert signed(secret, payload) == "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71"


@pytest.mark.parametrize(
    ("query", "body", "payload"),
    [
        ("a=1&b=2&signature=x", "", "a=1&b=2"),
        ("", "a=1&b=2&signature=x", "a=1&b=2"),
        ("a=1", "b=2&signature=x", "a=1b=2"),
        ("a=%40&signature=x", "", "a=%40"),
    ],
)
def test_what_is_signed_is_what_was_sent(query, body, payload) -> None:
    assert read_parameters(query, body)[1] == payload


def test_a_parameter_sent_twice_is_refused() -> None:
    for query, body in (("a=1&a=2", ""), ("a=1", "a=1")):
        with pytest.raises(BinanceError) as refusal:
            read_parameters(query, body)
        assert refusal.value.code == -1101


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-1", "+1", "1e5", "1.", ".5", "1,5", "٣", "1\n", "9" * 21])
def test_amounts_are_plain_decimals(text) -> None:
    with pytest.raises(BinanceError) as refusal:
        Parameters({"price": text}).decimal("price")
    assert refusal.value.code == -1100


@given(st.text())
def test_no_text_is_more_than_an_error(text) -> None:
    for read in (
        lambda p: p.decimal("x"),
        lambda p: p.integer("x"),
        lambda p: p.client_id("x"),
        lambda p: p.symbol(TRADED),
    ):
        try:
            value = read(Parameters({"x": text, "symbol": text}))
        except BinanceError:
            continue
        assert value is not None


@pytest.mark.parametrize("text", ["btcusdt", "BTC/USDT", "BTC", "ETHUSDT", " BTCUSDT", ""])
def test_symbols_are_written_in_one_way(text) -> None:
    with pytest.raises(BinanceError):
        Parameters({"symbol": text}).symbol(TRADED)
    assert Parameters({"symbol": "BTCUSDT"}).symbol(TRADED) == BTC


@pytest.mark.parametrize(
    ("timestamp", "window", "code"),
    [
        (10_000, None, None),
        (11_000, None, None),
        (11_001, None, -1021),
        (5_000, None, None),
        (4_999, None, -1021),
        (4_999, 5001, None),
        (9_999, 0, -1021),
        (10_000, 60_001, -1130),
    ],
)
def test_the_window_is_exact(timestamp, window, code) -> None:
    values = {"timestamp": str(timestamp)} | ({} if window is None else {"recvWindow": str(window)})
    parameters = Parameters(values)
    if code is None:
        parameters.check_time(10_000)
        parameters.finish()
        return
    with pytest.raises(BinanceError) as refusal:
        parameters.check_time(10_000)
    assert refusal.value.code == code


def test_what_nobody_reads_is_refused() -> None:
    parameters = Parameters({"a": "1", "b": "2", "c": "3"})
    parameters.text("a")
    parameters.skip("c")
    with pytest.raises(BinanceError, match=r"read '2' parameter\(s\) but was sent '3'"):
        parameters.finish()
