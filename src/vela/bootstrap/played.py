"""Which market a venue plays."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from vela.adapters.clock import SimulatedClock
from vela.adapters.exchanges.simulated.feed import SimulatedFeed
from vela.adapters.exchanges.simulated.sources import CandleSource, SyntheticSource
from vela.bootstrap.market import Market, open_market
from vela.bootstrap.settings import DEFAULT_SYMBOLS, SYNTHETIC, Settings
from vela.domain.errors import ConfigurationError
from vela.domain.instrument import Instrument
from vela.domain.timeframe import Timeframe
from vela.domain.trading_symbol import TradingSymbol, parse_symbol_list
from vela.ports.market_data import MarketData
from vela.simulation.synthetic import SyntheticMarket
from vela.venue.still import StillMarket

STILL = "still"
_STILL_CANDLES = 100_000  # ago: so many can be ended as fast as one likes and lie in nobody's future


@dataclass(frozen=True, slots=True)
class Played:
    """A market to be served.

    Attributes:
        market: what happens on it.
        start: its first moment, ms UTC.
        title: for people.
        seed: of book and faults.
        still: the market itself if it stands still until it is moved.
    """

    market: MarketData
    start: int
    title: str
    seed: int
    still: StillMarket | None = None


def open_played(
    settings: Settings, prices: Mapping[TradingSymbol, Decimal], now: int, *, begins_now: bool = False
) -> Played:
    """Open the market that the settings name.

    Args:
        settings: `market` may be `still`, too.
        prices: at which a still market stands; symbols without one get that of the made-up market.
        now: the venue's time, ms UTC.
        begins_now: a still market begins with the candle of `now`, not long ago.

    Raises:
        ConfigurationError: an option does not fit the market.
        CandleError: a recording cannot be used.
        OrderRefused: a price is off the grid of ticks.
    """
    if settings.market == STILL:
        return _still(settings, prices, now, 0 if begins_now else _STILL_CANDLES)
    if prices or begins_now:
        given = "prices were" if prices else "a beginning was"
        raise ConfigurationError(f"{given} given, but the market moves by itself; accepted: --market {STILL}")
    market = open_market(settings)
    source = _at_life_speed(market, settings, now)
    feed = SimulatedFeed(source, SimulatedClock(source.start, settings.speed), _give_others_a_turn)
    return Played(feed, source.start, market.title, settings.seed)


def with_rules(instruments: Sequence[Instrument]) -> list[Instrument]:
    """Return trading rules; recordings have none and get those of a made-up market."""
    return [
        rules if rules != Instrument.raw(rules.symbol) else SyntheticMarket(0, [rules.symbol]).instruments()[0]
        for rules in instruments
    ]


def _still(settings: Settings, prices: Mapping[TradingSymbol, Decimal], now: int, candles_ago: int) -> Played:
    timeframe = settings.timeframe or Timeframe.M1
    made_up = SyntheticMarket(settings.seed, settings.symbols or parse_symbol_list(DEFAULT_SYMBOLS), timeframe)
    rules = made_up.instruments()
    unknown = [str(symbol) for symbol in prices if symbol not in made_up.symbols]
    if unknown:
        raise ConfigurationError(f"price of {', '.join(unknown)}; accepted: {', '.join(map(str, made_up.symbols))}")
    first = made_up.candles(0, 1)
    usual = {one.symbol: one.price(one.price_ticks(float(first[one.symbol].open[0]))) for one in rules}
    start = now - now % timeframe.milliseconds - candles_ago * timeframe.milliseconds
    still = StillMarket(rules, {**usual, **prices}, timeframe, start)
    return Played(still, start, "still market", settings.seed, still)


def _at_life_speed(market: Market, settings: Settings, now: int) -> CandleSource:
    """Return the market's candles; those of a made-up market at life speed begin with the candle of `now` (ms UTC)."""
    length = market.source.timeframe.milliseconds
    if settings.market != SYNTHETIC or settings.speed != 1.0:
        return market.source
    before_start = market.source.start - SyntheticMarket(settings.seed, market.symbols, market.source.timeframe).start
    start = now - now % length - before_start
    return SyntheticSource(SyntheticMarket(settings.seed, market.symbols, market.source.timeframe, start))


async def _give_others_a_turn() -> None:
    await asyncio.sleep(0)
