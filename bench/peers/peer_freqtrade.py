"""freqtrade: signals over whole tables, then Python for every candle.

It enters and leaves symbol by symbol, so that it cannot sell in all before it buys in any: no shared capital.
"""

from __future__ import annotations

import logging

import pandas as pd
import talib
from bench.peers import work
from bench.peers.work import Answer, Market, Run
from freqtrade.enums import CandleType, RunMode
from freqtrade.exchange import Exchange
from freqtrade.optimize.backtesting import Backtesting
from freqtrade.resolvers import StrategyResolver
from freqtrade.strategy import IStrategy

logging.disable(logging.WARNING)
PAIR = "BTC/USDT"


class Traded(IStrategy):
    INTERFACE_VERSION = 3
    timeframe = "1m"
    minimal_roi = {0: 1000.0}
    stoploss = -0.99
    process_only_new_candles = True
    startup_candle_count = 0
    order_types = {"entry": "market", "exit": "market", "stoploss": "market", "stoploss_on_exchange": False}


class Crossover(Traded):
    def populate_indicators(self, dataframe, metadata):
        dataframe["fast"] = talib.SMA(dataframe["close"], work.FAST)
        dataframe["slow"] = talib.SMA(dataframe["close"], work.SLOW)
        return dataframe

    def populate_entry_trend(self, dataframe, metadata):
        fast, slow = dataframe["fast"], dataframe["slow"]
        dataframe["enter_long"] = ((fast > slow) & (fast.shift() <= slow.shift())).astype(int)
        return dataframe

    def populate_exit_trend(self, dataframe, metadata):
        fast, slow = dataframe["fast"], dataframe["slow"]
        dataframe["exit_long"] = ((fast < slow) & (fast.shift() >= slow.shift())).astype(int)
        return dataframe


class Reversion(Traded):
    minimal_roi = {0: work.TAKE_PROFIT}
    stoploss = -work.STOP_LOSS

    def populate_indicators(self, dataframe, metadata):
        dataframe["index"] = talib.RSI(dataframe["close"], work.PERIOD)
        return dataframe

    def populate_entry_trend(self, dataframe, metadata):
        dataframe["enter_long"] = (dataframe["index"] < work.OVERSOLD).astype(int)
        return dataframe

    def populate_exit_trend(self, dataframe, metadata):
        dataframe["exit_long"] = (dataframe["index"] > work.OVERBOUGHT).astype(int)
        return dataframe


class Offline(Exchange):
    """An exchange that is never asked over the network."""

    def reload_markets(self, force=False, *, load_leverage_tiers=True):
        pairs = self._config["exchange"]["pair_whitelist"]
        self._markets = {pair: described(pair) for pair in pairs}

    def validate_config(self, config):
        pass


def described(pair: str) -> dict[str, object]:
    base, quote = pair.split("/")
    unlimited = {"min": None, "max": None}
    return {
        "id": base + quote,
        "symbol": pair,
        "base": base,
        "quote": quote,
        "active": True,
        "spot": True,
        "type": "spot",
        "precision": {"amount": 1e-8, "price": 1e-8},
        "limits": {"amount": unlimited, "price": unlimited, "cost": unlimited},
        "info": {},
    }


def found(name: str, config: dict[str, object], extra_dir: str | None = None) -> IStrategy:
    """Answer for the resolver, which would look for the strategy in files."""
    return {"Crossover": Crossover, "Reversion": Reversion}[name](config)


def settings(strategy: type[Traded], stake: float | str) -> dict[str, object]:
    prices = {"price_side": "other", "use_order_book": False, "order_book_top": 1}
    return {
        "dry_run": True,
        "runmode": RunMode.OTHER,  # as Backtesting, without bars of progress
        "exchange": {"name": "binance", "pair_whitelist": [PAIR], "pair_blacklist": []},
        "pairlists": [{"method": "StaticPairList"}],
        "stake_currency": "USDT",
        "stake_amount": stake,
        "dry_run_wallet": work.CAPITAL,
        "max_open_trades": 1,
        "tradable_balance_ratio": 1.0,
        "fee": 0.0,
        "strategy": strategy.__name__,
        "stoploss": strategy.stoploss,
        "minimal_roi": {str(minutes): gain for minutes, gain in strategy.minimal_roi.items()},
        "timeframe": "1m",
        "entry_pricing": prices,
        "exit_pricing": prices,
        "candle_type_def": CandleType.SPOT,
    }


def answering(strategy: type[Traded], market: Market, stake: float | str) -> Run:
    columns = {name: getattr(market, name) for name in ("open", "high", "low", "close", "volume")}
    times = pd.to_datetime(market.open_time, unit="ms", utc=True)
    candles = pd.DataFrame({"date": times} | columns)
    StrategyResolver._load_strategy = staticmethod(found)  # noqa: SLF001
    config = settings(strategy, stake)
    backtesting = Backtesting(config, Offline(config))
    (trader,) = backtesting.strategylist
    backtesting._set_strategy(trader)  # noqa: SLF001  as its own optimizer does

    def run() -> Answer:
        processed = trader.advise_all_indicators({PAIR: candles})
        done = backtesting.backtest(processed, times[0].to_pydatetime(), times[-1].to_pydatetime())
        trades = done["results"]
        opened = trades["open_date"]
        # What is left it closes at the last open; the others value it at the last close.
        left = trades.loc[trades["exit_reason"] == "force_exit", "amount"].sum()
        equity = done["final_balance"] + left * (market.close[-1] - market.open[-1])
        return Answer(float(equity), lambda: market.rows(opened.astype("datetime64[ms, UTC]").astype("int64")))

    return run


def crossover(market: Market) -> Run:
    return answering(Crossover, market, "unlimited")


def reversion(market: Market) -> Run:
    return answering(Reversion, market, work.STAKE)


if __name__ == "__main__":
    work.main("freqtrade", {"crossover": crossover, "reversion": reversion})
