"""The choice in force: what a look changes, what it keeps, and what it says."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest
from tests.builders import BTC, ETH, SOL

from vela.adapters.exchanges.unified.connection import Connection
from vela.bootstrap.universe import Choice, News
from vela.domain.errors import ConfigurationError, VenueUnavailable
from vela.domain.trading_symbol import TradingSymbol
from vela.engine.universe import Activity, UniverseRules


class Exchange:
    """Tells what each symbol traded."""

    def __init__(self, **volumes: float) -> None:
        self.volumes = volumes
        self.problem: Exception | None = None

    def connection(self) -> Connection:
        return cast("Connection", SimpleNamespace(name="test", activity=self._activity))

    async def _activity(self) -> list[Activity]:
        if self.problem is not None:
            raise self.problem
        return [Activity(TradingSymbol(base), volume, 2.0) for base, volume in self.volumes.items()]


def choice() -> Choice:
    return Choice(UniverseRules(size=2), "USDT")


async def begun(
    exchange: Exchange, *before: TradingSymbol, held: tuple[TradingSymbol, ...] = ()
) -> tuple[Choice, News]:
    chosen = choice()
    return chosen, await chosen.begin(exchange.connection(), before, held, None)


async def test_a_look_says_what_comes_and_what_goes() -> None:
    exchange = Exchange(BTC=90e6, ETH=80e6, SOL=70e6)
    chosen, news = await begun(exchange)
    assert chosen.chosen == (BTC, ETH)
    assert news == News("the symbols change: BTC, ETH come", is_change=True)
    exchange.volumes["SOL"] = 100e6
    assert await chosen.look(exchange.connection(), None) == News(
        "the symbols change: SOL come, ETH go", is_change=True
    )
    assert chosen.holding({ETH}).symbols == (SOL, BTC, ETH)
    exchange.volumes["BTC"] = 200e6
    assert await chosen.look(exchange.connection(), None) == News(), "another order is no other choice"


async def test_what_fees_are_taken_in_is_left_out() -> None:
    chosen = choice()
    await chosen.begin(Exchange(BTC=90e6, ETH=80e6, SOL=70e6).connection(), (), (), "BTC")
    assert chosen.chosen == (ETH, SOL)


@pytest.mark.parametrize("problem", [VenueUnavailable("no answer"), None])
async def test_where_nothing_can_be_found_the_choice_stays(problem: Exception | None) -> None:
    exchange = Exchange(BTC=90e6)
    chosen, _ = await begun(exchange)
    exchange.volumes, exchange.problem = {"BTC": 1.0}, problem
    with pytest.raises((VenueUnavailable, ConfigurationError)):
        await chosen.look(exchange.connection(), None)
    assert chosen.chosen == (BTC,)


async def test_at_the_start_what_was_traded_stays_but_what_is_held_is_not_entered_again() -> None:
    exchange: Any = Exchange(BTC=1.0)
    chosen, news = await begun(exchange, BTC, SOL, ETH, held=(SOL,))
    assert chosen.chosen == (BTC, ETH)
    assert (news.level, news.is_change) == ("warning", False)
    assert news.text.startswith("the symbols stay as they were: no symbol at test has what the universe asks for, ")
    assert "50,000,000 USDT traded and a move of 1.5 % in 24 hours" in news.text
    with pytest.raises(ConfigurationError, match="accepted: a smaller --universe-min-volume"):
        await begun(exchange)
