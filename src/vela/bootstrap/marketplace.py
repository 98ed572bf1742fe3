"""Where a session trades: who tells of the market, and who takes orders."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from vela.adapters.clock import SimulatedClock
from vela.adapters.exchanges.simulated.feed import SimulatedFeed
from vela.adapters.exchanges.simulated.paper import PaperExecution
from vela.adapters.storage.sql.database import Purpose
from vela.adapters.storage.sql.record import Record, SharedRecord
from vela.bootstrap.market import Market
from vela.bootstrap.settings import Settings
from vela.bootstrap.universe import News
from vela.domain.errors import ConfigurationError
from vela.domain.instrument import Instrument
from vela.domain.timeframe import Timeframe
from vela.domain.trading_symbol import TradingSymbol
from vela.engine.rules import TradingRules
from vela.ports.clock import Clock
from vela.ports.execution import Execution
from vela.ports.market_data import MarketData

Settled = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the market has come, in steps of one candle; `total` is None for a market without an end."""

    done: int
    total: int | None


class Marketplace(ABC):
    """A market, and the account that is traded on it.

    Attributes:
        title: for people.
        mode: `paper` or `live`.
        exchange: the name under which its candles are stored.
        identity: what must stay the same while an account lives on it.
        symbols: what is traded; where they are chosen anew now and then, what is traded since `gather`.
        enterable: what of it may be entered; None: all.
        timeframe: length of the candles.
        has_end: whether it ends by itself or by a setting.
        speed: how many times faster than life its time passes; None: as fast as all can follow.
        durability: how an order must be on disk before it is sent.
        repeats: whether it tells again, from where the journal ends, what it told before.
        stranded: symbols that can be traded no more, but are held, or may be; known once it is open.
        strategy_seconds: how long a strategy may think about a candle; None: as long as it wants, the market waits.
    """

    title: str
    mode: str
    exchange: str
    identity: Mapping[str, str]
    symbols: tuple[TradingSymbol, ...]
    timeframe: Timeframe
    has_end: bool
    speed: float | None
    durability: Purpose
    repeats: bool = False
    strategy_seconds: float | None = None
    stranded: tuple[TradingSymbol, ...] = ()
    enterable: frozenset[TradingSymbol] | None = None

    async def open(self, record: SharedRecord) -> None:  # noqa: B027  optional to override
        """Get ready, before anything else is asked. `record`: of the account, a `Record` where this process trades.

        Raises:
            VelaError: it cannot be traded here.
        """

    def require_end(self) -> None:
        """Check that it ends, because somebody waits for that.

        Raises:
            ConfigurationError: it goes on for ever.
        """
        if not self.has_end:
            raise ConfigurationError(
                f"--until-end waits for the market's end, and there is none: {self.title}; "
                "accepted: with a recording, or with --candles N"
            )

    async def close(self) -> None:  # noqa: B027  optional to override
        """Let go of what was opened."""

    async def gather(self, record: SharedRecord) -> bool:  # noqa: ARG002  optional to override
        """Take the symbols that are to be traded from now on, while nobody trades; whoever is built then knows them.

        Args:
            record: as for `open`.

        Returns:
            Whether that is known: else another process has not chosen yet.

        Raises:
            VelaError: it cannot be found out.
        """
        return True

    async def news(self, record: SharedRecord) -> AsyncIterator[News]:  # noqa: ARG002  optional to override
        """Yield what becomes known of the symbols; ends at once where they stay the same. `record`: as for `open`."""
        no_news: tuple[News, ...] = ()
        for news in no_news:
            yield news

    @property
    def progress(self) -> Progress | None:
        """How far the market has come; None before it began, or where it has no end."""
        return None

    @abstractmethod
    def instruments(self) -> Sequence[Instrument]:
        """Return the trading rules of every symbol."""

    @abstractmethod
    def start_of(self, cursor: int | None) -> int:
        """Return the market's time (ms UTC) at which a session begins; `cursor`: where the journal ends."""

    @abstractmethod
    def clock(self, cursor: int | None) -> Clock:
        """Return the market's clock."""

    @abstractmethod
    def history(self, clock: Clock) -> MarketData:
        """Return something to ask for past candles."""

    @abstractmethod
    def feed(self, clock: Clock, settled: Settled, cursor: int | None) -> MarketData:
        """Return the market's voice from `cursor` on; one at a time.

        Args:
            clock: the one that `clock` returned.
            settled: returns when all that followed from what was told has been handled.
            cursor: where the journal ends, ms UTC; None: a new account.
        """

    @abstractmethod
    def execution(self, record: Record, rules: TradingRules) -> Execution:
        """Return who takes orders."""


def paper_account(record: Record, instruments: Sequence[Instrument], rules: TradingRules) -> PaperExecution:
    """Return the paper account that the record keeps."""
    return PaperExecution(
        record.paper_log,
        instruments,
        {rules.quote: rules.initial_capital},
        fee_rate=rules.fee_rate,
        slippage_ppm=rules.slippage_ppm,
        impact_ppm=rules.impact_ppm,
    )


class SimulatedMarketplace(Marketplace):
    """A model or a recording of a market, and a paper account."""

    mode = "paper"
    durability = Purpose.JOURNAL
    repeats = True

    def __init__(self, market: Market, settings: Settings) -> None:
        """`market`: the candles; `settings`: how fast they are played, and for how long."""
        self._source = market.source
        self.speed, self._candles = settings.speed, settings.candles
        self._feed: SimulatedFeed | None = None
        self.title, self.exchange, self.identity = market.title, market.exchange, market.identity
        self.symbols, self.timeframe, self.has_end = market.symbols, market.source.timeframe, market.has_end

    @property
    def progress(self) -> Progress | None:
        """See `Marketplace.progress`."""
        return None if self._feed is None else Progress(self._feed.steps_done, self._feed.steps_total)

    def instruments(self) -> Sequence[Instrument]:
        """See `Marketplace.instruments`."""
        return self._source.instruments()

    def start_of(self, cursor: int | None) -> int:
        """See `Marketplace.start_of`. The market is taken up where the journal ends."""
        return self._source.start if cursor is None else cursor

    def clock(self, cursor: int | None) -> SimulatedClock:
        """See `Marketplace.clock`."""
        return SimulatedClock(self.start_of(cursor), self.speed)

    def history(self, clock: Clock) -> MarketData:
        """See `Marketplace.history`."""
        return SimulatedFeed(self._source, _simulated(clock), _nobody_waits)

    def feed(self, clock: Clock, settled: Settled, cursor: int | None) -> MarketData:
        """See `Marketplace.feed`."""
        length, start = self._source.timeframe.milliseconds, self._source.start
        until = None if self._candles is None else start + self._candles * length
        self._feed = SimulatedFeed(self._source, _simulated(clock), settled, resume_after=cursor, until=until)
        return self._feed

    def execution(self, record: Record, rules: TradingRules) -> Execution:
        """See `Marketplace.execution`."""
        return paper_account(record, self._source.instruments(), rules)


def _simulated(clock: Clock) -> SimulatedClock:
    if not isinstance(clock, SimulatedClock):
        raise TypeError("a simulated market is paced by the clock that it returned")
    return clock


async def _nobody_waits() -> None:
    pass
