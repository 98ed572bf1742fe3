"""A made-up market with what makes real ones hard: fat tails, clustered volatility, common moves, regimes.

Every asset has a log price in US dollars: an Ornstein-Uhlenbeck process around its starting price, so that years pass
without it going to zero or infinity. Its return is a share of one market-wide factor plus a part of its own; both have
a log volatility that follows an AR(1) process. The factor drifts up, down or not at all, as a Markov chain says. Now
and then a price jumps between two candles. A pair's price is the ratio of its assets' prices, so triangles agree.

High and low of a candle are drawn from the exact distribution of a Brownian bridge's maximum and minimum between its
open and close (Glasserman, Monte Carlo Methods in Financial Engineering, 2003, section 6.4).
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from vela.domain.candles import Candles
from vela.domain.errors import ConfigurationError
from vela.domain.instrument import Instrument
from vela.domain.timeframe import Timeframe
from vela.domain.trading_symbol import TradingSymbol

ORIGIN = 1_735_689_600_000  # 2025-01-01T00:00Z
CHUNK = 4096  # candles generated at a time

_YEAR_MS = 365 * 86_400_000
_FACTOR_VOLATILITY = 0.45  # per year
_REVERSION_YEARS = 0.25
_DRIFT = 0.16  # of a trend, in standard deviations per candle
_DWELL = 220  # mean candles of a regime
_QUIET = 0.75  # volatility in a range, against a trend's
_CLUSTERING = 0.97  # AR(1) coefficient of log volatility per candle
_VOLATILITY_OF_VOLATILITY = 0.55  # standard deviation of log volatility
_JUMPS = 1 / 2000  # per candle
_JUMP_SIZE = 4.0  # in standard deviations of a candle
_TURNOVER = 400_000.0  # US dollars per minute

_STEADY = (
    "USD",
    "USDT",
    "USDC",
    "FDUSD",
    "BUSD",
    "TUSD",
    "DAI",
    "EUR",
    "GBP",
    "CHF",
    "AUD",
    "CAD",
    "TRY",
    "BRL",
    "JPY",
)
_STEADY_SHARE = 0.02  # of a coin's volatility
_USD_PRICES = {
    **dict.fromkeys(_STEADY, 1.0),
    "BTC": 97_000.0,
    "ETH": 3_400.0,
    "BNB": 690.0,
    "SOL": 190.0,
    "LTC": 105.0,
    "AVAX": 36.0,
    "LINK": 20.0,
    "DOT": 6.7,
    "XRP": 2.1,
    "ADA": 0.85,
    "DOGE": 0.32,
    "TRX": 0.25,
    "SHIB": 0.000021,
    "PEPE": 0.00002,
    "EUR": 1.04,
    "GBP": 1.25,
    "CHF": 1.1,
    "AUD": 0.62,
    "CAD": 0.7,
    "TRY": 0.028,
    "BRL": 0.16,
    "JPY": 0.0064,
}

_Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class MarketChunk:
    """A stretch of the market.

    Attributes:
        first: index of its first candle.
        candles: per symbol, all of one length.
        trend: int8, shape `(n,)`: 1 where the market drifts up, −1 down, 0 in a range.
    """

    first: int
    candles: dict[TradingSymbol, Candles]
    trend: NDArray[np.int8]


class SyntheticMarket:
    """Candles without end, the same for the same seed however they are read."""

    def __init__(
        self, seed: int, symbols: Sequence[TradingSymbol], timeframe: Timeframe = Timeframe.M1, start: int = ORIGIN
    ) -> None:
        """Describe the market; nothing is generated yet.

        Args:
            seed: 0 or more. A symbol's candles depend on it and on the symbol, not on which others are there.
            symbols: at least one, no two alike.
            timeframe: length of the candles.
            start: open time of candle 0, ms UTC on the timeframe's grid.

        Raises:
            ConfigurationError: an argument is not as described.
        """
        if seed < 0:
            raise ConfigurationError(f"seed was {seed}; accepted: 0 or more")
        if not symbols or len(set(symbols)) != len(symbols):
            raise ConfigurationError(f"symbols were {', '.join(map(str, symbols))!r}; accepted: one or more, each once")
        if start % timeframe.milliseconds:
            raise ConfigurationError(f"start was {start}; accepted: a multiple of {timeframe.milliseconds} ms")
        self.seed = seed
        self.symbols = tuple(symbols)
        self.timeframe = timeframe
        self.start = start
        self._reader = self.chunks()
        self._kept: list[MarketChunk] = []

    def instruments(self) -> tuple[Instrument, ...]:
        """Return trading rules of the kind real venues have for assets of such a price."""
        return tuple(map(_instrument, self.symbols))

    def chunks(self) -> Iterator[MarketChunk]:
        """Yield the market from its first candle on, 4,096 candles at a time, without end."""
        return _generate(self)

    def candles(self, first: int, count: int) -> dict[TradingSymbol, Candles]:
        """Return `count` candles of each symbol from index `first` on.

        Reading forward is quick; going back by more than a chunk or two starts again from the beginning.
        """
        return {symbol: self.candles_of(symbol, first, count) for symbol in self.symbols}

    def candles_of(self, symbol: TradingSymbol, first: int, count: int) -> Candles:
        """Return `count` candles of one symbol from index `first` on; see `candles`."""
        if not self._kept or self._kept[0].first > first:
            self._reader, self._kept = self.chunks(), []
        while not self._kept or self._kept[-1].first + CHUNK < first + count:
            self._kept = [chunk for chunk in self._kept if chunk.first + 2 * CHUNK > first]
            self._kept.append(next(self._reader))
        kept = [chunk for chunk in self._kept if chunk.first + CHUNK > first]
        offset = first - kept[0].first if kept else 0
        return _joined([chunk.candles[symbol] for chunk in kept]).slice(offset, offset + count)


def _joined(parts: Sequence[Candles]) -> Candles:
    if len(parts) == 1:
        return parts[0]
    names = ("open_time", "open", "high", "low", "close", "volume")
    return Candles(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def _instrument(symbol: TradingSymbol) -> Instrument:
    quote_usd = _usd(symbol.quote.value)
    magnitude = math.floor(math.log10(_usd(symbol.base) / quote_usd))
    return Instrument(
        symbol,
        tick=Decimal(1).scaleb(min(-2, magnitude - 4)),  # five digits of price, as venues have them
        step=Decimal(1).scaleb(min(0, -magnitude - 1)),
        min_notional=Decimal(5).scaleb(-round(math.log10(quote_usd))),  # about 5 US dollars
    )


def _usd(asset: str) -> float:
    return _USD_PRICES.get(asset, 10.0)


# ------------------------------------------------------------------------------------------------------- the processes


def _stream(seed: int, name: str) -> np.random.Generator:
    # A stream of its own per asset: adding a symbol leaves the candles of the others as they are.
    key = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")
    return np.random.Generator(np.random.PCG64([seed, key]))


class _Recursion:
    """x[t] = a·x[t−1] + e[t], chunk after chunk, without a loop over t."""

    def __init__(self, coefficient: float, initial: float = 0.0) -> None:
        self._growth = coefficient ** -np.arange(1.0, CHUNK + 1)
        self._last = initial

    def advance(self, shocks: _Floats) -> _Floats:
        values: _Floats = (self._last + np.cumsum(shocks * self._growth)) / self._growth
        self._last = float(values[-1])
        return values


class _Volatility:
    """exp of a stationary AR(1) process, mean square 1."""

    def __init__(self, random: np.random.Generator) -> None:
        self._random = random
        self._shock = _VOLATILITY_OF_VOLATILITY * math.sqrt(1 - _CLUSTERING**2)
        self._log = _Recursion(_CLUSTERING, _VOLATILITY_OF_VOLATILITY * random.standard_normal())

    def advance(self) -> _Floats:
        log = self._log.advance(self._shock * self._random.standard_normal(CHUNK))
        return np.exp(log - _VOLATILITY_OF_VOLATILITY**2)


class _Trend:
    """A Markov chain over up, down and range; how long each lasts is geometric."""

    def __init__(self, random: np.random.Generator) -> None:
        self._random = random
        self._state = 0
        self._left = 0

    def advance(self) -> NDArray[np.int8]:
        trend = np.empty(CHUNK, dtype=np.int8)
        at = 0
        while at < CHUNK:
            if not self._left:
                others = [state for state in (0, 1, -1) if state != self._state]
                self._state = others[int(self._random.integers(2))]
                self._left = int(self._random.geometric(1 / _DWELL))
            taken = min(self._left, CHUNK - at)
            trend[at : at + taken] = self._state
            self._left -= taken
            at += taken
        return trend


@dataclass(frozen=True, slots=True)
class _Factor:
    trend: NDArray[np.int8]
    returns: _Floats
    volatility: _Floats


class _Asset:
    """One asset's log price in US dollars."""

    def __init__(self, seed: int, name: str, timeframe: Timeframe, deviation: float) -> None:
        self._random = _stream(seed, name)
        self._volatility = _Volatility(self._random)
        share = _STEADY_SHARE if name in _STEADY else 1.0
        self._beta = share * (1.0 if name == "BTC" else float(self._random.uniform(1.1, 1.4)))
        self._own = self._beta * deviation * (0.5 if name == "BTC" else 0.8)
        self._log = _Recursion(math.exp(-timeframe.milliseconds / (_REVERSION_YEARS * _YEAR_MS)))
        self._start = math.log(_usd(name))

    def advance(self, factor: _Factor) -> tuple[_Floats, _Floats, _Floats]:
        """Return log prices at the closes, the jumps just before each candle, and each candle's deviation."""
        own = self._own * self._volatility.advance()
        deviation = np.hypot(self._beta * factor.volatility, own)
        moves = self._beta * factor.returns + own * self._random.standard_normal(CHUNK)
        jumps = self._random.standard_normal(CHUNK) * _JUMP_SIZE * deviation * (self._random.random(CHUNK) < _JUMPS)
        return self._start + self._log.advance(moves + jumps), jumps, deviation


class _Pair:
    """Turns two assets' log prices into candles on the pair's grid."""

    def __init__(self, symbol: TradingSymbol, seed: int, timeframe: Timeframe, start: int) -> None:
        rules = _instrument(symbol)
        self.symbol = symbol
        self._decimals = -int(rules.tick.adjusted())
        self._tick = float(rules.tick)
        self._step = float(rules.step)
        self._step_decimals = -int(rules.step.adjusted())
        self._random = _stream(seed, symbol.to_ccxt())
        self._length = timeframe.milliseconds
        self._start = start
        self._base_volume = _TURNOVER * self._length / 60_000 / _usd(symbol.base)
        self._last = math.log(_usd(symbol.base) / _usd(symbol.quote.value))

    def advance(self, first: int, close: _Floats, jumps: _Floats, deviation: _Floats) -> Candles:
        opened = np.concatenate([[self._last], close[:-1]]) + jumps
        self._last = float(close[-1])
        move = close - opened
        bridge = -2 * deviation**2 * np.log1p(-self._random.random((2, CHUNK)))
        up, down = (np.sqrt(move**2 + bridge) + [[1.0], [-1.0]] * move) / 2
        # Rounding is monotone: high and low stay around open and close.
        first_price, high, low, last_price = map(self._priced, (opened, opened + up, opened - down, close))
        times = self._start + (first + np.arange(CHUNK, dtype=np.int64)) * self._length
        return Candles(times, first_price, high, low, last_price, self._volume(move, deviation))

    def _priced(self, log: _Floats) -> _Floats:
        return np.maximum(np.round(np.exp(log), self._decimals), self._tick)

    def _volume(self, move: _Floats, deviation: _Floats) -> _Floats:
        noise = np.exp(0.4 * self._random.standard_normal(CHUNK))
        activity = deviation / float(np.sqrt(np.mean(deviation**2))) * (0.6 + 0.5 * np.abs(move) / deviation)
        steps = np.ceil(self._base_volume * activity * noise / self._step)
        return np.round(steps * self._step, self._step_decimals)


def _generate(market: SyntheticMarket) -> Iterator[MarketChunk]:
    random = _stream(market.seed, "market")
    volatility, trend = _Volatility(random), _Trend(random)
    deviation = _FACTOR_VOLATILITY * math.sqrt(market.timeframe.milliseconds / _YEAR_MS)
    names = sorted({name for symbol in market.symbols for name in (symbol.base, symbol.quote.value)})
    assets = {name: _Asset(market.seed, name, market.timeframe, deviation) for name in names}
    pairs = [_Pair(symbol, market.seed, market.timeframe, market.start) for symbol in market.symbols]
    first = 0
    while True:
        states = trend.advance()
        size = deviation * volatility.advance() * np.where(states, 1.0, _QUIET)
        factor = _Factor(states, size * random.standard_normal(CHUNK) + _DRIFT * deviation * states, size)
        moves = {name: asset.advance(factor) for name, asset in assets.items()}
        candles = {}
        for pair in pairs:
            base, quote = moves[pair.symbol.base], moves[pair.symbol.quote.value]
            spread = np.hypot(base[2], quote[2])
            candles[pair.symbol] = pair.advance(first, base[0] - quote[0], base[1] - quote[1], spread)
        yield MarketChunk(first, candles, states)
        first += CHUNK
