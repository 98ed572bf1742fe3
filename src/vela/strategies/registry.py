"""Strategies by name."""

from __future__ import annotations

from vela.domain.errors import StrategyError
from vela.strategies.adx_trend_filter import AdxTrendFilter
from vela.strategies.base import Number, Strategy
from vela.strategies.bollinger_breakout import BollingerBreakout
from vela.strategies.ema_triple_cross import EmaTripleCross
from vela.strategies.ichimoku_cloud import IchimokuCloud
from vela.strategies.keltner_channels import KeltnerChannels
from vela.strategies.macd_strategy import MacdStrategy
from vela.strategies.rsi_mean_reversion import RsiMeanReversion
from vela.strategies.sma_crossover import SmaCrossover
from vela.strategies.volume_profile import VolumeProfile

SHIPPED: dict[str, type[Strategy]] = {
    cls.__name__: cls
    for cls in (
        SmaCrossover,
        RsiMeanReversion,
        EmaTripleCross,
        BollingerBreakout,
        KeltnerChannels,
        IchimokuCloud,
        MacdStrategy,
        AdxTrendFilter,
        VolumeProfile,
    )
}


def create_strategy(name: str, **values: Number) -> Strategy:
    """Return the strategy of that name with those parameters.

    Raises:
        StrategyError: unknown name or a parameter that makes no sense.
    """
    strategy = SHIPPED.get(name)
    if strategy is None:
        raise StrategyError(f"strategy {name[:60]!r} is unknown; accepted: {', '.join(SHIPPED)}")
    return strategy(**values)
