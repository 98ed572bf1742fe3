from __future__ import annotations

import msgspec
import pytest
from tests.builders import BTC, ETH, instrument

from vela.engine.configuration import Configuration, SymbolConfiguration
from vela.engine.rules import Stake, TradingRules

FIRST = Configuration(
    1_000,
    TradingRules(stake=Stake.from_str("12.5%"), take_profit_ppm=10_000, impact_ppm=7),
    (
        SymbolConfiguration(instrument(BTC), "SmaCrossover", {"fast": 10, "slow": 30}),
        SymbolConfiguration(instrument(ETH), "strategies.mine:Mine", {"level": 0.5}),
    ),
)


@pytest.fixture
def kept(place):
    with place.open() as record:
        yield record.configurations


def test_a_new_record_has_none(kept):
    assert kept.newest() is None


def test_what_was_kept_comes_back(kept):
    kept.keep(FIRST)
    assert kept.newest() == FIRST


def test_the_same_later_on_changes_nothing(kept):
    kept.keep(FIRST)
    kept.keep(msgspec.structs.replace(FIRST, since=2_000))
    assert kept.newest() == FIRST


@pytest.mark.parametrize("since", [1_000, 2_000])
@pytest.mark.parametrize("changes", [{"rules": TradingRules()}, {"symbols": FIRST.symbols[:1]}])
def test_a_change_holds_from_its_moment_on(kept, since, changes):
    kept.keep(FIRST)
    changed = msgspec.structs.replace(FIRST, since=since, **changes)
    kept.keep(changed)
    assert kept.newest() == changed
