from __future__ import annotations

import json

import pytest


def test_every_format_is_shown_as_json_and_nothing_else_on_stdout(vela) -> None:
    answer = vela("symbols", "BTC,ethbtc", "--json")
    assert (answer.code, answer.err) == (0, "")
    first, second = json.loads(answer.out)
    assert first == {
        "symbol": "BTC",
        "base": "BTC",
        "quote": "USDT",
        "long": "BTCUSDT",
        "lower": "btcusdt",
        "ccxt": "BTC/USDT",
        "coinbase": "BTC-USDT",
        "kraken": "XBT/USDT",
        "redis_key": "price:BTC",
    }
    assert (second["symbol"], second["redis_key"]) == ("ETH/BTC", "price:ETH/BTC")


def test_people_get_a_table(vela) -> None:
    answer = vela("symbols", "BTC-USD")
    assert (answer.code, answer.err) == (0, "")
    assert "BTC/USD" in answer.out


@pytest.mark.parametrize("names", ["", ",", "BTC,", "FOO", "BTC,FOO", "BTC;ETH", "B\nTC", "x" * 5000, "💰"])
def test_what_is_no_symbol_is_refused(names: str, refuses) -> None:
    said = refuses("symbols", names)
    assert "of the symbol list" in said
    assert "accepted: " in said
