from __future__ import annotations

import pytest

from vela.domain.assets import QuoteCurrency as Quote
from vela.domain.assets import TradingPair, is_valid_asset_name
from vela.domain.trading_symbol import TradingSymbol


def test_members_are_named_after_their_values_and_every_pair_has_a_price_in_usdt() -> None:
    assert len(TradingPair) == len(TradingPair.__members__) > 100
    assert all(member.name == member.value for member in (*TradingPair, *Quote))
    assert [str(TradingSymbol.from_config(member)) for member in TradingPair] == list(TradingPair)


@pytest.mark.parametrize("name", ["BTC", "1INCH", "1000SATS", "A" * 32, "\u5e01\u5b89\u4eba\u751f"])
def test_names_that_exchanges_give(name: str) -> None:
    assert is_valid_asset_name(name)


@pytest.mark.parametrize(
    "name",
    [
        *("", " ", "btc", "A B", "A/B", "A-B", "A_B", "A:B", "ETH2.S", "$PAC", "A" * 33, "A\n", "A\x00", "\u202eA"),
        *("\uff11", "\u0412\u0422\u0421", "\u1160", "\u3164", "\ua4d0", "\u0131", "\xaa", "\u0130"),
    ],
)
def test_names_that_could_be_taken_for_others(name: str) -> None:
    assert not is_valid_asset_name(name)
