"""A market that stands still until somebody moves it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from decimal import Decimal

from vela.domain.candles import Candle
from vela.domain.errors import ConfigurationError
from vela.domain.events import MarketEnded, PricesMoved, SymbolCandle, Tick
from vela.domain.instrument import Instrument
from vela.domain.timeframe import Timeframe
from vela.domain.trading_symbol import TradingSymbol
from vela.ports.market_data import MarketEvent
from vela.simulation.filters import check_price

VOLUME = 1_000_000.0
"""What each of its candles traded before it began, and what every move trades unless something else is said; base."""

_MOST = Decimal(10) ** 9


class StillMarket:
    """`MarketData` that only begins: its prices and, before them, candles without a move.

    Time stands still with the prices. What happens later is made here and taken to the venue by whoever asks for it.
    """

    def __init__(
        self,
        instruments: Sequence[Instrument],
        prices: Mapping[TradingSymbol, Decimal],
        timeframe: Timeframe,
        time: int,
    ) -> None:
        """Stand at `prices` (quote per base, one of each symbol) and at `time`, the open of a candle (ms UTC).

        Raises:
            ConfigurationError: a price is not above 0, or far beyond what anything costs.
            OrderRefused: a price is off the grid of ticks.
        """
        self._instruments = {rules.symbol: rules for rules in instruments}
        self._prices = {symbol: self._checked(symbol, price) for symbol, price in prices.items()}
        self._volumes = dict.fromkeys(self._prices, VOLUME)
        self._timeframe = timeframe
        self._time = time

    @property
    def timeframe(self) -> Timeframe:
        """See `MarketData.timeframe`."""
        return self._timeframe

    @property
    def time(self) -> int:
        """The open of the candle in which it stands, ms UTC."""
        return self._time

    def instruments(self) -> Sequence[Instrument]:
        """See `MarketData.instruments`."""
        return [*self._instruments.values()]

    async def history(self, symbol: TradingSymbol, before: int, count: int) -> Sequence[Candle]:
        """See `MarketData.history`."""
        length, price = self._timeframe.milliseconds, self._prices[symbol]
        end = min(before, self._time) // length * length
        return [Candle(end - length * back, price, price, price, price, VOLUME) for back in range(count, 0, -1)]

    async def stream(self) -> AsyncIterator[MarketEvent]:
        """See `MarketData.stream`."""
        yield self._opened()
        yield MarketEnded(time=self._time)

    def moved(
        self, symbol: TradingSymbol, price: Decimal, *, jump: bool = False, volume: float = VOLUME
    ) -> list[PricesMoved]:
        """Move a price and return how: through all prices in between or, with `jump`, over them.

        Args:
            symbol: whose.
            price: the new one, quote per base.
            jump: levels in between are gapped over; then it trades at the new price.
            volume: traded on the way, and offered from then on, in base.

        Raises:
            ConfigurationError: the price is not above 0, or far beyond what anything costs; nothing was changed.
            OrderRefused: it is off the grid of ticks; nothing was changed.
        """
        after = self._checked(symbol, price)
        before, self._prices[symbol], self._volumes[symbol] = self._prices[symbol], after, volume
        gap = [Tick(symbol, after, after, after, jump=True, volume=volume)] if jump else []
        first = after if jump else before
        ticks = [*gap, Tick(symbol, after, min(first, after), max(first, after), volume=volume)]
        return [PricesMoved(time=self._time, ticks=(tick,)) for tick in ticks]

    def candle_ended(self, forming: tuple[SymbolCandle, ...]) -> tuple[PricesMoved, tuple[SymbolCandle, ...]]:
        """Let the next candle begin and return its prices, then the candles that were `forming`: they have closed."""
        self._time += self._timeframe.milliseconds
        return self._opened(), forming

    def _opened(self) -> PricesMoved:
        ticks = (
            Tick(one, price, price, price, jump=True, volume=self._volumes[one]) for one, price in self._prices.items()
        )
        return PricesMoved(time=self._time, ticks=tuple(ticks))

    def _checked(self, symbol: TradingSymbol, price: Decimal) -> float:
        if not price.is_finite() or not 0 < price <= _MOST:
            raise ConfigurationError(f"price of {symbol} was {price}; accepted: above 0, up to {_MOST}")
        check_price(str(symbol), price, self._instruments[symbol])
        return float(price)
