from __future__ import annotations

from decimal import Decimal

import pytest
from tests.builders import BTC, ETH, instrument, order, position, request

from vela.domain.order import OrderPurpose, OrderStatus, OrderType, Side
from vela.engine.holdings import Holdings
from vela.engine.rules import TradingRules
from vela.ports.record import AccountState

STOP = order(
    OrderStatus.ACCEPTED,
    OrderPurpose.STOP,
    request=request("BTCUSDT-1000-S1", side=Side.SELL, type=OrderType.STOP, stop_price=Decimal(98)),
)
ENTRY = order(request=request("ETHUSDT-0-E", symbol=ETH), reserved=Decimal(50))
BALANCES = {("cash", "USDT"): Decimal(950), ("cost", "USDT"): Decimal(50), ("capital", "USDT"): Decimal(-1000)}


@pytest.fixture
def holdings() -> Holdings:
    state = AccountState((STOP, ENTRY), (position(),), BALANCES, {})
    return Holdings(TradingRules(fee_rate=Decimal(0)), [instrument(BTC), instrument(ETH)], state)


def test_they_are_those_of_the_record(holdings: Holdings):
    assert holdings.live_orders == (STOP, ENTRY)
    assert holdings.positions == (position(),)
    assert holdings.is_funded
    assert not Holdings(TradingRules(), [], AccountState((), (), {}, {})).is_funded


def test_the_account_is_worth_its_cost_until_a_candle_closes(holdings: Holdings):
    wallet = holdings.wallet(7)
    assert (wallet.time, wallet.cash, wallet.reserved, wallet.equity) == (7, Decimal(950), Decimal(50), Decimal(1000))
    assert holdings._known_wallet(7) is None
    holdings._account.mark(BTC, 110.0)
    assert holdings._known_wallet(7) == holdings.wallet(7)
    assert holdings.wallet(7).market_value == 55


def test_orders_are_told_apart_by_what_they_are_for(holdings: Holdings):
    assert holdings.stop_state(position()) == "resting"
    assert (holdings._protecting(BTC), holdings._protecting(ETH)) == ((STOP,), ())
    assert holdings._protective_ids(BTC) == ("BTCUSDT-1000-S1",)
    assert holdings._entering() == (ENTRY,)
    assert holdings._is_traded(ETH)
    assert not holdings._is_leaving(BTC)
    holdings._orders["x"] = order(purpose=OrderPurpose.EXIT, request=request("x", side=Side.SELL))
    assert holdings._is_leaving(BTC)
    assert not holdings._is_leaving(ETH)


def test_what_is_finer_than_a_step_cannot_be_ordered(holdings: Holdings):
    assert holdings._orderable(position(quantity=Decimal("0.123456"))) == Decimal("0.12345")
