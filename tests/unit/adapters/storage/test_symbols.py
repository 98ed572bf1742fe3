from __future__ import annotations

import subprocess
import sys

import pytest

from vela.adapters.storage.symbols import stored_symbol
from vela.domain.errors import SymbolError
from vela.domain.trading_symbol import QuoteCurrency, TradingSymbol


def test_parts_become_the_symbol():
    assert stored_symbol("ETH", "BTC") == TradingSymbol("ETH", QuoteCurrency.BTC)


def test_an_asset_that_this_process_has_not_met_is_made_known():
    code = (
        "from vela.adapters.storage.symbols import stored_symbol as s;"
        "from vela.domain.trading_symbol import TradingSymbol as T;"
        "print(s('1000SATS', 'USDT') == T.from_str('1000SATS/USDT'))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "True\n"


@pytest.mark.parametrize(
    ("base", "quote"), [("BTC", "btc"), ("BTC", ""), ("", "USDT"), ("B TC", "USDT"), ("BTC", "BTC")]
)
def test_parts_of_no_symbol_are_refused(base, quote):
    with pytest.raises(SymbolError):
        stored_symbol(base, quote)
