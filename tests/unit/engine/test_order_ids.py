from __future__ import annotations

import re

import pytest

from vela.domain.assets import QuoteCurrency
from vela.domain.trading_symbol import TradingSymbol, restored_symbol
from vela.engine.order_ids import LONGEST, stem


def test_an_id_tells_the_symbol_and_the_time():
    assert stem(TradingSymbol("BTC"), 1_700_000_000_000) == "BTCUSDT-1700000000000"
    assert stem(TradingSymbol("ETH", QuoteCurrency.BTC), 5) == "ETHBTC-5"


@pytest.mark.parametrize("base", ["BTC", "1000SATS", "ABCDEFGHIJKL", "ABCDEFGHIJKLMNOP", "币安人生"])
def test_every_symbol_fits_with_its_mark(base: str):
    order_id = f"{stem(restored_symbol(base, 'USDT'), 9_999_999_999_999)}-X9999"
    assert len(order_id) <= LONGEST
    assert re.fullmatch("[A-Za-z0-9-]+", order_id)


def test_symbols_that_cannot_be_written_out_keep_apart():
    names = ["币安人生", "币安人", "ABCDEFGHIJKLMNOP", "ABCDEFGHIJKLMNOQ"]
    assert len({stem(restored_symbol(base, "USDT"), 1) for base in names}) == len(names)
