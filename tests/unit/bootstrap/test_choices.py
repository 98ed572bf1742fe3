from __future__ import annotations

from pathlib import Path

import pytest
from tests.builders import BTC, ETH, SOL

from vela.bootstrap.choices import choose_strategies, require_quote, require_trusted_universe
from vela.bootstrap.settings import load_settings
from vela.domain.assets import TradingPair
from vela.domain.errors import ConfigurationError, StrategyError
from vela.domain.trading_symbol import TradingSymbol


def chosen_names(directory: Path, **options) -> list[str]:
    settings = load_settings({"symbols": "BTC,ETH", **options}, {}, directory / "vela.toml")
    strategies = choose_strategies(settings, (BTC, ETH, SOL))
    assert list(strategies) == [BTC, ETH, SOL]
    return [strategy.name for strategy in strategies.values()]


def test_the_shipped_strategies_take_turns_unless_one_is_set_for_all_or_for_a_symbol(tmp_path: Path) -> None:
    sma, rsi = "SmaCrossover", "RsiMeanReversion"
    assert chosen_names(tmp_path) == [sma, rsi, sma]
    assert chosen_names(tmp_path, strategy=rsi) == [rsi, rsi, rsi]
    assert chosen_names(tmp_path, strategies={"BTCUSDT": rsi}) == [rsi, rsi, sma]
    assert chosen_names(tmp_path, strategy=sma, strategies={"SOL": rsi}) == [sma, sma, rsi]


def test_strategies_for_symbols_that_are_not_in_use_and_unknown_strategies_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="strategies names DOGE; accepted: BTC, ETH, SOL"):
        chosen_names(tmp_path, strategies={"DOGE": "SmaCrossover"})
    for options in ({"strategy": "Foo"}, {"strategies": {"ETH": "Foo"}}):
        with pytest.raises(StrategyError, match="'Foo' is unknown; accepted: "):
            chosen_names(tmp_path, **options)


def test_in_a_universe_a_symbols_strategy_does_not_depend_on_the_others(tmp_path: Path) -> None:
    universe = {"exchange": "binance", "universe": 3}
    settings = load_settings(universe, {}, tmp_path / "vela.toml")
    symbols = tuple(TradingSymbol(asset.name) for asset in TradingPair)
    alone = {symbol: choose_strategies(settings, (symbol,))[symbol].name for symbol in symbols}
    assert {symbol: one.name for symbol, one in choose_strategies(settings, symbols[::-1]).items()} == alone
    assert set(alone.values()) == {"SmaCrossover", "RsiMeanReversion"}
    assert (alone[BTC], alone[ETH], alone[SOL]) == ("SmaCrossover", "SmaCrossover", "RsiMeanReversion"), "for good"
    named = load_settings({**universe, "strategies": {"DOGE": "SmaCrossover"}}, {}, tmp_path / "vela.toml")
    assert list(choose_strategies(named, (BTC,))) == [BTC], "one that may come can have its strategy set"


def test_strategies_that_a_universe_may_need_are_checked_before_it_is_chosen(tmp_path: Path) -> None:
    universe = {"exchange": "binance", "universe": 3}
    for options in ({"strategy": "Foo"}, {"strategies": {"ETH": "Foo"}}):
        with pytest.raises(StrategyError, match="'Foo' is unknown"):
            require_trusted_universe(load_settings({**universe, **options}, {}, tmp_path / "vela.toml"))
    require_trusted_universe(load_settings(universe, {}, tmp_path / "vela.toml"))


def test_all_symbols_must_be_quoted_in_the_accounts_currency() -> None:
    require_quote((BTC, ETH), "USDT")
    with pytest.raises(ConfigurationError, match="ETH/BTC is quoted in BTC; accepted: symbols in USDT"):
        require_quote((BTC, TradingSymbol.from_str("ETHBTC")), "USDT")
