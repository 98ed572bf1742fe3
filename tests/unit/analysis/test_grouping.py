from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.builders import BTC, ETH
from tests.unit.analysis.samples import NEW_YEAR, closed

from vela.analysis.grouping import Groups, by_exit_reason, by_month, by_regime, by_symbol
from vela.domain.assets import QuoteCurrency
from vela.domain.position import ExitReason
from vela.domain.regime import MarketRegime
from vela.domain.trading_symbol import TradingSymbol

FIRST = closed("1", symbol=ETH, exit_time=NEW_YEAR, regime=MarketRegime.UNKNOWN, exit_reason=ExitReason.STOP_LOSS)
SECOND = closed("2", symbol=BTC, exit_time=NEW_YEAR - 1, regime=MarketRegime.BULL_TREND)
THIRD = closed("3", symbol=TradingSymbol("ETH", QuoteCurrency.BTC), exit_time=NEW_YEAR + 1, regime=MarketRegime.UNKNOWN)


@pytest.mark.parametrize(
    ("group", "expected"),
    [
        (by_regime, {"bull_trend": [SECOND], "unknown": [FIRST, THIRD]}),
        (by_symbol, {"BTC": [SECOND], "ETH": [FIRST], "ETH/BTC": [THIRD]}),
        (by_exit_reason, {"signal": [SECOND, THIRD], "stop_loss": [FIRST]}),
        (by_month, {"2024-12": [SECOND], "2025-01": [FIRST, THIRD]}),
    ],
)
def test_groups_stand_in_order_and_trades_in_theirs(group: Callable[..., Groups], expected: Groups) -> None:
    found = group([FIRST, SECOND, THIRD])
    assert found == expected
    assert list(found) == list(expected)


@pytest.mark.parametrize("group", [by_regime, by_symbol, by_exit_reason, by_month])
def test_without_trades_there_are_no_groups(group: Callable[..., Groups]) -> None:
    assert group([]) == {}
