from __future__ import annotations

import subprocess
import sys

import pytest
from tests.fakes import ManualClock

from vela.adapters.exchanges.live import connect
from vela.domain.errors import ConfigurationError, VenueUnavailable


async def test_an_unknown_exchange_is_named_with_what_is_accepted():
    with pytest.raises(ConfigurationError, match="exchange 'ftx' is unknown; accepted: binance"):
        await connect("ftx", None, ManualClock())


async def test_an_exchange_that_is_not_there():
    with pytest.raises(VenueUnavailable, match="binance cannot be used"):
        await connect("binance", None, ManualClock(), base_url="http://127.0.0.1:1")


def test_whoever_trades_nowhere_does_not_pay_for_ccxt():
    modules = "vela.cli.main, vela.bootstrap.application, vela.adapters.exchanges.live"
    code = f"import sys, {modules}; print('ccxt' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout == "False\n"
